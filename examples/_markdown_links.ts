/** A link as it stands in a document. */
export interface Link {
  readonly target: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** Links and images of a Markdown document, inline (`[a](b)`), by reference (`[a]: b`) and bare (`<https://…>`). Code is skipped. */
export function linksOf(text: string): Link[] {
  const links: Link[] = [];
  withoutCode(text).split("\n").forEach((line, index) => {
    const found = [
      ...line.matchAll(/\]\(\s*(?:<([^<>]*)>|([^\s()]*(?:\([^\s()]*\)[^\s()]*)*))(?:\s+["'(][^)]*)?\s*\)/g),
      ...line.matchAll(/^ {0,3}\[[^\]^]+\]:\s*(?:<([^<>]*)>|(\S+))/g),
      ...line.matchAll(/<(https?:[^\s<>]+)>/g),
    ];
    for (const match of found) {
      const target = match[1] ?? match[2] ?? "";
      if (target === "") continue;
      links.push({ target, line: index + 1, column: match.index + match[0].indexOf(target) + 1 });
    }
  });
  return links.sort((a, b) => a.line - b.line || a.column - b.column);
}

/** What `#…` can name in a document: its headings as GitHub spells them, and explicit `id`s and names. In lower case. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  const seen = new Map<string, number>();
  const body = withoutFences(text);
  const headings = body.matchAll(
    /^ {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$|^(\S.*)\n(?:=+|-{2,})[ \t]*$/gm,
  );
  for (const match of headings) {
    const slug = slugOf(match[1] ?? match[2] ?? "");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  for (const match of body.matchAll(/<[^>]*\b(?:id|name)=["']([^"']+)["']/g)) {
    anchors.add((match[1] ?? "").toLowerCase());
  }
  return anchors;
}

function slugOf(heading: string): string {
  const plain = heading.replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll(/<[^>]*>|[`*~]/g, "");
  return plain.trim().toLowerCase().replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, "").replaceAll(" ", "-");
}

/** The file that a link in `from` names; undefined when it is outside of the project. `/…` is from the project's root. */
export function resolvePath(from: string, target: string): string | undefined {
  const clean = decodeURIComponent(target.replace(/\?.*$/, ""));
  const parts = clean.startsWith("/") ? [] : from.split("/").slice(0, -1);
  for (const part of clean.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.length === 0 ? "." : parts.join("/");
}

function withoutFences(text: string): string {
  return text.replace(/^ {0,3}(`{3,}|~{3,})[\s\S]*?(?:^ {0,3}\1[`~]*[ \t]*$|$(?![\s\S]))/gm, blank);
}

function withoutCode(text: string): string {
  return withoutFences(text).replace(/<!--[\s\S]*?-->/g, blank).replace(
    /(`+)(?!`)[^\n]*?[^`\n]\1(?!`)/g,
    blank,
  );
}

/** As many characters, so that places stay what they are. */
function blank(text: string): string {
  return text.replaceAll(/[^\n]/g, " ");
}
