import { type LandlockRequest, landlockRules } from "../../core/sandbox/_landlock_rules.ts";
import type { Command } from "../../core/sandbox/_confinement.ts";
import { createSpawner } from "../../core/sandbox/_spawner.ts";
import { kernelSupport, type ThreadRestriction } from "../../core/sandbox/landlock.ts";

const { landlock, seccomp } = kernelSupport();
/** For `ignore`: nothing of this can hold here. */
export const NO_KERNEL_SANDBOX = landlock < 1 || !seccomp;

/** What programs of the system need. */
export const SYSTEM = ["/usr", "/bin", "/lib", "/lib64", "/etc", "/proc", "/sys"];

export interface Ended {
  readonly pid: number;
  readonly code: number;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Rights = Partial<LandlockRequest & Pick<ThreadRestriction, "network" | "unixSockets">>;

/** A writable folder (`open`), one beside it that nobody opens (`shut`), and a spawner whose children get the first. */
export async function confined() {
  const root = await Deno.realPath(await Deno.makeTempDir());
  const [open, shut] = [`${root}/open`, `${root}/shut`];
  await Deno.mkdir(open);
  await Deno.mkdir(shut);
  await Deno.writeTextFile(`${shut}/secret`, "very secret");
  await Deno.writeTextFile(`${shut}/program`, "#!/bin/sh\necho ran\n");
  await Deno.chmod(`${shut}/program`, 0o755);
  const spawner = createSpawner();
  const restriction = (rights: Rights = {}): ThreadRestriction => ({
    rules: landlockRules({
      read: [...SYSTEM, ...rights.read ?? []],
      write: rights.write ?? [open],
      closed: rights.closed ?? [],
      terminals: rights.terminals ?? false,
    }),
    network: rights.network ?? "none",
    unixSockets: rights.unixSockets ?? false,
  });
  const spawn = (
    argv: readonly [string, ...string[]],
    rights?: Rights,
    options: Partial<Command> = {},
  ) =>
    spawner.spawn({
      program: argv[0],
      args: argv.slice(1),
      cwd: open,
      env: { PATH: "/usr/bin:/bin", HOME: open, TMPDIR: open, LC_ALL: "C" },
      stdin: "null",
      output: "piped",
      ...options,
    }, restriction(rights));
  return {
    root,
    open,
    shut,
    spawner,
    restriction,
    spawn,
    async run(argv: readonly [string, ...string[]], rights?: Rights): Promise<Ended> {
      const child = await spawn(argv, rights);
      const [stdout, stderr, { code, signal }] = await Promise.all([
        textOf(child.stdout),
        textOf(child.stderr),
        child.status,
      ]);
      return { pid: child.pid, code, signal, stdout, stderr };
    },
    sh(script: string, rights?: Rights): Promise<Ended> {
      return this.run(["/bin/sh", "-c", script], rights);
    },
    async [Symbol.asyncDispose]() {
      spawner[Symbol.dispose]();
      await Deno.remove(root, { recursive: true });
    },
  };
}

export async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of stream) text += decoder.decode(bytes, { stream: true });
  return text;
}

/** Null when it is not installed. */
export function findProgram(name: string): string | null {
  for (const folder of ["/usr/bin", "/bin", "/usr/local/bin"]) {
    try {
      if (Deno.statSync(`${folder}/${name}`).isFile) return `${folder}/${name}`;
    } catch {
      // The next one.
    }
  }
  return null;
}
