import { join } from "node:path";
import { messageOf, PryxError } from "../domain/error.ts";
import { entryAt } from "./_existing.ts";
import { isInside } from "./_paths.ts";
import { OWNER, PRIVATE_NAME, removeAll, type Sweep, sweepDead } from "./_sweep.ts";

/**
 * A folder of one sandbox under a name nobody can guess, for its owner alone. Made exclusively, with the first child;
 * removed with the sandbox.
 */
export interface PrivateFolder extends AsyncDisposable {
  /** Holds all of it. */
  readonly root: string;
  /** Temporary folder of children. */
  readonly temp: string;
  /** What children never see: filters, masks, sockets of the proxy, what went wrong. */
  readonly hidden: string;
  /** A file no one may read, and a folder no one may enter: put over what is closed. */
  readonly closedFile: string;
  readonly closedFolder: string;
  /**
   * Makes it, once. Throws `sandbox` where that is not possible, and when something else has taken its place since: a
   * command that was given the folder around it may have put there what the next would be given.
   */
  ready(): void;
  /** Private folders of this user's other sandboxes beside it, as they are now. */
  others(): readonly string[];
}

export interface PrivateFolderOptions {
  /** pryx's own environment: TMPDIR. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders it must not lie in: what agents write. */
  readonly notIn: readonly string[];
}

export function createPrivateFolder({ env, notIn }: PrivateFolderOptions): PrivateFolder {
  const around = place(env.TMPDIR, notIn);
  const root = join(around, `pryx-${crypto.randomUUID()}`);
  const temp = join(root, "tmp");
  const hidden = join(root, "host");
  const closedFile = join(hidden, "closed_file");
  const closedFolder = join(hidden, "closed_folder");
  let made = false;
  let sweep: Sweep | undefined;
  let identities: string | undefined;
  const identify = () => [root, temp, hidden].map(identityOf).join();
  return {
    root,
    temp,
    hidden,
    closedFile,
    closedFolder,
    ready() {
      if (made) {
        if (identify() === identities) return;
        throw new PryxError("sandbox", `Cannot use ${root}: something else has taken its place`, {
          fix: "start pryx anew, and look at what the last commands did there",
        });
      }
      try {
        Deno.mkdirSync(root, { mode: 0o700 });
      } catch (error) {
        const why = messageOf(error);
        throw new PryxError("sandbox", `Cannot make a temporary folder for the command: ${why}`, {
          fix: "set TMPDIR to a folder that can be written",
          cause: error,
        });
      }
      made = true;
      for (const folder of [temp, hidden]) Deno.mkdirSync(folder, { mode: 0o700 });
      Deno.writeFileSync(closedFile, new Uint8Array(0), { createNew: true, mode: 0o600 });
      Deno.chmodSync(closedFile, 0o000);
      Deno.mkdirSync(closedFolder, { mode: 0o700 });
      Deno.chmodSync(closedFolder, 0o000);
      Deno.writeTextFileSync(join(hidden, OWNER), String(Deno.pid), { createNew: true, mode: 0o600 });
      identities = identify();
      sweep = sweepDead(around);
    },
    others() {
      const all = [...Deno.readDirSync(around)].filter(({ name, isDirectory }) =>
        isDirectory && PRIVATE_NAME.test(name)
      );
      return all.map(({ name }) => join(around, name)).filter((path) => path !== root && isOwn(path));
    },
    async [Symbol.asyncDispose]() {
      if (!made) return;
      made = false;
      await sweep?.stop();
      await removeAll(root);
    },
  };
}

/** Of the folder itself, no link followed. */
function identityOf(path: string): string {
  const { dev, ino, isDirectory } = entryAt(path) ?? {};
  return `${isDirectory} ${dev} ${ino}`;
}

function isOwn(path: string): boolean {
  return entryAt(path)?.uid === Deno.uid();
}

/** The system's temporary folder; where that lies in what agents write, the usual one. */
function place(wanted: string | undefined, notIn: readonly string[]): string {
  for (const folder of [wanted, "/tmp", "/var/tmp"]) {
    if (folder === undefined || folder === "") continue;
    try {
      const real = Deno.realPathSync(folder);
      if (Deno.statSync(real).isDirectory && !notIn.some((root) => isInside(real, root))) return real;
    } catch {
      // It is not there: the next one.
    }
  }
  return wanted ?? "/tmp";
}
