import { messageOf, PryxError } from "../domain/error.ts";
import { type Command, type Confinement, type Started, startedAs } from "./_confinement.ts";
import { signalGroup } from "./_group.ts";
import { type ProcessLimits, ulimits } from "./_limits.ts";
import { innerWrapper, outerWrapper, wrapper, type WrapperOptions } from "./_wrapper.ts";
import type { Reaper } from "./reaper.ts";
import type { ProcessSpec } from "./sandbox.ts";

export interface ChildOptions {
  readonly spec: ProcessSpec;
  /** Absolute path of argv[0]. */
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: ProcessLimits;
  readonly reaper: Reaper;
  /** How the kernel is made to hold it. Absent: with the rights of the user. */
  readonly confinement?: Confinement;
  /** Its standard input stays open after `spec.stdin`, for the caller to write to and to close. */
  readonly holdsInput?: boolean;
  /** It runs jobs of others: its input stays open, and limits are theirs. */
  readonly serves?: true;
}

/** Its `pid` is also the number of its process group. */
export interface Child extends Omit<Started, "stdin" | "hold"> {
  /** `NAME=VALUE` in the environment of this child and of all that comes of it, and of nothing else. */
  readonly mark: string;
  /** Where `holdsInput` was asked for. */
  readonly input?: WritableStreamDefaultWriter<Uint8Array>;
}

/** A child that runs jobs of others. */
export interface ServingChild extends Child, Pick<Started, "hold"> {
  readonly input: WritableStreamDefaultWriter<Uint8Array>;
}

/**
 * Starts a child in its own process group and session (so it has no terminal). On Unix a `sh` sets the limits and then
 * becomes the program, but only after a line on its stdin says that the reaper knows the group: whenever pryx dies, the
 * program is either known or never started. With pryx's own stdin there is no line; then the mark in its environment is
 * what the reaper knows it by.
 */
export async function spawnChild(options: ChildOptions): Promise<Child> {
  const { child, writer, mark } = await spawnWaiting(options);
  const { stdin } = options.spec;
  // A child that does not read its input to the end is no error.
  const fed = writer && stdin ? writer.write(stdin) : Promise.resolve();
  const held = options.holdsInput === true;
  fed.then(() => held ? undefined : writer?.close()).catch(() => {});
  return { ...childOf(child, writer, mark), ...(held && writer ? { input: writer } : {}) };
}

/** The same for a program that reads its work from its input. */
export async function spawnServing(options: Omit<ChildOptions, "serves">): Promise<ServingChild> {
  const { child, writer, mark } = await spawnWaiting({ ...options, serves: true });
  if (!writer) throw new Error("a child that serves has an input");
  return { ...childOf(child, writer, mark), input: writer, hold: child.hold };
}

function childOf(
  child: Started,
  writer: WritableStreamDefaultWriter<Uint8Array> | undefined,
  mark: string,
): Child {
  const status = child.status.then(async (ended) => {
    await writer?.abort().catch(() => {});
    return ended;
  });
  return { mark, pid: child.pid, status, stdout: child.stdout, stderr: child.stderr };
}

/** Started, and known to the reaper. */
async function spawnWaiting(options: ChildOptions) {
  const { spec, reaper, confinement } = options;
  const windows = Deno.build.os === "windows";
  if (!windows) await reaper.ready();
  const mark = markOf(reaper);
  const command = commandOf(options, windows, mark);
  const child = await start(command, spec, confinement);
  const writer = child.stdin?.getWriter();
  if (!windows) {
    try {
      await reaper.add(child.pid);
      await writer?.write(new TextEncoder().encode("\n")).catch(() => {});
    } catch (error) {
      // Closed stdin ends the wrapper before it becomes the program.
      if (!writer) signalGroup(child.pid, "SIGKILL");
      await Promise.allSettled([
        writer?.close(),
        child.stdout?.cancel(),
        child.stderr?.cancel(),
        child.status,
      ]);
      throw new PryxError("sandbox", `Cannot run ${spec.argv[0]}: the reaper does not answer`, {
        cause: error,
      });
    }
  }
  return { child, writer, mark: `${mark[0]}=${mark[1]}` };
}

let children = 0;

/** The reaper looks for the beginning of the value; what follows tells one child from another. */
function markOf({ mark }: Reaper): readonly [name: string, value: string] {
  const [[name, value] = ["PRYX_RUN", ""]] = Object.entries(mark);
  return [name, `${value}.${++children}`];
}

function commandOf(
  options: ChildOptions,
  windows: boolean,
  [markName, markValue]: readonly [string, string],
): Command {
  const { spec, program, limits, confinement, serves = false } = options;
  const [, ...rest] = spec.argv;
  const common = {
    cwd: spec.cwd,
    env: { ...options.env, [markName]: markValue },
    stdin: spec.stdio === undefined ? "piped" : "inherit",
    output: spec.stdio === "inherit" ? "inherit" : "piped",
  } as const;
  if (windows) return { ...common, program, args: rest };
  const wrapping: WrapperOptions = {
    limits: serves ? [] : limitsOf(spec, limits, confinement),
    waits: spec.stdio === undefined,
    noInput: spec.stdio === undefined && spec.stdin === undefined && !serves,
    mergeStderr: spec.mergeStderr === true && spec.stdio !== "inherit",
  };
  const sh = (text: string, argv: readonly string[]) => ["-c", text, "sh", ...argv];
  const started = { ...common, program: "/bin/sh" };
  if (confinement?.layer === "bubblewrap") {
    const inner = ["/bin/sh", ...sh(innerWrapper(wrapping), [program, ...rest])];
    const outer = sh(outerWrapper(confinement), [...confinement.argv, "--", ...inner]);
    const [first, ...others] = confinement.around?.(["/bin/sh", ...outer]) ?? [];
    // The namespace of the network is made from where everything can be seen; the folder is entered further inside.
    return first === undefined
      ? { ...started, args: outer, cwd: "/" }
      : { ...started, program: first, args: others, cwd: "/" };
  }
  const before = confinement?.layer === "seatbelt" ? confinement.argv : [];
  return { ...started, args: sh(wrapper(wrapping), [...before, program, ...rest]) };
}

/** Lines of `sh` that set the limits of one child. */
export function limitsOf(
  spec: Pick<ProcessSpec, "timeoutMs" | "envelope">,
  limits: ProcessLimits,
  confinement: Confinement | undefined,
): string[] {
  return ulimits({
    limits,
    timeoutMs: spec.timeoutMs,
    confined: spec.envelope !== undefined,
    countedAlone: confinement?.layer === "bubblewrap",
  });
}

async function start(command: Command, spec: ProcessSpec, confinement?: Confinement): Promise<Started> {
  try {
    if (confinement?.layer === "landlock") return await confinement.start(command);
    return startHere(command);
  } catch (error) {
    if (error instanceof PryxError) throw error;
    const why = messageOf(error);
    throw new PryxError("io", `Cannot run ${spec.argv[0]}: ${why}`, { cause: error });
  }
}

function startHere(command: Command): Started {
  const { program, args, cwd, env, stdin, output } = command;
  const child = new Deno.Command(program, {
    args: [...args],
    cwd,
    clearEnv: true,
    env: { ...env },
    detached: Deno.build.os !== "windows",
    stdin,
    stdout: output,
    stderr: output,
  }).spawn();
  return startedAs(command, child, (on) => on ? child.ref() : child.unref());
}
