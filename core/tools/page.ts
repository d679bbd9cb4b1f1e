/**
 * Turns HTML into markdown, as a process of its own that can be killed: what a hostile page does to a parser ends here.
 */
import { isProbablyReaderable, Readability } from "@mozilla/readability";
import { gfm } from "@truto/turndown-plugin-gfm";
import { parseHTML } from "linkedom";
import TurndownService from "turndown";

/** A page to turn into Markdown. */
export interface PageRequest {
  readonly html: string;
  /** What links on the page are relative to. */
  readonly url: string;
}

/** What it came to. */
export type PageReply =
  | { readonly title: string; readonly markdown: string }
  | { readonly error: string };

/** What is used of the DOM; the program is compiled without a browser's types. */
interface PageElement {
  readonly textContent: string | null;
  innerHTML: string;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  remove(): void;
}

interface PageDocument {
  readonly body: PageElement;
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement> & { readonly length: number };
}

interface Article {
  readonly title?: string | null;
  readonly content?: string | null;
  readonly textContent?: string | null;
}

type ReadabilityOf = new (
  document: unknown,
  options: { charThreshold: number },
) => { parse(): Article | null };

/** More than any page that people read; Readability's time grows with the square of this. */
const MAX_ELEMENTS = 30_000;
const DROPPED = "script, style, noscript, template, svg, iframe, object, embed, link, meta";

/** `pryx __page`: a {@link PageRequest} as JSON on stdin, a {@link PageReply} as JSON on stdout. */
export async function runPage(): Promise<number> {
  // Nothing of it is needed from here on; the kernel layer holds where there is one.
  for (const name of ["read", "write", "net", "run", "env", "sys", "ffi", "import"] as const) {
    Deno.permissions.revokeSync({ name });
  }
  const request = await new Response(Deno.stdin.readable).json() as PageRequest;
  const reply = new TextEncoder().encode(JSON.stringify(convertPage(request)));
  for (let rest = reply; rest.length > 0;) rest = rest.subarray(await Deno.stdout.write(rest));
  return 0;
}

function convertPage(request: PageRequest): PageReply {
  try {
    return convert(request);
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function convert({ html, url }: PageRequest): PageReply {
  // Fragments have no body of their own for the parser to find.
  const source = /<body[\s>]/i.test(html) ? html : `<html><body>${html}</body></html>`;
  const { document } = parseHTML(source) as unknown as { document: PageDocument };
  const base = baseOf(document.querySelector("base[href]")?.getAttribute("href"), url);
  for (const element of [...document.querySelectorAll(DROPPED)]) element.remove();
  for (const link of [...document.querySelectorAll("a[href]")]) setUrl(link, "href", base);
  for (const image of [...document.querySelectorAll("img")]) {
    if (!setUrl(image, "src", base)) image.remove();
  }
  const title = document.querySelector("title")?.textContent ?? "";
  const whole = document.body.innerHTML;
  const article = readArticle(document);
  return {
    title: (article?.title || title).replace(/\s+/g, " ").trim(),
    markdown: toMarkdown(article?.content ?? whole),
  };
}

/** The part of the page that is read, where it has one; pages of links and front pages have none. */
function readArticle(document: PageDocument): { title: string; content: string } | undefined {
  if (document.querySelectorAll("*").length > MAX_ELEMENTS || !isProbablyReaderable(document)) {
    return undefined;
  }
  const article = new (Readability as unknown as ReadabilityOf)(document, { charThreshold: 200 }).parse();
  if (!article?.content || (article.textContent ?? "").trim().length < 200) return undefined;
  return { title: article.title ?? "", content: article.content };
}

function toMarkdown(html: string): string {
  const service = new TurndownService({
    headingStyle: "atx",
    codeBlockStyle: "fenced",
    bulletListMarker: "-",
  });
  service.use(gfm);
  return service.turndown(html).replace(/\n{3,}/g, "\n\n").trim();
}

function baseOf(href: string | null | undefined, url: string): string {
  return href && URL.canParse(href, url) ? new URL(href, url).href : url;
}

/** Makes a link absolute. One that is none for the web (`javascript:`, `data:`) loses its target; then false. */
function setUrl(element: PageElement, name: string, base: string): boolean {
  const value = element.getAttribute(name);
  const url = value !== null && URL.canParse(value, base) ? new URL(value, base) : undefined;
  if (url && ["http:", "https:", "mailto:"].includes(url.protocol)) {
    element.setAttribute(name, url.href);
    return true;
  }
  element.removeAttribute(name);
  return false;
}
