import type { Seal } from "../domain/automation.ts";
import type { Baseline, Envelope, Refusal } from "../domain/envelope.ts";
import type { Need } from "../domain/need.ts";
import type { SandboxGrants } from "../domain/policy.ts";

export interface FileInfo {
  readonly kind: "file" | "folder" | "other";
  readonly size: number;
  /** Permission bits; 0o644 where the platform has none. */
  readonly mode: number;
  /** Milliseconds since the epoch. */
  readonly mtime: number;
}

export interface FolderEntry {
  readonly name: string;
  readonly kind: "file" | "folder" | "link" | "other";
  readonly size: number;
}

export interface TreeEntry {
  /** Absolute. */
  readonly path: string;
  readonly kind: FolderEntry["kind"];
  readonly size: number;
}

/**
 * Files within some roots. Every call is checked in the host and again in a worker whose Deno permissions are the
 * roots. Paths are absolute and resolved. Rejects with PryxError: `denied` outside the roots, `not_found`, `io`.
 */
export interface Files {
  /** What stays forbidden inside the roots: absolute paths and absolute globs. For tools that hand a folder to a process. */
  readonly denied?: readonly string[];
  /** True when a path that was found (not one that was asked for) may be read: inside the roots, and not denied. */
  mayRead?(path: string): Promise<boolean>;
  stat(path: string): Promise<FileInfo | null>;
  /** At most `maxBytes` from `offset`. */
  read(
    path: string,
    options: { maxBytes: number; offset?: number },
  ): Promise<{ bytes: Uint8Array; info: FileInfo }>;
  /**
   * Atomic: a temporary file beside it, then a rename; keeps the mode of a file that was there; makes missing folders.
   * `expect`: SHA-256 (hex) of the content that must be there (null: no file), else `conflict`.
   */
  write(path: string, bytes: Uint8Array, options?: { mode?: number; expect?: string | null }): Promise<void>;
  /** Adds to the end of a file, which is made where there is none, with missing folders and `mode`. */
  append(path: string, bytes: Uint8Array, options?: { mode?: number }): Promise<void>;
  /** Makes a folder, with those above it. One that is there stays as it is. */
  mkdir(path: string): Promise<void>;
  /**
   * Copies a file, or a folder with everything in it, to where nothing is (`conflict`); all of it appears at once. Nothing
   * is done when anything in it is denied in either place (`denied`), or is a link (`io`).
   */
  copy(from: string, to: string): Promise<void>;
  /** Moves a file, a link itself or a folder to where nothing is (`conflict`), when nothing in it is denied in either place. */
  move(from: string, to: string): Promise<void>;
  /** Removes a file or a link itself; with `folder` also one that is `empty`, or with `all` that is in it, when nothing of that is denied. */
  remove(path: string, options?: { folder?: "empty" | "all" }): Promise<void>;
  list(path: string): Promise<readonly FolderEntry[]>;
  /** Paths of files below `path` that match a glob and no ignore file, newest first, at most `limit`. */
  glob(path: string, pattern: string, limit: number): Promise<{ paths: readonly string[]; more: boolean }>;
  /** What is below `path`, folders and links too, without what ignore files name or is denied; at most `limit`, by path. */
  tree(path: string, limit: number): Promise<{ entries: readonly TreeEntry[]; more: boolean }>;
}

export interface ProcessSpec {
  /** argv[0]: an absolute path or a name found on PATH. */
  readonly argv: readonly [string, ...string[]];
  /** Runs this very program: `argv` is a hidden subcommand and its arguments. It may touch nothing but its own files. */
  readonly self?: true;
  /** A folder (absolute, resolved) that a program found by name must not come from: what an agent writes may stand there. */
  readonly notFrom?: string;
  readonly cwd: string;
  /** Added to the allowlisted environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: Uint8Array;
  /** Sends stderr where stdout goes, so that both keep the order they were written in. Then `stderr` is empty. */
  readonly mergeStderr?: boolean;
  readonly timeoutMs: number;
  /** Bytes kept of each stream: first and last halves; the rest is dropped and counted. */
  readonly maxOutputBytes: number;
  /** The child is killed when it has written this much to both streams together. Default: no limit. */
  readonly killAfterBytes?: number;
  readonly onOutput?: (text: string, stream: "stdout" | "stderr") => void;
  /** Called with every byte of stdout and stderr, for keeping the whole. */
  readonly sink?: (bytes: Uint8Array, stream: "stdout" | "stderr") => void;
  readonly signal: AbortSignal;
  /** What the kernel layer lets it touch. Absent: a program of pryx's own choosing, with the rights of the user. */
  readonly envelope?: Envelope;
  /**
   * What was accepted of {@link Sandbox.shortfall}. When given, `run` rejects with `sandbox` if more is within reach than
   * that. Absent: not checked, for programs whose arguments pryx itself wrote.
   */
  readonly accepted?: readonly Need[];
  /**
   * `inherit`: pryx's own terminal or pipes; nothing is captured, limits on output do not hold. `stdin`: only its standard
   * input is pryx's own, output is captured. Default: captured, and fed from {@link stdin}.
   */
  readonly stdio?: "inherit" | "stdin";
  /**
   * Without a network it shares an empty one with the other children that say so, where that can be made: a server that one
   * left in the background answers the next on loopback. Default: a network of its own.
   */
  readonly sharesLoopback?: boolean;
  /**
   * Whose child it is. Those of one owner that are held to exactly the same (envelope, closed files as they are now, limits,
   * environment) may run one after the other in one prepared confinement, each as processes of its own. What they do and
   * what is said of them is the same. Default: each has its own.
   */
  readonly reuse?: string;
  /** Ends first what earlier children of this sandbox left running in the background. They have processes of their own, so no child can. */
  readonly endsBackground?: boolean;
}

export interface ProcessResult {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  /** True when it was killed for writing more than `killAfterBytes`. */
  readonly outputExceeded?: boolean;
  /** The limit that ended it, beside time and output: CPU time of one process, memory or processes of all together, size of a file. */
  readonly limit?: "cpu" | "memory" | "processes" | "file size";
  /** True when processes it started still run in the background. They end with pryx at the latest. */
  readonly background?: boolean;
  /** What the kernel layer seems to have refused, when the command failed or said so. Empty when it ran without an envelope. */
  readonly refusals?: readonly Refusal[];
  /** Hosts that were reached through the filtering proxy, `host:port`. */
  readonly connected?: readonly string[];
  readonly stdout: CappedOutput;
  readonly stderr: CappedOutput;
  readonly ms: number;
}

/** Output cut in the middle: `head`, then `dropped` bytes that are gone, then `tail`. */
export interface CappedOutput {
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
  readonly dropped: number;
}

/** One HTTP request that was decided. */
export interface WebRequest {
  /** Default: GET. In upper case, but for methods of somebody's own. */
  readonly method?: string;
  /** Names that frame a message or lead it elsewhere (`host`, `content-length`, `connection`, …) are `input_invalid`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is, with its length. */
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
  /** True when what was decided spells out this host or address: then it is reached even if it is not public. */
  named(host: string, port: number): boolean;
  /** The page that sent the agent here by a redirect. One from outside never leads to an address that is not public. */
  readonly from?: string;
}

/** How a cell ended. */
export interface CellEnd {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  /** The limit that it was ended for. `unread`: of what was sent to it and it did not read. */
  readonly limit?: "memory" | "cpu" | "unread";
  /** The last 16 KB that it wrote to standard error: what the runtime says when it dies. */
  readonly stderr: string;
}

/**
 * The process that one automation runs in: this very program, sealed. What comes from it is hostile. Disposing kills it
 * and resolves when it is gone.
 */
export interface Cell extends AsyncDisposable {
  readonly pid: number;
  readonly seal: Seal;
  /** What holds it beneath its permissions: its own filter, or the kernel layer it was started in. `none`: nothing. */
  readonly held: "seccomp" | "bubblewrap" | "landlock" | "seatbelt" | "none";
  /**
   * Queues one line, without its newline. A promise where much is waiting already: resolves when the process has taken it.
   * Never fails: to a process that has ended nothing is sent.
   */
  send(line: string): void | Promise<void>;
  /**
   * What it wrote to standard output, line by line, from `ready` on. Can be read once. Ends with the process; throws
   * PryxError `output_invalid`, and the process is killed, when a line is longer than `MAX_LINE` or no UTF-8.
   */
  readonly lines: AsyncIterable<string>;
  /** Resolves when it is gone, whoever ended it. Never rejects. */
  readonly ended: Promise<CellEnd>;
  /** No more messages come: it ends by itself, with code 0, when it is idle. */
  finish(): void;
  kill(): void;
}

/** One layer of defence and whether it is active here. */
export interface SandboxLayer {
  readonly name: "deno" | "process" | "landlock" | "seccomp" | "bubblewrap" | "seatbelt";
  readonly active: boolean;
  readonly detail: string;
  /** What to do to get it, when it is not active and could be. */
  readonly fix?: string;
}

/** Where tools, automations and MCP servers do their work. Two layers under the policy: Deno's permissions, then the kernel. */
export interface Sandbox extends AsyncDisposable {
  /** `grants` come from policy/expand.ts, never from a tool. */
  files(grants: SandboxGrants): Files;
  /** Runs a child in its own process group; nothing of it survives pryx, however pryx dies. */
  run(spec: ProcessSpec): Promise<ProcessResult>;
  /**
   * Starts the process that an automation runs in; resolves when it is sealed and has said so. Rejects with `sandbox`. Dies
   * with pryx, however pryx dies, and when it passes its limits on memory and CPU time. `fixed`: its time zone and language
   * are those of no place (UTC, English), for runs that are recorded and replayed.
   */
  cell(options?: { readonly fixed?: boolean }): Promise<Cell>;
  /**
   * One HTTP request, over a connection to the very address that was judged: a name is resolved once, and reaches public
   * addresses only. Follows no redirect. The body is read as it comes. Rejects with `denied` where that leads elsewhere.
   */
  fetch(url: URL, request: WebRequest): Promise<Response>;
  /** What every child may touch whatever was decided. Makes nothing: the temporary folder appears with the first child. */
  baseline(): Promise<Baseline>;
  /** A new empty folder in the temporary one of children, removed with it. Returns its absolute path. */
  tempFolder(prefix: string): Promise<string>;
  /**
   * What this machine cannot keep from a child with that envelope, as needs with `reach`: a closed file in an open folder
   * without bubblewrap, the whole network (`net=**`) where hosts were granted and no proxy can be forced, everything where there is no kernel layer.
   */
  shortfall(envelope: Envelope): Promise<readonly Need[]>;
  layers(): Promise<readonly SandboxLayer[]>;
}
