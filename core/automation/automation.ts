import type { AutomationProblem, LinkedGraph, LockEntry } from "../domain/automation.ts";
import type { ErrorJson, Limits } from "../api.ts";
import type { PryxEvent } from "../domain/event.ts";
import type { SessionId } from "../domain/id.ts";
import type { Json } from "../domain/schema.ts";

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
}
