// deno-lint-ignore-file no-control-regex -- control characters are what this file is about
import { escapeForDisplay } from "../core/domain/display.ts";

/** Whole ANSI sequences: CSI (colours, cursor), OSC (titles, links, clipboard), DCS and its like. */
const SEQUENCES = /\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)/g;
/** What a terminal would act on: C0 but newline and tab, DEL, C1, and the marks that reorder text. */
const UNSAFE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;
const UNSAFE_ALL = new RegExp(UNSAFE.source, "g");

/**
 * Text from a model or a tool, safe to show on a terminal: whole ANSI sequences are dropped, carriage returns become line
 * ends, and every other control character is shown as a picture (ESC as ␛). Stateless, so a sequence that is cut over
 * two pieces shows its rest as plain text and has no effect.
 */
export function sanitize(text: string): string {
  if (!UNSAFE.test(text)) return text;
  return text.replace(SEQUENCES, "").replace(/\r\n?/g, "\n").replace(UNSAFE_ALL, picture);
}

/** {@link sanitize} on one line: line ends and tabs become spaces, runs of them one. */
export function sanitizeLine(text: string): string {
  return sanitize(text).replace(/\s*\n\s*|\t/g, " ").trim();
}

function picture(char: string): string {
  const code = char.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "\u2421" : "\ufffd";
}

/**
 * Text that a person decides about: nothing is dropped, every control and reordering character is spelled out
 * (`\x1b`, `\u202e`), so what is read is what would run. Newlines and tabs stay.
 */
export function spellOut(text: string): string {
  return escapeForDisplay(text.replace(UNSAFE_ALL, escape).replace(INVISIBLE_ALL, escape));
}

/** Characters without width or ink, which hide differences: zero-width ones, soft hyphen, tags, odd line ends. */
const INVISIBLE_ALL =
  /[\u00ad\u061c\u180e\u200b-\u200f\u2028\u2029\u2060-\u2064\u3164\ufeff\uffa0]|[\u{e0000}-\u{e007f}]/gu;

function escape(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\u{${code.toString(16)}}`;
}

/** At most `max` characters of one line, cut with `…`. Never splits a surrogate pair. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const end = (text.charCodeAt(max - 2) & 0xfc00) === 0xd800 ? max - 2 : max - 1;
  return `${text.slice(0, Math.max(0, end))}…`;
}
