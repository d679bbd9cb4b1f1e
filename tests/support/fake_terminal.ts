import type { TerminalIo } from "../../repl/terminal_io.ts";
import type { SignalSource } from "../../repl/interrupts.ts";

/** Standard streams in memory. Keys are typed with `type`; what was written is in `out` and `err`. */
export interface FakeTerminal extends TerminalIo {
  readonly out: string[];
  readonly err: string[];
  readonly raw: boolean[];
  type(text: string): void;
  /** Ends standard input. */
  end(): void;
  /** Resolves when standard error holds `text` so many times. */
  shows(text: string, times?: number): Promise<void>;
  stdoutText(): string;
  stderrText(): string;
  /** Makes the next writes to standard output fail as when its reader has gone. */
  breakStdout(): void;
  /** Makes the next writes to standard output fail as on a full disk. */
  fillStdout(): void;
}

export interface FakeTerminalOptions {
  /** Which streams are terminals. */
  readonly terminals?: readonly ("in" | "out" | "err")[];
  readonly env?: Readonly<Record<string, string>>;
}

export function createFakeTerminal(options: FakeTerminalOptions = {}): FakeTerminal {
  const terminals = new Set(options.terminals ?? []);
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  const out: string[] = [];
  const err: string[] = [];
  const raw: boolean[] = [];
  const typed: (Uint8Array | null)[] = [];
  const waits: { text: string; times: number; resolve: () => void }[] = [];
  let arrived = Promise.withResolvers<void>();
  let broken = false;
  let full = false;
  return {
    out,
    err,
    raw,
    env: (name) => options.env?.[name],
    columns: () => {
      if (terminals.size === 0) throw new Error("no terminal has a width");
      return 100;
    },
    stdin: {
      async read(into) {
        while (typed.length === 0) await arrived.promise;
        const next = typed[0];
        if (next === null || next === undefined) return null;
        typed.shift();
        into.set(next);
        return next.length;
      },
      isTerminal: () => terminals.has("in"),
      setRaw: (mode) => void raw.push(mode),
    },
    stdout: {
      writeSync(bytes) {
        if (full) throw new Error("No space left on device (os error 28)");
        if (broken) throw new Deno.errors.BrokenPipe("Broken pipe");
        out.push(decoder.decode(bytes));
        return bytes.length;
      },
      isTerminal: () => terminals.has("out"),
    },
    stderr: {
      writeSync(bytes) {
        err.push(decoder.decode(bytes));
        const all = err.join("");
        for (const wait of waits) if (count(all, wait.text) >= wait.times) wait.resolve();
        return bytes.length;
      },
      isTerminal: () => terminals.has("err"),
    },
    type(text) {
      typed.push(encoder.encode(text));
      arrived.resolve();
      arrived = Promise.withResolvers();
    },
    end() {
      typed.push(null);
      arrived.resolve();
      arrived = Promise.withResolvers();
    },
    shows(text, times = 1) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waits.push({ text, times, resolve });
      if (count(err.join(""), text) >= times) resolve();
      return promise;
    },
    stdoutText: () => out.join(""),
    stderrText: () => err.join(""),
    breakStdout: () => void (broken = true),
    fillStdout: () => void (full = true),
  };
}

function count(all: string, text: string): number {
  return all.split(text).length - 1;
}

/** Signals that a test raises. `listening` counts the listeners that are still there. */
export function createFakeSignals(): SignalSource & {
  raise(signal: Deno.Signal): void;
  listening(): number;
} {
  const listeners: { signal: Deno.Signal; on: () => void }[] = [];
  return {
    addSignalListener: (signal, on) => void listeners.push({ signal, on }),
    removeSignalListener(signal, on) {
      const at = listeners.findIndex((one) => one.signal === signal && one.on === on);
      if (at >= 0) listeners.splice(at, 1);
    },
    raise: (signal) => listeners.filter((one) => one.signal === signal).forEach(({ on }) => on()),
    listening: () => listeners.length,
  };
}
