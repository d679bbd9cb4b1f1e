import { basename, dirname, join } from "node:path";
import { messageOf, PryxError } from "../domain/error.ts";
import { newId } from "../domain/id.ts";
import type { Blobs } from "../store/store.ts";
import { lookAt, type NetChange, type Present } from "./_file_changes.ts";

/** How one file is put back. */
export interface UndoStep {
  readonly path: string;
  readonly action: "restore" | "remove";
  /** Content to restore. */
  readonly bytes: Uint8Array;
  /** Permission bits to restore; undefined: those it has. */
  readonly mode: number | undefined;
  /** What stands there now. */
  readonly present: Present;
  /** Why putting it back would lose something, or cannot be done at all. */
  readonly conflict: string | null;
  /** False when not even force helps. */
  readonly possible: boolean;
}

/** What undoing `changes` takes. Reads only. */
export async function planUndo(changes: readonly NetChange[], blobs: Blobs): Promise<UndoStep[]> {
  const steps: UndoStep[] = [];
  for (const change of changes) {
    const { path, mode } = change;
    const present = await lookAt(path);
    const action = change.before === null ? "remove" : "restore";
    const bytes = change.before === null ? new Uint8Array() : await blobs.get(change.before);
    const impossible = !change.kept
      ? "its content before was not kept (too large, or secret)"
      : bytes === undefined
      ? "its kept content is no longer there"
      : present.kind === "other"
      ? `it is ${present.what}`
      : null;
    // What is as it was before already needs no undoing and loses nothing.
    const isBefore = action === "remove"
      ? present.kind === "absent"
      : present.kind === "file" && present.hash === change.before;
    const isAfter = change.after === null
      ? present.kind === "absent"
      : present.kind === "file" && present.hash === change.after;
    const conflict = impossible ??
      (isBefore
        ? null
        : !isAfter
        ? present.kind === "absent" ? "something else removed it since" : "something else changed it since"
        : change.gap
        ? "something else changed it between the session's own changes"
        : null);
    steps.push({
      path,
      action,
      bytes: bytes ?? new Uint8Array(),
      mode,
      present,
      conflict,
      possible: impossible === null,
    });
  }
  return steps;
}

/** Puts one file back. What it replaces is kept first, under the hash that it returns: nothing is lost by undoing. */
export async function applyStep(step: UndoStep, blobs: Blobs): Promise<string | undefined> {
  const { path, present } = step;
  try {
    const replaced = present.kind === "file" ? await blobs.put(present.bytes) : undefined;
    if (step.action === "remove") {
      if (present.kind === "file") await Deno.remove(path);
      return replaced;
    }
    await Deno.mkdir(dirname(path), { recursive: true });
    const mode = step.mode ?? (present.kind === "file" ? present.mode : 0o644);
    await replaceFile(path, step.bytes, mode);
    return replaced;
  } catch (error) {
    if (error instanceof PryxError) throw error;
    const text = messageOf(error);
    throw new PryxError("io", `Cannot put ${path} back: ${text}`, { cause: error });
  }
}

/** The file is the old one or the new one, never a part. */
async function replaceFile(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${newId()}.tmp`);
  try {
    await Deno.writeFile(temporary, bytes, { createNew: true, mode: 0o600 });
    if (Deno.build.os !== "windows") await Deno.chmod(temporary, mode);
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}
