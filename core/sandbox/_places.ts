import { dirname, join } from "node:path";
import type { Envelope } from "../domain/envelope.ts";
import { NEW_NAME } from "./_closed_paths.ts";
import { isThere, realPath } from "./_existing.ts";
import { isInside } from "./_paths.ts";
import { linksOn, type NamedLink } from "./baseline.ts";

/** The roots of an envelope as they are there now. */
export interface Places {
  /** Existing, after symlinks. */
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** Symlinks on the way to them. */
  readonly links: readonly NamedLink[];
  /** How many files and folders were made for it. */
  readonly made: number;
  /** Takes away what was made for it and was not touched. */
  release(): Promise<void>;
}

interface Made {
  readonly path: string;
  readonly folder: boolean;
  readonly inode: number | null;
  readonly mtime: number | undefined;
}

/**
 * Resolves the roots, and makes a file that may be written and is not there yet: neither a mount nor a Landlock rule can
 * stand for what does not exist. A name that ends with a slash becomes a folder. Where its own folder may be written,
 * and where that is missing, nothing is made. Nor is anything where a rule closes it.
 */
export function makePlaces(envelope: Envelope): Places {
  // A root that rules close is none: what was decided does not lift a denial.
  const read = envelope.read.filter((path) => envelope.access(path) !== "none");
  const write = envelope.write.filter((path) => envelope.access(path) === "write");
  const readOnly = envelope.write.filter((path) => envelope.access(path) === "read");
  const links = new Map<string, NamedLink>();
  const made: Made[] = [];
  const resolved = (paths: readonly string[], wanted: "read" | "write") =>
    paths.flatMap((path) => {
      const real = realPath(path);
      if (real === undefined) return [];
      if (real === path) return [real];
      // What was decided names it after symlinks: one that came since leads to what nobody decided.
      const access = envelope.access(real);
      if (access === "none" || (wanted === "write" && access === "read")) return [];
      for (const link of linksOn(path)) links.set(link.path, link);
      return [real];
    });
  for (const path of write) {
    const around = dirname(path);
    const covered = write.some((root) => root !== path && isInside(around, root) && isThere(root)) &&
      envelope.access(join(around, NEW_NAME)) === "write";
    if (isThere(path) || covered || !isThere(around)) continue;
    const one = make(path.replace(/\/+$/, ""), path.endsWith("/"));
    if (one) made.push(one);
  }
  return {
    read: resolved([...read, ...readOnly], "read"),
    write: resolved(write, "write"),
    links: [...links.values()],
    made: made.length,
    async release() {
      for (const one of made.splice(0)) await unmake(one);
    },
  };
}

function make(path: string, folder: boolean): Made | undefined {
  try {
    if (folder) Deno.mkdirSync(path);
    else Deno.writeFileSync(path, new Uint8Array(0), { createNew: true });
    const info = Deno.lstatSync(path);
    return { path, folder, inode: info.ino, mtime: info.mtime?.getTime() };
  } catch {
    // It came up meanwhile, or this user cannot make it: then a child cannot either.
    return undefined;
  }
}

async function unmake({ path, folder, inode, mtime }: Made): Promise<void> {
  try {
    const info = await Deno.lstat(path);
    if (info.ino !== inode || info.mtime?.getTime() !== mtime || (!folder && info.size > 0)) return;
    // Of a folder that is not empty, this fails.
    await Deno.remove(path);
  } catch {
    // It is gone, or in use.
  }
}
