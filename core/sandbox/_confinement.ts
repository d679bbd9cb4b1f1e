/** A command as the system starts it, and how: in a session and process group of its own. */
export interface Command {
  /** Absolute path. */
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: "piped" | "null" | "inherit";
  readonly output: "piped" | "inherit";
}

/** What was started: its streams are there where they are piped. */
export interface Started {
  readonly pid: number;
  readonly status: Promise<Deno.CommandStatus>;
  readonly stdin: WritableStream<Uint8Array> | null;
  readonly stdout: ReadableStream<Uint8Array> | null;
  readonly stderr: ReadableStream<Uint8Array> | null;
  /** Whether pryx goes on as long as it runs. It does, until told otherwise. */
  hold(on: boolean): void;
}

/** The streams of what is not piped must not be touched. */
export function startedAs(
  { stdin, output }: Command,
  child: { [Stream in Exclude<keyof Started, "hold">]: NonNullable<Started[Stream]> },
  hold: (on: boolean) => void,
): Started {
  return {
    hold,
    pid: child.pid,
    status: child.status,
    stdin: stdin === "piped" ? child.stdin : null,
    stdout: output === "piped" ? child.stdout : null,
    stderr: output === "piped" ? child.stderr : null,
  };
}

/** How the kernel is made to hold one child to its envelope. */
export type Confinement =
  | {
    readonly layer: "bubblewrap";
    /** bwrap and its arguments, up to the program. */
    readonly argv: readonly string[];
    /**
     * Files: the seccomp filter, what bwrap itself says, whether the child was put together, and bwrap's arguments, which
     * are too many for a command line.
     */
    readonly seccomp: string;
    readonly messages: string;
    readonly started: string;
    readonly arguments: string;
    /** Puts the way to the network proxy around it. */
    readonly around?: (program: readonly string[]) => readonly string[];
    /** Writable folders that are its own, and end with it. */
    readonly fresh: readonly string[];
  }
  | {
    readonly layer: "landlock";
    /** Starts the command from a thread that is restricted. */
    start(command: Command): Promise<Started>;
  }
  | {
    readonly layer: "seatbelt";
    readonly argv: readonly string[];
  }
  | { readonly layer: "none" };
