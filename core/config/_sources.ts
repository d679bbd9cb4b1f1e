import { type Layer, LAYERS } from "../domain/policy.ts";
import { at, checkDocument, checkValues, type FileKind } from "./_check_values.ts";
import { type Document, type KeyPath, parseDocument, readProblem } from "./_document.ts";
import type { SourceProblem } from "./_problems.ts";
import type { ConfigValues } from "./schema.ts";

/** Settings of one layer, from one place. Several places may share a layer; the stronger stands first. */
export interface Source {
  readonly layer: Layer;
  readonly values: ConfigValues;
  /** Where a setting stands, for people: `~/.config/pryx/config.jsonc:12`, `--model`, `PRYX_MODEL`. */
  where(path: KeyPath): string;
  /** Something wrong with a setting, with its place. */
  problem(path: KeyPath, message: string, fix?: string): SourceProblem;
  /** Absolute path of the folder that relative patterns in it belong to. */
  readonly folder?: string;
}

/** A configuration file that may be there, and the layer its rules belong to. */
export interface FileToRead {
  readonly path: string;
  readonly layer: Layer;
  readonly kind: FileKind;
  readonly folder?: string;
}

/** Reads what is there of `files`. Files that are missing are fine; whatever is wrong is collected, not thrown. */
export async function readSources(
  files: readonly FileToRead[],
  options: { readText: (path: string) => Promise<string | undefined>; home: string },
): Promise<{ sources: Source[]; problems: SourceProblem[]; read: string[] }> {
  const texts = await Promise.all(files.map(async (file) => {
    try {
      return { file, text: await options.readText(file.path) };
    } catch (error) {
      return { file, problem: readProblem(file.path, error) };
    }
  }));
  const sources: Source[] = [];
  const problems: SourceProblem[] = [];
  const read: string[] = [];
  for (const { file, text, problem } of texts) {
    if (problem) problems.push(problem);
    if (text === undefined) continue;
    read.push(file.path);
    const document = await parseDocument(file.path, text);
    const wrong = Array.isArray(document) ? document : checkDocument(file.kind, document);
    problems.push(...wrong);
    if (!Array.isArray(document) && wrong.length === 0) {
      sources.push(fileSource(file, document, options.home));
    }
  }
  return { sources, problems, read };
}

function fileSource(file: FileToRead, document: Document, home: string): Source {
  const shown = shortPath(file.path, home);
  // The policy file holds the lists at its top; everything behind this line knows one shape.
  const inText = (path: KeyPath) => file.kind === "policy" && path[0] === "policy" ? path.slice(1) : path;
  return {
    layer: file.layer,
    values: (file.kind === "policy" ? policyValues(document.value) : document.value) as ConfigValues,
    where: (path) => `${shown}:${document.line(inText(path))}`,
    problem: (path, message, fix) => document.problem(inText(path), message, fix ? { fix } : {}),
    ...(file.folder === undefined ? {} : { folder: file.folder }),
  };
}

function policyValues(value: unknown): Record<string, unknown> {
  const { preset, networkAllowlist, allow, deny, ask } = value as Record<string, unknown>;
  return { preset, networkAllowlist, policy: { allow, deny, ask } };
}

/** `~/…` for what is in the home folder. */
function shortPath(path: string, home: string): string {
  return home.length > 1 && path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

/** A source that is no file: flags, environment. `names` says what each setting is called there. */
export function namedSource(
  layer: Layer,
  values: ConfigValues,
  names: (path: KeyPath) => string,
): { source: Source; problems: SourceProblem[] } {
  const problem = (path: KeyPath, message: string, fix?: string): SourceProblem => ({
    where: names(path),
    message,
    ...(fix === undefined ? {} : { fix }),
  });
  return {
    source: { layer, values, where: names, problem },
    problems: checkValues("config", values).map(({ path, message, fix }) => problem(path, message, fix)),
  };
}

/** The profile of a source, as a source of its own. */
export function profileSource(source: Source, name: string): Source | undefined {
  const values = at(source.values, ["profiles", name]);
  if (values === undefined) return undefined;
  const inside = (path: KeyPath) => ["profiles", name, ...path];
  return {
    layer: "profile",
    values: values as ConfigValues,
    where: (path) => source.where(inside(path)),
    problem: (path, message, fix) => source.problem(inside(path), message, fix),
  };
}

/** Strongest layer first; the order within a layer stays. */
export function byStrength(sources: readonly Source[]): Source[] {
  return [...sources].sort((a, b) => LAYERS.indexOf(a.layer) - LAYERS.indexOf(b.layer));
}
