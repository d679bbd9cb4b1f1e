import type { NeedKind } from "./need.ts";

/** Version of the automation API; a lock made with another one has drifted. */
export const API_VERSION = 1;

/** How automations end: what `pryx run`, `check` and `test` look for. */
export const AUTOMATION_SUFFIX = ".pryx.ts";
export const TEST_SUFFIX = ".test.pryx.ts";
/** How recordings of automations end that `pryx test` finds: `release.cassette.jsonl`, `release.empty.cassette.jsonl`. */
export const CASSETTE_SUFFIX = ".cassette.jsonl";

/** What an automation declares that it may do: patterns as written, sorted and without doubles, kinds that have any. */
export type Permissions = { readonly [K in NeedKind]?: readonly string[] };

/** A place in a file that a person can go to. */
export interface SourcePlace {
  /** Absolute path; `<stdin>` for what was piped in. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** Something wrong with an automation's text: syntax, an import, its manifest, a type. */
export interface AutomationProblem extends SourcePlace {
  /** `syntax`, `import`, `manifest`, `unsupported`, `type`; with types also `TS2322`. */
  readonly code: string;
  readonly message: string;
  readonly fix?: string;
  readonly severity: "error" | "warning";
}

/** One module of a linked graph, ready to be run. */
export interface LinkedModule {
  /** Path relative to the project's root, with `/`: what stack traces show, and the same on every machine. */
  readonly id: string;
  /** A function body over `exports`, `require` and `module`; or, with `json`, the text of a JSON file. */
  readonly code: string;
  readonly json?: true;
  /** Specifier as written → id. `pryx` is not listed. */
  readonly links: Readonly<Record<string, string>>;
}

/** An automation with everything it imports, read once: what was hashed is what runs. */
export interface LinkedGraph {
  /** Absolute path of the file; `<stdin>`. */
  readonly file: string;
  /** Absolute path of the project's root. */
  readonly root: string;
  /** Id of the file's own module, the last one. */
  readonly entry: string;
  /** In the order they run: what a module imports stands before it, but for cycles. */
  readonly modules: readonly LinkedModule[];
  /** SHA-256 (hex) over ids and exact bytes of all of them, in the order of ids. */
  readonly hash: string;
  /** Undefined without a manifest: no power. */
  readonly permissions: Permissions | undefined;
  /** True when the file is `*.test.pryx.ts`. */
  readonly test: boolean;
}

/** What `pryx.lock` says of one file. It proves that nothing drifted, and grants nothing. */
export interface LockEntry {
  readonly graph: string;
  readonly permissions: Permissions;
  readonly api: number;
}

/** One thing that an automation may do now and could not before, or the other way round. */
export interface CapabilityChange {
  readonly change: "added" | "removed";
  readonly kind: NeedKind;
  readonly pattern: string;
}

/** The nearest of these above a file makes its folder the project's root. */
export const ROOT_MARKS = [".git", ".pryx", "pryx.lock"] as const;

/** What holds a cell beneath the `vm` context: always Deno's permissions; seccomp on all threads where the system has it. */
export interface Seal {
  readonly permissions: true;
  readonly seccomp: boolean;
  /** Why not, in a few words. */
  readonly problem?: string;
}
