import { sha256 } from "@noble/hashes/sha2.js";
import { join } from "node:path";
import type { EventData } from "../domain/event.ts";
import type { Need } from "../domain/need.ts";
import type { Blobs } from "../store/store.ts";

/** Contents larger than this are not kept, bytes. */
const MAX_FILE = 2_000_000;
/** A folder with more entries than this is not scanned before a command. */
const MAX_ENTRIES = 4_000;
/** Together, the contents kept before one command, bytes. */
const MAX_TOTAL = 32_000_000;
const SKIPPED = new Set([".git", "node_modules", ".venv", "target", "dist", ".cache"]);

type Change = Omit<EventData<"file.changed">, "call">;

/** What was there before a call, so that it can be compared and put back. */
export interface Snapshot {
  /** Compares with what is there now. Every path that differs, once. */
  changes(): Promise<readonly Change[]>;
  /** False when the folder was too large to look through; changes made there cannot be shown or undone. */
  readonly complete: boolean;
}

export interface SnapshotOptions {
  readonly blobs: Blobs;
  /** Files whose content must never be kept. */
  readonly isSecret: (path: string) => Promise<boolean>;
  /** What is known of files from the snapshot before: unchanged ones are not read again. */
  readonly known: KnownFiles;
}

/** By absolute path. One map serves all snapshots of a session. */
export type KnownFiles = Map<string, Before>;

interface Before {
  readonly hash: string | null;
  readonly mode: number;
  readonly stamp: string;
  readonly kept: boolean;
}

/** Stands in the place of a path when the workspace was found too large to look through. */
const TOO_LARGE = "";
const NOTHING: Before = { hash: null, mode: 0, stamp: "", kept: false };

export interface FolderOptions {
  readonly workspace: string;
  /** The workspace's ignore rules, read when they are first needed. */
  readonly ignored: (folder: string) => Promise<(relativePath: string) => boolean>;
}

/** Commands that only look: nothing is kept before them. The executable must stand outside folders one may write to. */
const LOOKING = new Set(
  "echo printf true false pwd ls cat head tail wc grep rg file stat du df date whoami uname which env ps basename dirname"
    .split(" "),
);

/** Before a call: of the files it will write, or of the workspace when it runs commands that may write anywhere in it. */
export async function takeSnapshot(
  needs: readonly Need[],
  options: SnapshotOptions & FolderOptions,
): Promise<Snapshot> {
  const runs = needs.filter((need) => need.kind === "run");
  const looksOnly = runs.every((need) =>
    need.opaque === undefined && need.executable !== undefined && !need.inWritableFolder &&
    LOOKING.has(need.argv?.[0] ?? "")
  );
  const written = needs.filter((need) => need.kind === "write").map((need) => need.target);
  if (looksOnly) return await snapshotFiles(written, options);
  const { workspace, known } = options;
  // Looking through it again would cost as much before every command, and find as little.
  if (known.has(TOO_LARGE)) return { ...await snapshotFiles(written, options), complete: false };
  const outside = await snapshotFiles(
    written.filter((path) => path !== workspace && !path.startsWith(`${workspace}/`)),
    options,
  );
  const ignored = await options.ignored(workspace);
  const folder = await snapshotFolder(workspace, { ...options, ignored });
  if (!folder.complete) known.set(TOO_LARGE, NOTHING);
  return {
    complete: folder.complete,
    changes: async () => [...await folder.changes(), ...await outside.changes()],
  };
}

/** The changes since `snapshot`, as events of a call. */
export async function changesOf(
  snapshot: Snapshot,
  call: string,
): Promise<readonly EventData<"file.changed">[]> {
  return (await snapshot.changes()).map((change) => ({ call, ...change }));
}

/** Of the files that a tool says it will write. */
export async function snapshotFiles(paths: readonly string[], options: SnapshotOptions): Promise<Snapshot> {
  const before = new Map<string, Before>();
  for (const path of paths) before.set(path, await remember(path, options));
  return {
    complete: true,
    async changes() {
      const changes: Change[] = [];
      for (const [path, was] of before) {
        const change = await compare(path, was);
        if (change) changes.push(change);
      }
      return changes;
    },
  };
}

/** Of a whole folder, before a command that may change anything in it. Skips ignored folders and what is too large. */
export async function snapshotFolder(
  folder: string,
  options: SnapshotOptions & { ignored: (relativePath: string) => boolean },
): Promise<Snapshot> {
  const before = new Map<string, Before>();
  let total = 0;
  const complete = await walk(folder, options.ignored, async (path, info) => {
    if (info.size > MAX_FILE || total + info.size > MAX_TOTAL) {
      before.set(path, { hash: null, mode: info.mode ?? 0o644, stamp: stampOf(info), kept: false });
      return;
    }
    total += info.size;
    before.set(path, await remember(path, options));
  });
  return {
    complete,
    async changes() {
      const changes: Change[] = [];
      const seen = new Set<string>();
      const finished = await walk(folder, options.ignored, async (path, info) => {
        seen.add(path);
        const was = before.get(path);
        if (was && was.stamp === stampOf(info)) return;
        if (!was && !complete) return;
        const change = await compare(path, was ?? { hash: null, mode: 0o644, stamp: "", kept: true });
        if (change) changes.push(change);
      });
      if (finished) {
        for (const [path, was] of before) {
          if (!seen.has(path)) {
            changes.push({ path, before: was.hash, after: null, mode: was.mode, kept: was.kept });
          }
        }
      }
      return changes;
    },
  };
}

async function remember(path: string, options: SnapshotOptions): Promise<Before> {
  const before = await look(path, options);
  if (before.kept && before.stamp !== "") options.known.set(path, before);
  return before;
}

async function look(path: string, options: SnapshotOptions): Promise<Before> {
  try {
    const info = await Deno.stat(path);
    if (!info.isFile) return { hash: null, mode: 0o644, stamp: "", kept: false };
    const known = options.known.get(path);
    if (known && known.stamp === stampOf(info)) return known;
    const mode = (info.mode ?? 0o644) & 0o7777;
    if (info.size > MAX_FILE || await options.isSecret(path)) {
      return { hash: null, mode, stamp: stampOf(info), kept: false };
    }
    const bytes = await Deno.readFile(path);
    return { hash: await options.blobs.put(bytes), mode, stamp: stampOf(info), kept: true };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { hash: null, mode: 0o644, stamp: "", kept: true };
    return { hash: null, mode: 0o644, stamp: "", kept: false };
  }
}

async function compare(path: string, was: Before): Promise<Change | null> {
  let after: string | null = null;
  try {
    const info = await Deno.stat(path);
    if (!info.isFile || stampOf(info) === was.stamp) return null;
    after = await hashFile(path, info.size);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return null;
    if (was.stamp === "") return null;
  }
  if (was.kept && after === was.hash) return null;
  return { path, before: was.hash, after, mode: was.mode, kept: was.kept };
}

async function hashFile(path: string, size: number): Promise<string> {
  if (size <= MAX_FILE) return sha256(await Deno.readFile(path)).toHex();
  const hash = sha256.create();
  using file = await Deno.open(path);
  for await (const chunk of file.readable) hash.update(chunk);
  return hash.digest().toHex();
}

function stampOf(info: Deno.FileInfo): string {
  return `${info.size}:${info.mtime?.getTime() ?? 0}:${info.ino ?? 0}`;
}

/** Visits every regular file below `folder`; false when there are too many. Links are not followed. */
async function walk(
  folder: string,
  ignored: (relativePath: string) => boolean,
  visit: (path: string, info: Deno.FileInfo) => Promise<void>,
): Promise<boolean> {
  let entries = 0;
  const queue = [""];
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    let names: Deno.DirEntry[];
    try {
      names = await Array.fromAsync(Deno.readDir(join(folder, at)));
    } catch {
      continue;
    }
    for (const entry of names) {
      if (++entries > MAX_ENTRIES) return false;
      const path = at === "" ? entry.name : `${at}/${entry.name}`;
      if (entry.isDirectory) {
        if (!SKIPPED.has(entry.name) && !ignored(`${path}/`)) queue.push(path);
      } else if (entry.isFile && !ignored(path)) {
        const full = join(folder, path);
        const info = await Deno.lstat(full).catch(() => null);
        if (info?.isFile) await visit(full, info);
      }
    }
  }
  return true;
}
