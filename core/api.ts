import type { ErrorCode } from "./domain/error.ts";
import type { LinkedGraph } from "./domain/automation.ts";
import type { ApprovalAnswer, Mandate, Origin } from "./domain/policy.ts";
import type { Usage } from "./domain/message.ts";
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
  /** The automation that asks: the agent may do no more than it. */
  readonly mandate?: Mandate;
  /** Names of the tools that the agent has. Absent: all. */
  readonly tools?: readonly string[];
  /** Tools of the caller's own, for this turn. */
  readonly functions?: readonly FunctionTool[];
  /** Where content from outside came from that the text may hold: it taints the session. */
  readonly taints?: readonly string[];
}

/** A function of the caller that a model may call. What it does, it does with the caller's own rights. */
export interface FunctionTool {
  readonly name: string;
  /** For the model. */
  readonly description: string;
  /** JSON Schema of an object; arguments are checked against it first. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** What the model is told. What it rejects with, the model is told too. */
  call(args: Json, signal: AbortSignal): Promise<string>;
  /** Where content from outside came from that its answers may hold. Asked after each call. */
  taints?(): readonly string[];
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

/** A turn that a program drives instead of a model. */
export interface ProgramRequest {
  readonly graph: LinkedGraph;
  readonly args: readonly string[];
  /** The most that it may do. Absent: a person's own program, typed at a prompt, which policy alone limits. */
  readonly mandate?: Mandate;
  readonly workspace: string;
  readonly surface: string;
  readonly attended: boolean;
  readonly limits?: Limits;
  /** What the program's answers come from, when it is a recording. */
  readonly recorded?: boolean;
}

/** One call of a program. */
export interface ProgramCall {
  readonly tool: string;
  readonly args: unknown;
  readonly signal?: AbortSignal;
  /** Live output, nothing taken out. `data`: pieces of a result, for the program alone. */
  readonly onOutput?: (text: string, stream: "stdout" | "stderr" | "progress" | "data") => void;
  /** Surfaces are not shown its output. */
  readonly unseen?: boolean;
}

/** An error as events show it. */
export interface ErrorJson {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fix?: string;
}

/** How a program's turn ended. */
export interface ProgramEnd {
  readonly status: "done" | "failed" | "cancelled" | "interrupted";
  /** What it printed; its end, when that is long. */
  readonly text: string;
  readonly error?: ErrorJson;
  /** What else had to ask when nobody was there: the agent, on its behalf. */
  readonly unanswered?: Unanswered;
  readonly usage?: Usage;
  /** US dollars; null when a price was not known. */
  readonly cost?: number | null;
}

/** `done` of `total`, where they are known. */
export interface Progress {
  readonly label: string;
  readonly done?: number;
  readonly total?: number;
  readonly text?: string;
}

/** A program's turn, from its start to {@link end}. Disposing one that has not ended makes it `interrupted`. */
export interface ProgramTurn extends AsyncDisposable {
  readonly session: SessionId;
  readonly turn: TurnId;
  /** Aborts when the turn is cancelled, and at its time limit. */
  readonly signal: AbortSignal;
  readonly attended: boolean;
  /** Runs one tool under policy, within the mandate. Calls may run side by side. */
  call(call: ProgramCall): Promise<ToolCallOutcome>;
  /** Puts a question to a person and waits for the answer. `preset`: what an empty one stands for. */
  ask(
    text: string,
    options?: readonly string[],
    preset?: string,
  ): Promise<{ readonly text: string; readonly by: string }>;
  /** Keeps a line of the program's log. */
  log(level: "debug" | "info" | "warn" | "error", text: string, data?: Json): void;
  /** Shows what the program prints. */
  say(stream: "stdout" | "stderr", text: string): void;
  /** Shows how far something is; null: nothing. */
  progress(progress: Progress | null): void;
  /** What nobody could answer until now. */
  unanswered(): Unanswered;
  /** Where content from outside came from that its calls brought in. */
  taints(): readonly string[];
  /** Stops what still runs, and stores the end. */
  end(end: ProgramEnd): Promise<void>;
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
  /** Why it failed, where the tool itself did. */
  readonly error?: ErrorJson;
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
  /** Begins a turn that a program drives, in a session of its own. */
  openTurn(request: ProgramRequest): Promise<ProgramTurn>;
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
