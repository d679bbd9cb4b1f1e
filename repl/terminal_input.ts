import { PryxError } from "../core/domain/error.ts";
import type { TerminalIn } from "./terminal_io.ts";

/** A key: one character, or the whole escape sequence of an arrow or function key. */
type Key = string;

const CTRL_C = "\x03";
const CTRL_D = "\x04";
const ENTER = "\r";

/** Milliseconds in which what is typed counts as typed before the question could be read. */
const TYPED_AHEAD_MS = 150;

interface ReadKeysOptions {
  readonly signal: AbortSignal;
  /**
   * Throws away what was typed before, then is called when keys count: the place to show which keys there are. Absent: keys
   * typed before count too.
   */
  readonly ready?: () => void;
}

/** Standard input of a terminal. One reader for the whole process, because a read that has begun cannot be taken back. */
export interface TerminalInput {
  /**
   * Reads keys with echo off until `take` returns a value. The terminal is put back in every case. Rejects with the
   * signal's reason, and with `usage` at the end of input.
   */
  keys<T>(take: (key: Key) => T | undefined, options: ReadKeysOptions): Promise<T>;
}

/**
 * Reads keys in raw mode. `typedAheadMs`: how long keys are thrown away before a question counts,
 * milliseconds.
 */
export function createTerminalInput(stdin: TerminalIn, typedAheadMs: number = TYPED_AHEAD_MS): TerminalInput {
  const decoder = new TextDecoder();
  let reading: Promise<string | null> | undefined;
  /** Keys that came together with the one that ended the last question. */
  let left: Key[] = [];

  /** What was typed since the last call, or undefined when `ms` have passed without. */
  async function read(signal: AbortSignal, ms?: number): Promise<string | undefined> {
    const buffer = new Uint8Array(4096);
    reading ??= stdin.read(buffer).then((count) =>
      count === null ? null : decoder.decode(buffer.subarray(0, count), { stream: true })
    );
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const timer = ms === undefined ? undefined : setTimeout(() => resolve(undefined), ms);
    try {
      const text = await abortable(ms === undefined ? reading : Promise.race([reading, late]), signal);
      if (text === undefined) return undefined;
      reading = undefined;
      if (text === null) throw noInput();
      return text;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Throws away what was typed ahead; only the wish to stop is kept. */
  async function drain(signal: AbortSignal): Promise<void> {
    left = [];
    const end = performance.now() + typedAheadMs;
    for (let rest = typedAheadMs; rest >= 0; rest = end - performance.now()) {
      const text = await read(signal, rest);
      if (text === undefined) return;
      if (text.includes(CTRL_C)) left = [CTRL_C];
    }
  }

  return {
    async keys(take, { signal, ready }) {
      signal.throwIfAborted();
      stdin.setRaw(true);
      try {
        if (ready) {
          await drain(signal);
          ready();
        }
        while (true) {
          for (let key = left.shift(); key !== undefined; key = left.shift()) {
            const value = take(key);
            if (value !== undefined) return value;
          }
          left = splitKeys(await read(signal) ?? "");
        }
      } finally {
        stdin.setRaw(false);
      }
    },
  };
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
function splitKeys(text: string): Key[] {
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
