import { dirname, join, posix } from "node:path";
import type { Rule } from "../domain/policy.ts";
import type { Paths } from "./config.ts";
import type { FileToRead } from "./_sources.ts";

/**
 * The files of the project that `cwd` lies in, strongest first: its folders from `cwd` up to the git root, in each the
 * local file before the shared one. Without a git root only `cwd` itself counts: what lies above may be anybody's.
 */
export async function projectFiles(cwd: string, paths: Paths): Promise<FileToRead[]> {
  const folders = await projectFolders(cwd);
  // A home folder is a workspace too, and $PRYX_HOME may be ~/.pryx: one's own settings are not a project's.
  const own = await realPath(paths.config);
  const found: FileToRead[] = [];
  for (const layer of ["local", "project"] as const) {
    for (const folder of folders) {
      if (await realPath(join(folder, ".pryx")) === own) continue;
      const name = layer === "local" ? "config.local.jsonc" : "config.jsonc";
      found.push({ path: join(folder, ".pryx", name), layer, kind: "project", folder });
    }
  }
  return found;
}

async function projectFolders(cwd: string): Promise<string[]> {
  const folders = [cwd];
  for (let at = cwd; dirname(at) !== at; at = dirname(at)) folders.push(dirname(at));
  const roots = await Promise.all(
    [...new Set(folders)].map(async (folder) =>
      await Deno.lstat(join(folder, ".git")).then(() => true, () => false)
    ),
  );
  const root = roots.indexOf(true);
  return [...new Set(folders)].slice(0, root < 0 ? 1 : root + 1);
}

async function realPath(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch {
    return path;
  }
}

/**
 * A pattern of a project's file, which is meant relative to its own folder, for a workspace that is another one (a
 * folder further down). Patterns that match at any depth stay as they are.
 */
export function anchorPattern(
  kind: Rule["kind"],
  pattern: string,
  folder: string,
  workspace: string,
): string {
  if (kind !== "read" && kind !== "write") return pattern;
  if (folder === workspace || /^([/~]|\*\*|[A-Za-z]:)/.test(pattern)) return pattern;
  const anchored = /^\.{1,2}(\/|$)/.test(pattern) || pattern.slice(0, -1).includes("/");
  return anchored ? posix.join(folder.replace(/[\\*?[\]{}()!+@]/g, "\\$&"), pattern) : pattern;
}
