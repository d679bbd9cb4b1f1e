import type { Need } from "./need.ts";

/**
 * Network of a child: none; some hosts (`host`, `host:port`, `*.host`, or `*` for every public one), through the filtering
 * proxy alone; or `all` of it without the proxy, this machine's own services and private addresses included (`net=**`).
 */
export type Network = "none" | "all" | {
  /** As granted, for people. */
  readonly hosts: readonly string[];
  /** What the proxy asks of every connection: host as the client named it (lower case, no brackets, no trailing dot). */
  allows(host: string, port: number): boolean;
};

/** How far a path is open to a child. */
export type PathAccess = "none" | "read" | "write";

/**
 * What a child process may touch, beyond the system's programs and a temporary folder of its own: the decision on a
 * command, as the kernel layer enforces it. Made by policy, never by a tool.
 */
export interface Envelope {
  /** Folders and files it may read and execute. Absolute, resolved; each covers everything below it. */
  readonly read: readonly string[];
  /** The same for writing. Readable too. */
  readonly write: readonly string[];
  /** How far a path inside the roots is open: rules close some of them again. Pure and fast; asked for every file found there. */
  access(path: string): PathAccess;
  /** Two envelopes of one process with the same key answer `access` alike, so that answers can be kept. Absent: they cannot. */
  readonly key?: string;
  /** Absolute paths and absolute globs that rules close wherever they lie; for places too large to look through. */
  readonly closed: readonly string[];
  readonly network: Network;
  /** Unix sockets (docker, D-Bus, ssh-agent) may be opened. They reach beyond everything else here. */
  readonly unixSockets: boolean;
}

/** What every child gets, whatever was decided: named in approvals as "the system" and "a temporary folder of its own". */
export interface Baseline {
  /** Programs, libraries, settings of the system, and the toolchains of this user: read and execute. Absolute, resolved. */
  readonly read: readonly string[];
  /** Private temporary folder, written and read by all children of one sandbox, removed with it. TMPDIR of children. */
  readonly temp: string;
}

/** Something the kernel layer did not let a child do, found in what it printed: what it would need, and the line that shows it. */
export interface Refusal {
  readonly need: Need;
  readonly evidence: string;
}
