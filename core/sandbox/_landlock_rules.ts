import { PryxError } from "../domain/error.ts";
import { isBelow } from "./_paths.ts";

/**
 * What a rule opens. `read` means to execute too; `list`: names in a folder (and, as rules reach down, in those below);
 * `memory`: files of known names, for shared memory and semaphores.
 */
export type LandlockRights = "list" | "read" | "write" | "device" | "memory";

/** One entry of a Landlock rule set, and the very file or folder it is for: whatever else stands there later gets nothing. */
export interface LandlockRule {
  readonly path: string;
  readonly rights: LandlockRights;
  readonly folder: boolean;
  /** st_dev and st_ino. */
  readonly device: number;
  readonly inode: number;
}

export interface LandlockRequest {
  /** Files and folders to read and execute. Absolute and resolved. */
  readonly read: readonly string[];
  /** The same to write. They are never split: what is closed inside them is open. */
  readonly write: readonly string[];
  /** Absolute paths inside `read` that stay closed, and everything below them. */
  readonly closed: readonly string[];
  /**
   * Pseudo terminals may be opened, those of other programs of this user among them. For children that are given the
   * terminal of pryx. Default: false; /dev/tty is always open, and leads nowhere in a session without a terminal.
   */
  readonly terminals?: boolean;
}

export interface FoundFile {
  readonly kind: "folder" | "file" | "link";
  readonly device: number;
  readonly inode: number;
}

/** The file system as the rules see it. */
export interface Look {
  /** Follows links. Null when there is nothing, or nothing that this user may see. */
  stat(path: string): FoundFile | null;
  /** Does not follow them. Empty when the folder cannot be read. */
  list(folder: string): readonly (FoundFile & { readonly name: string })[];
}

/** Each costs some microseconds, and a listing like this is not looked through before every command. */
export const MAX_RULES = 50_000;

const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"];
const TERMINALS = ["ptmx", "pts"];

/**
 * The entries that open the roots and nothing else. Landlock can only add: a root that holds something closed becomes
 * entries around it, as its folders are now. Paths that are not there are left out. In a stable order, without doubles.
 * Throws `sandbox` when that would be more than {@link MAX_RULES}.
 */
export function landlockRules(request: LandlockRequest, look: Look = fileSystem): readonly LandlockRule[] {
  const rules = new Map<string, LandlockRule>();
  const add = (path: string, rights: LandlockRights, found: FoundFile) => {
    const { kind, device, inode } = found;
    if (rules.size >= MAX_RULES) {
      throw new PryxError(
        "sandbox",
        `Cannot confine a command: too many files lie around closed ones, at ${path}`,
        {
          fix: "install bubblewrap, or keep the closed file in a folder with fewer entries",
        },
      );
    }
    rules.set(`${rights} ${path}`, { path, rights, folder: kind === "folder", device, inode });
  };
  const root = (path: string, rights: LandlockRights) => {
    const found = look.stat(path);
    if (found) add(path, rights, found);
  };
  const around = (path: string, found: FoundFile, closed: readonly string[]) => {
    if (closed.includes(path)) return;
    const below = closed.filter((other) => isBelow(other, path));
    if (below.length === 0 || found.kind !== "folder") return add(path, "read", found);
    add(path, "list", found);
    for (const entry of look.list(path)) {
      // Landlock judges what a link leads to, not the link.
      if (entry.kind !== "link") {
        around(path === "/" ? `/${entry.name}` : `${path}/${entry.name}`, entry, below);
      }
    }
  };
  for (const path of request.write) root(path, "write");
  for (const path of request.read) {
    if (request.closed.some((closed) => isBelow(path, closed))) continue;
    const found = look.stat(path);
    if (found) around(path, found, request.closed);
  }
  const devices = request.terminals ? [...DEVICES, ...TERMINALS] : DEVICES;
  for (const name of devices) root(`/dev/${name}`, "device");
  root("/dev/shm", "memory");
  return [...rules.values()].sort((a, b) => compare(a.path, b.path) || compare(a.rights, b.rights));
}

/** The same for the same rules on the same files; different as soon as one of them was made anew. */
export function rulesKey(rules: readonly LandlockRule[]): string {
  return rules.map(({ rights, device, inode, path }) => `${rights} ${device}:${inode} ${path}`).join("\0");
}

/** The real one. Blocks: it is asked for a few dozen paths, which the kernel has at hand. */
const fileSystem: Look = {
  stat(path) {
    try {
      return foundFile(Deno.statSync(path));
    } catch {
      return null;
    }
  },
  list(folder) {
    try {
      return [...Deno.readDirSync(folder)].flatMap(({ name }) => {
        try {
          return [{ name, ...foundFile(Deno.lstatSync(`${folder}/${name}`)) }];
        } catch {
          return [];
        }
      });
    } catch {
      return [];
    }
  },
};

function foundFile(info: Deno.FileInfo): FoundFile {
  const kind = info.isSymlink ? "link" : info.isDirectory ? "folder" : "file";
  return { kind, device: info.dev, inode: info.ino ?? 0 };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
