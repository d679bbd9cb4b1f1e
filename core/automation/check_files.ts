import { dirname, relative, sep } from "node:path";
import type { AutomationProblem } from "../domain/automation.ts";
import { PryxError } from "../domain/error.ts";
import { findRoot } from "./_locate.ts";
import { specifierProblem } from "./_specifier.ts";
import { decodeSource, MAX_MODULE_BYTES, readSource } from "./_read_source.ts";
import type { Linking } from "./automation.ts";
import { checkTypes, sortProblems } from "./check.ts";

/** What a check needs of others. */
export interface CheckFilesOptions {
  link(source: { readonly file: string }): Promise<Linking>;
  /** Whether a file may be read for `files`: absolute, links resolved. */
  mayRead(path: string): Promise<boolean>;
  readonly signal?: AbortSignal;
}

/**
 * Everything that is wrong with automations (absolute paths, links resolved): what keeps them from being linked, and what
 * the type checker finds. What both see is said once, in the linker's words. A file that cannot be read is a problem of
 * that file.
 */
export async function checkFiles(
  files: readonly string[],
  options: CheckFilesOptions,
): Promise<readonly AutomationProblem[]> {
  const linked: AutomationProblem[] = [];
  for (const file of files) {
    options.signal?.throwIfAborted();
    linked.push(...await linkProblems(file, options));
  }
  const roots = new Set(await Promise.all(files.map((file) => findRoot(dirname(file)))));
  const types = await checkTypes(files, {
    read: (path) => readInside(path, [...roots], options.mayRead),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return mergeProblems(linked, types);
}

async function linkProblems(
  file: string,
  { link }: CheckFilesOptions,
): Promise<readonly AutomationProblem[]> {
  try {
    const linking = await link({ file });
    return "graph" in linking ? linking.warnings : linking.problems;
  } catch (error) {
    if (!(error instanceof PryxError) || error.code === "cancelled") throw error;
    const { code, message, fix } = error;
    return [{ file, line: 1, column: 1, code, message, severity: "error", ...(fix ? { fix } : {}) }];
  }
}

/** Text of a file of the projects; undefined for what is outside of them, too long, or no text. */
async function readInside(
  path: string,
  roots: readonly string[],
  mayRead: CheckFilesOptions["mayRead"],
): Promise<string | undefined> {
  try {
    const real = await Deno.realPath(path);
    if (!roots.some((root) => isBelow(real, root)) || !await mayRead(real)) return undefined;
    const bytes = await readSource(real, MAX_MODULE_BYTES);
    return bytes.length > MAX_MODULE_BYTES ? undefined : decodeSource(bytes);
  } catch (error) {
    if (error instanceof DOMException) throw error;
    return undefined;
  }
}

function isBelow(path: string, root: string): boolean {
  const way = relative(root, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`);
}

/** What the compiler says of an import that is not there, by its codes. */
const NO_MODULE = new Set(["TS2307", "TS2792", "TS2882", "TS7016", "TS5097", "TS2846", "import"]);

/** All problems by place. Where the linker says why an import or a piece of syntax is wrong, the compiler's word is left out. */
export function mergeProblems(
  linked: readonly AutomationProblem[],
  types: readonly AutomationProblem[],
): AutomationProblem[] {
  const lineOf = ({ file, line }: AutomationProblem) => `${file}\n${line}`;
  const errors = linked.filter(({ severity }) => severity === "error");
  const said = (codes: readonly string[]) =>
    new Set(errors.filter(({ code }) => codes.includes(code)).map(lineOf));
  const imports = said(["import", "denied", "not_found", "io"]);
  const syntax = said(["syntax"]);
  const unsupported = said(["unsupported", "import"]);
  const others = types.filter((one) => {
    const line = lineOf(one);
    if (NO_MODULE.has(one.code)) return !imports.has(line);
    // TS1001 to TS1999: the compiler's syntax errors.
    if (/^TS1\d{3}$/.test(one.code)) return !syntax.has(line) && !unsupported.has(line);
    return one.code !== "unsupported" || !unsupported.has(line);
  });
  return sortProblems([...linked, ...others.map(inOwnWords)]);
}

/** An import that can never be there, though nothing of it is used when the file runs: what to do instead is known. */
function inOwnWords(problem: AutomationProblem): AutomationProblem {
  const [, specifier] = /^Cannot find (?:module|name) '([^']+)'/.exec(problem.message) ?? [];
  if (specifier === undefined || !(NO_MODULE.has(problem.code) || problem.code === "TS2591")) return problem;
  return { ...problem, ...specifierProblem(specifier) };
}
