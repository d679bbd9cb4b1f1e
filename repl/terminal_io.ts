/** The three standard streams as the command line uses them. `Deno.stdin` and its siblings fit. */
export interface TerminalIo {
  readonly stdin: TerminalIn;
  readonly stdout: TerminalOut;
  readonly stderr: TerminalOut;
  readonly env: (name: string) => string | undefined;
  /** Columns of the terminal; may throw where there is none. */
  readonly columns?: () => number;
}

/** As much of `Deno.stdin` as is used. */
export interface TerminalIn {
  read(into: Uint8Array): Promise<number | null>;
  isTerminal(): boolean;
  setRaw(mode: boolean): void;
}

/** As much of `Deno.stdout` as is used. */
export interface TerminalOut {
  writeSync(bytes: Uint8Array): number;
  isTerminal(): boolean;
}

/** Columns of the terminal; 80 where that cannot be known. */
export function columnsOf(io: Pick<TerminalIo, "columns">): number {
  try {
    return io.columns?.() || 80;
  } catch {
    return 80;
  }
}
