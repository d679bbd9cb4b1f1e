import { PryxError } from "../core/domain/error.ts";
import type { TerminalIn } from "./terminal_io.ts";

/** A key: one character, or the whole escape sequence of an arrow or function key. */
export type Key = string;

export const CTRL_C = "\x03";
export const CTRL_D = "\x04";
export const ENTER = "\r";
export const ESCAPE = "\x1b";

/** What is typed this soon after a question appears was typed before it could be read. */
const TYPED_AHEAD_MS = 150;

/** Standard input of a terminal. One reader for the whole process, because a read that has begun cannot be taken back. */
export interface TerminalInput {
  /** The next key pressed. What was typed before the call is thrown away. Rejects with the signal's reason. */
  key(signal: AbortSignal): Promise<Key>;
  /**
   * Reads keys with echo off until `take` returns a value. The terminal is put back in every case. What was typed ahead is
   * thrown away unless `typedAhead`.
   */
  raw<T>(
    take: (key: Key) => T | undefined,
    options: { signal: AbortSignal; typedAhead?: boolean },
  ): Promise<T>;
}

export function createTerminalInput(stdin: TerminalIn, now: () => number = Date.now): TerminalInput {
  const decoder = new TextDecoder();
  let reading: Promise<string | null> | undefined;

  function read(): Promise<string | null> {
    const buffer = new Uint8Array(4096);
    reading ??= stdin.read(buffer).then((count) =>
      count === null ? null : decoder.decode(buffer.subarray(0, count), { stream: true })
    );
    return reading;
  }

  async function raw<T>(
    take: (key: Key) => T | undefined,
    options: { signal: AbortSignal; typedAhead?: boolean },
  ): Promise<T> {
    const { signal } = options;
    signal.throwIfAborted();
    const readable = now() + (options.typedAhead ? 0 : TYPED_AHEAD_MS);
    stdin.setRaw(true);
    try {
      while (true) {
        const text = await abortable(read(), signal);
        reading = undefined;
        if (text === null) throw noInput();
        if (now() < readable && !text.includes(CTRL_C)) continue;
        for (const key of splitKeys(text)) {
          const value = take(key);
          if (value !== undefined) return value;
        }
      }
    } finally {
      stdin.setRaw(false);
    }
  }

  return { raw, key: (signal) => raw((key) => key, { signal }) };
}

function noInput(): PryxError {
  return new PryxError("usage", "Standard input was closed while a question waited for an answer", {
    fix: "Run it in a terminal, or give the answer as a flag",
  });
}

/** Rejects with the signal's reason when it aborts first; the promise itself goes on. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Splits what a terminal sent into keys: escape sequences stay whole, a lone ESC is a key of its own. */
export function splitKeys(text: string): Key[] {
  // deno-lint-ignore no-control-regex -- the escape character begins what arrow and function keys send
  return text.match(/\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|(?=\x1b|$))|[^]/gu) ?? [];
}

/** A line being typed: what it is after a key, or that it is finished. Pure. */
export function editLine(
  line: string,
  key: Key,
): { readonly line: string } | { readonly done: string } | { readonly stopped: true } {
  switch (key) {
    case ENTER:
    case "\n":
      return { done: line };
    case CTRL_C:
      return { stopped: true };
    case CTRL_D:
      return line === "" ? { stopped: true } : { line };
    case "\x7f":
    case "\b":
      return { line: [...line].slice(0, -1).join("") };
    case "\x15":
      return { line: "" };
    case "\x17":
      return { line: line.replace(/\S*\s*$/, "") };
    default:
      // Control and function keys have no place in a line.
      // deno-lint-ignore no-control-regex -- see above
      return /^[\x00-\x1f\x7f]/.test(key) ? { line } : { line: line + key };
  }
}
