import { PryxError } from "../domain/error.ts";
import { maskSecretShapes } from "../domain/secret_shapes.ts";

/** Something wrong in a place that settings come from: a file, a flag or a variable. */
export interface SourceProblem {
  /** `…/config.jsonc:12:5`, `--preset`, `PRYX_MAX_COST`. */
  readonly where: string;
  readonly message: string;
  /** The line of the file, with a mark below the place. */
  readonly excerpt?: string;
  readonly fix?: string;
}

/** One error for everything that is wrong. Secrets that were pasted into a file are not repeated. */
export function configError(problems: readonly SourceProblem[]): PryxError {
  const text = problems.map(({ where, message, excerpt }) =>
    `${where}: ${message}${excerpt === undefined ? "" : `\n${excerpt}`}`
  ).join("\n");
  const fixes = new Set(problems.map((problem) => problem.fix).filter((fix) => fix !== undefined));
  return new PryxError("config_invalid", printable(maskSecretShapes(text)), {
    fix: fixes.size > 0 ? [...fixes].join(". ") : "`pryx config schema` shows what may be set",
  });
}

/** A line of a file with a mark under a column (from 1), cut to a screen's width. */
export function excerptOf(line: string, lineNumber: number, column: number): string {
  const width = 100;
  const start = column > width ? column - Math.floor(width / 2) : 0;
  const shown = hideValueOfKey(line.replace(/\r$/, "")).slice(start, start + width).replaceAll("\t", " ");
  const gutter = `  ${lineNumber} | `;
  const mark = " ".repeat(Math.max(0, Math.min(column - 1 - start, shown.length)));
  return `${gutter}${shown}\n${" ".repeat(gutter.length - 2)}| ${mark}^`;
}

/** What stands behind `"key":` may be a secret that has no known shape: it is not shown, and keeps its length. */
function hideValueOfKey(line: string): string {
  return line.replace(
    /("(?:key|[^"]*(?:token|secret|password|authorization|api[-_]?key))"\s*:\s*)("(?:[^"\\]|\\.)*"?|[^\s,}]+)/gi,
    (whole, before: string, value: string) =>
      /^"(env|keychain|file):/.test(value) ? whole : before + "•".repeat(value.length),
  );
}

/** A file of a stranger's project must not drive the terminal: control and direction characters become `?`. */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex -- these are the characters that are taken out
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "?");
}
