import { sha256 } from "@noble/hashes/sha2.js";
import { join } from "node:path";
import type { EventData } from "../domain/event.ts";
import type { Need } from "../domain/need.ts";
import type { Blobs } from "../store/store.ts";

/** Contents larger than this are not kept, bytes. */
const MAX_FILE = 2_000_000;
/** A folder with more entries than this is not scanned before a command. */
const MAX_ENTRIES = 4_000;
/** Together, the contents held in memory while commands run, bytes. */
const MAX_TOTAL = 32_000_000;
/** So many contents are written to the store at the same time: the disk takes them together. */
const AT_ONCE = 32;
/** Other work of the process gets its turn this often while a folder is looked through, milliseconds. */
const YIELD_MS = 20;
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
}

/** Of the workspace's files at the last command, by absolute path. One map serves all commands of a session. */
export type KnownFiles = Map<string, Held>;

/** A file before a command. Its content stays in memory: only what the command changes is written to the store. */
interface Held {
  readonly stamp: string;
  readonly mode: number;
  /** Null when it is too large, secret, or cannot be read. */
  readonly bytes: Uint8Array | null;
}

/** A file before a tool writes it. Its content is in the store already. */
interface Before {
  readonly hash: string | null;
  readonly mode: number;
  readonly stamp: string;
  readonly kept: boolean;
}

/** Stands in the place of a path when the workspace was found too large to look through. */
const TOO_LARGE = "";
const NOTHING: Held = { stamp: "", mode: 0, bytes: null };

export interface FolderOptions {
  readonly workspace: string;
  /** What is known of files from the command before: unchanged ones are not read again. */
  readonly known: KnownFiles;
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
  options: SnapshotOptions & FolderOptions & { readonly wholeFolders?: boolean },
): Promise<Snapshot> {
  const runs = needs.filter((need) => need.kind === "run");
  const looksOnly = runs.every((need) =>
    need.opaque === undefined && need.executable !== undefined && !need.inWritableFolder &&
    LOOKING.has(need.argv?.[0] ?? "")
  );
  const written = needs.filter((need) => need.kind === "write").map((need) => need.target);
  if (options.wholeFolders) return await snapshotBelow(written, options);
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
  if (!folder) {
    known.clear();
    known.set(TOO_LARGE, NOTHING);
    return { ...await snapshotFiles(written, options), complete: false };
  }
  return {
    complete: true,
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
  for (const path of paths) before.set(path, await look(path, options));
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

/** Of files and of all that is in folders, before a tool moves or removes them, or makes them. Links are passed over. */
async function snapshotBelow(paths: readonly string[], options: SnapshotOptions): Promise<Snapshot> {
  const filesIn = async (path: string) => {
    const info = lstat(path);
    if (info?.isDirectory) {
      const { files, complete } = await walk(path, () => false);
      return { files: [...files.keys()], complete };
    }
    return { files: info?.isFile ? [path] : [], complete: true };
  };
  const found = await Promise.all(paths.map(filesIn));
  const before = new Set(found.flatMap(({ files }) => files));
  const snapshot = await snapshotFiles([...before], options);
  const complete = found.every((one) => one.complete);
  return {
    complete,
    async changes() {
      // What was not seen before cannot be told from what is new.
      if (!complete) return await snapshot.changes();
      const made = (await Promise.all(paths.map(filesIn))).flatMap(({ files }) => files);
      const fresh = [...new Set(made)].filter((path) => !before.has(path));
      const changes = await Promise.all(
        fresh.map((path) => changeOf(path, undefined, options)),
      );
      return [...await snapshot.changes(), ...changes.filter((change) => change !== null)];
    },
  };
}

/**
 * Of a whole folder, before a command that may change anything in it; null when there is too much in it. Skips ignored
 * folders, and does not hold what is too large.
 */
export async function snapshotFolder(
  folder: string,
  options: SnapshotOptions & Pick<FolderOptions, "known"> & { ignored: (relativePath: string) => boolean },
): Promise<Pick<Snapshot, "changes"> | null> {
  const { known, ignored } = options;
  const found = await walk(folder, ignored);
  if (!found.complete) return null;
  const before = await hold(found.files, options);
  // What is gone need not be held any longer.
  known.clear();
  for (const [path, held] of before) known.set(path, held);
  return {
    async changes() {
      const changes: Change[] = [];
      const { files, complete } = await walk(folder, ignored);
      const differing = [...files].filter(([path, info]) => before.get(path)?.stamp !== stampOf(info));
      const gone = complete ? [...before.keys()].filter((path) => !files.has(path)) : [];
      const paths = [...differing.map(([path]) => path), ...gone];
      for (let at = 0; at < paths.length; at += AT_ONCE) {
        const some = paths.slice(at, at + AT_ONCE);
        const found = await Promise.all(some.map((path) => changeOf(path, before.get(path), options)));
        changes.push(...found.filter((change) => change !== null));
      }
      return changes;
    },
  };
}

/** The contents of `files`, as far as they may be held. Those that did not change since the last time are not read. */
async function hold(
  files: ReadonlyMap<string, Deno.FileInfo>,
  { isSecret, known }: SnapshotOptions & Pick<FolderOptions, "known">,
): Promise<KnownFiles> {
  const turns = takeTurns();
  const held: KnownFiles = new Map();
  let total = 0;
  for (const [path, info] of files) {
    const stamp = stampOf(info);
    const mode = (info.mode ?? 0o644) & 0o7777;
    let bytes: Uint8Array | null = null;
    if (info.size <= MAX_FILE && total + info.size <= MAX_TOTAL) {
      const before = known.get(path);
      if (before?.bytes && before.stamp === stamp) bytes = before.bytes;
      else if (!await isSecret(path)) bytes = readFile(path);
      total += bytes?.length ?? 0;
    }
    held.set(path, { stamp, mode, bytes });
    await turns();
  }
  return held;
}

function readFile(path: string): Uint8Array | null {
  try {
    return Deno.readFileSync(path);
  } catch {
    return null;
  }
}

/** What a command did to a file; null when its content is what it was. */
async function changeOf(
  path: string,
  was: Held | undefined,
  options: SnapshotOptions,
): Promise<Change | null> {
  let after: string | null = null;
  try {
    const info = await Deno.lstat(path);
    // A link or a folder in its place: the file is gone.
    if (info.isFile) after = await hashFile(path, info.size);
    else if (!was) return null;
  } catch (error) {
    if (!was || !(error instanceof Deno.errors.NotFound)) return null;
  }
  if (!was) return { path, before: null, after, mode: 0o644, kept: true };
  if (was.bytes && sha256(was.bytes).toHex() === after) return null;
  return { path, ...await keep(was, options), after };
}

/** Writes what was held to the store: from here on the change can be undone. */
async function keep(
  { bytes, mode }: Held,
  { blobs }: SnapshotOptions,
): Promise<{ before: string | null; mode: number; kept: boolean }> {
  try {
    return { before: bytes && await blobs.put(bytes), mode, kept: bytes !== null };
  } catch {
    // A full disk, say. That the file changed must be known all the same.
    return { before: null, mode, kept: false };
  }
}

async function look(path: string, options: SnapshotOptions): Promise<Before> {
  try {
    const info = await Deno.stat(path);
    if (!info.isFile) return { hash: null, mode: 0o644, stamp: "", kept: false };
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
  // Several times as fast; worth loading for something large only.
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  for await (const chunk of file.readable) hash.update(chunk);
  return hash.digest("hex");
}

/** The time of the last change of any kind belongs to it: that of the content is easily set back. */
function stampOf({ size, mtime, ctime, ino }: Deno.FileInfo): string {
  return `${size}:${mtime?.getTime() ?? 0}:${ctime?.getTime() ?? 0}:${ino ?? 0}`;
}

/**
 * Every regular file below `folder`, by absolute path; not `complete` when there is too much. Links are not followed.
 * Synchronous calls in slices: for thousands of small ones the way through the event loop costs more than the work.
 */
async function walk(
  folder: string,
  ignored: (relativePath: string) => boolean,
): Promise<{ files: Map<string, Deno.FileInfo>; complete: boolean }> {
  const turns = takeTurns();
  const files = new Map<string, Deno.FileInfo>();
  let entries = 0;
  const queue = [""];
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    for (const entry of entriesOf(join(folder, at))) {
      if (++entries > MAX_ENTRIES) return { files, complete: false };
      const path = at === "" ? entry.name : `${at}/${entry.name}`;
      if (entry.isDirectory) {
        if (!SKIPPED.has(entry.name) && !ignored(`${path}/`)) queue.push(path);
      } else if (entry.isFile && !ignored(path)) {
        const full = join(folder, path);
        const info = lstat(full);
        if (info?.isFile) files.set(full, info);
      }
      await turns();
    }
  }
  return { files, complete: true };
}

/** Lets other work of the process have its turn, now and then. */
function takeTurns(): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    if (performance.now() - last < YIELD_MS) return;
    return new Promise((resolve) =>
      setTimeout(() => {
        last = performance.now();
        resolve();
      }, 0)
    );
  };
}

function entriesOf(folder: string): Iterable<Deno.DirEntry> {
  try {
    return Deno.readDirSync(folder);
  } catch {
    return [];
  }
}

function lstat(path: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(path);
  } catch {
    return null;
  }
}
