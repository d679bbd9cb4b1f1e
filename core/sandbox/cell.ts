import type { Seal } from "../domain/automation.ts";
import { PryxError } from "../domain/error.ts";
import {
  CELL_PART,
  type CellEnvironment,
  cellEnvironment,
  type CellProcess,
  CONFINED,
  spawnCell,
} from "./cell_process.ts";
import { type CellLimits, watchCell } from "./_cell_watch.ts";
import { spawnChild } from "./_child.ts";
import { signalGroup, within } from "./_group.ts";
import type { Kernel } from "./kernel.ts";
import type { ProcessLimits } from "./_limits.ts";
import { linesOf } from "./_line_stream.ts";
import { createOutputCollector } from "./_output.ts";
import type { Reaper } from "./reaper.ts";
import type { Cell, CellEnd } from "./sandbox.ts";
import { ownPart } from "./_self.ts";

export interface CellsOptions {
  readonly self: readonly [string, ...string[]] | undefined;
  readonly limits: ProcessLimits;
  readonly reaper: Reaper;
  readonly kernel: () => Kernel;
  /** Taken for the first cell. */
  readonly started?: CellProcess | undefined;
  /** False: every cell is started in the kernel layer, as where there is no seccomp. For tests. */
  readonly sealsItself?: boolean;
}

/** The processes of automations. */
export interface Cells extends AsyncDisposable {
  start(options?: CellEnvironment): Promise<Cell>;
}

const MEMORY_BYTES = 2 * 1024 ** 3;
/** An automation waits more than it computes: an hour of CPU time is a loop. */
const CPU_SECONDS = 3_600;
const STDERR_BYTES = 16 * 1024;
const READY_MS = 20_000;
/** Characters that may wait to be written before `send` asks to be waited for. */
const WAITING = 1024 * 1024;
/**
 * Characters that may wait at most: a process that asks and never reads ends there. More than any answers it could hold,
 * and well below the longest string there is.
 */
const MAX_WAITING = 256 * 1024 * 1024;
/** Limit of the wrapper that starts a confined cell; the watch has the real one. */
const DAY_MS = 24 * 3_600_000;

/** Where a cell that sealed itself has the kernel end it with pryx (seal.ts): no reaper needs to know of it. */
const DIES_WITH_PRYX = Deno.build.os === "linux" || Deno.build.os === "android";

/** A process with its streams, whichever way it was started. */
interface Running {
  readonly pid: number;
  readonly input: WritableStreamDefaultWriter<Uint8Array>;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  readonly status: Promise<Deno.CommandStatus>;
  readonly held: Cell["held"];
  release(): Promise<void>;
}

/**
 * A cell is started bare and seals itself, which costs no time where the system has seccomp. One that says it could not
 * is killed before it was told anything, and another is started inside the kernel layer.
 */
export function createCells(options: CellsOptions): Cells {
  const { self, reaper, limits } = options;
  const cellLimits: CellLimits = {
    memoryBytes: limits.memoryBytes ?? MEMORY_BYTES,
    cpuSeconds: limits.cpuSeconds ?? CPU_SECONDS,
  };
  const living = new Set<Omit<Cell, "seal">>();
  let bare = options.sealsItself !== false;
  let started = options.started;

  async function startBare(options: CellEnvironment): Promise<Running> {
    // One that runs already has the environment of every day.
    const child = (options.fixed ? undefined : started?.take()) ?? spawned(options);
    if (!options.fixed) started = undefined;
    child.ref();
    const input = child.stdin.getWriter();
    input.closed.catch(() => {});
    try {
      // Until it has been told something it ends when its input closes: nothing is left if pryx dies before this.
      if (!DIES_WITH_PRYX) await reaper.add(child.pid);
    } catch (error) {
      signalGroup(child.pid, "SIGKILL");
      await Promise.allSettled([input.abort(), child.stdout.cancel(), child.stderr.cancel(), child.status]);
      throw new PryxError("sandbox", "Cannot start an automation: the reaper does not answer", {
        cause: error,
      });
    }
    return {
      pid: child.pid,
      input,
      stdout: child.stdout,
      stderr: child.stderr,
      status: child.status,
      held: "seccomp",
      release: () => Promise.resolve(),
    };
  }

  function spawned(options: CellEnvironment): Deno.ChildProcess {
    if (!self) {
      throw new PryxError("internal", "Cannot start an automation: how pryx is started is not known");
    }
    try {
      const child = spawnCell(self, options).take();
      if (child) return child;
    } catch (error) {
      throw new PryxError("sandbox", "Cannot start an automation: its process does not start", {
        cause: error,
      });
    }
    throw new PryxError("internal", "A new process was taken already");
  }

  async function startConfined(own: CellEnvironment): Promise<Running> {
    const { envelope, ...spec } = ownPart({
      argv: [CELL_PART, CONFINED],
      cwd: "/",
      stdin: new Uint8Array(0),
      timeoutMs: DAY_MS,
      maxOutputBytes: STDERR_BYTES,
      signal: new AbortController().signal,
    }, self);
    if (!envelope) throw new PryxError("internal", "A part of pryx has no envelope");
    const prepared = await options.kernel().prepare(envelope, {
      cwd: "/",
      accepted: undefined,
      terminal: false,
      sharesLoopback: false,
    });
    try {
      const confinement = await prepared.confine({ cwd: "/" });
      const env = { ...cellEnvironment(spec.argv, own), ...prepared.env, ...spec.env, PATH: "/usr/bin:/bin" };
      const [program] = spec.argv;
      const child = await spawnChild({ spec, program, env, limits, reaper, confinement, holdsInput: true });
      const { input, stdout, stderr } = child;
      if (!input || !stdout || !stderr) throw new PryxError("internal", "A cell has no pipes");
      input.closed.catch(() => {});
      const held = confinement?.layer ?? "none";
      const release = async () => await prepared.release();
      return { pid: child.pid, input, stdout, stderr, status: child.status, held, release };
    } catch (error) {
      await prepared.release();
      throw error;
    }
  }

  async function start(own: CellEnvironment = {}): Promise<Cell> {
    if (bare) {
      const cell = await sealed(follow(await startBare(own)));
      if (cell.seal.seccomp) return cell;
      bare = false;
      await cell[Symbol.asyncDispose]();
    }
    return await sealed(follow(await startConfined(own)));
  }

  function follow(running: Running): Followed {
    const followed = followCell(running, cellLimits);
    const { cell } = followed;
    living.add(cell);
    void cell.ended.then(async () => {
      living.delete(cell);
      await reaper.remove(cell.pid).catch(() => {});
    });
    return followed;
  }

  return {
    start,
    async [Symbol.asyncDispose]() {
      started?.[Symbol.dispose]();
      await Promise.all([...living].map((cell) => cell[Symbol.asyncDispose]()));
    },
  };
}

interface Followed {
  readonly cell: Omit<Cell, "seal">;
  /** The first line; undefined when it ended without one. */
  first(): Promise<string | undefined>;
}

function followCell(running: Running, limits: CellLimits): Followed {
  const { pid, input, held } = running;
  let limit: CellEnd["limit"];
  const kill = () => signalGroup(pid, "SIGKILL");
  let watching: { stop(): void } | undefined;
  let ending = false;
  // Nothing of a user runs before the first message, and timers take the runtime longer to load than all that is here.
  const watchOnce = () => {
    if (ending) return;
    watching ??= watchCell(pid, limits, (passed) => {
      limit = passed;
      kill();
    });
  };
  const errors = createOutputCollector(STDERR_BYTES * 2);
  const drained = drain(running.stderr, (bytes) => errors.add(bytes));
  const ended = running.status.then(async ({ code, signal }): Promise<CellEnd> => {
    ending = true;
    watching?.stop();
    await input.abort().catch(() => {});
    await within(drained, 1_000);
    await running.release().catch(() => {});
    const { tail, head } = errors.result();
    const stderr = new TextDecoder().decode(tail.length > 0 ? tail.subarray(-STDERR_BYTES) : head);
    // The runtime's own limit on its heap, which it says in these words before it dies.
    if (limit === undefined && /out of memory/i.test(stderr)) limit = "memory";
    return { code: signal === null ? code : null, signal, ...(limit ? { limit } : {}), stderr };
  });
  const lines = linesOf(running.stdout, { onStop: kill });
  const send = createSender(input, running.status, () => {
    limit = "unread";
    kill();
  });
  let first: string | undefined;
  const cell = {
    pid,
    held,
    send(line: string) {
      const sent = send(line);
      watchOnce();
      return sent;
    },
    lines: {
      async *[Symbol.asyncIterator]() {
        let over = false;
        try {
          if (first !== undefined) yield first;
          yield* lines;
          over = true;
        } finally {
          if (!over) {
            kill();
            await lines.return(undefined);
          }
        }
      },
    },
    ended,
    finish: () => void input.close().catch(() => {}),
    kill,
    async [Symbol.asyncDispose]() {
      kill();
      await ended;
      await lines.return(undefined);
    },
  };
  return {
    cell,
    async first() {
      const { done, value } = await lines.next();
      first = done ? undefined : value;
      return first;
    },
  };
}

/** Waits until it has said that it is sealed. */
async function sealed({ cell, first }: Followed): Promise<Cell> {
  let line: string | undefined;
  const waiting = first().then((said) => line = said);
  const seal = await within(waiting, READY_MS) ? readSeal(line) : undefined;
  // Not copied: nothing of it may be read before it is asked for.
  if (seal) return Object.assign(cell, { seal });
  cell.kill();
  const { stderr } = await cell.ended;
  await cell[Symbol.asyncDispose]();
  const said = stderr.trim().split("\n").at(-1) ?? "";
  throw new PryxError(
    "sandbox",
    `Cannot start an automation: its process did not seal itself${said && `: ${said}`}`,
    {
      fix: "see what the sandbox can do here: pryx doctor --only sandbox",
    },
  );
}

/** What `ready` says of the seal. It is hostile from the first byte on, but nothing has been told to it until now. */
function readSeal(line: string | undefined): Seal | undefined {
  try {
    const { t, seal } = JSON.parse(line ?? "") as { t?: unknown; seal?: Partial<Seal> };
    if (t !== "ready" || seal?.permissions !== true || typeof seal.seccomp !== "boolean") return undefined;
    const { seccomp, problem } = seal;
    return { permissions: true, seccomp, ...(typeof problem === "string" ? { problem } : {}) };
  } catch {
    return undefined;
  }
}

/** Lines that are sent while others are being written go together, in one write. */
function createSender(
  input: WritableStreamDefaultWriter<Uint8Array>,
  status: Promise<unknown>,
  onUnread: () => void,
): Cell["send"] {
  const encoder = new TextEncoder();
  let waiting = "";
  let writing: Promise<void> | undefined;
  let over = false;
  void status.then(() => over = true);

  async function write(): Promise<void> {
    try {
      while (waiting !== "" && !over) {
        const text = waiting;
        waiting = "";
        await input.write(encoder.encode(text));
      }
    } catch {
      // It has ended, or is about to: `ended` says how.
      over = true;
    }
    writing = undefined;
  }

  return (line) => {
    if (over) return;
    if (waiting.length > 0 && waiting.length + line.length > MAX_WAITING) {
      over = true;
      waiting = "";
      return onUnread();
    }
    waiting += `${line}\n`;
    writing ??= write();
    if (waiting.length > WAITING) return writing;
  };
}

async function drain(stream: ReadableStream<Uint8Array>, take: (bytes: Uint8Array) => void): Promise<void> {
  try {
    for await (const bytes of stream) take(bytes);
  } catch {
    // A pipe that cannot be read has ended.
  }
}
