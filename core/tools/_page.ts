import type { PageReply, PageRequest } from "./page_worker.ts";
import { nestingDepth, plainText } from "./_plain_text.ts";

/**
 * Larger or deeper pages are not parsed. A worker bounds neither a parser's memory nor its time (a loop in it goes on after
 * `terminate()`), and both grow with the tags, some faster than their number.
 */
const MAX_HTML_CHARS = 2 * 1024 * 1024;
const MAX_TAGS = 60_000;
/** The time that tables take grows with the square of their cells. */
const MAX_CELLS = 5_000;
const MAX_DEPTH = 300;
const TIME_LIMIT_MS = 10_000;

/** A web page, ready for the model. */
interface Page {
  readonly title: string;
  readonly text: string;
  /** Why it is bare text and not markdown. */
  readonly note?: string;
}

/** A page as markdown; where that takes too much, as bare text. Never rejects but for `signal`. */
export async function readPage(html: string, url: string, signal: AbortSignal): Promise<Page> {
  const bare = (note: string): Page => ({ title: "", text: plainText(html), note: `bare text: ${note}` });
  if (html.length > MAX_HTML_CHARS) return bare("the page is too large to be converted");
  if (hasMoreThan(html, /</g, MAX_TAGS) || hasMoreThan(html, /<t[dhr]\b/gi, MAX_CELLS)) {
    return bare("the page has too many elements to be converted");
  }
  if (nestingDepth(html) > MAX_DEPTH) return bare("the page is too deeply nested to be converted");
  const reply = await convert({ html, url }, signal);
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

async function convert(request: PageRequest, signal: AbortSignal): Promise<PageReply> {
  signal.throwIfAborted();
  const worker = new Worker(workerUrl(), {
    type: "module",
    name: "pryx page",
    deno: { permissions: "none" },
  });
  const { promise, resolve, reject } = Promise.withResolvers<PageReply>();
  const timer = setTimeout(
    () => resolve({ error: `it took longer than ${TIME_LIMIT_MS / 1000} s` }),
    TIME_LIMIT_MS,
  );
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  worker.onmessage = ({ data }: MessageEvent<PageReply>) => {
    if ("ready" in data) worker.postMessage(request);
    else resolve(data);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    resolve({ error: event.message });
  };
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    worker.terminate();
  }
}

/** From source the worker lies beside this file; in a bundle this code is in a chunk at the root of the output. */
function workerUrl(): URL {
  return import.meta.url.endsWith(".ts")
    ? new URL("./page_worker.ts", import.meta.url)
    : new URL("./core/tools/page_worker.js", import.meta.url);
}
