import { sha256 } from "@noble/hashes/sha2.js";
import { dirname } from "node:path";
import { messageOf } from "../domain/error.ts";
import type { PryxEvent } from "../domain/event.ts";
import type { TurnId } from "../domain/id.ts";

/** One recorded change of a file. */
export interface FileChange {
  readonly seq: number;
  readonly turn: TurnId | null;
  /** Absolute. */
  readonly path: string;
  /** SHA-256 (hex) of the content before; null: there was no file, or (when it is not `kept`) nothing is known. */
  readonly before: string | null;
  /** SHA-256 (hex) of the content after; null: the file was gone. */
  readonly after: string | null;
  /** Permission bits before. */
  readonly mode: number | undefined;
  readonly kept: boolean;
}

/** All changes of one file put together: from before the first to after the last. */
export interface NetChange extends Omit<FileChange, "seq" | "turn"> {
  /** True when something else changed the file between two of the changes. */
  readonly gap: boolean;
}

/** The recorded changes that were not taken back since, oldest first. */
export function changesOf(events: Iterable<PryxEvent>): FileChange[] {
  let changes: FileChange[] = [];
  for (const event of events) {
    if (event.type === "file.changed") {
      const { path, before, after, mode, kept } = event.data;
      changes.push({
        seq: event.seq,
        turn: event.turn,
        path,
        before: typeof before === "string" ? before : null,
        after: typeof after === "string" ? after : null,
        mode,
        kept: kept !== false,
      });
    } else if (event.type === "undone") {
      const { turn, paths } = event.data;
      changes = changes.filter((change) =>
        !paths.includes(change.path) || turn !== undefined && turn !== change.turn
      );
    }
  }
  return changes;
}

/** By file, in the order of their first change. Files that are as they were before are left out. */
export function netChanges(changes: readonly FileChange[]): NetChange[] {
  const byPath = new Map<string, FileChange[]>();
  for (const change of changes) {
    const list = byPath.get(change.path);
    if (list) list.push(change);
    else byPath.set(change.path, [change]);
  }
  const net: NetChange[] = [];
  for (const [path, list] of byPath) {
    const [first, last] = [list[0], list.at(-1)];
    if (!first || !last) continue;
    if (first.kept && first.before === last.after) continue;
    net.push({
      path,
      before: first.before,
      after: last.after,
      mode: first.mode,
      kept: first.kept,
      gap: list.some((change, n) => n > 0 && change.kept && change.before !== list[n - 1]?.after),
    });
  }
  return net;
}

/** What stands at a path now. Links are not followed: what was recorded was a file. */
export type Present =
  | { readonly kind: "absent" }
  | { readonly kind: "file"; readonly hash: string; readonly bytes: Uint8Array; readonly mode: number }
  | { readonly kind: "other"; readonly what: string };

/** Reads what stands at an absolute path. Never throws: what cannot be read is `other`, with the reason. */
export async function lookAt(path: string): Promise<Present> {
  try {
    const info = await Deno.lstat(path);
    if (info.isSymlink) return { kind: "other", what: "a link" };
    if (!info.isFile) return { kind: "other", what: info.isDirectory ? "a folder" : "not a file" };
    // A folder above it that became a link would lead elsewhere.
    if (await Deno.realPath(dirname(path)) !== dirname(path)) {
      return { kind: "other", what: "reached through a link now" };
    }
    const bytes = await Deno.readFile(path);
    const hash = sha256(bytes).toHex();
    return { kind: "file", hash, bytes, mode: (info.mode ?? 0o644) & 0o7777 };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return await linkAbove(path)
        ? { kind: "other", what: "reached through a link now" }
        : { kind: "absent" };
    }
    const text = messageOf(error);
    return { kind: "other", what: `not readable (${text})` };
  }
}

/** Whether the nearest folder above `path` that is there is reached through a link. */
async function linkAbove(path: string): Promise<boolean> {
  for (let folder = dirname(path);; folder = dirname(folder)) {
    try {
      return await Deno.realPath(folder) !== folder;
    } catch {
      if (folder === dirname(folder)) return false;
    }
  }
}

/** Bytes that are no text to compare line by line. */
export function isBinary(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 8192).includes(0);
}
