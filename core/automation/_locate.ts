import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { ROOT_MARKS } from "../domain/automation.ts";
import { nearest } from "../domain/nearest.ts";
import type { Finding } from "./_module.ts";
import { isImportable, specifierProblem } from "./_specifier.ts";

/** The nearest folder, upward from `folder`, that has one of the marks; `folder` where none has. */
export function findRoot(folder: string): Promise<string> {
  for (let one = folder;; one = dirname(one)) {
    if (ROOT_MARKS.some((mark) => exists(join(one, mark)))) return Promise.resolve(one);
    if (dirname(one) === one) return Promise.resolve(folder);
  }
}

/** Path of a file below `root` with `/`: the same on every machine. */
export function idOf(root: string, path: string): string {
  return relative(root, path).split(sep).join("/");
}

/** A file that was found, or what is wrong with the specifier. */
type Located = { readonly path: string } | Pick<Finding, "code" | "message" | "fix">;

/**
 * Finds the file that a module in `folder` imports: absolute, links resolved, inside `root`. Nothing is read, and
 * nothing outside of the root is looked for.
 */
export async function locate(specifier: string, folder: string, root: string): Promise<Located> {
  const problem = specifierProblem(specifier);
  if (problem) return problem;
  const wanted = resolve(folder, specifier);
  if (!isInside(wanted, root)) return outside(specifier, "lies outside of the project");
  let path: string;
  try {
    path = await Deno.realPath(wanted);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return await missing(specifier, wanted, root);
    }
    return {
      code: "import",
      message: `"${specifier}" cannot be reached`,
      fix: "look at the links on its path",
    };
  }
  if (!isInside(path, root)) return outside(specifier, "is a link that leads out of the project");
  if (!isImportable(path)) return await notImportable(specifier, wanted, path, root);
  return { path };
}

function outside(specifier: string, what: string): Located {
  return {
    code: "import",
    message: `"${specifier}" ${what}`,
    fix: `copy the file into the project; its root is the nearest folder with ${ROOT_MARKS.join(", ")}`,
  };
}

async function missing(specifier: string, wanted: string, root: string): Promise<Located> {
  const meant = await similar(specifier, wanted, root);
  const fix = meant === undefined
    ? "check the path: it is relative to this file"
    : `did you mean "${meant}"?`;
  return { code: "import", message: `There is no file "${specifier}"`, fix };
}

async function notImportable(
  specifier: string,
  wanted: string,
  path: string,
  root: string,
): Promise<Located> {
  const folder = (await Deno.stat(path).catch(() => undefined))?.isDirectory ?? false;
  const meant = await similar(specifier, wanted, root);
  const fix = meant === undefined ? "import .ts, .mts, .js, .mjs or .json" : `did you mean "${meant}"?`;
  return { code: "import", message: `"${specifier}" is ${folder ? "a folder" : "no module"}`, fix };
}

/** A specifier of a file that is there: with an ending, with another one, in the folder of that name, or a slip away. */
async function similar(specifier: string, wanted: string, root: string): Promise<string | undefined> {
  const parent = await Deno.realPath(dirname(wanted)).catch(() => undefined);
  if (parent === undefined || !isInside(parent, root)) return undefined;
  const name = basename(wanted);
  const stem = name.replace(/\.(?:pryx\.)?(?:[mc]?[jt]s|json)$/u, "");
  const ends = [".ts", ".pryx.ts", ".mts", ".js", ".mjs", ".json"];
  const names = [
    ...ends.map((end) => stem + end),
    ...ends.map((end) => `${name}/index${end}`),
    `${name}/mod.ts`,
  ];
  const prefix = specifier.slice(0, specifier.length - name.length);
  for (const one of names) if (await isFile(join(parent, one))) return prefix + one;
  const there: string[] = [];
  try {
    for await (const entry of Deno.readDir(parent)) {
      if (isImportable(entry.name)) there.push(entry.name);
      if (there.length === MAX_LISTED) break;
    }
  } catch {
    return undefined;
  }
  const close = nearest(name, there.sort());
  return close === undefined ? undefined : prefix + close;
}

const MAX_LISTED = 1_000;

function isInside(path: string, root: string): boolean {
  const way = relative(root, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Synchronous: a wait for each costs more than the look. */
function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((info) => info.isFile, () => false);
}
