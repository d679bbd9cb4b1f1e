import type { ClosedPath } from "./_closed_paths.ts";
import { entryAt } from "./_existing.ts";

/** Milliseconds: how fresh a change may be so that another one could carry the same time stamp. */
const TICK_MS = 1_100;

/**
 * Which very files and folders these paths name now, as text. What is mounted over a path leaves it when somebody on the
 * host puts another file there, and a number that became free is given to the next file: so of what is closed the time of
 * the last change belongs to it. Undefined while one of those changes is so fresh that the next would look the same.
 */
export function identities(
  roots: readonly string[],
  closed: readonly ClosedPath[],
  now: number = Date.now(),
): string | undefined {
  const names: string[] = [];
  for (const path of roots) {
    const { dev, ino, birthtime } = entryAt(path) ?? {};
    names.push(`${dev}:${ino}:${birthtime?.getTime()}`);
  }
  for (const { path, kind } of closed) {
    const { dev, ino, birthtime, ctime } = entryAt(path) ?? {};
    // What happens inside a folder changes it too, and leaves the mount where it is.
    const changed = kind === "folder" ? birthtime ?? ctime : ctime;
    if (changed === null || changed === undefined || now - changed.getTime() < TICK_MS) return undefined;
    names.push(`${dev}:${ino}:${changed.getTime()}`);
  }
  return names.join();
}
