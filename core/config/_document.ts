import type { Node, ParseError } from "jsonc-parser";
import { messageOf } from "../domain/error.ts";
import { excerptOf, type SourceProblem } from "./_problems.ts";

type ParseTree = typeof import("jsonc-parser").parseTree;

/** Where a value stands: `["providers", "local", "key"]`; numbers are positions in lists. */
export type KeyPath = readonly (string | number)[];

/** A config file that was read: its value, and where in the text each part of it stands. */
export interface Document {
  readonly file: string;
  readonly text: string;
  /** Plain data; objects have no prototype, so `__proto__` is a key like any other. */
  readonly value: unknown;
  /** Something wrong at a path, with line and column. `at: "key"` points to the key instead of its value. */
  problem(path: KeyPath, message: string, options?: { at?: "key"; fix?: string }): SourceProblem;
  /** Line (from 1) of the value at a path, or of the closest part above it that is there. */
  line(path: KeyPath): number;
  /** Where that is in the text. */
  offset(path: KeyPath): number;
}

/** Above this a config file is a mistake: it is read at every start. */
const MAX_BYTES = 1 << 20;

/** Reads a config file as text. Undefined when there is none; throws Deno's errors, and TypeError for what is not UTF-8. */
export async function readText(path: string): Promise<string | undefined> {
  let info: Deno.FileInfo;
  try {
    // Most config files are not there, and finding that out this way costs a tenth of an awaited call.
    info = Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
  if (info.isDirectory) throw new Deno.errors.IsADirectory("it is a folder");
  // A pipe or a device would block, or never end.
  if (!info.isFile) throw new Deno.errors.InvalidData("it is not a regular file");
  if (info.size > MAX_BYTES) throw new Deno.errors.InvalidData(`it is larger than ${MAX_BYTES >> 20} MB`);
  // `ignoreBOM` keeps the mark in the text: editing writes back what was there.
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await Deno.readFile(path));
}

/** What was wrong when `readText` threw, in words. */
export function readProblem(file: string, error: unknown): SourceProblem {
  const is = (kind: new (...args: never[]) => Error) => error instanceof kind;
  if (is(TypeError)) {
    return { where: file, message: "it is not valid UTF-8", fix: "Save the file as UTF-8 text" };
  }
  if (is(Deno.errors.IsADirectory)) {
    return { where: file, message: "it is a folder, not a file", fix: "Remove or rename the folder" };
  }
  if (is(Deno.errors.PermissionDenied) || is(Deno.errors.NotCapable)) {
    return {
      where: file,
      message: "it cannot be read: permission denied",
      fix: `Make it readable to you: chmod u+r ${JSON.stringify(file)}`,
    };
  }
  const reason = messageOf(error);
  return { where: file, message: `it cannot be read: ${reason}`, fix: "Repair or remove the file" };
}

/**
 * Parses JSON with comments and trailing commas. Returns what is wrong, each with line and column, when it cannot be.
 * An empty file, or one of comments alone, is an empty object.
 */
export async function parseDocument(file: string, text: string): Promise<Document | SourceProblem[]> {
  const { parseTree } = await import("jsonc-parser");
  try {
    return parse(file, text, parseTree);
  } catch (error) {
    // Every step through a tree is recursive, the library's too.
    if (!(error instanceof RangeError)) throw error;
    return [{ where: file, message: "it is nested too deeply", fix: "Repair or remove the file" }];
  }
}

function parse(file: string, text: string, parseTree: ParseTree): Document | SourceProblem[] {
  // A byte order mark is not JSON; a space in its place keeps every offset as it is.
  const body = text.startsWith("\uFEFF") ? ` ${text.slice(1)}` : text;
  const errors: ParseError[] = [];
  const root = parseTree(body, errors, { allowTrailingComma: true });
  if (root === undefined && errors.every(({ error }) => error === VALUE_EXPECTED)) {
    return documentOf(file, text, undefined);
  }
  if (errors.length > 0) return syntaxProblems(file, body, errors);
  const twice = root ? duplicateKeys(root) : [];
  if (twice.length > 0) {
    return twice.map((node) =>
      problemAt(file, body, node.offset, `"${String(node.value)}" is set twice in the same object`)
    );
  }
  return documentOf(file, text, root);
}

function documentOf(file: string, text: string, root: Node | undefined): Document {
  return {
    file,
    text,
    value: root === undefined ? Object.create(null) : plain(root),
    problem(path, message, options = {}) {
      const found = find(root, path, options.at === "key");
      return { ...problemAt(file, text, found, message), ...(options.fix ? { fix: options.fix } : {}) };
    },
    line: (path) => placeOf(text, find(root, path, false)).line,
    offset: (path) => find(root, path, false),
  };
}

function plain(node: Node): unknown {
  if (node.type === "array") return (node.children ?? []).map(plain);
  if (node.type !== "object") return node.value;
  const value: Record<string, unknown> = Object.create(null);
  for (const property of node.children ?? []) {
    const [key, item] = property.children ?? [];
    if (key && item) value[String(key.value)] = plain(item);
  }
  return value;
}

/** Offset of the part at `path`, or of the closest part above it. */
function find(root: Node | undefined, path: KeyPath, key: boolean): number {
  let node = root;
  let offset = root?.offset ?? 0;
  for (const [index, step] of path.entries()) {
    const last = index === path.length - 1;
    if (typeof step === "number") {
      node = node?.children?.[step];
      if (!node) break;
      offset = node.offset;
    } else {
      const property = node?.type === "object"
        ? node.children?.find((one) => one.children?.[0]?.value === step)
        : undefined;
      const [name, value] = property?.children ?? [];
      if (!name || !value) break;
      node = value;
      offset = key && last ? name.offset : value.offset;
    }
  }
  return offset;
}

function duplicateKeys(node: Node): Node[] {
  const found: Node[] = [];
  const seen = new Set<unknown>();
  for (const child of node.children ?? []) {
    if (child.type === "property") {
      const [key, value] = child.children ?? [];
      if (key && seen.has(key.value)) found.push(key);
      if (key) seen.add(key.value);
      if (value) found.push(...duplicateKeys(value));
    } else found.push(...duplicateKeys(child));
  }
  return found;
}

function placeOf(text: string, offset: number): { line: number; column: number; start: number } {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - start + 1, start };
}

function problemAt(file: string, text: string, offset: number, message: string): SourceProblem {
  const { line, column, start } = placeOf(text, offset);
  const end = text.indexOf("\n", start);
  const content = text.slice(start, end < 0 ? undefined : end);
  return { where: `${file}:${line}:${column}`, message, excerpt: excerptOf(content, line, column) };
}

const VALUE_EXPECTED = 4;

/** By jsonc-parser's `ParseErrorCode`, which is a `const enum` and so not there at run time. */
const SYNTAX: Readonly<Record<number, string>> = {
  1: 'this is not a JSON value: text stands between double quotes ("…")',
  2: "this is not a number",
  3: "expected a key between double quotes",
  4: "expected a value",
  5: "expected a colon between the key and its value",
  6: "expected a comma before this",
  7: "expected a closing }",
  8: "expected a closing ]",
  9: "expected nothing more: the value ended before this",
  10: "this is not a comment: comments are // … and /* … */",
  11: "this comment does not end: */ is missing",
  12: 'this text does not end: a " is missing',
  13: "this number does not end",
  14: "\\u needs four hexadecimal digits",
  15: 'this escape is not known: write \\\\ for a backslash, \\" for a quote',
  16: "this character must be written as an escape, such as \\n or \\t",
};

/** One slip makes the parser stumble several times: the first stumble of each line says it, five lines say enough. */
function syntaxProblems(file: string, text: string, errors: readonly ParseError[]): SourceProblem[] {
  const byLine = new Map<number, SourceProblem>();
  for (const { error, offset } of errors) {
    const { line } = placeOf(text, offset);
    if (byLine.has(line)) continue;
    byLine.set(line, problemAt(file, text, offset, SYNTAX[error] ?? "this is not JSON"));
  }
  return [...byLine.values()].slice(0, 5);
}
