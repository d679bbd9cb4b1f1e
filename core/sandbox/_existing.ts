/** Whether a path leads to something. Deno would make an error of each that does not, which costs ten times as much. */
export function exists(path: string): boolean {
  // Through the global, which is loaded when it is reached: an import would be loaded at every start, for 15 ms.
  // deno-lint-ignore no-process-global
  return process.getBuiltinModule("node:fs").existsSync(path);
}

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
  if (!exists(path)) return undefined;
  try {
    return Deno.realPathSync(path);
  } catch {
    return undefined;
  }
}
