/** What is to be completed at the end of a text: the members of a value, and how their names begin. */
export interface CompletionTarget {
  /** Names that lead to the value from the top; empty: the top itself. */
  readonly path: readonly string[];
  readonly prefix: string;
}

const NAME = /[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/u;
const WORD = new RegExp(`(?:${NAME.source})?$`, "u");
/** `.name`, `?.name`, `[0]`, `["name"]` behind a value. */
const STEP = new RegExp(
  `(?:(?:\\?\\s*)?(?<!\\.)\\.\\s*(?<name>${NAME.source})|(?:\\?\\.)?\\[\\s*(?:(?<index>\\d+)|"(?<double>[^"\\\\]*)"|'(?<single>[^'\\\\]*)')\\s*\\])\\s*$`,
  "u",
);
const FIRST = new RegExp(`(?<name>${NAME.source})\\s*$`, "u");
const STEPS = 50;

/** Undefined where nothing can be completed without running something: behind a call, in a string, in a comment. */
export function completionTarget(text: string): CompletionTarget | undefined {
  const code = codeAtEnd(text);
  if (code === undefined) return undefined;
  const prefix = WORD.exec(code)?.[0] ?? "";
  const before = code.slice(0, code.length - prefix.length).trimEnd();
  if (!before.endsWith(".")) {
    // The end of a number, as in `0x1f`, or of a private name.
    return /[\d#]$/u.test(code.slice(0, code.length - prefix.length)) ? undefined : { path: [], prefix };
  }
  // Behind `...` anything may stand.
  if (before.endsWith("...")) return { path: [], prefix };
  const path: string[] = [];
  let rest = before.slice(0, before.endsWith("?.") ? -2 : -1).trimEnd();
  for (let step = 0; step < STEPS; step++) {
    const found = STEP.exec(rest);
    if (!found?.groups) break;
    const { name, index, double, single } = found.groups;
    path.unshift(name ?? index ?? double ?? single ?? "");
    rest = rest.slice(0, found.index).trimEnd();
  }
  const first = FIRST.exec(rest)?.groups?.name;
  if (first === undefined) return undefined;
  const left = rest.slice(0, rest.length - first.length).trimEnd();
  if (left.endsWith(".") && !left.endsWith("...")) return undefined;
  return { path: [first, ...path], prefix };
}

/** The end of a text that is code: all of it, or what stands in the last `${`; undefined in strings and comments. */
function codeAtEnd(text: string): string | undefined {
  /** Where the code around each open template goes on, and how deep in braces. */
  const templates: { depth: number }[] = [];
  let start = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    const two = text.slice(at, at + 2);
    const closesTemplate = char === "}" && depth === 0 && templates.length > 0;
    if (two === "//" || two === "/*") {
      const end = two === "//" ? text.indexOf("\n", at) : text.indexOf("*/", at + 2);
      if (end < 0) return undefined;
      at = two === "//" ? end : end + 1;
    } else if (char === '"' || char === "'") {
      at = stringEnd(text, at + 1, char);
      if (at >= text.length) return undefined;
    } else if (char === "`" || closesTemplate) {
      if (closesTemplate) depth = templates.pop()?.depth ?? 0;
      at = templateEnd(text, at + 1);
      if (at >= text.length) return undefined;
      if (text[at] === "{") {
        templates.push({ depth });
        depth = 0;
        start = at + 1;
      }
    } else if (char === "{") depth++;
    else if (char === "}") depth = Math.max(0, depth - 1);
  }
  return text.slice(start);
}

/** Index of the quote that ends a string, or of the end of its line; the text's length when neither comes. */
function stringEnd(text: string, from: number, quote: string): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === quote || text[at] === "\n") return at;
  }
  return text.length;
}

/** Index of the backtick that ends a template, or of the brace of its next `${`. */
function templateEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "`") return at;
    else if (text[at] === "$" && text[at + 1] === "{") return at + 1;
  }
  return text.length;
}
