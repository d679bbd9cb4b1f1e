import type { Need } from "../domain/need.ts";
import { exists } from "./exists.ts";

/** These print their words and open none of them. */
const ONLY_PRINT = new Set(["echo", "printf"]);

/**
 * A command that names a secret file or one of pryx's own asks a person, whatever allows the command. This sees what is
 * spelled out and exists, nothing else: what a command may really open, the kernel has to hold.
 */
export async function askAboutClosedFiles(
  needs: readonly Need[],
  resolve: (path: string) => Promise<string>,
  isClosed: (path: string) => Promise<boolean>,
): Promise<readonly Need[]> {
  return await Promise.all(needs.map(async (need) => {
    const closed = await closedFile(need, resolve, isClosed);
    return closed === undefined ? need : { ...need, opaque: `it names ${closed}, which is closed to tools` };
  }));
}

async function closedFile(
  need: Need,
  resolve: (path: string) => Promise<string>,
  isClosed: (path: string) => Promise<boolean>,
): Promise<string | undefined> {
  if (need.kind !== "run" || need.opaque !== undefined || ONLY_PRINT.has(need.argv?.[0] ?? "")) {
    return undefined;
  }
  for (const word of need.argv?.slice(1) ?? []) {
    const named = word.startsWith("-") ? word.slice(word.indexOf("=") + 1) : word;
    if (named === "" || named.startsWith("-") || named.includes("\0")) continue;
    const path = await resolve(named).catch(() => undefined);
    if (path === undefined || !await isClosed(path)) continue;
    if (exists(path)) return word;
  }
  return undefined;
}
