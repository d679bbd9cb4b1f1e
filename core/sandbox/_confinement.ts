import type { Command, Started } from "./_child.ts";

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
