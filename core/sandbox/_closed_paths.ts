import { basename, dirname, join } from "node:path";
import type { Envelope, PathAccess } from "../domain/envelope.ts";
import { words } from "../domain/words.ts";
import { expandGlob, type Glance, leadingTo } from "./_closed_globs.ts";
import { entryAt, exists, isThere, realPath } from "./_existing.ts";
import { isBelow, isGlob, isInside, outermost } from "./_paths.ts";
import { parentsWithin } from "./bubblewrap.ts";

/** A file or folder inside the roots that rules close, wholly or to writing. */
export interface ClosedPath {
  readonly path: string;
  /** What is left: nothing, or reading inside a root that is written. */
  readonly access: "none" | "read";
  readonly kind: "file" | "folder";
  /** True for a file with another name (a hard link) that was not found inside the roots: it may lie where a child can go. */
  readonly linked: boolean;
}

export interface FoundClosed {
  /** By path; nothing that lies in a folder of which nothing is left. */
  readonly closed: readonly ClosedPath[];
  /** Roots with too many folders: what is closed there is not known. */
  readonly unseen: readonly string[];
}

export interface ClosedPaths {
  /** What is closed now. `baseline`: places too large to look through, where only the envelope's own list is looked up. */
  find(envelope: Envelope, baseline: readonly string[]): Promise<FoundClosed>;
}

/**
 * Stores of dependencies and build results, by name: not looked through, because they are large and are made by
 * programs, so a secret in one of them is not masked. Docs name them.
 */
const STORES: readonly string[] = words(`
  .git/lfs .git/objects .gradle .hg/store .mypy_cache .next .nox .nuxt .parcel-cache .pnpm-store
  .pytest_cache .ruff_cache .svelte-kit .terraform .tox .turbo .venv .yarn/cache __pycache__
  bower_components dist-packages node_modules site-packages target/debug target/release
`);

/** Folders of one root that are looked through, at most. */
const MAX_FOLDERS = 20_000;
/** Files and folders that can be closed for one command. */
export const MAX_CLOSED = 1_500;
/** The same with the folders on the way to them, which bubblewrap pins: it takes 9,000 arguments, three for each. */
export const MAX_MOUNTS = 2_400;
/** A name nobody uses: what becomes of a new file in a folder. */
export const NEW_NAME = "pryx-new-3f9c1d";
/** Milliseconds: how fresh a change may be so that another one could carry the same time stamp. */
const TICK_MS = 1_100;
/** Folders between two moments for other work. */
const BREATH = 500;
/** Envelopes whose verdicts are remembered. */
const MAX_REMEMBERED = 8;

interface Listing {
  readonly stamp: string;
  /** Links too, which are no entries. */
  readonly names: ReadonlySet<string>;
  readonly entries: readonly { readonly name: string; readonly folder: boolean }[];
}

/** What was found in one folder for one envelope, as long as the listing is the same object. */
interface Verdicts {
  readonly listing: Listing;
  readonly closed: readonly {
    readonly path: string;
    readonly access: "none" | "read";
    readonly folder: boolean;
  }[];
  /** Folders to go on with. */
  readonly open: readonly string[];
}

type Remembered = Map<string, Verdicts>;

/** Looks through folders, and remembers: the next time only those that changed are read again. */
export function createClosedPaths(
  maxFolders: number = MAX_FOLDERS,
  now: () => number = Date.now,
): ClosedPaths {
  const listings = new Map<string, Listing>();
  const remembered = new Map<unknown, Remembered>();
  let leading: { readonly key: string; readonly entries: readonly string[] } | undefined;

  function memoryOf(envelope: Envelope): Remembered {
    const key = envelope.key ?? envelope.access;
    const memory = remembered.get(key) ?? new Map<string, Verdicts>();
    remembered.delete(key);
    remembered.set(key, memory);
    const [oldest] = remembered.keys();
    if (remembered.size > MAX_REMEMBERED) remembered.delete(oldest);
    return memory;
  }

  /** Worked out again only when rules or places have changed. */
  function entriesFor(places: readonly string[], closed: readonly string[]): readonly string[] {
    const key = JSON.stringify([places, closed]);
    if (leading?.key !== key) leading = { key, entries: leadingTo(places, closed) };
    return leading.entries;
  }

  /** Undefined for what cannot be read: then no child can either. */
  function listingOf(folder: string): Listing | undefined {
    try {
      if (!exists(folder)) {
        listings.delete(folder);
        return undefined;
      }
      const { mtime, ctime, ino } = Deno.statSync(folder);
      const stamp = `${ino} ${ctime?.getTime()} ${mtime?.getTime()}`;
      const known = listings.get(folder);
      if (known?.stamp === stamp) return known;
      const changed = Math.max(ctime?.getTime() ?? Infinity, mtime?.getTime() ?? Infinity);
      const fresh = now() - changed < TICK_MS;
      const all = [...Deno.readDirSync(folder)];
      const entries = all.filter((entry) => !entry.isSymlink)
        .map(({ name, isDirectory }) => ({ name, folder: isDirectory }));
      const listing = { stamp: fresh ? "" : stamp, entries, names: new Set(all.map(({ name }) => name)) };
      listings.set(folder, listing);
      return listing;
    } catch {
      listings.delete(folder);
      return undefined;
    }
  }

  /** One look at the file system: each folder once, because asking for what is not there is dear. */
  function glance(): Glance {
    const seen = new Map<string, Listing | undefined>();
    const list = (folder: string) => {
      if (!seen.has(folder)) seen.set(folder, listingOf(folder));
      return seen.get(folder);
    };
    const has = (path: string): boolean => {
      const folder = dirname(path);
      if (folder === path) return true;
      if (!has(folder)) return false;
      const listing = list(folder);
      // A folder that cannot be listed may still be gone through, and a name may have two spellings elsewhere.
      return listing && Deno.build.os === "linux" ? listing.names.has(basename(path)) : isThere(path);
    };
    return { has, namesIn: (folder) => list(folder)?.names ?? [] };
  }

  function judge(folder: string, inherited: boolean, listing: Listing, envelope: Envelope): Verdicts {
    const closed: { path: string; access: "none" | "read"; folder: boolean }[] = [];
    const open: string[] = [];
    for (const entry of listing.entries) {
      const path = join(folder, entry.name);
      const writable = inherited || envelope.write.includes(path);
      const access = entry.folder ? folderAccess(path, envelope) : envelope.access(path);
      if (access === "none" || (access === "read" && writable)) {
        closed.push({ path, access, folder: entry.folder });
      }
      if (entry.folder && access !== "none" && !isStore(path)) open.push(path);
    }
    return { listing, closed, open };
  }

  async function walk(root: string, writable: boolean, envelope: Envelope, memory: Remembered) {
    const found: ClosedPath[] = [];
    const stack = [{ folder: root, writable }];
    let seen = 0;
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (++seen > maxFolders) return undefined;
      if (seen % BREATH === 0) await Promise.resolve();
      const listing = listingOf(next.folder);
      if (listing === undefined) continue;
      let verdicts = memory.get(next.folder);
      if (verdicts?.listing !== listing) {
        verdicts = judge(next.folder, next.writable, listing, envelope);
        memory.set(next.folder, verdicts);
      }
      const readOnly = new Set<string>();
      for (const { path, access, folder } of verdicts.closed) {
        if (access === "read") readOnly.add(path);
        const one = closedPath(path, access, folder);
        if (one !== undefined) found.push(one);
      }
      for (const folder of verdicts.open) {
        const opened = next.writable || envelope.write.includes(folder);
        stack.push({ folder, writable: opened && !readOnly.has(folder) });
      }
    }
    return found;
  }

  return {
    async find(envelope, baseline) {
      const memory = memoryOf(envelope);
      const unseen: string[] = [];
      const found = new Map<string, ClosedPath>();
      const add = (one: ClosedPath | undefined) => {
        const known = one && found.get(one.path);
        if (one && known?.access !== "none") found.set(one.path, one);
      };
      const large = (path: string) => path === "/" || baseline.some((root) => isInside(path, root));
      const roots = [...envelope.read, ...envelope.write].filter((path) => !large(path));
      for (const root of outermost(roots)) {
        const writable = isWritable(root, envelope);
        const folder = isFolder(root);
        if (folder === undefined) continue;
        const access = folder ? folderAccess(root, envelope) : envelope.access(root);
        if (access === "none" || (access === "read" && writable)) add(closedPath(root, access, folder));
        if (!folder || access === "none") continue;
        const inside = await walk(root, writable && access === "write", envelope, memory);
        if (inside === undefined) unseen.push(root);
        else for (const one of inside) add(one);
      }
      const places = [...baseline, ...[...envelope.read, ...envelope.write].filter(large)];
      const named = await lookUp(entriesFor(places, envelope.closed), places, glance());
      unseen.push(...named.unseen);
      for (const path of named.paths) {
        const folder = isFolder(path);
        if (folder === undefined) continue;
        const access: PathAccess = folder ? folderAccess(path, envelope) : envelope.access(path);
        if (access === "none" || (access === "read" && isWritable(path, envelope))) {
          // A mount lies on what is there, and so do the folders that are pinned above it.
          add(closedPath(realPlace(path), access, folder));
        }
      }
      const closed = withOtherNames(withoutInner([...found.values()]), memory);
      const most = mostThatFit(closed, envelope);
      if (closed.length <= most) return { closed, unseen };
      const rest = closed.slice(most).map(({ path }) => path);
      const crowded = outermost(roots).filter((root) => rest.some((path) => isInside(path, root)));
      return {
        closed: closed.slice(0, most),
        unseen: [...unseen, ...crowded.length > 0 ? crowded : rest],
      };
    },
  };
}

/** How many of these, from the first, one command can be given. */
function mostThatFit(closed: readonly ClosedPath[], { write }: Envelope): number {
  const pinned = new Set<string>();
  for (const [index, { path }] of closed.entries()) {
    for (const parent of parentsWithin(path, write)) pinned.add(parent);
    if (index >= MAX_CLOSED || index + 1 + pinned.size > MAX_MOUNTS) return index;
  }
  return closed.length;
}

/** Of a folder: the lesser of what is left of itself and of a new file in it. */
function folderAccess(path: string, envelope: Envelope): PathAccess {
  const own = envelope.access(path);
  if (own === "none") return "none";
  const inside = envelope.access(join(path, NEW_NAME));
  if (inside === "none") {
    return [...envelope.read, ...envelope.write].some((root) => isBelow(root, path)) ? "read" : "none";
  }
  return own === "read" || inside === "read" ? "read" : "write";
}

function isWritable(path: string, envelope: Envelope): boolean {
  return envelope.write.some((root) => isInside(path, root));
}

function isStore(path: string): boolean {
  return STORES.some((store) => path.endsWith(`/${store}`));
}

/** Undefined when it has gone meanwhile. */
function closedPath(path: string, access: "none" | "read", folder: boolean): ClosedPath | undefined {
  const info = entryAt(path);
  if (info === undefined || info.isSymlink) return undefined;
  return { path, access, kind: folder ? "folder" : "file", linked: !folder && (info.nlink ?? 1) > 1 };
}

/** The other names (hard links) of closed files among the files that were seen, closed like them. */
function withOtherNames(closed: readonly ClosedPath[], seen: Remembered): ClosedPath[] {
  if (!closed.some(({ linked }) => linked)) return [...closed];
  const wanted = new Map<string, { access: "none" | "read"; missing: number }>();
  for (const { path, access, linked } of closed) {
    const names = linked ? namesOf(path) : undefined;
    if (!names) continue;
    const { missing = names.count } = wanted.get(names.file) ?? {};
    wanted.set(names.file, { access, missing: missing - 1 });
  }
  const known = new Set(closed.map(({ path }) => path));
  const others: ClosedPath[] = [];
  for (const [folder, { listing }] of seen) {
    for (const entry of listing.entries) {
      const path = join(folder, entry.name);
      if (entry.folder || known.has(path)) continue;
      const names = namesOf(path);
      const one = names && wanted.get(names.file);
      if (!one) continue;
      one.missing--;
      others.push({ path, access: one.access, kind: "file", linked: true });
    }
  }
  const isFound = ({ path }: ClosedPath) => wanted.get(namesOf(path)?.file ?? "")?.missing === 0;
  return [...closed, ...others].map((one) => one.linked && isFound(one) ? { ...one, linked: false } : one);
}

/** Which file a path names, and by how many names it goes; undefined when by no more than this one. */
export function namesOf(path: string): { readonly file: string; readonly count: number } | undefined {
  const { dev, ino, nlink, isFile } = entryAt(path) ?? {};
  return isFile && (nlink ?? 1) > 1 ? { file: `${dev}:${ino}`, count: nlink ?? 1 } : undefined;
}

/** The same file under the real name of its folder. */
function realPlace(path: string): string {
  return join(realPath(dirname(path)) ?? dirname(path), basename(path));
}

/** Undefined for what is not there, or is a link. */
function isFolder(path: string): boolean | undefined {
  const info = entryAt(path);
  return info?.isSymlink ? undefined : info?.isDirectory;
}

/**
 * What exists of literals and anchored globs inside `places`; `unseen`: globs that name too much. A glob for a name
 * anywhere is not looked for here. Nor are files of processes, which come and go: no child sees those of others, having
 * processes of its own or a kernel that keeps them from being traced.
 */
async function lookUp(
  entries: readonly string[],
  places: readonly string[],
  glance: Glance,
): Promise<{ paths: readonly string[]; unseen: readonly string[] }> {
  const visible = (path: string) => places.some((root) => isInside(path, root));
  const found = new Set<string>();
  const unseen: string[] = [];
  for (const entry of entries) {
    if (entry.startsWith("/proc/")) continue;
    if (isGlob(entry)) {
      const paths = await expandGlob(entry, glance);
      if (paths === undefined) unseen.push(entry);
      for (const path of paths ?? []) if (visible(path)) found.add(path);
    } else if (visible(entry) && glance.has(entry)) found.add(entry);
  }
  return { paths: [...found], unseen };
}

/** Nothing inside a folder of which nothing is left, no read-only inside read-only. By path. */
function withoutInner(paths: readonly ClosedPath[]): ClosedPath[] {
  const kept: ClosedPath[] = [];
  const folders: ClosedPath[] = [];
  for (const one of [...paths].sort((a, b) => a.path < b.path ? -1 : 1)) {
    const around = folders.some((folder) =>
      isInside(one.path, folder.path) && (folder.access === "none" || one.access === "read")
    );
    if (around) continue;
    kept.push(one);
    if (one.kind === "folder") folders.push(one);
  }
  return kept;
}
