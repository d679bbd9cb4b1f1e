import { existsSync } from "node:fs";

/** What stands at a path itself, no link followed; undefined when there is nothing, or nothing that this user may see. */
export function entryAt(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch {
    return undefined;
  }
}

/** Also when it is a symlink that leads nowhere. */
export function isThere(path: string): boolean {
  return entryAt(path) !== undefined;
}

/** The path after symlinks; undefined when it leads to nothing. */
export function realPath(path: string): string | undefined {
  // An error costs ten times as much as this.
  if (!existsSync(path)) return undefined;
  try {
    return Deno.realPathSync(path);
  } catch {
    return undefined;
  }
}
