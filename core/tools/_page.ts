import { messageOf } from "../domain/error.ts";
import type { PageReply, PageRequest } from "./page.ts";
import { nestingDepth, plainText } from "./_plain_text.ts";
import type { ToolContext } from "./tool.ts";

/**
 * Larger or deeper pages are not parsed: a parser's memory and time grow with the tags, some faster than their number,
 * and the text without a parser is better than none after ten seconds.
 */
const MAX_HTML_CHARS = 2 * 1024 * 1024;
const MAX_TAGS = 60_000;
/** The time that tables take grows with the square of their cells. */
const MAX_CELLS = 5_000;
const MAX_DEPTH = 300;
const TIME_LIMIT_MS = 10_000;
/** Markdown is hardly ever longer than its page; JSON doubles a character at most six times. */
const MAX_REPLY_BYTES = 32 * 1024 * 1024;

/** A web page, ready for the model. */
interface Page {
  readonly title: string;
  readonly text: string;
  /** Why it is bare text and not markdown. */
  readonly note?: string;
}

/** A page as markdown; where that takes too much, as bare text. Never rejects but for `signal`. */
export async function readPage(
  html: string,
  url: string,
  ctx: ToolContext,
  signal: AbortSignal,
): Promise<Page> {
  const bare = (note: string): Page => ({ title: "", text: plainText(html), note: `bare text: ${note}` });
  if (html.length > MAX_HTML_CHARS) return bare("the page is too large to be converted");
  if (hasMoreThan(html, /</g, MAX_TAGS) || hasMoreThan(html, /<t[dhr]\b/gi, MAX_CELLS)) {
    return bare("the page has too many elements to be converted");
  }
  if (nestingDepth(html) > MAX_DEPTH) return bare("the page is too deeply nested to be converted");
  const reply = await convert({ html, url }, ctx, signal);
  if ("markdown" in reply) return { title: reply.title, text: reply.markdown };
  return bare("error" in reply ? `the page could not be converted (${reply.error})` : "the page is empty");
}

function hasMoreThan(text: string, part: RegExp, limit: number): boolean {
  let found = 0;
  for (const _ of text.matchAll(part)) {
    if (++found > limit) return true;
  }
  return false;
}

/** In a process of its own, which holds nothing and can be killed. */
async function convert(request: PageRequest, ctx: ToolContext, signal: AbortSignal): Promise<PageReply> {
  try {
    const { code, timedOut, stdout, stderr } = await ctx.run({
      argv: ["__page"],
      self: true,
      cwd: "/",
      stdin: new TextEncoder().encode(JSON.stringify(request)),
      timeoutMs: TIME_LIMIT_MS,
      maxOutputBytes: MAX_REPLY_BYTES,
      signal,
    });
    if (timedOut) return { error: `it took longer than ${TIME_LIMIT_MS / 1000} s` };
    const text = new TextDecoder();
    if (code !== 0 || stdout.dropped > 0) {
      const last = text.decode(stderr.tail.length > 0 ? stderr.tail : stderr.head).trim().split("\n").pop();
      return { error: last || "it took more memory than it may" };
    }
    return JSON.parse(text.decode(stdout.head, { stream: true }) + text.decode(stdout.tail)) as PageReply;
  } catch (error) {
    signal.throwIfAborted();
    return { error: messageOf(error) };
  }
}
