import type { AutomationProblem, LinkedGraph, LockEntry } from "../domain/automation.ts";
import type { ErrorJson, Limits } from "../api.ts";
import type { PryxEvent } from "../domain/event.ts";
import type { SessionId } from "../domain/id.ts";

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

/** Automations as commands see them. */
export interface Automations {
  /** The root of the project that a source is in: absolute, links resolved. Rejects with `not_found`. */
  rootOf(source: AutomationSource): Promise<string>;
  /** Reads the file and all that it imports, once, under policy. Rejects with `not_found`, `denied` or `io`. */
  link(source: AutomationSource): Promise<Linking>;
  /** All automations below a folder, absolute and sorted, without what ignore files name and node_modules. */
  find(folder: string): Promise<readonly string[]>;
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
}
