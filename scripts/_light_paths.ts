import { join, posix } from "node:path";
import { readBundle } from "./_hide_imports.ts";

const FILE = "posix_path.js";

/**
 * node:path brings in a part of the Node compatibility layer, 5 ms at every start. The modules of the bundle have the same
 * functions from a package instead, as Node has them for POSIX; `bundle` makes one file of it. Not on Windows.
 */
export async function lightPaths(
  folder: string,
  workers: readonly string[],
  bundle: (entry: string, output: string) => Promise<void>,
): Promise<void> {
  if (Deno.build.os === "windows") return;
  for (const [path, text] of withLightPaths(await readBundle(folder, workers))) {
    await Deno.writeTextFile(join(folder, path), text);
  }
  await bundle("scripts/_posix_path.js", join(folder, FILE));
}

/** The modules that change, with their new code. Paths are from the bundle's folder. */
export function withLightPaths(code: ReadonlyMap<string, string>): Map<string, string> {
  const changed = new Map<string, string>();
  for (const [path, text] of code) {
    const file = posix.relative(posix.dirname(path), FILE);
    const light = text.replaceAll(/\bfrom\s*"node:path"/g, `from "./${file}"`);
    if (light !== text) changed.set(path, light);
  }
  return changed;
}
