import type TypeScript from "typescript";
import { posix } from "node:path";
import type { AutomationProblem } from "../domain/automation.ts";
import { PryxError } from "../domain/error.ts";
import { type Compiler, loadCompiler } from "./_compiler.ts";
import { DECLARATIONS } from "./_declarations.ts";
import { type ImportedFiles, readImported } from "./_imported.ts";
import { isTooDeep, unsupportedSyntax } from "./_unsupported.ts";

/** Problems that are reported at most; the last one then says that there are more. */
const MAX_PROBLEMS = 1_000;
/** Characters of a message at most: types of the size of an API are no help. */
const MAX_MESSAGE = 1_200;
/** Milliseconds. Types can be made that take for ever. */
const TIME_LIMIT = 60_000;
/** Milliseconds between looks at what else there is to do. */
const TURN = 50;

/** Where the module `pryx` and the globals count as being; nothing is read there. */
const OWN_FOLDER = "/<pryx>";
const API_FILE = `${OWN_FOLDER}/pryx.d.ts`;
const GLOBALS_FILE = `${OWN_FOLDER}/globals.d.ts`;

export interface TypeCheckOptions {
  /**
   * Text of a file, by absolute path; undefined where there is none or it must not be read. It decides what belongs to
   * an automation, as it does for linking, and is asked once for each file.
   */
  read(path: string): Promise<string | undefined>;
  readonly signal?: AbortSignal;
  /** Milliseconds for all files together. Default: a minute. Rejects with `timeout`. */
  readonly limit?: number;
}

/**
 * What the TypeScript compiler finds in these files (absolute paths) and in what they import, by file and place. Types
 * are those that hold at run time: the language without DOM and shared memory, core/automation/globals.d.ts, and the
 * module `pryx`. Only `pryx` and relative paths are imports; what imports beyond `read` is an error in the importing file.
 */
export async function checkTypes(
  files: readonly string[],
  options: TypeCheckOptions,
): Promise<readonly AutomationProblem[]> {
  const compiler = await loadCompiler();
  const { ts } = compiler;
  const imported = await readImported(ts, files, options);
  const limit = options.limit ?? TIME_LIMIT;
  const until = deadline(ts, performance.now() + limit);
  const problems: AutomationProblem[] = [...imported.problems];
  let at = files[0] ?? "";
  let pause = performance.now() + TURN;
  try {
    const program = ts.createProgram({
      rootNames: [GLOBALS_FILE, ...files.filter((file) => imported.texts.has(file))],
      options: compilerOptions(ts),
      host: createHost(compiler, imported, (file) => problems.push(tooDeep(file))),
    });
    for (const file of program.getSourceFiles()) {
      if (!imported.texts.has(file.fileName)) continue;
      at = file.fileName;
      if (performance.now() > pause) {
        // So that what aborts the signal gets its turn.
        await new Promise((resolve) => setTimeout(resolve, 0));
        pause = performance.now() + TURN;
      }
      options.signal?.throwIfAborted();
      problems.push(...unsupportedSyntax(ts, file));
      const found = [
        ...program.getSyntacticDiagnostics(file, until),
        ...program.getSemanticDiagnostics(file, until),
      ];
      for (const one of found) problems.push(problemOf(ts, one, file));
      if (problems.length > MAX_PROBLEMS) break;
    }
  } catch (error) {
    if (error instanceof RangeError) return sortProblems([...problems, tooDeep(at)]);
    if (!(error instanceof ts.OperationCanceledException)) throw error;
    throw new PryxError("timeout", `Checking types took longer than ${limit / 1_000} s`, {
      fix: "look for types that refer to themselves in what was changed last",
    });
  }
  return sortProblems(problems).slice(0, MAX_PROBLEMS);
}

function compilerOptions(ts: Compiler["ts"]): TypeScript.CompilerOptions {
  return {
    strict: true,
    noUncheckedIndexedAccess: true,
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    moduleDetection: ts.ModuleDetectionKind.Force,
    resolveJsonModule: true,
    // Read for what it exports; only what says so is checked (`// @ts-check`).
    allowJs: true,
    allowImportingTsExtensions: true,
    // Types are stripped file by file.
    isolatedModules: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    lib: ["lib.esnext.d.ts"],
  };
}

/**
 * What the compiler sees of the world: the library, pryx's own declarations, and the files that were read.
 * @param refuse told of a file that would end the compiler's own recursion; it counts as empty
 */
function createHost(
  compiler: Compiler,
  { texts, resolveImport }: ImportedFiles,
  refuse: (path: string) => void,
): TypeScript.CompilerHost {
  const { ts, libraryFolder } = compiler;
  const own = new Map([[API_FILE, DECLARATIONS["pryx.d.ts"]], [GLOBALS_FILE, DECLARATIONS["globals.d.ts"]]]);
  const textOf = (path: string) => own.get(path) ?? texts.get(path);
  return {
    fileExists: (path) => textOf(path) !== undefined,
    readFile: textOf,
    getSourceFile(path, target) {
      if (posix.dirname(path) === libraryFolder) return compiler.libraryFile(path);
      const text = textOf(path);
      if (text === undefined) return undefined;
      try {
        const file = ts.createSourceFile(path, text, target);
        if (!isTooDeep(ts, file)) return file;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
      refuse(path);
      return ts.createSourceFile(path, "", target);
    },
    getDefaultLibFileName: () => `${libraryFolder}/lib.esnext.d.ts`,
    getDefaultLibLocation: () => libraryFolder,
    resolveModuleNameLiterals: (literals, from) =>
      literals.map(({ text }) => ({
        resolvedModule: text === "pryx" ? { resolvedFileName: API_FILE, extension: ".d.ts" } : moduleOf(
          resolveImport(from, text),
        ),
      })),
    resolveTypeReferenceDirectiveReferences: (references) =>
      references.map(() => ({ resolvedTypeReferenceDirective: undefined })),
    writeFile: () => {},
    getCurrentDirectory: () => "/",
    getCanonicalFileName: (path) => path,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => "\n",
  };
}

function moduleOf(path: string | undefined): TypeScript.ResolvedModuleFull | undefined {
  if (path === undefined) return undefined;
  const extension = /(\.d)?\.[a-z]+$/.exec(posix.basename(path))?.[0] ?? "";
  return { resolvedFileName: path, extension };
}

/** Asked between statements; what happens inside a single type has limits of the compiler's own. */
function deadline(ts: Compiler["ts"], at: number): TypeScript.CancellationToken {
  const isOver = () => performance.now() > at;
  return {
    isCancellationRequested: isOver,
    throwIfCancellationRequested() {
      if (isOver()) throw new ts.OperationCanceledException();
    },
  };
}

function problemOf(
  ts: Compiler["ts"],
  { code, messageText, category, start = 0 }: TypeScript.Diagnostic,
  file: TypeScript.SourceFile,
): AutomationProblem {
  const { line, character } = file.getLineAndCharacterOfPosition(start);
  return {
    file: file.fileName,
    line: line + 1,
    column: character + 1,
    code: `TS${code}`,
    message: readable(ts.flattenDiagnosticMessageText(messageText, "\n")),
    severity: category === ts.DiagnosticCategory.Warning ? "warning" : "error",
  };
}

function tooDeep(file: string): AutomationProblem {
  const message = "It is nested too deeply for the type checker";
  return { file, line: 1, column: 1, code: "type", message, severity: "error" };
}

/** Without the period at the end of lines, and cut where nobody reads on. */
function readable(text: string): string {
  const lines = text.split("\n").map((line) => line.replace(/\.$/, "")).join("\n");
  return lines.length <= MAX_MESSAGE ? lines : `${lines.slice(0, MAX_MESSAGE)}…`;
}

/** By file, line, column; one that is said twice about the same place, once. */
export function sortProblems(problems: readonly AutomationProblem[]): AutomationProblem[] {
  const byPlace = new Map<string, AutomationProblem>();
  for (const one of problems) byPlace.set(`${one.file}\n${one.line}:${one.column} ${one.code}`, one);
  return [...byPlace.values()].sort((a, b) =>
    a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column
  );
}
