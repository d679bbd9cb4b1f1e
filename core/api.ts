import type { ErrorCode } from "./domain/error.ts";
import type { ApprovalAnswer, Origin } from "./domain/policy.ts";
import type { Json } from "./domain/schema.ts";
import type { PryxEvent } from "./domain/event.ts";
import type { ApprovalId, SessionId, TurnId } from "./domain/id.ts";
import type { Command } from "./commands/command.ts";

/** One thing said to the agent. */
export interface Submission {
  readonly text: string;
  /** Material beside it: piped standard input, a channel's attachment. */
  readonly context?: string;
  /** The session to go on with; absent: a new one. */
  readonly session?: SessionId;
  /** Absolute path of the folder to work in; for a new session. */
  readonly workspace?: string;
  /** `provider/model`; absent: the configured one. */
  readonly model?: string;
  /** JSON Schema that the answer must fit. */
  readonly outputSchema?: Readonly<Record<string, unknown>>;
  readonly surface: string;
  readonly principal?: string;
  /** A submission with a key that was seen before is not run again; its turn is returned. */
  readonly key?: string;
  /** True when somebody at this surface answers approvals and questions. */
  readonly attended: boolean;
  readonly limits?: Limits;
}

/** Where one turn stops. */
export interface Limits {
  /** Model requests in one turn. */
  readonly turns?: number;
  /** US dollars for one turn. */
  readonly cost?: number;
  readonly timeoutMs?: number;
  /** How long an ask waits for another surface when this one is not attended. 0: denied at once. */
  readonly approvalTimeoutMs?: number;
}

/** A tool call by a person or a program, outside a model's turn. */
export interface ToolCallRequest {
  readonly tool: string;
  readonly args: unknown;
  readonly origin: Origin;
  readonly workspace: string;
  readonly session?: SessionId;
  readonly surface: string;
  readonly attended: boolean;
  readonly signal?: AbortSignal;
}

/** What had to ask a person when nobody was there. */
export interface Unanswered {
  /** Needs as `kind=target`, the values of `--allow` that would have let them through. */
  readonly unapproved: readonly string[];
  /** What no flag allows: one sentence each. */
  readonly personOnly: readonly string[];
}

/** What came of a tool call outside of a turn, and the needs that nobody could answer. */
export interface ToolCallOutcome extends Unanswered {
  readonly session: SessionId;
  readonly status: "done" | "failed" | "denied" | "cancelled";
  readonly text: string;
  readonly data?: Json;
  readonly exitCode?: number | null;
  /** Why it failed, where that has a code: for programs. */
  readonly error?: { readonly code: ErrorCode; readonly message: string; readonly fix?: string };
}

/** Where an input went: the turn that answers it. */
export interface Submitted {
  readonly session: SessionId;
  readonly turn: TurnId;
  /** Sequence number of the input: `events({session, after: seq - 1})` shows it and all that follows. */
  readonly seq: number;
}

/** Which events to stream. A session must be named; {@link Pryx.listen} tells those of all. */
export interface EventQuery {
  readonly session?: SessionId;
  /** Sequence number after which to begin. Default: from the start. */
  readonly after?: number;
  /** Ends the stream. A stream without one ends at the last stored event. */
  readonly signal?: AbortSignal;
}

/** The whole of pryx as its surfaces see it. The CLI, the shell, HTTP, channels and automations are clients of this. */
export interface Pryx extends AsyncDisposable {
  /** Puts an input in its session's queue. Resolves once it is stored. */
  submit(submission: Submission): Promise<Submitted>;
  /** Stored events, then (with a `signal`) live ones as they happen. */
  events(query: EventQuery): AsyncIterable<PryxEvent>;
  /** Calls `on` for every event from now on, in order, without waiting: the cheap form for a surface in this process. */
  listen(on: (event: PryxEvent) => void): Disposable;
  /** Runs one tool call under policy, in a session of its own unless one is named. */
  callTool(call: ToolCallRequest): Promise<ToolCallOutcome>;
  /** Answers an approval. False when it was answered before, has expired, or is not known. */
  decide(approval: ApprovalId, answer: ApprovalAnswer): Promise<boolean>;
  /** Answers a question of the agent. False when nothing waits for it. */
  answer(question: string, text: string, by: string): Promise<boolean>;
  /** Stops the running turn of a session. Partial work is kept. */
  cancel(session: SessionId, reason?: string): Promise<void>;
  /** Resolves when a turn has ended; with its last event. */
  ended(session: SessionId, turn: TurnId): Promise<Extract<PryxEvent, { type: "turn.ended" }>>;
  /** Every command, by name. */
  commands(): Promise<readonly Command[]>;
}
