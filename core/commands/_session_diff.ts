import type { Blobs } from "../store/store.ts";
import { isBinary, lookAt, type NetChange } from "./_file_changes.ts";
import { within } from "./_session_text.ts";

/** One file of a session's diff. */
interface FileDiff {
  readonly path: string;
  readonly change: "added" | "changed" | "removed";
  /** Unified diff; null when it cannot be shown. */
  readonly diff: string | null;
  /** Why it cannot be shown, or what it does not show. */
  readonly note: string | null;
}

const NOTHING = new Uint8Array();

/** What `change` did, from the kept contents and, where those are the result, from the file as it stands. */
export async function diffFile(change: NetChange, workspace: string, blobs: Blobs): Promise<FileDiff> {
  const name = within(workspace, change.path);
  const kind = change.after === null
    ? "removed"
    : change.kept && change.before === null
    ? "added"
    : "changed";
  const untold = (note: string): FileDiff => ({ path: change.path, change: kind, diff: null, note });

  if (!change.kept) return untold("its content before was not kept: the file is too large, or secret");
  const before = change.before === null ? NOTHING : await blobs.get(change.before);
  if (before === undefined) return untold("its content before is no longer there");
  const after = await contentAfter(change, blobs);
  if (after.bytes === undefined) return untold(after.note ?? "its content is not known");
  if (isBinary(before) || isBinary(after.bytes)) {
    return untold(`binary, ${before.length} bytes before and ${after.bytes.length} after`);
  }
  const { createTwoFilesPatch } = await import("diff");
  const relative = name !== change.path;
  const [a, b] = relative ? [header(`a/${name}`), header(`b/${name}`)] : [header(name), header(name)];
  const decoder = new TextDecoder();
  const patch = createTwoFilesPatch(
    change.before === null ? "/dev/null" : a,
    after.gone ? "/dev/null" : b,
    decoder.decode(before),
    decoder.decode(after.bytes),
    undefined,
    undefined,
    { context: 3 },
  );
  // The library begins with a line of "=" that no tool needs. A tab ends a name that holds spaces, as diff(1) has it.
  const diff = patch.replace(/^=+\n/, "").replace(
    /^--- .*\n\+\+\+ .*/,
    (names) => names.replace(/ .* .*$/gm, "$&\t"),
  );
  const gap = change.gap ? "something else changed it in between; its changes are shown too" : null;
  return { path: change.path, change: kind, diff, note: after.note ?? gap };
}

/** A name as diff and patch write it: quoted when it could be taken for more than a name. */
function header(name: string): string {
  return /^[^\p{Cc}"\\]*$/u.test(name) ? name : JSON.stringify(name);
}

interface Content {
  readonly bytes: Uint8Array | undefined;
  readonly gone: boolean;
  readonly note: string | null;
}

/** The content after a change is the file itself, unless something changed it since; then perhaps a kept one. */
async function contentAfter(change: NetChange, blobs: Blobs): Promise<Content> {
  if (change.after === null) return { bytes: NOTHING, gone: true, note: null };
  const present = await lookAt(change.path);
  if (present.kind === "file" && present.hash === change.after) {
    return { bytes: present.bytes, gone: false, note: null };
  }
  const kept = await blobs.get(change.after);
  if (kept !== undefined) return { bytes: kept, gone: false, note: "something else changed it since" };
  switch (present.kind) {
    case "file":
      return {
        bytes: present.bytes,
        gone: false,
        note: "something else changed it since; shown as it is now",
      };
    case "absent":
      return { bytes: NOTHING, gone: true, note: "something else removed it since; shown as it is now" };
    default:
      return { bytes: undefined, gone: false, note: `it is ${present.what}` };
  }
}
