import { join, posix } from "node:path";

/**
 * Deno reads every module that a literal `import()` names before the program starts, whether it is reached or not. Of
 * sixty chunks that is a quarter of the time of `--version`. Specifiers that are expressions are left until they are
 * reached; what they name is embedded by hand when compiling.
 *
 * What workers load stays as it is: a worker may have no permission to read files, and the modules that its entry
 * names literally are the only ones it gets without.
 */
export async function hideImports(
  folder: string,
  workers: readonly string[],
  packages: readonly string[],
): Promise<void> {
  const code = await readBundle(folder, workers);
  for (const path of entriesNamed(code)) {
    if (!code.has(path)) throw new Error(`The program starts ${path}, which is no entry point of the bundle`);
  }
  const changed = withHiddenImports(code, workers, packages);
  for (const [path, text] of code) {
    const last = withLazyRequire(changed.get(path) ?? text);
    if (last !== text) await Deno.writeTextFile(join(folder, path), last);
  }
}

/** Every module of a bundle, by its path from the bundle's folder. */
export async function readBundle(folder: string, workers: readonly string[]): Promise<Map<string, string>> {
  const code = new Map<string, string>();
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile && name.endsWith(".js")) code.set(name, await Deno.readTextFile(join(folder, name)));
  }
  for (const worker of workers) code.set(worker, await Deno.readTextFile(join(folder, worker)));
  return code;
}

/**
 * The bundler puts `require` for CommonJS packages in the chunk that everything shares, and with it an import of
 * node:module, which brings in half of the Node compatibility layer: 15 ms, at every start. Made on first use instead.
 */
export function withLazyRequire(code: string): string {
  return code.replace(
    /import\s*\{\s*createRequire as ([\w$]+)\s*\}\s*from\s*"node:module";\s*(var [\w$]+)\s*=\s*\1\(import\.meta\.url\);/,
    '$2=(name)=>process.getBuiltinModule("node:module").createRequire(import.meta.url)(name);',
  );
}

/** Modules that the program starts by name: `new URL("./core/…/x_worker.js", import.meta.url)`. */
function* entriesNamed(code: ReadonlyMap<string, string>): Generator<string> {
  for (const text of code.values()) {
    for (const match of text.matchAll(/new URL\("\.\/([a-z_]+\/[^"]+\.js)"/g)) yield match[1] ?? "";
  }
}

/** The modules that change, with their new code. Paths are from the bundle's folder. */
export function withHiddenImports(
  code: ReadonlyMap<string, string>,
  workers: readonly string[],
  packages: readonly string[],
): Map<string, string> {
  const ofWorkers = reachable(code, workers);
  const changed = new Map<string, string>();
  for (const [path, text] of code) {
    if (ofWorkers.has(path)) continue;
    const hidden = text.replace(/\bimport\("([^"]+)"\)/g, (whole, target: string) => {
      const known = packages.includes(target) || code.has(posix.join(posix.dirname(path), target));
      return known ? `import((0,"${target}"))` : whole;
    });
    if (hidden !== text) changed.set(path, hidden);
  }
  return changed;
}

/** Everything that `entries` import, literally and by way of others. */
function reachable(code: ReadonlyMap<string, string>, entries: readonly string[]): Set<string> {
  const found = new Set<string>(entries);
  for (const path of found) {
    for (const match of (code.get(path) ?? "").matchAll(/"(\.{1,2}\/[^"]+\.js)"/g)) {
      const target = posix.join(posix.dirname(path), match[1] ?? "");
      if (code.has(target)) found.add(target);
    }
  }
  return found;
}
