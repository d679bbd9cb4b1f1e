import type { KeptOutput } from "./_whole_output.ts";
import { MAX_RESULT_CHARS, type ToolContext } from "./tool.ts";

/** Room for the note in the middle, whatever the length of the path in it. */
const NOTE_CHARS = 1_000;

/** Text that fits a result. */
interface Truncated {
  readonly text: string;
  /** The file with the whole, when something was left out. */
  readonly outputFile?: string;
}

/**
 * `text` within `limit` characters: its head, a note, its tail. What is left out stays readable: the whole is kept in a
 * file, which the note names. Cuts at line ends where there is one nearby, and never inside a character.
 */
export async function truncate(
  text: string,
  ctx: Pick<ToolContext, "keep">,
  name: string,
  limit: number = MAX_RESULT_CHARS,
): Promise<Truncated> {
  if (text.length <= limit) return { text };
  const newlines = countNewlines(text, 0, text.length);
  return shorten(text, { path: await ctx.keep(name, text), chars: text.length, newlines }, limit);
}

/** Head and tail of a text whose whole is in a file already. Of what lay between them `text` may have lost some. */
export function shorten(text: string, whole: KeptOutput, limit: number): Truncated {
  const { head, tail } = cutMiddle(text, Math.max(0, limit - NOTE_CHARS));
  const left = whole.chars - head.length - tail.length;
  const lines = whole.newlines - countNewlines(head, 0, head.length) - countNewlines(tail, 0, tail.length);
  const where = whole.path === undefined
    ? `left out, and not kept: ${whole.problem}`
    : `left out; the whole is in ${whole.path}: use read_file`;
  return {
    text: `${head.replace(/\n$/, "")}\n\n[${left} characters (${lines} lines) ${where}]\n\n${tail}`,
    ...(whole.path === undefined ? {} : { outputFile: whole.path }),
  };
}

/** The first and last parts of a text, together at most `room` characters: more of the head than of the tail. */
function cutMiddle(text: string, room: number): { head: string; tail: string } {
  const headEnd = cutBefore(text, Math.floor(room * 0.6));
  const tailStart = cutAfter(text, text.length - (room - Math.floor(room * 0.6)));
  return { head: text.slice(0, headEnd), tail: text.slice(tailStart) };
}

/** How far from the wanted place a line end is still worth going to. */
const NEAR = 500;

function cutBefore(text: string, at: number): number {
  const newline = text.lastIndexOf("\n", at - 1);
  if (newline >= 0 && newline + 1 > at - NEAR) return newline + 1;
  return isLowSurrogate(text, at) ? at - 1 : at;
}

function cutAfter(text: string, at: number): number {
  const newline = text.indexOf("\n", at);
  if (newline >= 0 && newline < Math.min(at + NEAR, text.length - 1)) return newline + 1;
  return isLowSurrogate(text, at) ? at + 1 : at;
}

function isLowSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}

function countNewlines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) count++;
  return count;
}
