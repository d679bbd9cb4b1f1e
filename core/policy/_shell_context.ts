import type { ParsedScript } from "unbash";
import type { Need } from "../domain/need.ts";
import type { After, Arg, State } from "./_shell_values.ts";

/** What the analysis may ask about the machine. */
export interface ShellHost {
  /** Absolute path after symlinks; `~` is the home folder. */
  resolve(path: string): Promise<string>;
  /** The absolute path of what the shell would run; undefined when there is none (a builtin, a missing program). */
  findExecutable(name: string, cwd: string): Promise<string | undefined>;
  /** True for paths in folders that the session may write to. */
  isWritable(path: string): boolean;
  /** The value that a variable has for commands, when that is known. */
  env?(name: string): string | undefined;
}

/** Text that is being read, and by which shell. */
export interface Reading {
  /** What positions in nodes are about. */
  readonly source: string;
  /** A shell that is not bash: what they read differently is not followed. */
  readonly posix: boolean;
  /** How many texts within texts lie around it. */
  readonly depth: number;
}

/** A command being worked out. Expanding its words may change variables and finds what cannot be known. */
export interface Scope {
  state: State;
  readonly reading: Reading;
  readonly analysis: Analysis;
  readonly problems: string[];
}

/** States in which a loop or a function may be left early. */
export interface Frame {
  readonly exits: State[];
}

/** A command line as words, worked out from whatever it was written in. */
export interface Line {
  readonly args: readonly Arg[];
  /** For people, when it asks. */
  readonly text: string;
  readonly reading: Reading;
  /** What a shell would read as its script; undefined when it is not known. */
  readonly input?: string | undefined;
  /** Another program runs it: functions and builtins are not meant. */
  readonly external: boolean;
  /** `command` or `builtin` stand before it: functions are not meant. */
  readonly bare?: boolean;
  readonly redirected?: boolean;
}

/** One analysis: what its parts need of each other. */
export interface Analysis {
  readonly host: ShellHost;
  /** Names that were made readonly: what a script sets is not what it gets. */
  readonly frozen: Set<string>;
  /** Names that were made local to a function somewhere. */
  readonly locals: Set<string>;
  /** Names that may be arrays. */
  readonly arrays: Set<string>;
  /** What is gone through is the body of a function, of this shell. */
  inFunction: boolean;
  add(need: Need): void;
  opaque(text: string, reason: string, args?: readonly Arg[]): void;
  /** Commands of a substitution, in a shell of their own. */
  substitution(script: ParsedScript | undefined, text: string, scope: Scope): Promise<void>;
  /** Text as a script of a shell of its own, or of this one. */
  text(source: string, state: State, reading: Reading): Promise<void>;
  line(line: Line, state: State): Promise<After>;
  /** `return`, `break`, `continue`: the loops and functions around may go on from here. */
  leave(state: State): void;
}
