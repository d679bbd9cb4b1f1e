/** A file of the map. */
export interface MappedFile {
  /** From the root, with `/`. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** What it says of itself; may be empty. */
  readonly about: string;
}

interface Folder {
  readonly folders: Map<string, Folder>;
  readonly files: (MappedFile & { readonly name: string })[];
  bytes: number;
  count: number;
}

/** A nested Markdown list: folders first, then files, each by name. Folders below `depth` are one line. */
export function toTree(files: readonly MappedFile[], depth: number): string[] {
  const root: Folder = newFolder();
  for (const file of files) {
    const parts = file.path.split("/");
    const name = parts.pop() ?? "";
    let folder = root;
    count(folder, file.size);
    for (const part of parts) {
      const next = folder.folders.get(part) ?? newFolder();
      folder.folders.set(part, next);
      folder = next;
      count(folder, file.size);
    }
    folder.files.push({ ...file, name });
  }
  return linesOf(root, 0, depth);
}

function newFolder(): Folder {
  return { folders: new Map(), files: [], bytes: 0, count: 0 };
}

function count(folder: Folder, bytes: number): void {
  folder.bytes += bytes;
  folder.count++;
}

function linesOf(folder: Folder, level: number, depth: number): string[] {
  const indent = "  ".repeat(level);
  const lines: string[] = [];
  for (const [name, below] of [...folder.folders].sort(([a], [b]) => a < b ? -1 : 1)) {
    const deep = level + 1 >= depth;
    const sum = deep ? `, ${below.count} ${below.count === 1 ? "file" : "files"}` : "";
    lines.push(`${indent}- **${name}/** (${formatSize(below.bytes)}${sum})`);
    if (!deep) lines.push(...linesOf(below, level + 1, depth));
  }
  for (const { name, size, about } of folder.files.toSorted((a, b) => a.name < b.name ? -1 : 1)) {
    lines.push(`${indent}- \`${name}\` (${formatSize(size)})${about === "" ? "" : `: ${about}`}`);
  }
  return lines;
}

/** `317 B`, `4.2 kB`, `1.3 MB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const [value, unit] = bytes < 1_000_000 ? [bytes / 1_000, "kB"] : [bytes / 1_000_000, "MB"];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** Ends of names whose comments begin with `#`. */
const HASH = /\.(?:py|rb|sh|bash|zsh|ya?ml|toml|r|pl)$|(?:^|\/)(?:Makefile|Dockerfile)$/i;

/**
 * The first sentence of the first comment of a file, or the first heading of a Markdown one; empty where there is none. A
 * shebang and a licence do not count.
 */
export function firstComment(path: string, text: string): string {
  const body = text.replace(/^\uFEFF?(?:#!.*\n)?/, "");
  if (/\.(?:md|markdown)$/i.test(path)) return sentence(/^#+ +(.+)$/m.exec(body)?.[1] ?? "");
  if (/\.(?:json|lock|svg|csv|txt|log)$/i.test(path)) return "";
  const found = HASH.test(path) ? hashComment(body, path) : slashComment(body);
  return /copyright|spdx-license|licensed under/i.test(found) ? "" : sentence(found);
}

function hashComment(text: string, path: string): string {
  const doc = path.endsWith(".py") ? /^\s*(?:#.*\n\s*)*"""([\s\S]*?)"""/.exec(text)?.[1] : undefined;
  if (doc !== undefined) return doc;
  const [block = ""] = /^(?:[ \t]*#.*\n?)+/m.exec(text.slice(0, 1_500)) ?? [];
  return block.replaceAll(/^[ \t]*#+ ?/gm, "");
}

/** Comments for tools. */
const DIRECTIVE = /^\W*(?:@ts-|deno-|eslint-|prettier-|biome-|c8 |v8 |webpack)/;

/** The one at the top; else that of the first function, class or constant that is exported; else the first there is. */
function slashComment(text: string): string {
  const all = [...text.matchAll(/^(\/\*\*?[\s\S]*?\*\/|(?:[ \t]*\/\/.*\n)+)[ \t]*\n?(.*)/gm)];
  const comments = all.filter(([, comment]) => !DIRECTIVE.test(comment ?? ""));
  const before = (next: RegExp) => comments.find((one) => next.test(one[2] ?? ""));
  const top = comments.find(({ index }) => text.slice(0, index).trim() === "");
  const found = top ?? before(/^export (?:default )?(?:async )?(?:function|class|const)\b/) ??
    before(/^export\b/) ?? comments[0];
  return (found?.[1] ?? "").replaceAll(/^[ \t]*(?:\/\*\*?|\*\/|\/\/[/!]?|\*(?!\/))[ \t]?|\*\/[ \t]*$/gm, "");
}

/** Up to the first full stop or empty line, in one line. */
function sentence(text: string): string {
  const paragraph = text.trim().split(/\n\s*\n/, 1)[0] ?? "";
  const line = paragraph.replaceAll(/\{@link ([^{}]+)\}/g, "`$1`").replaceAll(/\s+/g, " ").trim();
  const first = /^.*?[.!?](?= [A-Z`({]|$)/.exec(line)?.[0] ?? line;
  return first.length > 160 ? `${first.slice(0, 159).trimEnd()}…` : first.replace(/\.$/, "");
}
