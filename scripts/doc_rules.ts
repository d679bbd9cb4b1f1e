import { posix } from "node:path";

const REGISTRY_HOST = /\bregistry\.(?:npmjs|yarnpkg|npmmirror)\b/;

/** Links of a Markdown document to files of the tree that are not there. `exists` takes paths from the root. */
export function brokenLinks(path: string, text: string, exists: (path: string) => boolean): string[] {
  const problems: string[] = [];
  eachLine(withoutCode(text), (line, number) => {
    for (const match of line.matchAll(/!?\[[^\]]*\]\(([^()\s]+)(?:\s+"[^"]*")?\)/g)) {
      const target = decodeURI((match[1] ?? "").split("#", 1)[0] ?? "");
      if (target === "" || /^[a-z][a-z0-9+.-]*:/i.test(target)) continue;
      const resolved = target.startsWith("/") ? target.slice(1) : posix.join(posix.dirname(path), target);
      if (resolved.startsWith("..") || !exists(resolved)) {
        problems.push(`${path}:${number}: links to ${target}: there is no such file`);
      }
    }
  });
  return problems;
}

/** Tests that a document names in backquotes and that are not there. */
export function missingTests(path: string, text: string, exists: (path: string) => boolean): string[] {
  const problems: string[] = [];
  eachLine(text, (line, number) => {
    for (const match of line.matchAll(/`((?:tests|scripts|core|docs|repl)\/[\w./-]+)`/g)) {
      const target = match[1] ?? "";
      if (!exists(target)) problems.push(`${path}:${number}: names ${target}: there is no such file`);
    }
  });
  return problems;
}

/**
 * Places that name the folder of this very checkout, or the host that a package came from: neither is the next reader's.
 */
export function foreignWords(path: string, text: string, root: string): string[] {
  const problems: string[] = [];
  eachLine(text, (line, number) => {
    if (line.includes(root)) problems.push(`${path}:${number}: names the folder of this checkout, ${root}`);
    if (REGISTRY_HOST.test(line)) {
      problems.push(`${path}:${number}: names the host of a package registry`);
    }
  });
  return problems;
}

function eachLine(text: string, visit: (line: string, number: number) => void): void {
  text.split("\n").forEach((line, index) => visit(line, index + 1));
}

/** Code blocks and inline code as blanks, lines kept. */
function withoutCode(text: string): string {
  return text.replace(/^(```|~~~)[\s\S]*?^\1/gm, (block) => block.replace(/[^\n]/g, " ")).replace(
    /`[^`\n]*`/g,
    " ",
  );
}
