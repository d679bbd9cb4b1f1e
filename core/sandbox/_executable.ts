import { delimiter, dirname, isAbsolute, join, resolve, sep as SEPARATOR } from "node:path";
import { PryxError } from "../domain/error.ts";
import { exists } from "./_existing.ts";

/**
 * The absolute path of a program: as given when it has a slash (from `cwd`), else the first of that name on `path` that
 * does not lie in, or lead to, `notFrom`.
 */
export function findExecutable(name: string, path: string, cwd: string, notFrom?: string): string {
  const suffixes = Deno.build.os === "windows" ? ["", ".exe", ".cmd", ".bat"] : [""];
  if (/[/\\]/.test(name) && (name.includes("/") || Deno.build.os === "windows")) {
    const program = resolve(cwd, name);
    for (const suffix of suffixes) {
      if (isExecutable(program + suffix)) return program + suffix;
    }
    throw new PryxError("not_found", `Cannot run ${name}: there is no such program`);
  }
  for (const folder of path.split(delimiter)) {
    if (!isAbsolute(folder)) continue;
    for (const suffix of suffixes) {
      const program = join(folder, name + suffix);
      if (isExecutable(program) && !(notFrom !== undefined && comesFrom(program, notFrom))) return program;
    }
  }
  throw new PryxError("not_found", `Cannot run ${name}: no program of that name is on PATH`, {
    fix: `Install ${name}, or name it by its whole path`,
  });
}

function comesFrom(program: string, folder: string): boolean {
  const inside = (path: string) => path.startsWith(folder.endsWith(SEPARATOR) ? folder : folder + SEPARATOR);
  try {
    return inside(program) || inside(Deno.realPathSync(dirname(program)) + SEPARATOR) ||
      inside(Deno.realPathSync(program));
  } catch {
    return true;
  }
}

function isExecutable(path: string): boolean {
  if (!exists(path)) return false;
  try {
    const info = Deno.statSync(path);
    return info.isFile && (info.mode === null || (info.mode & 0o111) !== 0);
  } catch {
    return false;
  }
}

/** Throws `not_found` where a child could not start in `cwd`. */
export function checkFolder(cwd: string, program: string): void {
  let why = "is not a folder";
  try {
    if (Deno.statSync(cwd).isDirectory) return;
  } catch (error) {
    why = error instanceof Deno.errors.NotFound ? "does not exist" : "cannot be entered";
  }
  throw new PryxError("not_found", `Cannot run ${program} in ${cwd}: the folder ${why}`);
}
