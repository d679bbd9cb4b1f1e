import { sha256 } from "@noble/hashes/sha2.js";
import { isAbsolute, join, resolve } from "node:path";
import type { Need } from "../domain/need.ts";
import { exists } from "./exists.ts";

/** Files larger than this are named, not hashed, bytes. */
const MAX_FILE = 4_000_000;

/** Where programs look for what to run, in the folder they are called in. */
const RECIPES: readonly (readonly [programs: RegExp, files: readonly string[]])[] = [
  [/^(?:npm|npx|pnpm|pnpx|yarn|bun|bunx|node)$/u, ["package.json"]],
  [/^g?make$/u, ["GNUmakefile", "makefile", "Makefile"]],
  [/^just$/u, ["justfile", "Justfile", ".justfile"]],
  [/^deno$/u, ["deno.json", "deno.jsonc", "package.json"]],
  [/^cargo$/u, ["Cargo.toml", "build.rs"]],
  [/^rake$/u, ["Rakefile"]],
];

/**
 * Hashes (SHA-256, hex) of the files that a command would execute or interpret: its executable where that stands in a
 * folder one may write to, every argument (or value of an option) that names a file, seen from any of `folders`, what it is
 * given by redirects, and the file in which its program looks for what to run (`package.json`, `Makefile`, …). A script that
 * is swapped between approval and run changes the action's digest.
 */
export async function actionFiles(
  needs: readonly Need[],
  folders: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {};
  const runs = needs.some(({ kind }) => kind === "run");
  const add = async (path: string) => {
    // These are no files: reading them may have an effect, or never end.
    if (/^\/(?:dev|proc|sys)\//u.test(path) || files[path] !== undefined) return;
    const hash = await hashOf(path);
    if (hash !== null) files[path] = hash;
  };
  for (const need of needs) {
    if (need.kind === "read" && runs) await add(need.target);
    if (need.kind !== "run" || !need.argv) continue;
    const [first = "", ...words] = need.argv;
    const candidates = words.flatMap((word) => word.startsWith("-") ? valueOf(word) : [word]);
    candidates.push(...recipesOf(first));
    if (need.executable && need.inWritableFolder) candidates.push(need.executable);
    for (const path of candidates.flatMap((word) => seenFrom(word, folders))) await add(path);
  }
  return files;
}

/** `--file=x`, `-fx`. */
function valueOf(option: string): string[] {
  const at = option.indexOf("=");
  const value = at < 0 ? option.slice(2) : option.slice(at + 1);
  return value === "" ? [] : [value];
}

function recipesOf(program: string): string[] {
  const name = program.slice(program.lastIndexOf("/") + 1);
  return RECIPES.flatMap(([programs, files]) => programs.test(name) ? files : []);
}

function seenFrom(word: string, folders: readonly string[]): string[] {
  return isAbsolute(word) ? [resolve(word)] : folders.map((folder) => join(folder, word));
}

async function hashOf(path: string): Promise<string | null> {
  try {
    // Most words name no file, and a wait, or an error, costs far more than the look.
    if (!exists(path)) return null;
    const info = Deno.statSync(path);
    if (!info.isFile) return null;
    if (info.size > MAX_FILE) return `size ${info.size}`;
    return sha256(await Deno.readFile(path)).toHex();
  } catch {
    return null;
  }
}
