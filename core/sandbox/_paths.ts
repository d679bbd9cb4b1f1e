import { dirname, sep } from "node:path";
import { PryxError } from "../domain/error.ts";
import type { SandboxGrants } from "../domain/policy.ts";

export type Access = "read" | "write";

/** The part of picomatch that is used: an argument, because the host loads it lazily and the worker at its start. */
export type CompileGlobs = (
  globs: readonly string[],
  options: Record<string, boolean>,
) => (path: string) => boolean;

/** True for `root` itself and everything below it. Both absolute and normalised. */
export function isInside(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

/** True for what lies in `root`, but not for itself. */
export function isBelow(path: string, root: string): boolean {
  return path !== root && isInside(path, root);
}

/** Without those that lie in another one. Sorted. */
export function outermost(paths: readonly string[]): string[] {
  const kept: string[] = [];
  for (const path of [...new Set(paths)].sort()) {
    if (!kept.some((root) => isInside(path, root))) kept.push(path);
  }
  return kept;
}

/** With the backslash that takes a character's special meaning away: such an entry is no literal path either. */
export const GLOB_CHARACTERS = /[*?[\]{}()!+@|\\]/;

/** True when an entry of `denied` needs a glob compiler. */
export function isGlob(entry: string): boolean {
  return GLOB_CHARACTERS.test(entry);
}

export interface Denials {
  /** True when `path`, or a folder it lies in, is denied. */
  covers(path: string): boolean;
  /** True when `path` itself is denied; enough where its folders were already checked. */
  matches(path: string): boolean;
}

/** An entry is both a literal path and, where it has glob characters, a glob: what either reading denies is denied. */
export function compileDenials(
  entries: readonly string[],
  compile: CompileGlobs | undefined,
  os: string = Deno.build.os,
): Denials {
  const literal = new Set(entries.map((entry) => entry.length > 1 ? entry.replace(/[/\\]+$/, "") : entry));
  const globs = entries.filter(isGlob);
  const byGlob = globs.length > 0 && compile !== undefined
    ? compile(globs, {
      dot: true,
      noextglob: true,
      nonegate: true,
      nocase: os === "darwin" || os === "windows",
      windows: os === "windows",
    })
    : () => false;
  const matches = (path: string) => literal.has(path) || byGlob(path);
  const covers = (path: string) => {
    for (let at = path;;) {
      if (matches(at)) return true;
      const up = dirname(at);
      if (up === at) return false;
      at = up;
    }
  };
  return { covers, matches };
}

/** The per-file decision, made in the host and again in the worker: inside a granted root, and not denied. */
export function checkPath(path: string, access: Access, grants: SandboxGrants, denials: Denials): void {
  const roots = access === "write" ? grants.write : [...grants.read, ...grants.write];
  if (!roots.some((root) => isInside(path, root))) {
    throw new PryxError("denied", `Cannot ${access} ${path}: it is outside of what was granted`);
  }
  if (denials.covers(path)) {
    throw new PryxError("denied", `Cannot ${access} ${path}: policy denies it`);
  }
}
