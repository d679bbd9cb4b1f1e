import { spawnChild } from "./_child.ts";
import { childEnvironment } from "./_environment.ts";
import { createEmbedded, type EmbeddedPrograms } from "./embedded.ts";
import { checkFolder, findExecutable } from "./_executable.ts";
import { isGroupAlive, signalGroup, within } from "./_group.ts";
import { createOutputCollector } from "./_output.ts";
import type { Reaper } from "./reaper.ts";
import type { ProcessResult, ProcessSpec } from "./sandbox.ts";

/** What the operating system itself limits, for each process of a child. Absent: not limited. */
export interface ProcessLimits {
  /** CPU seconds. Default: the time limit on every core at once, for children that escape the wall clock. */
  readonly cpuSeconds?: number;
  /** Bytes of private memory. Default: what the machine has. */
  readonly memoryBytes?: number;
  /** Bytes of the largest file it may write. */
  readonly fileBytes?: number;
  /** Processes of this user, all together. */
  readonly processes?: number;
}

export interface ProcessesOptions {
  readonly home: string;
  /** The environment that the allowlist picks from. */
  readonly env: Readonly<Record<string, string>>;
  readonly limits: ProcessLimits;
  readonly reaper: Reaper;
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
const PRUNE_EVERY_MS = 2_000;

/** Children in their own groups, under the reaper, with limits. Starts nothing until the first `run`. */
export function createProcesses(options: ProcessesOptions): Processes {
  const { reaper } = options;
  const startable = options.embedded && createEmbedded(options.embedded);
  const leftRunning = new Set<number>();
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

  async function release(group: number): Promise<boolean> {
    if (!isGroupAlive(group)) {
      await reaper.remove(group);
      return false;
    }
    leftRunning.add(group);
    if (pruning === undefined) {
      pruning = setInterval(() => void prune().catch(() => {}), PRUNE_EVERY_MS);
      Deno.unrefTimer(Number(pruning));
    }
    return true;
  }

  async function run(spec: ProcessSpec): Promise<ProcessResult> {
    const { signal } = spec;
    signal.throwIfAborted();
    const env = childEnvironment(options.env, spec.env, options.home);
    checkFolder(spec.cwd, spec.argv[0]);
    const named = await startable?.(spec.argv[0]) ?? spec.argv[0];
    const program = findExecutable(named, env.PATH ?? "", spec.cwd, spec.notFrom);
    await prune();
    signal.throwIfAborted();
    const started = performance.now();
    const child = await spawnChild({ spec, program, env, limits: options.limits, reaper });
    const stdout = createOutputCollector(spec.maxOutputBytes);
    const stderr = createOutputCollector(spec.maxOutputBytes);
    let written = 0;
    let ending: "timeout" | "output" | "cancelled" | undefined;
    let killTimer: ReturnType<typeof setTimeout> | undefined;

    const end = (why: "timeout" | "output" | "cancelled", graceMs: number) => {
      if (ending) return;
      ending = why;
      signalGroup(child.pid, "SIGTERM");
      killTimer = setTimeout(() => signalGroup(child.pid, "SIGKILL"), graceMs);
    };
    const onAbort = () => end("cancelled", CANCEL_GRACE_MS);
    const timeout = setTimeout(() => end("timeout", TIMEOUT_GRACE_MS), spec.timeoutMs);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();

    const pump = async (
      stream: ReadableStream<Uint8Array>,
      name: "stdout" | "stderr",
      cancel: AbortSignal,
    ) => {
      const collector = name === "stdout" ? stdout : stderr;
      const decoder = spec.onOutput ? new TextDecoder() : undefined;
      const reader = stream.getReader();
      const stop = () => void reader.cancel().catch(() => {});
      cancel.addEventListener("abort", stop, { once: true });
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        written += value.length;
        collector.add(value);
        spec.sink?.(value, name);
        const text = decoder?.decode(value, { stream: true });
        if (text) spec.onOutput?.(text, name);
        if (spec.killAfterBytes !== undefined && written > spec.killAfterBytes) {
          end("output", TIMEOUT_GRACE_MS);
        }
      }
      const rest = decoder?.decode();
      if (rest) spec.onOutput?.(rest, name);
    };
    const abandon = new AbortController();
    const pumps = Promise.all([
      pump(child.stdout, "stdout", abandon.signal),
      pump(child.stderr, "stderr", abandon.signal),
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
      if (!await within(drained, DRAIN_MS)) {
        // A process it left behind holds the pipes. One that let go of them may stay.
        signalGroup(child.pid, "SIGTERM");
        await within(drained, DRAIN_MS);
        signalGroup(child.pid, "SIGKILL");
        if (!await within(drained, DRAIN_MS)) abandon.abort();
      }
      if (ending) signalGroup(child.pid, "SIGKILL");
      await drained;
      const background = await release(child.pid);
      released = true;
      if (ending === "cancelled") signal.throwIfAborted();
      return {
        code: status.signal === null ? status.code : null,
        signal: status.signal,
        timedOut: ending === "timeout",
        outputExceeded: ending === "output",
        background,
        stdout: stdout.result(),
        stderr: stderr.result(),
        ms: performance.now() - started,
      };
    } catch (error) {
      signalGroup(child.pid, "SIGKILL");
      if (!released) await release(child.pid);
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
      await prune();
      leftRunning.clear();
      await reaper[Symbol.asyncDispose]();
    },
  };
}
