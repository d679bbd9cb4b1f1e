import { sha256 } from "@noble/hashes/sha2.js";
import { isAbsolute, join, resolve } from "node:path";
import type { Need } from "../domain/need.ts";

/** Files larger than this are named, not hashed, bytes. */
const MAX_FILE = 4_000_000;

/**
 * Hashes (SHA-256, hex) of the files that a command would execute or interpret: its executable where that stands in a
 * folder one may write to, and every argument that names a file, seen from any of `folders`. A script that is swapped between
 * approval and run changes the action's digest.
 */
export async function actionFiles(
  needs: readonly Need[],
  folders: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {};
  for (const need of needs) {
    if (need.kind !== "run" || !need.argv) continue;
    const candidates = need.argv.slice(1).filter((word) => !word.startsWith("-"));
    if (need.executable && need.inWritableFolder) candidates.push(need.executable);
    for (const path of candidates.flatMap((word) => seenFrom(word, folders))) {
      // These are no files: reading them may have an effect, or never end.
      if (/^\/(?:dev|proc|sys)\//u.test(path) || files[path] !== undefined) continue;
      const hash = await hashOf(path);
      if (hash !== null) files[path] = hash;
    }
  }
  return files;
}

function seenFrom(word: string, folders: readonly string[]): string[] {
  return isAbsolute(word) ? [resolve(word)] : folders.map((folder) => join(folder, word));
}

async function hashOf(path: string): Promise<string | null> {
  try {
    const info = await Deno.stat(path);
    if (!info.isFile) return null;
    if (info.size > MAX_FILE) return `size ${info.size}`;
    return sha256(await Deno.readFile(path)).toHex();
  } catch {
    return null;
  }
}
