import { join } from "node:path";
import type { PryxEvent } from "../domain/event.ts";
import type { SessionId } from "../domain/id.ts";
import type { Blobs, Store } from "../store/store.ts";

/** Contents that no event names are kept this long: a change of the file may still be on its way. */
const UNNAMED_DAYS = 7;

/** Hashes of the file contents that a session may have kept. */
export function contentsOf(events: Iterable<PryxEvent>): Set<string> {
  const hashes = new Set<string>();
  for (const { type, data } of events) {
    const named = type === "file.changed"
      ? [data.before, data.after]
      : type === "undone"
      ? data.replaced ?? []
      : [];
    for (const hash of named) if (typeof hash === "string") hashes.add(hash);
  }
  return hashes;
}

/**
 * Removes the contents that no session needs any more: of `hashes`, and those that lie there without being named (kept
 * before a command that then changed nothing). A session at work keeps a content before it records it, so then all of
 * them stay, which is `undefined`: better a file too many than a change that cannot be undone. Returns their number.
 */
export async function removeContents(
  hashes: Iterable<string>,
  store: Store,
  blobs: Blobs,
): Promise<number | undefined> {
  const olderThan = new Date(Date.now() - UNNAMED_DAYS * 24 * 60 * 60 * 1000);
  const unnamed = await Array.fromAsync(blobs.list({ olderThan }));
  const unused = store.unusedContents([...hashes, ...unnamed]);
  if (unused.length > 0 && store.sessions().some(({ holder }) => holder !== undefined)) return undefined;
  let removed = 0;
  for (const hash of unused) if (await blobs.remove(hash)) removed++;
  return removed;
}

/**
 * Removes the kept outputs (`folder/SESSION/…`) of sessions that are no longer there, but those that a fork still refers
 * to. Returns the number of files.
 */
export async function removeOutputs(store: Store, folder: string): Promise<number> {
  const gone = (await namesIn(folder)).filter((name) => store.session(name as SessionId) === undefined);
  if (gone.length === 0) return 0;
  const cited = new Set<string>();
  for (const { id, parent } of store.sessions()) {
    if (parent === null) continue;
    for (const event of store.events(id)) {
      const file = event.type === "tool.finished" ? event.data.outputFile : undefined;
      for (const name of gone) if (file?.startsWith(join(folder, name, "/"))) cited.add(name);
    }
  }
  let removed = 0;
  for (const name of gone) {
    if (cited.has(name)) continue;
    removed += (await namesIn(join(folder, name))).length;
    await Deno.remove(join(folder, name), { recursive: true });
  }
  return removed;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return [];
    throw error;
  }
}
