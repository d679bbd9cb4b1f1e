import type { AutomationProblem, LinkedGraph, LockEntry } from "../domain/automation.ts";
import type { ErrorJson, Limits, Unanswered } from "../api.ts";
import type { PryxEvent } from "../domain/event.ts";
import type { SessionId } from "../domain/id.ts";
import type { Json } from "../domain/schema.ts";
import type { Mandate } from "../domain/policy.ts";

/** What `link` found: a graph that can run, or what is wrong with it. */
export type Linking =
  | {
    readonly graph: LinkedGraph;
    /** What a person should look at, though it runs. */
    readonly warnings: readonly AutomationProblem[];
  }
  /** Errors, and warnings beside them. */
  | { readonly problems: readonly AutomationProblem[] };

/** Where the text of an automation comes from: a file, or what was piped in, which counts as a file in `folder`. */
export type AutomationSource = { readonly file: string } | { readonly text: string; readonly folder: string };

/** `pryx.lock` of one project. */
export interface Lock {
  /** Absolute path of the file, there or not. */
  readonly file: string;
  /** By path relative to the project's root. */
  readonly entries: ReadonlyMap<string, LockEntry>;
}

/** One run of an automation. */
export interface AutomationRun {
  readonly graph: LinkedGraph;
  readonly args: readonly string[];
  /** Absolute path of the folder that the person is in. */
  readonly cwd: string;
  readonly surface: string;
  readonly attended: boolean;
  /** Shows events of the run, and of the agent's sessions in it. */
  show(event: PryxEvent): void;
  readonly limits?: Limits;
  /** Text of standard input; asked for when the automation wants it. */
  input(): Promise<string>;
  /** `NAME=VALUE`, by name: what answers questions when nobody is there. */
  readonly answers: Readonly<Record<string, string>>;
  /** For a file of tests: which of them run, and who is told of each. */
  readonly tests?: TestWatch;
  /** An event for a resident automation. */
  readonly trigger?: {
    readonly kind: "schedule" | "message" | "webhook";
    readonly name: string;
    /** Headers of a webhook, names in lower case. */
    readonly headers?: Readonly<Record<string, string>>;
  };
  readonly signal: AbortSignal;
}

/** How it ended. */
export interface AutomationEnd {
  readonly session: SessionId;
  readonly exitCode: number;
  readonly status: "done" | "failed" | "cancelled";
  readonly error?: ErrorJson;
}

/** How one test ended. */
export interface TestResult {
  readonly name: string;
  /** Absent: it passed. `frames`: lines of the automation, innermost first: `    at job.pryx.ts:3:7`. */
  readonly error?: { readonly message: string; readonly frames: readonly string[] };
}

export interface TestWatch {
  wanted?(name: string): boolean;
  /** Given: nothing is printed of it. */
  ended?(result: TestResult): void;
}

/** A run whose every answer comes from a recording. */
export interface AutomationReplay {
  readonly graph: LinkedGraph;
  /** The recording: absolute path. */
  readonly cassette: string;
  /** As typed. Undefined: the recorded ones. Others than those are refused. */
  readonly args?: readonly string[];
  /** Shows what happens. No session keeps it. */
  show(event: PryxEvent): void;
  /** Writes the recording anew with what the automation shows now, where it asked for the same as before. */
  readonly update?: boolean;
  readonly signal: AbortSignal;
}

/** What a replayed run would have changed of one file. */
export interface ReplayedChange {
  /** Relative to the project's root where it is inside, else as the automation named it. */
  readonly path: string;
  readonly change: "added" | "changed" | "removed";
  /** Unified diff; null when it cannot be shown. */
  readonly diff: string | null;
  /** Why it cannot be shown, or is not known to be so. */
  readonly note: string | null;
}

export interface ReplayEnd {
  readonly status: "done" | "failed" | "cancelled";
  readonly exitCode: number;
  readonly error?: ErrorJson;
  /** What it would have changed in files, by path. Nothing was. */
  readonly changes: readonly ReplayedChange[];
  /** What it printed and what was printed when it was recorded, folders as marks. */
  readonly printed: Printed;
  readonly recorded: Printed & { readonly exitCode: number | undefined };
  /** The file, or one that it imports, is not as it was recorded. */
  readonly changed: boolean;
}

export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

/** What a recording is of. */
export interface RecordedRun {
  /** Path of the automation, relative to its project's root. */
  readonly file: string;
  readonly graph: string;
  readonly args: readonly string[];
}

/** A run whose calls the caller answers, instead of policy and tools. */
export interface Rehearsal {
  readonly graph: LinkedGraph;
  /** Where it is recorded: absolute path. */
  readonly cassette: string;
  /** What the automation's clock shows. */
  readonly now: Date;
  /** Answers one call, by its method (core/automation/methods.ts); what it rejects with, the automation is told. */
  answer(method: string, params: Json): Promise<Json>;
  readonly signal: AbortSignal;
}

/** A prompt for TypeScript: what evaluates there, and for whom. */
export interface EvaluatorRequest {
  /** How it is called in the session, and its part of `state`. */
  readonly name: string;
  /** Said behind the name as the session's title. */
  readonly title?: string;
  /**
   * The most that may be done. Absent: what a person types at a prompt of their own, as with a command of theirs policy
   * alone limits it. What anybody else wrote needs one.
   */
  readonly mandate?: Mandate;
  /** Absolute path of the project's root, links resolved. */
  readonly workspace: string;
  /** Absolute path of the folder that the person is in. */
  readonly cwd: string;
  readonly surface: string;
  readonly attended: boolean;
  readonly limits?: Limits;
  /** Text of standard input. */
  input(): Promise<string>;
  readonly answers: Readonly<Record<string, string>>;
  /** Shows events of all sessions of this process. Absent: the surface listens by itself. */
  show?(event: PryxEvent): void;
  /** Told what `console` writes; the session's events show it as well. */
  say?(to: "stdout" | "stderr", text: string): void;
}

/** What came of what was typed. */
export type Evaluated =
  /** `text`: the value as people read it. `type`: as `typeof` says, or `null`. A promise is waited for. */
  | { readonly kind: "value"; readonly text: string; readonly type: string }
  /** Nothing was typed but blanks and comments. */
  | { readonly kind: "empty" }
  /** Right so far: it goes on in a next line. Nothing was run. */
  | { readonly kind: "incomplete" }
  /** It asked to end with this exit code (`exit` of the API). */
  | { readonly kind: "exit"; readonly code: number }
  | EvaluationFailure;

export interface EvaluationFailure {
  readonly kind: "error";
  /** The class it was thrown as; `SyntaxError` also for what could not be read. */
  readonly name: string;
  /** `cancelled`: it was interrupted. */
  readonly error: ErrorJson;
  /** Name, message and places in what was typed: `TypeError: …\n    at f (>1:7)`. */
  readonly text: string;
  /** Where in what was typed it is wrong. Lines and columns from 1. */
  readonly place?: { readonly line: number; readonly column: number };
  /** The process had to be ended: all that was defined is gone, and the next evaluation begins anew. */
  readonly stateLost?: true;
}

/**
 * TypeScript at a prompt, in a cell that stays: what was declared is there for what comes later, `_` is the last value and
 * `_error` the last error. Disposing ends the cell and the turn.
 */
export interface Evaluator extends AsyncDisposable {
  readonly session: SessionId;
  /**
   * Evaluates one input, after those before it. An abort of `signal` stops what it waits for; where it does not give way
   * within a second its process is ended. Rejects only when no process can be started.
   */
  evaluate(text: string, options?: { readonly signal?: AbortSignal }): Promise<Evaluated>;
  /**
   * Names that the word at the end of `text` may become, in the value before its last dot or at the top. Calls nothing and
   * runs no getter; a Proxy's traps are its own. Never rejects.
   */
  complete(text: string): Promise<readonly string[]>;
  /** Shows text where what `console` writes is shown, and keeps it with that. */
  print(text: string): void;
  /** What had to ask until now when nobody was there. */
  unanswered(): Unanswered;
  /** Ends it, with the failure that the session ends with. */
  close(error?: ErrorJson): Promise<void>;
}

/** Automations as commands see them. */
export interface Automations {
  /** The root of the project that a source is in: absolute, links resolved. Rejects with `not_found`. */
  rootOf(source: AutomationSource): Promise<string>;
  /** Reads the file and all that it imports, once, under policy. Rejects with `not_found`, `denied` or `io`. */
  link(source: AutomationSource): Promise<Linking>;
  /**
   * All automations below a folder, absolute and sorted, without what ignore files name and node_modules. `suffix`: other
   * files instead.
   */
  find(folder: string, suffix?: string): Promise<readonly string[]>;
  /**
   * What the type checker finds in these files (absolute, links resolved) and in what they import, and what `link`
   * finds, by place. Rejects with `timeout` when types take too long.
   */
  check(
    files: readonly string[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<readonly AutomationProblem[]>;
  /** The public declarations: the module `pryx`, as text. */
  declarations(): Promise<string>;
  /** What an editor needs, text by file name: `pryx.d.ts`, the module; `globals.d.ts`, what is there without an import. */
  typeFiles(): Promise<Readonly<Record<"pryx.d.ts" | "globals.d.ts", string>>>;
  /** Rejects with `input_invalid` where the file is no lock. An absent one is empty. */
  readLock(file: string): Promise<Lock>;
  writeLock(lock: Lock): Promise<void>;
  /** What is not as a lock says, line by line, as a reviewer reads it. Empty: nothing. */
  describeDrift(graph: LinkedGraph, entry: LockEntry | undefined): readonly string[];
  run(run: AutomationRun): Promise<AutomationEnd>;
  /** What a cassette is of; undefined where it holds no run of an automation. Rejects with `not_found`, `io`, `input_invalid`. */
  recorded(cassette: string): Promise<RecordedRun | undefined>;
  /**
   * Runs it with answers of a recording alone: without policy, tools, network or key; nothing is written. Rejects where it
   * cannot begin. `replay_differs`: it asked for something else than was recorded.
   */
  replay(replay: AutomationReplay): Promise<ReplayEnd>;
  /** Runs it with the caller's answers, and records that. */
  rehearse(rehearsal: Rehearsal): Promise<Pick<AutomationEnd, "status" | "error">>;
  /** Opens a prompt. Rejects with `sandbox` where no cell can be started. */
  evaluator(request: EvaluatorRequest): Promise<Evaluator>;
}
