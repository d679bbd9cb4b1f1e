import { isAbsolute, normalize, relative } from "node:path";
import type { Json } from "../domain/schema.ts";
import { REPLAY_PLACES } from "./_portable.ts";

/** What stands in a real file: its bytes, nothing, or why that is not known. */
export type RealFile = { readonly bytes: Uint8Array | null } | { readonly unknown: string };

/** One file as a replayed run would have left it. */
export interface OverlayChange {
  /** Relative to the workspace where it is inside, else as the automation named it. */
  readonly path: string;
  /** Null: there is no such file. */
  readonly before: Uint8Array | null;
  readonly after: Uint8Array | null;
  /** Why it is not known to be so. */
  readonly note?: string;
}

/** Files as they would be: what replayed calls write, over what is really there. Nothing real is changed. */
export interface Overlay {
  /** What one call did, as far as its arguments say it. */
  apply(tool: string, args: Json): Promise<void>;
  /** Files that would be other than they are, by path. */
  changes(): Promise<readonly OverlayChange[]>;
}

/**
 * `real`: reads a file by its path below the workspace. `here`: a text with the folders of a replay as it would be on this
 * machine.
 */
export function createOverlay(
  real: (path: string) => Promise<RealFile>,
  here: (text: string) => string = (text) => text,
): Overlay {
  const written = new Map<string, Uint8Array | null>();
  const notes = new Map<string, string>();

  async function present(path: string): Promise<Uint8Array | null> {
    const own = written.get(path);
    if (own !== undefined) return own;
    const found = isOutside(path) ? OUTSIDE : await real(path);
    if ("bytes" in found) return found.bytes;
    notes.set(path, found.unknown);
    return null;
  }

  function write(path: string, bytes: Uint8Array | null): void {
    written.set(path, bytes);
  }

  /** What is written of a folder; of what is really in it nothing is known here. */
  function inside(folder: string): string[] {
    return [...written.keys()].filter((path) => path.startsWith(`${folder}/`));
  }

  async function take(from: string, to: string, moved: boolean): Promise<void> {
    const whole = await present(from);
    const below = inside(from);
    if (whole === null && below.length === 0) {
      notes.set(to, `${moved ? "moved" : "copied"} from ${from}, which is not a file here`);
      write(to, null);
    }
    for (const path of whole === null ? below : [from, ...below]) {
      const bytes = await present(path);
      if (bytes === null) continue;
      write(to + path.slice(from.length), bytes);
      if (moved) write(path, null);
    }
  }

  async function edit(path: string, by: { from: string; to: string; all: boolean }): Promise<void> {
    const bytes = await present(path);
    const text = bytes === null ? "" : new TextDecoder().decode(bytes);
    if (!text.includes(by.from)) {
      notes.set(path, "what the recorded edit replaces does not stand there; only the edit itself is shown");
      return write(path, encode(by.to));
    }
    write(path, encode(by.all ? text.replaceAll(by.from, () => by.to) : text.replace(by.from, () => by.to)));
  }

  return {
    async apply(tool, args) {
      const given = typeof args === "object" && args !== null ? args as Record<string, Json> : {};
      const text = (name: string) => typeof given[name] === "string" ? given[name] : "";
      const path = (name: string) => placeOf(text(name));
      switch (tool) {
        case "fs_write": {
          const bytes = typeof given.base64 === "string" ? fromBase64(given.base64) : encode(text("text"));
          return write(
            path("path"),
            given.append === true ? joined(await present(path("path")), bytes) : bytes,
          );
        }
        case "write_file":
          return write(path("path"), encode(text("content")));
        case "edit_file":
          return await edit(path("path"), {
            from: text("old_text"),
            to: text("new_text"),
            all: given.replace_all === true,
          });
        case "fs_remove": {
          const target = path("path");
          const below = inside(target);
          for (const one of below) write(one, null);
          if (given.recursive === true) notes.set(target, "removed with everything in it");
          return write(target, null);
        }
        case "fs_move":
          return await take(path("from"), path("to"), true);
        case "fs_copy":
          return await take(path("from"), path("to"), false);
      }
    },
    async changes() {
      const changes: OverlayChange[] = [];
      for (const [path, wanted] of [...written].sort(([a], [b]) => a < b ? -1 : 1)) {
        const found = isOutside(path) ? OUTSIDE : await real(path);
        const after = localised(wanted, here);
        const before = "bytes" in found ? found.bytes : null;
        const note = notes.get(path) ?? ("unknown" in found ? found.unknown : undefined);
        if (note === undefined && isEqual(before, after)) continue;
        changes.push({ path, before, after, ...(note === undefined ? {} : { note }) });
      }
      return changes;
    },
  };
}

const OUTSIDE: RealFile = { unknown: "outside of the workspace: not compared with what is there" };

function isOutside(path: string): boolean {
  return isAbsolute(path) || path === ".." || path.startsWith("../") || path.startsWith("~");
}

/** A path as a key: below the workspace, where it is. */
function placeOf(path: string): string {
  const { workspace } = REPLAY_PLACES;
  const plain = normalize(isAbsolute(path) ? relative(workspace, path) : path).replace(/(?<=.)\/+$/u, "");
  return plain.startsWith("..") ? normalize(path) : plain;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return encode(text);
  }
}

function joined(a: Uint8Array | null, b: Uint8Array): Uint8Array {
  if (a === null) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Bytes that are no text stay as they are. */
function localised(bytes: Uint8Array | null, here: (text: string) => string): Uint8Array | null {
  if (bytes === null) return null;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const changed = here(text);
    return changed === text ? bytes : encode(changed);
  } catch {
    return bytes;
  }
}

function isEqual(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
