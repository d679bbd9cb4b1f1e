/**
 * Path patterns, compiled once. Matching walks segments and characters with one point of return each, so its cost is
 * at most length of path × length of pattern: a pattern from an untrusted folder cannot make a decision hang, as a
 * backtracking regular expression could. A newline in a file name is a character like any other.
 *
 * Grammar: `*` any characters of one name, `?` one, `[a-z]` `[!a-z]` one of, `{a,b}` either, `**` as a whole name any
 * number of folders, `\x` the character itself. A pattern covers what it matches and everything below that.
 */
type Token =
  | { readonly type: "char"; readonly char: string }
  | { readonly type: "one" }
  | { readonly type: "star" }
  | {
    readonly type: "class";
    readonly not: boolean;
    readonly ranges: readonly (readonly [string, string])[];
  };

type Segment =
  | { readonly type: "folders" }
  | { readonly type: "name"; readonly text: string }
  | {
    readonly type: "glob";
    readonly tokens: readonly Token[];
    readonly head: string;
    readonly tail: string;
  };

/** Alternatives after braces are opened; each begins at the root. */
export type Glob = readonly (readonly Segment[])[];

const MAX_ALTERNATIVES = 256;
const MAX_LENGTH = 4096;
const FOLDERS: Segment = { type: "folders" };

/** Compiles an absolute pattern (its leading `/` or drive may be missing). Returns what is wrong, as text. */
export function compileGlob(pattern: string): Glob | string {
  const long = tooLong(pattern);
  if (long !== undefined) return long;
  const opened = openBraces(pattern);
  if (typeof opened === "string") return opened;
  const alternatives: Segment[][] = [];
  for (const one of opened) {
    const segments: Segment[] = [];
    for (const part of splitSegments(one)) {
      if (part === "" || part === ".") continue;
      const segment = compileSegment(part);
      if (typeof segment === "string") return segment;
      if (segment.type === "folders" && segments.at(-1)?.type === "folders") continue;
      segments.push(segment);
    }
    if (segments.at(-1)?.type !== "folders") segments.push(FOLDERS);
    alternatives.push(segments);
  }
  return alternatives;
}

/** True when the glob covers the path whose names are `names`. */
export function globMatches(glob: Glob, names: readonly string[]): boolean {
  for (const segments of glob) {
    const [first, second, third] = segments;
    // The form of most patterns: one name, anywhere.
    if (first?.type === "folders" && second && third?.type === "folders" && segments.length === 3) {
      for (const name of names) if (nameMatches(second, name)) return true;
    } else if (segmentsMatch(segments, names)) return true;
  }
  return false;
}

/** True when the pattern stands for exactly one path (and what is below it). */
export function isLiteral(pattern: string): boolean {
  return wildcardAt(pattern) < 0;
}

/** What {@link compileGlob} finds wrong with a literal pattern, without compiling it. */
export function literalProblem(pattern: string): string | undefined {
  const long = tooLong(pattern);
  if (long !== undefined || !pattern.includes("\\")) return long;
  const compiled = compileGlob(pattern);
  return typeof compiled === "string" ? compiled : undefined;
}

function tooLong(pattern: string): string | undefined {
  return pattern.length > MAX_LENGTH ? `it is longer than ${MAX_LENGTH} characters` : undefined;
}

/** The text that a literal pattern stands for. */
export function unescapeGlob(pattern: string): string {
  return pattern.replace(/\\(.)/gsu, "$1");
}

/** A pattern that stands for exactly `path`. */
export function escapeGlob(path: string): string {
  return path.replace(/[\\*?[\]{}()!+@|"'$^]/gu, "\\$&");
}

/** The folders and names of a pattern before its first wildcard, unescaped: `/a/b` of `/a/b/*.ts`. */
export function staticBase(pattern: string): string {
  const at = wildcardAt(pattern);
  if (at < 0) return unescapeGlob(pattern);
  const cut = pattern.lastIndexOf("/", at);
  return cut <= 0 ? pattern.slice(0, cut + 1) : unescapeGlob(pattern.slice(0, cut));
}

function wildcardAt(pattern: string): number {
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i];
    if (char === "\\") i++;
    else if (char === "*" || char === "?" || char === "[" || char === "{") return i;
  }
  return -1;
}

function splitSegments(pattern: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] === "\\") i++;
    else if (pattern[i] === "/") {
      parts.push(pattern.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(pattern.slice(start));
  return parts;
}

/** `a{b,c}d` as `abd` and `acd`; inner braces too. */
function openBraces(pattern: string): string[] | string {
  const done: string[] = [];
  const open = [pattern];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const braces = findBraces(next);
    if (typeof braces === "string") return braces;
    if (braces === undefined) done.push(next);
    else for (const option of braces.options) open.push(braces.before + option + braces.after);
    if (done.length + open.length > MAX_ALTERNATIVES) {
      return `its braces stand for more than ${MAX_ALTERNATIVES} patterns`;
    }
  }
  return done;
}

function findBraces(text: string): { before: string; options: string[]; after: string } | string | undefined {
  let depth = 0;
  let begin = -1;
  let start = -1;
  const options: string[] = [];
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === "\\") i++;
    else if (char === "{") {
      if (depth++ === 0) begin = start = i + 1;
    } else if (depth > 0 && char === "," && depth === 1) {
      options.push(text.slice(start, i));
      start = i + 1;
    } else if (depth > 0 && char === "}" && --depth === 0) {
      options.push(text.slice(start, i));
      return { before: text.slice(0, begin - 1), options, after: text.slice(i + 1) };
    }
  }
  return depth > 0 ? "a { is never closed (write \\{ for the character)" : undefined;
}

function compileSegment(text: string): Segment | string {
  if (text === "**") return FOLDERS;
  const tokens: Token[] = [];
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === "\\") {
      if (++i >= text.length) return "it ends in a lone \\";
      tokens.push({ type: "char", char: text.charAt(i) });
    } else if (char === "*") {
      if (tokens.at(-1)?.type !== "star") tokens.push({ type: "star" });
    } else if (char === "?") tokens.push({ type: "one" });
    else if (char === "[") {
      const found = readClass(text, i);
      if (!found) return "a [ is never closed (write \\[ for the character)";
      tokens.push(found.token);
      i = found.end;
    } else tokens.push({ type: "char", char });
  }
  if (tokens.every((token) => token.type === "char")) {
    return { type: "name", text: tokens.map((token) => token.char).join("") };
  }
  return { type: "glob", tokens, head: literalRun(tokens), tail: literalRun(tokens.toReversed(), true) };
}

/** The plain text that names begin (or, reversed, end) with: most names fail on that already. */
function literalRun(tokens: readonly Token[], reversed = false): string {
  let text = "";
  for (const token of tokens) {
    if (token.type !== "char") break;
    text = reversed ? token.char + text : text + token.char;
  }
  return text;
}

function readClass(text: string, at: number): { token: Token; end: number } | undefined {
  let i = at + 1;
  const not = text[i] === "!" || text[i] === "^";
  if (not) i++;
  const ranges: [string, string][] = [];
  for (let first = true; i < text.length; first = false) {
    if (text[i] === "]" && !first) return { token: { type: "class", not, ranges }, end: i };
    if (text[i] === "\\") i++;
    const from = text.charAt(i++);
    if (text[i] === "-" && i + 1 < text.length && text[i + 1] !== "]") {
      i++;
      if (text[i] === "\\") i++;
      ranges.push([from, text.charAt(i++)]);
    } else ranges.push([from, from]);
  }
  return undefined;
}

function segmentsMatch(segments: readonly Segment[], names: readonly string[]): boolean {
  let s = 0;
  let n = 0;
  let backS = -1;
  let backN = 0;
  while (n < names.length) {
    const segment = segments[s];
    if (segment?.type === "folders") {
      if (s === segments.length - 1) return true;
      backS = ++s;
      backN = n;
    } else if (segment !== undefined && nameMatches(segment, names[n] ?? "")) {
      s++;
      n++;
    } else if (backS >= 0) {
      s = backS;
      n = ++backN;
    } else return false;
  }
  while (segments[s]?.type === "folders") s++;
  return s === segments.length;
}

function nameMatches(segment: Segment, name: string): boolean {
  if (segment.type === "name") return segment.text === name;
  if (segment.type === "folders") return true;
  const { tokens, head, tail } = segment;
  if (!name.startsWith(head) || !name.endsWith(tail)) return false;
  let t = 0;
  let i = 0;
  let backT = -1;
  let backI = 0;
  while (i < name.length) {
    const token = tokens[t];
    if (token?.type === "star") {
      if (t === tokens.length - 1) return true;
      backT = ++t;
      backI = i;
    } else if (token !== undefined && charMatches(token, name.charAt(i))) {
      t++;
      i++;
    } else if (backT >= 0) {
      t = backT;
      i = ++backI;
    } else return false;
  }
  while (tokens[t]?.type === "star") t++;
  return t === tokens.length;
}

function charMatches(token: Token, char: string): boolean {
  switch (token.type) {
    case "char":
      return token.char === char;
    case "class":
      return token.ranges.some(([from, to]) => from <= char && char <= to) !== token.not;
    default:
      return true;
  }
}
