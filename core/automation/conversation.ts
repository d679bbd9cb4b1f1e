import { ERROR_CODES, type ErrorCode, PryxError, toPryxError } from "../domain/error.ts";
import type { Cell } from "../sandbox/sandbox.ts";
import { readFromCell } from "./_from_cell.ts";
import type { HostCalls } from "./methods.ts";
import {
  type FromCell,
  type LoadMessage,
  MAX_PENDING,
  MAX_UNREAD,
  type Registered,
  type Seal,
  type ToCell,
  WIRE_VERSION,
  type WireError,
} from "./wire.ts";

/** Characters of all calls that wait for an answer, at most; the next one waits in its pipe. */
const MAX_HELD = 256 * 1024 * 1024;

/** One call of the automation, while it is answered. */
export interface CellCall {
  readonly method: string;
  readonly params: unknown;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** Sends a piece on the way to the answer. */
  event(value: unknown): void;
}

interface ConversationOptions {
  readonly cell: Cell;
  /** How people know the automation. */
  readonly name: string;
  /** Answers a call; what it rejects with, the automation is told. */
  answer(call: CellCall): Promise<unknown>;
  say(to: "stdout" | "stderr", text: string): void;
  /** Told of every message, in order: what a recording is made of. */
  readonly tap?: Tap;
  /** The time that every message tells, milliseconds since 1970, for a cell whose clock is fixed. */
  readonly clock?: () => number;
}

export type Tap = (...said: ["to", ToCell] | ["from", FromCell]) => void;

/** The host's side of what it and a cell say to each other. Whatever a cell sends, it can do no more than fail itself. */
export interface Conversation {
  /** Resolves when the cell is there and sealed. */
  readonly ready: Promise<Seal>;
  /** Resolves when the automation's modules have run; rejects with what they threw, or with why the cell is gone. */
  readonly loaded: Promise<Registered>;
  /** Rejects when the cell is gone, which it may be at any time; never resolves. */
  readonly gone: Promise<never>;
  load(message: Omit<LoadMessage, "t">): void;
  /** Calls a function of the automation. */
  call<H extends keyof HostCalls>(name: H, params: HostCalls[H]["params"]): Promise<HostCalls[H]["value"]>;
  /** Tells the automation to end. */
  abort(reason: string): void;
  /** Resolves when nothing that the automation asked for is under way any more. */
  idle(): Promise<void>;
}

/** A call that is being answered. Most answers are there at once: who wants no signal has none made. */
class Pending {
  #reason: unknown;
  #controller: AbortController | undefined;
  /** Nobody waits for it any more. */
  over = false;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.over) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    if (this.over) return;
    this.over = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

/** Begins to listen to a cell. Ends with the cell. */
export function converse(options: ConversationOptions): Conversation {
  const { cell, name, tap, clock } = options;
  const ready = Promise.withResolvers<Seal>();
  const loaded = Promise.withResolvers<Registered>();
  const gone = Promise.withResolvers<never>();
  for (const { promise } of [ready, loaded, gone]) promise.catch(() => {});
  /** Calls of the automation that have no answer yet. */
  const pending = new Map<number, Pending>();
  /** Characters of those calls together. */
  let held = 0;
  /** Calls of the host that have none. */
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let nextId = 1;
  /** Who waits for calls to be answered. */
  const waiters = new Set<() => void>();
  /** The process has ended; what it said before may still be read. */
  let dead = false;
  void cell.ended.then(() => {
    dead = true;
    wake();
  });
  /** Why the cell is gone, once that is known. */
  let over: PryxError | undefined;
  /** Characters that were sent and not taken. */
  let unread = 0;

  function send(untimed: ToCell): void {
    if (over) return;
    const message = clock === undefined || untimed.t === "load" ? untimed : { ...untimed, now: clock() };
    tap?.("to", message);
    const line = JSON.stringify(message);
    unread += line.length;
    if (unread > MAX_UNREAD) {
      return fail(
        new PryxError("tool_failed", `${name} was stopped: it does not take what it has asked for`, {
          fix: "ask for less at a time, and let it wait (await) between two pieces of work",
        }),
      );
    }
    const taken = () => void (unread -= line.length);
    // When it is gone, reading from it says why.
    void Promise.resolve(cell.send(line)).then(taken, taken);
  }

  function wake(): void {
    for (const waiter of waiters) waiter();
    waiters.clear();
  }

  const answered = () => new Promise<void>((resolve) => waiters.add(resolve));

  function settle(id: number, length: number, message: ToCell): void {
    pending.delete(id);
    held -= length;
    send(message);
    wake();
  }

  function answer({ id, method, params }: FromCell & { t: "call" }, length: number): void {
    const call = new Pending();
    pending.set(id, call);
    held += length;
    options.answer({
      method,
      params,
      get signal() {
        return call.signal;
      },
      event(value) {
        if (!call.over && pending.get(id) === call) send({ t: "event", id, value });
      },
    }).then(
      (value) => settle(id, length, { t: "reply", id, ok: true, value: value ?? null }),
      (error) => settle(id, length, { t: "reply", id, ok: false, error: toWireError(error) }),
    );
  }

  /** Waits until one more call may be answered, or nobody is there to be answered. */
  async function room(): Promise<void> {
    while ((pending.size >= MAX_PENDING || held >= MAX_HELD) && !dead) await answered();
  }

  async function receive(message: FromCell, length: number): Promise<void> {
    switch (message.t) {
      case "ready":
        if (message.v !== WIRE_VERSION) throw nonsense(`it speaks version ${message.v}`);
        return ready.resolve(message.seal);
      case "call":
        if (pending.has(message.id)) throw nonsense(`it used the number ${message.id} for two calls at once`);
        await room();
        return answer(message, length);
      case "cancel":
        return pending.get(message.id)?.abort(new PryxError("cancelled", "Nobody waits for it any more"));
      case "say":
        return options.say(message.to, message.text);
      case "reply": {
        const asked = waiting.get(message.id);
        if (!asked) throw nonsense("it answered what nobody asked");
        waiting.delete(message.id);
        return message.ok ? asked.resolve(message.value) : asked.reject(fromWireError(message.error));
      }
      case "done":
        return loaded.resolve(message.registered);
      case "failed":
        return loaded.reject(fromWireError(message.error));
    }
  }

  async function listen(): Promise<void> {
    for await (const line of cell.lines) {
      // What it said before it was stopped is nobody's any more.
      if (over) return;
      const message = readFromCell(line);
      if (!message) throw nonsense(`it said ${JSON.stringify(line.slice(0, 80))}`);
      tap?.("from", message);
      await receive(message, line.length);
    }
    throw await howItEnded(cell, name);
  }

  function nonsense(what: string): PryxError {
    return new PryxError("internal", `${name} was stopped: ${what}, which makes no sense`, {
      fix: "look at what the automation does to the language's own objects; if nothing, report it",
    });
  }

  function fail(error: unknown): void {
    cell.kill();
    if (over) return;
    const reason = over = toPryxError(error);
    for (const one of [ready, loaded, gone, ...waiting.values()]) one.reject(reason);
    for (const call of pending.values()) call.abort(reason);
    waiting.clear();
    pending.clear();
    wake();
  }

  listen().catch(fail);

  return {
    ready: ready.promise,
    loaded: loaded.promise,
    gone: gone.promise,
    load: (message) => send({ t: "load", ...message }),
    call<H extends keyof HostCalls>(name: H, params: HostCalls[H]["params"]) {
      if (over) return Promise.reject(over);
      const id = nextId++;
      const asked = Promise.withResolvers<unknown>();
      waiting.set(id, asked);
      send({ t: "call", id, name, params });
      // What the automation answers is its own: nobody acts on its shape but to show it.
      return asked.promise as Promise<HostCalls[H]["value"]>;
    },
    abort: (reason) => send({ t: "abort", reason }),
    async idle() {
      while (pending.size > 0) await answered();
    },
  };
}

async function howItEnded(cell: Cell, name: string): Promise<PryxError> {
  const { code, signal, limit, stderr } = await cell.ended;
  const last = stderr.trim().split("\n").at(-1) ?? "";
  if (limit === "memory" || /out of memory/iu.test(stderr)) {
    return new PryxError("tool_failed", `${name} was stopped: it took more memory than an automation may`);
  }
  if (limit === "cpu") {
    return new PryxError("tool_failed", `${name} was stopped: it used more CPU time than an automation may`);
  }
  if (limit === "unread") {
    return new PryxError("tool_failed", `${name} was stopped: it asked for more than it read`, {
      fix: "ask for less at a time: parallel() has a limit",
    });
  }
  const how = signal === null ? `exit code ${code}` : signal;
  return new PryxError(
    "tool_failed",
    `The process of ${name} ended (${how}${last === "" ? "" : `: ${last}`})`,
  );
}

/** What an automation is told of an error. */
export function toWireError(error: unknown): WireError {
  const { code, message, fix } = toPryxError(error);
  return { name: "PryxError", message, code, ...(fix === undefined ? {} : { fix }) };
}

/** An automation's own error: what it says is the automation's, its code only where it is one of pryx's. */
export class AutomationError extends PryxError {
  /** Lines of the automation, innermost first: `    at main (job.pryx.ts:3:7)`. */
  readonly frames: readonly string[];
  /** The class it was thrown as. */
  readonly thrown: string;

  constructor({ name, message, code, fix, stack = "" }: WireError) {
    const known = code !== undefined && Object.hasOwn(ERROR_CODES, code) ? code as ErrorCode : "tool_failed";
    super(known, message, fix === undefined ? {} : { fix });
    this.thrown = name;
    this.frames = stack.split("\n").filter((line) => /^\s+at /u.test(line));
  }
}

/** What an automation threw. */
export function fromWireError(error: WireError): AutomationError {
  return new AutomationError(error);
}
