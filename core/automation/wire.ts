import type { Json } from "../domain/schema.ts";
import type { LinkedModule, Seal } from "../domain/automation.ts";

/**
 * What host and cell say to each other: one JSON object a line, UTF-8, `\n` at its end. The host takes every line from a
 * cell for hostile; a cell reads nothing but its own host.
 */
export const WIRE_VERSION = 1;

/** Characters of a line from a cell at most; a longer one ends it. */
export const MAX_LINE = 64 * 1024 * 1024;
/** Calls of a cell that wait for an answer at most. The next one waits in its pipe. */
export const MAX_PENDING = 10_000;
/** Characters that a cell has not taken at most: one that asks and never listens must not fill the host's memory. */
export const MAX_UNREAD = 512 * 1024 * 1024;

export type { Seal } from "../domain/automation.ts";

/** Host → cell. With `fixed` each may carry the time from then on: `now`, milliseconds since 1970. */
export type ToCell = ToCellMessage & { readonly now?: number };

type ToCellMessage =
  | LoadMessage
  /** The answer to a call. */
  | { readonly t: "reply"; readonly id: number; readonly ok: true; readonly value?: unknown }
  | { readonly t: "reply"; readonly id: number; readonly ok: false; readonly error: WireError }
  /** A piece on the way to an answer: output of a command, a piece of an agent's message. */
  | { readonly t: "event"; readonly id: number; readonly value: unknown }
  /** The host calls a function of the automation: a tool of its own, a handler, a test, an expression. */
  | { readonly t: "call"; readonly id: number; readonly name: HostCall; readonly params: unknown }
  /** `signal` aborts. The process is killed a little later. */
  | { readonly t: "abort"; readonly reason: string };

/** Names of what the host may call: a tool made by `defineTool`, `on.*`, a registered test, an evaluation, a completion. */
export type HostCall = "tool" | "trigger" | "test" | "evaluate" | "complete";

/** The first message after `ready`, and the only one before the automation runs. */
export interface LoadMessage {
  readonly t: "load";
  readonly modules: readonly LinkedModule[];
  /** Empty: nothing is run, expressions will come. */
  readonly entry: string;
  readonly args: readonly string[];
  readonly workspace: string;
  /** Absolute path of the folder that the person is in. */
  readonly cwd: string;
  /** Text of standard input, when some was piped in. Absent: it is asked for with the method `stdin`. */
  readonly stdin?: string;
  /** Set for record and replay: clock and randomness come from here and go on by messages alone, timers are calls. */
  readonly fixed?: { readonly now: number; readonly seed: string };
  readonly test?: boolean;
}

/** Cell → host. */
export type FromCell =
  /** Said once, before anything of the automation is there. `seal`: what holds the process. */
  | { readonly t: "ready"; readonly v: number; readonly seal: Seal }
  | { readonly t: "call"; readonly id: number; readonly method: string; readonly params: unknown }
  /** Nobody waits for this call any more. */
  | { readonly t: "cancel"; readonly id: number }
  /** What `console` writes. */
  | { readonly t: "say"; readonly to: "stdout" | "stderr"; readonly text: string }
  /** The answer to a call of the host. */
  | { readonly t: "reply"; readonly id: number; readonly ok: true; readonly value?: unknown }
  | { readonly t: "reply"; readonly id: number; readonly ok: false; readonly error: WireError }
  /** The module has run to its end. `registered`: what keeps it resident, and its tests. */
  | { readonly t: "done"; readonly registered: Registered }
  | { readonly t: "failed"; readonly error: WireError };

export interface Registered {
  readonly triggers: readonly { readonly kind: "schedule" | "message" | "webhook"; readonly name: string }[];
  readonly tests: readonly string[];
}

/** An error on its way. `stack` names modules by id, without frames of pryx itself. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly fix?: string;
  readonly stack?: string;
  /** What a class of error adds: exit code and output of a command, status and body of an answer. */
  readonly data?: Json;
}
