import { dirname, join, posix } from "node:path";
import type { Rule } from "../domain/policy.ts";
import type { Paths } from "./config.ts";
import type { FileToRead } from "./_sources.ts";

/**
 * The files of the project that `cwd` lies in, strongest first: its folders from `cwd` up to the git root, in each the
 * local file before the shared one. Without a git root only `cwd` itself counts: what lies above may be anybody's.
 */
export function projectFiles(cwd: string, paths: Paths): FileToRead[] {
  // Synchronous: this is on the way of every start, and a call that finds nothing costs a tenth of an awaited one.
  const folders = projectFolders(cwd).filter((folder) => exists(join(folder, ".pryx")));
  if (folders.length === 0) return [];
  // A home folder is a workspace too, and $PRYX_HOME may be ~/.pryx: one's own settings are not a project's.
  const own = realPath(paths.config);
  const others = folders.filter((folder) => realPath(join(folder, ".pryx")) !== own);
  return (["local", "project"] as const).flatMap((layer) =>
    others.map((folder) => {
      const name = layer === "local" ? "config.local.jsonc" : "config.jsonc";
      return { path: join(folder, ".pryx", name), layer, kind: "project" as const, folder };
    })
  );
}

function projectFolders(cwd: string): string[] {
  const folders: string[] = [];
  for (let at = cwd;; at = dirname(at)) {
    folders.push(at);
    if (exists(join(at, ".git"))) return folders;
    if (dirname(at) === at) return [cwd];
  }
}

/** True also for what is there and cannot be looked at: reading it then says so. */
function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory);
  }
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
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
