import { decode, type SourceMapMappings } from "@jridgewell/sourcemap-codec";
import { parse, type Program } from "acorn";
// @ts-types="npm:/sucrase@3.35.1/dist/types/index.d.ts"
import { transform } from "sucrase/dist/index.js";
import { readImports } from "./_imports.ts";
import { createSpots, type Finding, type Spot } from "./_module.ts";
import { syntaxFinding, tokenize, TokenType } from "./_tokens.ts";
import { rewriteTopLevel } from "./_top_level.ts";

/** What was typed at a prompt, ready to be evaluated; or why it is not. */
export type Prepared =
  | {
    readonly kind: "code";
    /** The body of an async function over `$scope` and `$require` (`Evaluation` of guest/kit.ts). */
    readonly code: string;
    /** Where in what was typed a place of the code comes from. Lines and columns from 1. */
    origin(place: Spot): Spot;
  }
  /** Nothing but blanks and comments. */
  | { readonly kind: "empty" }
  /** Right so far: it goes on in a next line. */
  | { readonly kind: "incomplete" }
  | { readonly kind: "problem"; readonly problem: Finding };

/**
 * Reads TypeScript as it is typed at a prompt: several statements, `await` at the top. An object literal is one, not a
 * block, unless a semicolon ends it. Total: what cannot be read is a problem.
 */
export function prepareEvaluation(text: string): Prepared {
  if (/^\s*\{/u.test(text) && !/;\s*$/u.test(text)) {
    const literal = prepare(text, true);
    if (literal.kind === "code") return literal;
  }
  return prepare(text, false);
}

const BEFORE = "(";

function prepare(typed: string, literal: boolean): Prepared {
  const text = literal ? `${BEFORE}${typed}\n)` : typed;
  const spotOf = createSpots(typed);
  /** From an offset in `text`. */
  const typedSpot = (offset: number) =>
    spotOf(Math.min(literal ? Math.max(0, offset - 1) : offset, typed.length));
  const tokens = tokenize(text, true);
  if (!("list" in tokens)) return isUnfinished(tokens, text) ? { kind: "incomplete" } : problem(tokens);
  if (tokens.list.every(({ type }) => type === TokenType.eof)) return { kind: "empty" };
  const refused = readImports(tokens).findings.find(({ severity }) => severity === "error");
  if (refused) return problem(refused);

  let stripped: ReturnType<typeof transform>;
  try {
    stripped = transform(text, {
      transforms: ["typescript"],
      disableESTransforms: true,
      // What is imported may be used later.
      keepUnusedImports: true,
      filePath: "typed",
      sourceMapOptions: { compiledFilename: "typed" },
    });
  } catch (error) {
    return problem(syntaxFinding(error, createSpots(text)));
  }
  const back = createBack(stripped.code, text, decode(stripped.sourceMap?.mappings ?? ""));
  let program: Program;
  try {
    program = parse(stripped.code, {
      ecmaVersion: "latest",
      sourceType: "script",
      allowAwaitOutsideFunction: true,
      allowImportExportEverywhere: true,
      preserveParens: true,
    });
  } catch (error) {
    const at = positionOf(error);
    if (at !== undefined && at >= stripped.code.trimEnd().length) return { kind: "incomplete" };
    return problem({ ...describe(error), ...typedSpot(back(at ?? 0)) });
  }
  const foreign = program.body.find((one) => "source" in one && one.source && one.source.value !== "pryx");
  if (foreign) {
    return problem({
      ...typedSpot(back(foreign.start)),
      code: "import",
      severity: "error",
      message: "Only pryx can be imported here",
      fix: "put what needs other modules into a .pryx.ts file, and run that: pryx run FILE",
    });
  }
  const { text: code, origin } = rewriteTopLevel(stripped.code, program);
  const offsets = createOffsets(code);
  return { kind: "code", code, origin: (place) => typedSpot(back(origin(offsets(place)))) };
}

function problem(finding: Finding): Prepared {
  return { kind: "problem", problem: finding };
}

/** Whether all that is wrong is that the text ends. */
function isUnfinished({ line, column, message }: Finding, text: string): boolean {
  if (/^Unterminated (?:template|comment)/u.test(message)) return true;
  if (message.startsWith("Unterminated string")) return /\\\s*$/u.test(text);
  const end = createSpots(text)(text.trimEnd().length);
  return line > end.line || (line === end.line && column >= end.column);
}

function describe(error: unknown): Finding {
  const finding = syntaxFinding(error, createSpots(""));
  if (!finding.message.startsWith("Using declaration")) return finding;
  return {
    ...finding,
    message: "`using` ends with its block, and here is none",
    fix: "write { using name = …; … }, or const",
  };
}

function positionOf(error: unknown): number | undefined {
  return error instanceof SyntaxError && "pos" in error && typeof error.pos === "number"
    ? error.pos
    : undefined;
}

/** Offset of a place; the end where there is no such place. */
function createOffsets(text: string): (place: Spot) => number {
  const starts = [0];
  for (const { index, 0: { length } } of text.matchAll(/\r\n|[\n\r\u2028\u2029]/gu)) {
    starts.push(index + length);
  }
  return ({ line, column }) => Math.min((starts[line - 1] ?? text.length) + column - 1, text.length);
}

/** From offsets in what a transformer wrote to offsets in what it read. */
function createBack(written: string, read: string, lines: SourceMapMappings): (offset: number) => number {
  const spots = createSpots(written);
  const offsets = createOffsets(read);
  return (offset) => {
    const { line, column } = spots(offset);
    const segment = lines[line - 1]?.findLast(([at]) => at < column);
    const [at = 0, , fromLine = line - 1, fromColumn = 0] = segment ?? [];
    return offsets({ line: fromLine + 1, column: fromColumn + 1 + (column - 1 - at) });
  };
}
