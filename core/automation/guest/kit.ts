import type { HostCalls } from "../methods.ts";
import type { WireError } from "../wire.ts";
import type { Guest } from "./guest.ts";

/**
 * What the main realm does for the context. Takes and returns primitives and never throws: what it would throw is an
 * object of the main realm. Held in closures of the guest runtime, handed to nobody.
 */
export interface Bridge {
  /** One message, without a newline. */
  readonly send: (line: string) => void;
  /** Calls `fire(id)` once, after so many milliseconds; not before all that is pending now is done. */
  readonly timer: (id: number, ms: number) => void;
  readonly clearTimer: (id: number) => void;
  /** Milliseconds since the process started. */
  readonly elapsed: () => number;
  /** 32 random bits. */
  readonly random: () => number;
  /** The parts of a URL as JSON; empty when it is none. With `part`: after that was set to `value`. */
  readonly url: (href: string, base: string, part: string, value: string) => string;
  /**
   * The body of an async function over `$scope` and `$require`, as a function of the context; or why it is none. `name`:
   * what stack traces call it.
   */
  readonly evaluate: (code: string, name: string) => Evaluation | string;
}

/** What the main realm calls in the context. Takes primitives and objects of the context, returns nothing, never throws. */
export interface GuestEntry {
  /** One module, in the order of the graph. `body`: a function of the context over `exports`, `require`, `module`. */
  readonly define: (
    id: string,
    body: ModuleBody | undefined,
    /** Text of a JSON module, or why the module could not be compiled. */
    text: string,
    links: string,
  ) => void;
  /** `load`: what is left of the message as JSON. */
  readonly start: (load: string) => void;
  /** One part of the API, before `start`. */
  readonly part: (make: PartMaker) => void;
  readonly receive: (line: string) => void;
  readonly fire: (id: number) => void;
  /** A promise of the context was rejected, and nobody listens; or something was thrown with nobody to catch it. */
  readonly rejected: (reason: unknown) => void;
}

/** `require`: throws where the module has not all of `names`. */
export type Evaluation = (
  scope: unknown,
  require: (specifier: string, ...names: string[]) => unknown,
) => Promise<unknown>;

export type ModuleBody = (
  exports: Record<string, unknown>,
  require: (specifier: string) => unknown,
  module: { exports: Record<string, unknown> },
) => Promise<void>;

/** Makes what `import "pryx"` gives. */
export type PartMaker = (guest: Guest) => Record<string, unknown>;

export type TypedArray = Uint8Array<ArrayBuffer>;

/**
 * What the files of the guest runtime share. Each adds its own, in the order of `RUNTIME`, before any code of a user is
 * there: they take what they need of the language's own objects then, and use that whatever becomes of these later.
 */
export interface Kit {
  readonly bridge: Bridge;
  /** The context's own global object. */
  readonly global: Record<PropertyKey, unknown>;
  /** `uncurry(Array.prototype.push)(list, item)`: a method that no later change of its prototype reaches. */
  uncurry<This, Args extends unknown[], Result>(
    method: (this: This, ...args: Args) => Result,
  ): (self: This, ...args: Args) => Result;
  /** Adds globals as the standard has them: writable, configurable, not enumerable. */
  expose(members: Record<string, unknown>): void;

  // errors.ts
  PryxError: Guest["PryxError"];
  DOMException: new (message?: string, name?: string) => Error & { readonly code: number };
  /** Any thrown value on its way to the host. Never throws. */
  describe(thrown: unknown): WireError;
  fromWire(error: WireError, stack?: string): Error;
  /** The frames that are the user's own. */
  ownFrames(stack: string): string;

  // inspect.ts
  inspect(value: unknown, options?: { readonly depth?: number }): string;
  /** How instances of a class of the runtime are shown: by these values of theirs. */
  showAs<T extends object>(prototype: T, members: (value: T) => Record<string, unknown>): void;
  /** Several values as one line, with the format characters of console.log. */
  format(values: readonly unknown[]): string;

  // codec.ts
  encode(value: unknown): string;
  decode(text: string): unknown;
  toBase64(bytes: Uint8Array): string;
  fromBase64(text: string): TypedArray;
  /** UTF-8 both ways. */
  toUtf8(text: string): TypedArray;

  // clock.ts
  /** Milliseconds since 1970, of the clock that the user sees. */
  now(): number;
  randomBits(): number;
  /** With `fixed` the clock goes on by messages alone. */
  setClock(fixed: { readonly now: number; readonly seed: string } | undefined): void;
  setNow(now: number): void;

  // timers.ts
  /** Calls `run` once. `keeps`: the automation is not at its end before. */
  after(ms: number, run: () => void, keeps: boolean): number;
  cancel(id: number): void;
  /** How many timers keep the automation from its end. */
  waiting(): number;
  /** Whether any timer is left. */
  isTimed(): boolean;
  fire(id: number): void;

  /** The timers of a fixed clock are calls to the host. */
  askTimer(id: number, ms: number): void;
  dropTimer(id: number): void;
  /** Whether the clock is fixed. */
  fixed(): boolean;

  // events.ts
  createAbort(): { readonly signal: AbortSignal; abort(reason: unknown): void };

  // calls.ts
  call: Guest["call"];
  handle<H extends keyof HostCalls>(
    name: H,
    answer: (params: HostCalls[H]["params"]) => HostCalls[H]["value"] | Promise<HostCalls[H]["value"]>,
  ): void;
  say: Guest["say"];
  receive(line: string): void;
  /** How many calls of the automation wait for an answer. */
  pending(): number;
  /** Something failed with nobody to catch it: the automation ends. */
  fail(thrown: unknown): void;
  /** Called when timers and calls may all be over. */
  settled(): void;
  onAbort(reason: string): void;

  // evaluate.ts
  /** Rejects the evaluations that are under way. */
  interrupt(error: unknown): void;
  /** Makes the API's names globals, where there is no such global. */
  openShell(): void;

  // modules.ts
  api: Record<string, unknown>;
  shellRequire(specifier: string): unknown;
}
