import ignore, { type Ignore } from "ignore";
import { dirname, join, resolve, sep } from "node:path";
import picomatch from "picomatch";
import { PryxError } from "../domain/error.ts";
import { isThere } from "./_existing.ts";
import type { TreeEntry } from "./sandbox.ts";

const IGNORE_FILES = [".gitignore", ".ignore"];
const MAX_IGNORE_BYTES = 1024 * 1024;
const MAX_VISITED = 500_000;
const TIME_LIMIT_MS = 15_000;

/** Rules of one folder, in the order they win: `.ignore` over `.gitignore`, deeper folders over higher ones. */
interface IgnoreLevel {
  readonly folder: string;
  readonly rules: readonly Ignore[];
}

/**
 * Files below `place` whose path from it matches, newest first. A pattern without a slash matches in every folder. Links
 * are not followed, `.git` is not entered, and what is ignored or denied is not listed. Bounded in time and entries:
 * `more` says that something may be missing.
 */
export async function globFiles(
  place: string,
  { pattern, limit }: { pattern: string; limit: number },
  permitted: (path: string) => boolean,
): Promise<{ paths: readonly string[]; more: boolean }> {
  const root = resolve(place);
  if (!Deno.lstatSync(root).isDirectory) throw new PryxError("io", `Cannot list ${root}: it is not a folder`);
  const matches = picomatch(pattern.replace(/^\.\//, ""), {
    dot: true,
    noextglob: true,
    nonegate: true,
    basename: !pattern.includes("/"),
  });
  const found: { path: string; mtime: number }[] = [];
  const { whole } = await walk(root, permitted, {
    // Of most files the name decides.
    wants: (path, entry) => !entry.isSymlink && (entry.isDirectory || matches(below(root, path))),
    found(path, entry) {
      if (entry.isFile) found.push({ path, mtime: modified(path) });
      return true;
    },
  });
  found.sort((a, b) => b.mtime - a.mtime || (a.path < b.path ? -1 : 1));
  return {
    paths: found.slice(0, limit).map(({ path }) => path),
    more: found.length > limit || !whole,
  };
}

/**
 * Everything below `place`, by path: folders and links too. Links are not followed; `.git` and what is ignored or denied is
 * not listed. `more`: there is more than `limit`, or than could be looked through in time.
 */
export async function listBelow(
  place: string,
  { limit }: { limit: number },
  permitted: (path: string) => boolean,
): Promise<{ entries: readonly TreeEntry[]; more: boolean }> {
  const root = resolve(place);
  if (!Deno.lstatSync(root).isDirectory) throw new PryxError("io", `Cannot list ${root}: it is not a folder`);
  const entries: TreeEntry[] = [];
  const { whole } = await walk(root, permitted, {
    wants: () => true,
    found(path, entry) {
      const kind = entry.isSymlink ? "link" : entry.isDirectory ? "folder" : entry.isFile ? "file" : "other";
      if (entries.length < limit) entries.push({ path, kind, size: kind === "file" ? sizeOf(path) : 0 });
      else return false;
      return true;
    },
  });
  entries.sort((a, b) => a.path < b.path ? -1 : 1);
  return { entries, more: !whole };
}

interface Visitor {
  /** Looked at first, before what costs more. A folder that is not wanted is not entered. */
  wants(path: string, entry: Deno.DirEntry): boolean;
  /** False: that is enough. */
  found(path: string, entry: Deno.DirEntry): boolean;
}

/** Goes through a folder within bounds of time and number. Not `whole` when it stopped before the end. */
async function walk(
  root: string,
  permitted: (path: string) => boolean,
  { wants, found }: Visitor,
): Promise<{ whole: boolean }> {
  const pending: { folder: string; levels: readonly IgnoreLevel[] }[] = [
    { folder: root, levels: levelsAbove(root) },
  ];
  const end = performance.now() + TIME_LIMIT_MS;
  let visited = 0;
  let yieldAt = performance.now() + 20;
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (visited > MAX_VISITED || performance.now() > end) return { whole: false };
    if (performance.now() > yieldAt) {
      // Other calls to this worker get their turn.
      await new Promise((resolve) => setTimeout(resolve, 0));
      yieldAt = performance.now() + 20;
    }
    const { folder } = next;
    const entries = entriesOf(folder);
    const hasRules = entries.some(({ name }) => IGNORE_FILES.includes(name));
    const levels = hasRules ? withLevel(next.levels, folder) : next.levels;
    for (const entry of entries) {
      visited++;
      if (entry.name === ".git") continue;
      const path = folder.endsWith(sep) ? folder + entry.name : folder + sep + entry.name;
      // Last what costs most.
      if (!wants(path, entry) || !permitted(path) || isIgnored(levels, path, entry.isDirectory)) continue;
      if (!found(path, entry)) return { whole: false };
      if (entry.isDirectory) pending.push({ folder: path, levels });
    }
  }
  return { whole: true };
}

/** `path` from `folder`, which it lies in, with slashes. */
function below(folder: string, path: string): string {
  const rest = path.slice(folder.endsWith(sep) ? folder.length : folder.length + 1);
  return sep === "/" ? rest : rest.replaceAll(sep, "/");
}

function entriesOf(folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch {
    // A folder that may not be read or has just gone is passed over, as every search tool does.
    return [];
  }
}

function sizeOf(path: string): number {
  try {
    return Deno.lstatSync(path).size;
  } catch {
    return 0;
  }
}

function modified(path: string): number {
  try {
    return Deno.lstatSync(path).mtime?.getTime() ?? 0;
  } catch {
    return 0;
  }
}

/** Ignore files of the folders above `root`, up to its repository, as far as this worker may read them. */
function levelsAbove(root: string): readonly IgnoreLevel[] {
  const folders: string[] = [];
  for (let at = root; !isThere(join(at, ".git"));) {
    const up = dirname(at);
    if (up === at) return [];
    folders.unshift(up);
    at = up;
  }
  return folders.reduce(withLevel, [] as readonly IgnoreLevel[]);
}

function withLevel(levels: readonly IgnoreLevel[], folder: string): readonly IgnoreLevel[] {
  const rules: Ignore[] = [];
  for (const name of IGNORE_FILES) {
    const text = ignoreText(join(folder, name));
    if (text !== undefined) rules.unshift(ignore({ allowRelativePaths: true }).add(text));
  }
  return rules.length > 0 ? [{ folder, rules }, ...levels] : levels;
}

function ignoreText(path: string): string | undefined {
  try {
    const info = Deno.lstatSync(path);
    return info.isFile && info.size <= MAX_IGNORE_BYTES ? Deno.readTextFileSync(path) : undefined;
  } catch {
    return undefined;
  }
}

function isIgnored(levels: readonly IgnoreLevel[], path: string, isFolder: boolean): boolean {
  for (const { folder, rules } of levels) {
    const name = below(folder, path) + (isFolder ? "/" : "");
    for (const rule of rules) {
      const { ignored, unignored } = rule.test(name);
      if (ignored) return true;
      if (unignored) return false;
    }
  }
  return false;
}
