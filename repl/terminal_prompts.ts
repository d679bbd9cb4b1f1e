import { PryxError } from "../core/domain/error.ts";
import type { TerminalOutput } from "./terminal_output.ts";
import { editLine, type TerminalInput } from "./terminal_input.ts";

/** What a question needs of its terminal. */
export interface PromptTerminal {
  readonly input: TerminalInput;
  readonly output: TerminalOutput;
  readonly columns: () => number;
  /** Called on Ctrl-C, which a terminal that reads single keys does not turn into a signal. */
  readonly interrupt: () => void;
}

/**
 * Asks for a line. `secret`: nothing of it is shown. Rejects with `cancelled` on Ctrl-C and Ctrl-D. Questions are shown as
 * they are: text from elsewhere is spelled out before.
 */
export async function askLine(
  terminal: PromptTerminal,
  question: string,
  options: { signal: AbortSignal; secret?: boolean },
): Promise<string> {
  const { input, output } = terminal;
  const label = `${question.trimEnd()} `;
  let line = "";
  output.direct(label);
  try {
    return await input.keys((key) => {
      const next = editLine(line, key);
      if ("done" in next) return next.done;
      if ("stopped" in next) throw stopped(terminal, key);
      if (!options.secret) output.direct(echo(label, line, next.line, terminal.columns()));
      line = next.line;
      return undefined;
    }, { signal: options.signal });
  } finally {
    output.direct("\n");
  }
}

/** Asks yes or no; Enter alone means no. */
export async function askConfirm(
  terminal: PromptTerminal,
  question: string,
  signal: AbortSignal,
): Promise<boolean> {
  terminal.output.direct(`${question.trimEnd()} `);
  const yes = await pressed(terminal, signal, "[y/N] ", (key) => {
    if (key === "y" || key === "Y") return true;
    return key === "n" || key === "N" || key === "\r" || key === "\n" ? false : undefined;
  });
  terminal.output.direct(yes ? "yes\n" : "no\n");
  return yes;
}

/**
 * Waits for a key that `take` knows. `keys` is shown when keys count: what was typed before is thrown away, so that nobody
 * answers what they have not read. Ctrl-C and Ctrl-D reject with `cancelled`.
 */
export function pressed<T>(
  terminal: PromptTerminal,
  signal: AbortSignal,
  keys: string,
  take: (key: string) => T | undefined,
): Promise<T> {
  return terminal.input.keys((key) => {
    if (key === "\x03" || key === "\x04") throw stopped(terminal, key);
    return take(key);
  }, { signal, ready: () => terminal.output.direct(keys) });
}

function stopped(terminal: PromptTerminal, key: string): PryxError {
  if (key === "\x03") terminal.interrupt();
  return new PryxError("cancelled", "Cancelled at a question");
}

/** What to write so that the screen shows `after` where it showed `before`. */
function echo(label: string, before: string, after: string, columns: number): string {
  if (after.startsWith(before)) return after.slice(before.length);
  const rows = Math.floor((label.length + before.length) / Math.max(1, columns));
  const up = rows > 0 ? `\x1b[${rows}A` : "";
  return `\r${up}\x1b[J${label}${after}`;
}
