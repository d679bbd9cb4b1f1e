import { PryxError } from "../domain/error.ts";
import type { ProcessLimits } from "./processes.ts";
import type { Reaper } from "./reaper.ts";
import type { ProcessSpec } from "./sandbox.ts";

export interface ChildOptions {
  readonly spec: ProcessSpec;
  /** Absolute path of argv[0]. */
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: ProcessLimits;
  readonly reaper: Reaper;
}

export interface Child {
  /** Also the number of its process group. */
  readonly pid: number;
  readonly status: Promise<Deno.CommandStatus>;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
}

/**
 * Starts a child in its own process group and session (so it has no terminal). On Unix a `sh` sets the limits and then
 * becomes the program, but only after a line on its stdin says that the reaper knows the group: whenever pryx dies, the
 * program is either known or never started.
 */
export async function spawnChild(options: ChildOptions): Promise<Child> {
  const { spec, program, limits, reaper } = options;
  const env = { ...options.env, ...reaper.mark };
  const windows = Deno.build.os === "windows";
  if (!windows) await reaper.ready();
  const [, ...rest] = spec.argv;
  const command = windows
    ? new Deno.Command(program, { ...common(spec, env), args: rest })
    : new Deno.Command("/bin/sh", {
      ...common(spec, env),
      args: ["-c", wrapper(spec, limits), "sh", program, ...rest],
      detached: true,
    });
  const child = spawn(command, spec);
  const writer = child.stdin.getWriter();
  if (!windows) {
    try {
      await reaper.add(child.pid);
      await writer.write(new TextEncoder().encode("\n")).catch(() => {});
    } catch (error) {
      // Closed stdin ends the wrapper before it becomes the program.
      await Promise.allSettled([writer.close(), child.stdout.cancel(), child.stderr.cancel(), child.status]);
      throw new PryxError("sandbox", `Cannot run ${spec.argv[0]}: the reaper does not answer`, {
        cause: error,
      });
    }
  }
  // A child that does not read its input to the end is no error.
  const fed = spec.stdin ? writer.write(spec.stdin) : Promise.resolve();
  fed.then(() => writer.close()).catch(() => {});
  const status = child.status.then(async (ended) => {
    await writer.abort().catch(() => {});
    return ended;
  });
  return { pid: child.pid, status, stdout: child.stdout, stderr: child.stderr };
}

function common(spec: ProcessSpec, env: Readonly<Record<string, string>>): Deno.CommandOptions {
  return {
    cwd: spec.cwd,
    clearEnv: true,
    env: { ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  };
}

function spawn(command: Deno.Command, spec: ProcessSpec): Deno.ChildProcess {
  try {
    return command.spawn();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new PryxError("io", `Cannot run ${spec.argv[0]}: ${why}`, { cause: error });
  }
}

/** A limit that this `sh` or this user cannot set is left as it is: the others still hold. */
function wrapper(spec: ProcessSpec, limits: ProcessLimits): string {
  const cores = Math.max(1, navigator.hardwareConcurrency);
  const cpu = limits.cpuSeconds ?? Math.ceil(spec.timeoutMs / 1000) * cores + 1;
  const memory = limits.memoryBytes ?? Deno.systemMemoryInfo().total;
  const lines = [
    "IFS= read -r go || exit 125",
    "unset go",
    "ulimit -c 0",
    `ulimit -t ${Math.ceil(cpu)}`,
    memory > 0 ? `ulimit -d ${Math.ceil(memory / 1024)}` : "",
    limits.fileBytes === undefined ? "" : `ulimit -f ${Math.ceil(limits.fileBytes / 512)}`,
    // dash says -p where bash says -u.
    limits.processes === undefined
      ? ""
      : `ulimit -u ${limits.processes} 2>/dev/null || ulimit -p ${limits.processes}`,
  ].filter((line) => line !== "").map((line) =>
    line.startsWith("ulimit") ? `{ ${line}; } 2>/dev/null` : line
  );
  const input = spec.stdin ? "" : " </dev/null";
  const merge = spec.mergeStderr ? " 2>&1" : "";
  return `${lines.join("\n")}\nexec "$@"${input}${merge}\n`;
}
