import { dirname, resolve } from "node:path";
import type TypeScript from "typescript";
import type { AutomationProblem } from "../domain/automation.ts";

/** Files that are read at most, and characters of all of them. */
const MAX_FILES = 5_000;
const MAX_CHARACTERS = 64 * 1024 * 1024;

/** What can be imported by a relative path. */
const IMPORTABLE = /\.(ts|mts|js|mjs|json)$/;

/** The files that were asked for with all that they import, read once. */
export interface ImportedFiles {
  /** By absolute path. */
  readonly texts: ReadonlyMap<string, string>;
  /** The file that a specifier means; undefined when it is none of these. */
  resolveImport(from: string, specifier: string): string | undefined;
  /** Files that were asked for and could not be read. */
  readonly problems: readonly AutomationProblem[];
}

/** Reads `files` and what they import, one wave of imports after another. */
export async function readImported(
  ts: typeof TypeScript,
  files: readonly string[],
  options: { read(path: string): Promise<string | undefined>; readonly signal?: AbortSignal },
): Promise<ImportedFiles> {
  const texts = new Map<string, string>();
  const asked = new Set<string>(files);
  let characters = 0;
  let wave = [...asked];
  while (wave.length > 0) {
    options.signal?.throwIfAborted();
    const read = await Promise.all(wave.map(async (path) => [path, await options.read(path)] as const));
    const next: string[] = [];
    for (const [path, text] of read) {
      if (text === undefined) continue;
      characters += text.length;
      if (characters > MAX_CHARACTERS) break;
      texts.set(path, text);
      for (const specifier of importsOf(ts, path, text)) {
        const target = pathOf(path, specifier);
        if (target === undefined || asked.has(target) || asked.size >= MAX_FILES) continue;
        asked.add(target);
        next.push(target);
      }
    }
    wave = next;
  }
  return {
    texts,
    resolveImport(from, specifier) {
      const path = pathOf(from, specifier);
      return path !== undefined && texts.has(path) ? path : undefined;
    },
    problems: files.filter((file) => !texts.has(file)).map((file) => ({
      file,
      line: 1,
      column: 1,
      code: "import",
      message: "It does not exist, or may not be read",
      severity: "error",
    })),
  };
}

function importsOf(ts: typeof TypeScript, path: string, text: string): string[] {
  if (path.endsWith(".json")) return [];
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

/** Where a relative specifier leads; undefined for packages, URLs, and what has no extension that is known. */
function pathOf(from: string, specifier: string): string | undefined {
  if (!/^\.{1,2}\//.test(specifier) || !IMPORTABLE.test(specifier)) return undefined;
  return resolve(dirname(from), specifier);
}
