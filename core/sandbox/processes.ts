import { PryxError } from "../domain/error.ts";
import { type Child, spawnChild } from "./_child.ts";
import { childEnvironment } from "./_environment.ts";
import { createEmbedded, type EmbeddedPrograms } from "./embedded.ts";
import { checkFolder, findExecutable } from "./_executable.ts";
import { isEmptyNamespace, isGroupAlive, signalGroup, terminateGroup, within } from "./_group.ts";
import type { Kernel, Prepared } from "./kernel.ts";
import { memoryLimit, processLimit, type ProcessLimits } from "./_limits.ts";
import { createOutputCollector, type OutputCollector } from "./_output.ts";
import type { Reaper } from "./reaper.ts";
import type { ProcessResult, ProcessSpec } from "./sandbox.ts";
import type { WarmRun, WarmShells } from "./_warm_shells.ts";
import { watch } from "./_watch.ts";
import { unrefTimer } from "./_unref_timer.ts";

export type { ProcessLimits } from "./_limits.ts";

export interface ProcessesOptions {
  readonly home: string;
  /** The environment that the allowlist picks from. */
  readonly env: Readonly<Record<string, string>>;
  readonly limits: ProcessLimits;
  readonly reaper: Reaper;
  /** What holds children to their envelopes. */
  readonly kernel: Kernel;
  /** Absent: every program is a file that the system can start. */
  readonly embedded?: EmbeddedPrograms;
}

export interface Processes extends AsyncDisposable {
  run(spec: ProcessSpec): Promise<ProcessResult>;
}

/** From TERM to KILL when the time is up, and when it was cancelled: then somebody waits. */
const TIMEOUT_GRACE_MS = 2_000;
const CANCEL_GRACE_MS = 500;
/** How long pipes may stay open after the child has ended: what holds them then is a process it left behind. */
const DRAIN_MS = 250;
/** How long a namespace may take to go when its last process has ended. */
const EMPTY_MS = 30;
const PRUNE_EVERY_MS = 2_000;
/** Between two looks at whether a group has ended. */
const LOOK_MS = 10;

/** Children in their own groups, under the reaper, with limits. Starts nothing until the first `run`. */
export function createProcesses(options: ProcessesOptions): Processes {
  const { reaper } = options;
  const startable = options.embedded && createEmbedded(options.embedded);
  const leftRunning = new Set<number>();
  let shells: Promise<WarmShells> | undefined;
  let pruning: ReturnType<typeof setInterval> | undefined;

  /** Forgets groups that have ended: their number could come to belong to somebody else. */
  async function prune(): Promise<void> {
    for (const group of leftRunning) {
      if (isGroupAlive(group)) continue;
      leftRunning.delete(group);
      await reaper.remove(group);
    }
    if (leftRunning.size === 0 && pruning !== undefined) {
      clearInterval(pruning);
      pruning = undefined;
    }
  }

  /** TERM, and KILL for what has not ended by then. */
  async function endBackground(): Promise<void> {
    const groups = [...leftRunning];
    groups.forEach(terminateGroup);
    const end = performance.now() + TIMEOUT_GRACE_MS;
    while (groups.some(isGroupAlive) && performance.now() < end) await pause(LOOK_MS);
    for (const group of groups) signalGroup(group, "SIGKILL");
    while (groups.some(isGroupAlive) && performance.now() < end + DRAIN_MS) await pause(LOOK_MS);
    await prune();
  }

  async function release(group: number): Promise<boolean> {
    if (!isGroupAlive(group)) {
      await reaper.remove(group);
      return false;
    }
    const empty = isEmptyNamespace(group);
    leftRunning.add(group);
    if (pruning === undefined) {
      pruning = setInterval(() => void prune().catch(() => {}), PRUNE_EVERY_MS);
      unrefTimer(pruning);
    }
    return !empty;
  }

  async function run(spec: ProcessSpec): Promise<ProcessResult> {
    const { signal, envelope } = spec;
    signal.throwIfAborted();
    checkFolder(spec.cwd, spec.argv[0]);
    const path = childEnvironment(options.env, spec.env, options.home).PATH ?? "";
    const named = await startable?.(spec.argv[0]) ?? spec.argv[0];
    const program = findExecutable(named, path, spec.cwd, spec.notFrom);
    if (spec.endsBackground === true) await endBackground();
    else await prune();
    signal.throwIfAborted();
    if (!envelope) return await runOne(spec, program, undefined);
    // What is made for the child from here on, it takes away when pryx cannot.
    if (Deno.build.os !== "windows") await reaper.ready();
    const prepared = await options.kernel.prepare(envelope, {
      cwd: spec.cwd,
      accepted: spec.accepted,
      terminal: spec.stdio === "inherit",
      sharesLoopback: spec.sharesLoopback === true,
      named: spec.reuse !== undefined,
    });
    let warm: WarmRun | undefined;
    try {
      signal.throwIfAborted();
      if (prepared.place !== undefined) warm = await inWarmShell(spec, program, prepared);
      const result = await runOne(spec, program, prepared, warm);
      const problem = result.code === 0 ? undefined : prepared.problem();
      if (problem !== undefined) {
        throw new PryxError("sandbox", `Cannot confine ${spec.argv[0]}: ${problem}`, {
          fix: "see what the sandbox can do here: pryx doctor --only sandbox",
        });
      }
      const { refusalsIn } = await import("./_refusals_of.ts");
      const refusals = await refusalsIn(result, {
        envelope,
        cwd: spec.cwd,
        searchPath: path,
        kernel: options.kernel,
        prepared,
      });
      const connected = prepared.connected();
      return { ...result, refusals, ...connected.length > 0 ? { connected } : {} };
    } finally {
      // What was prepared for the first command of a shell is the shell's.
      if (!warm?.first) await prepared.release();
    }
  }

  async function inWarmShell(
    spec: ProcessSpec,
    program: string,
    prepared: Prepared,
  ): Promise<WarmRun | undefined> {
    const { limits, kernel } = options;
    shells ??= import("./_warm_shells.ts").then(({ createWarmShells }) =>
      createWarmShells({ limits, reaper, kernel })
    );
    return await (await shells).run({ spec, program, env: environment(spec, prepared), prepared });
  }

  function environment(spec: ProcessSpec, prepared: Prepared | undefined): Record<string, string> {
    return childEnvironment(options.env, { ...prepared?.env, ...spec.env }, options.home);
  }

  /** `warm`: it was started already, in a shell that may stay for others. */
  async function runOne(
    spec: ProcessSpec,
    program: string,
    prepared: Prepared | undefined,
    warm?: WarmRun,
  ): Promise<ProcessResult> {
    const { signal } = spec;
    const { limits } = options;
    const started = performance.now();
    const confinement = warm?.confinement ?? await prepared?.confine({ cwd: spec.cwd });
    const child = warm?.child ??
      await spawnChild({ spec, program, env: environment(spec, prepared), limits, reaper, confinement });
    const stdout = createOutputCollector(spec.maxOutputBytes);
    const stderr = createOutputCollector(spec.maxOutputBytes);
    let ending: "timeout" | "output" | "cancelled" | "memory" | "processes" | undefined;
    let killTimer: ReturnType<typeof setTimeout> | undefined;

    const end = (why: "timeout" | "output" | "cancelled", graceMs: number) => {
      if (ending) return;
      ending = why;
      terminateGroup(child.pid);
      killTimer = setTimeout(() => signalGroup(child.pid, "SIGKILL"), graceMs);
    };
    /** True when something of it goes on in the background. */
    const letGo = async (group: number): Promise<boolean> => {
      if (!warm) return await release(group);
      if (warm.child.clean || ending !== undefined) {
        await warm.done(ending === undefined);
        return false;
      }
      const left = await release(group);
      await warm.leave();
      return left;
    };
    const onAbort = () => end("cancelled", CANCEL_GRACE_MS);
    const timeout = setTimeout(() => end("timeout", TIMEOUT_GRACE_MS), spec.timeoutMs);
    using watching = watch({
      pid: child.pid,
      mark: child.mark,
      memoryBytes: memoryLimit(limits),
      processes: processLimit(limits),
      onExceeded: (limit) => ending ??= limit,
    });
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();

    const abandon = new AbortController();
    const flow: Flow = {
      spec,
      written: 0,
      cancel: abandon.signal,
      onTooMuch: () => end("output", TIMEOUT_GRACE_MS),
    };
    const pumps = Promise.all([
      pump(child.stdout, "stdout", stdout, flow),
      pump(child.stderr, "stderr", stderr, flow),
    ]);
    // A callback that throws must not leave the child running.
    const drained = pumps.catch((error) => {
      end("cancelled", 0);
      throw error;
    });
    drained.catch(() => {});
    let released = false;
    try {
      const status = await child.status;
      clearTimeout(timeout);
      const held = !await within(drained, DRAIN_MS);
      if (held) {
        // A process it left behind holds the pipes. One that let go of them may stay.
        terminateGroup(child.pid);
        await within(drained, DRAIN_MS);
        signalGroup(child.pid, "SIGKILL");
        if (!await within(drained, DRAIN_MS)) abandon.abort();
      }
      if (ending) watching.kill();
      await drained;
      // What was killed closes its pipes before it is gone.
      const stays = warm?.child.clean === true;
      if (!stays && (held || confinement?.layer === "bubblewrap")) await untilEmpty(child.pid);
      const background = await letGo(child.pid);
      released = true;
      if (ending === "cancelled") signal.throwIfAborted();
      const { code, signal: by } = endOf(status, ending !== undefined, confinement?.layer === "bubblewrap");
      const limit = ending === "memory" || ending === "processes" ? ending : limitOf(by, code);
      return {
        code,
        signal: by,
        timedOut: ending === "timeout",
        outputExceeded: ending === "output",
        ...limit === undefined ? {} : { limit },
        background,
        stdout: stdout.result(),
        stderr: stderr.result(),
        ms: performance.now() - started,
      };
    } catch (error) {
      signalGroup(child.pid, "SIGKILL");
      if (!released) await letGo(child.pid);
      throw error;
    } finally {
      clearTimeout(timeout);
      clearTimeout(killTimer);
      signal.removeEventListener("abort", onAbort);
    }
  }

  return {
    run,
    async [Symbol.asyncDispose]() {
      clearInterval(pruning);
      pruning = undefined;
      await (await shells)?.[Symbol.asyncDispose]();
      await prune();
      leftRunning.clear();
      await reaper[Symbol.asyncDispose]();
    },
  };
}

/** Both streams of one child on their way. */
interface Flow {
  readonly spec: ProcessSpec;
  /** Bytes until now. */
  written: number;
  /** Nobody waits for the rest. */
  readonly cancel: AbortSignal;
  onTooMuch(): void;
}

async function pump(
  stream: Child["stdout"],
  name: "stdout" | "stderr",
  collector: OutputCollector,
  flow: Flow,
): Promise<void> {
  if (stream === null) return;
  const { spec, cancel } = flow;
  const decoder = spec.onOutput ? new TextDecoder() : undefined;
  const reader = stream.getReader();
  const stop = () => void reader.cancel().catch(() => {});
  cancel.addEventListener("abort", stop, { once: true });
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    flow.written += value.length;
    collector.add(value);
    spec.sink?.(value, name);
    const text = decoder?.decode(value, { stream: true });
    if (text) spec.onOutput?.(text, name);
    if (spec.killAfterBytes !== undefined && flow.written > spec.killAfterBytes) flow.onTooMuch();
  }
  const rest = decoder?.decode();
  if (rest) spec.onOutput?.(rest, name);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const SIGNALS: Readonly<Record<number, string>> = {
  9: "SIGKILL",
  15: "SIGTERM",
  24: "SIGXCPU",
  25: "SIGXFSZ",
};

/** bwrap ends with 128+n where the program was ended by a signal: of those that pryx sends or sets, it is said as it was. */
function endOf(
  { code, signal }: Deno.CommandStatus,
  ended: boolean,
  wrapped: boolean,
): { code: number | null; signal: string | null } {
  if (signal !== null) return { code: null, signal };
  const by = wrapped ? SIGNALS[code - 128] : undefined;
  if (by === undefined || (!ended && (by === "SIGTERM" || by === "SIGKILL"))) return { code, signal: null };
  return { code: null, signal: by };
}

/** bwrap says that the program has ended before the namespace is gone: only what stays longer is in the background. */
async function untilEmpty(group: number): Promise<void> {
  const end = performance.now() + EMPTY_MS;
  while (isGroupAlive(group) && performance.now() < end) await pause(1);
}

/** The limit that the system itself ends a process for. A shell says it as 128+n. */
function limitOf(signal: string | null, code: number | null): "cpu" | "file size" | undefined {
  const by = signal ?? SIGNALS[(code ?? 0) - 128];
  return by === "SIGXCPU" ? "cpu" : by === "SIGXFSZ" ? "file size" : undefined;
}
