import { join } from "node:path";
import { PryxError } from "../domain/error.ts";
import { isInside } from "./_paths.ts";
import { OWNER, removeAll, type Sweep, sweepDead } from "./_sweep.ts";

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
  /** Makes it, once. Throws `sandbox` where that is not possible. */
  ready(): void;
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
  return {
    root,
    temp,
    hidden,
    closedFile,
    closedFolder,
    ready() {
      if (made) return;
      try {
        Deno.mkdirSync(root, { mode: 0o700 });
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
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
      sweep = sweepDead(around);
    },
    async [Symbol.asyncDispose]() {
      if (!made) return;
      made = false;
      await sweep?.stop();
      await removeAll(root);
    },
  };
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
