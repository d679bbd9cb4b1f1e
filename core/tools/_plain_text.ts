const SKIPPED = ["script", "style", "noscript", "template", "svg"];
const BLOCKS =
  /^(address|article|aside|blockquote|br|dd|div|dl|dt|fieldset|figure|footer|form|h[1-6]|header|hr|li|main|nav|ol|p|pre|section|table|tr|ul)$/;
const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
};

/** The text of a page without its tags. Goes over it once: for pages that are too large or too strange to be parsed. */
export function plainText(html: string): string {
  const lower = html.toLowerCase();
  const parts: string[] = [];
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf("<", at);
    parts.push(html.slice(at, open < 0 ? html.length : open).replace(/\s+/g, " "));
    if (open < 0) break;
    if (html.startsWith("<!--", open)) {
      const end = html.indexOf("-->", open + 4);
      at = end < 0 ? html.length : end + 3;
      continue;
    }
    const name = /^\/?([a-z][a-z0-9-]{0,30})/.exec(lower.slice(open + 1, open + 33))?.[1];
    if (name === undefined && !/[!?/]/.test(html[open + 1] ?? "")) {
      parts.push("<");
      at = open + 1;
      continue;
    }
    const close = html.indexOf(">", open);
    at = close < 0 ? html.length : close + 1;
    if (name !== undefined && SKIPPED.includes(name) && html[open + 1] !== "/") {
      const end = lower.indexOf(`</${name}`, at);
      at = end < 0 ? html.length : end;
    } else if (name !== undefined && BLOCKS.test(name)) parts.push("\n");
  }
  return decodeEntities(parts.join("")).replace(/[ \t]*\n\s*/g, "\n").trim();
}

function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,6}));/gi, (all, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? all;
    const code = decimal === undefined ? parseInt(hex, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}

const VOID = /^(area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)$/;

/** How deep elements stand in each other, at most, if every tag counts. Elements that need no end tag count as deep. */
export function nestingDepth(html: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [, slash, name = "", rest = ""] of html.matchAll(/<(\/?)([a-z][a-z0-9-]{0,30})([^>]?)/gi)) {
    const tag = name.toLowerCase();
    if (VOID.test(tag) || rest === "/") continue;
    // Their end tags are optional: a list of a thousand items is not deep.
    if (/^(li|p|dt|dd|tr|td|th|option|thead|tbody|tfoot|colgroup)$/.test(tag)) continue;
    depth = Math.max(0, depth + (slash ? -1 : 1));
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}
