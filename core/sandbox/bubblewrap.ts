import { dirname, join, sep } from "node:path";
import type { NamedLink } from "./baseline.ts";
import type { ClosedPath } from "./_closed_paths.ts";
import { isInside, outermost } from "./_paths.ts";

/** Processes, shared memory and a host name of its own. */
export const OWN_NAMESPACES = ["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"];
/** An outer bubblewrap that makes a namespace for the network and leaves all else as it is, up to the program. */
export const NETWORK_ALONE = ["--unshare-user", "--unshare-net", "--dev-bind", "/", "/", "--"];

/** In a folder that is always the namespace's own, so that nothing closed lies in its way. */
export const SHELL_INSIDE = "/dev/sh";

/** What this bubblewrap can do, as its `--help` says. */
export interface BubblewrapFeatures {
  /** `--disable-userns`, since 0.8. */
  readonly disableUserns: boolean;
  /** `--size` for a temporary file system, since 0.7. */
  readonly size: boolean;
}

export interface BubblewrapPlan {
  readonly features: BubblewrapFeatures;
  /** Existing, absolute, resolved: to be read and run. */
  readonly read: readonly string[];
  /** The same, to be written as well. */
  readonly write: readonly string[];
  /** One of those: a mount of its own, so that no child may rename it. The next is given it again. */
  readonly temp: string;
  readonly links: readonly NamedLink[];
  readonly closed: readonly ClosedPath[];
  /** Put over what is closed. */
  readonly closedFile: string;
  readonly closedFolder: string;
  readonly home: string;
  /**
   * Other folders of the host that are there although nothing in them is open: whoever lists them or writes to them is
   * refused, which says more than a folder that seems to be missing.
   */
  readonly shut: readonly string[];
  readonly cwd: string;
  /** A program of the host that is at {@link SHELL_INSIDE} then. */
  readonly shell?: string;
  /** A network of its own, with nothing in it but a loopback. False: the one that bwrap is started in. */
  readonly ownNetwork: boolean;
  /** The sockets of the system can be seen. */
  readonly unixSockets: boolean;
  /** Number of the open file with the seccomp filter. */
  readonly seccomp: number;
  /** Bytes that /tmp and /dev/shm may take of the memory, each. */
  readonly memoryFiles: number;
}

/** In the order in which mounts at one depth are made: what comes later lies on top. */
const ORDER = { base: 0, root: 1, pin: 2, readOnly: 3, mask: 4, seal: 5 } as const;

interface Mount {
  readonly path: string;
  readonly order: number;
  readonly args: readonly string[];
}

/** Given anew in every namespace; a root in one of them adds nothing, but for devices. */
const VIRTUAL = ["/proc", "/dev"];
const GIVEN = [...VIRTUAL, "/tmp"];

/**
 * The arguments of bwrap up to the program, without `--`. Nothing is there but what the plan names: home is a shut
 * folder around the opened ones, /tmp is a file system of its own, and what is not opened for writing is read-only.
 *
 * Mounts are made from the outside in, so that what lies deeper lies on top. What is closed is a mount, and every folder
 * from the writable root to it is one too: the kernel lets nobody rename or remove a mount point, so no other file can
 * take the name of a protected one, and a closed one keeps the place by which the next command finds it.
 */
export function bubblewrapArguments(plan: BubblewrapPlan): string[] {
  const { features, ownNetwork, cwd } = plan;
  const whole = plan.write.includes(sep);
  const mounts = [...baseMounts(plan), ...rootMounts(plan), ...closingMounts(plan)];
  // A stable sort: what has the same depth and order stays in the order it was named in.
  mounts.sort((a, b) => depth(a.path) - depth(b.path) || a.order - b.order);
  return [
    ...OWN_NAMESPACES,
    "--unshare-cgroup-try",
    ...ownNetwork ? ["--unshare-net"] : [],
    ...features.disableUserns ? ["--disable-userns"] : [],
    "--cap-drop",
    "ALL",
    ...mounts.flatMap(({ args }) => args),
    ...hasPlace(cwd, plan) ? [] : ["--dir", cwd],
    ...whole ? [] : ["--remount-ro", sep],
    "--seccomp",
    String(plan.seccomp),
    "--chdir",
    cwd,
  ];
}

function baseMounts(plan: BubblewrapPlan): Mount[] {
  const { features, home, links, unixSockets, shell } = plan;
  const size = features.size ? ["--size", String(plan.memoryFiles)] : [];
  const open = [...plan.read, ...plan.write];
  const base = (path: string, ...args: string[]): Mount => ({ path, order: ORDER.base, args });
  const isOpen = (path: string) => open.some((root) => isInside(path, root));
  return [
    // Root may write what it owns there without any capability: how the kernel handles a crash, for one.
    base("/proc", "--proc", "/proc", "--remount-ro", "/proc"),
    base("/dev", "--dev", "/dev"),
    ...shell === undefined ? [] : [base(SHELL_INSIDE, "--ro-bind", shell, SHELL_INSIDE)],
    base("/dev/shm", "--perms", "1777", ...size, "--tmpfs", "/dev/shm"),
    ...isOpen("/tmp")
      ? []
      : [base("/tmp", "--perms", "1777", ...size, "--tmpfs", "/tmp"), ...waysThrough("/tmp", plan)],
    ...unixSockets ? [base("/run", "--ro-bind-try", "/run", "/run")] : [],
    ...[home, ...plan.shut].filter((path) => !isOpen(path) && !GIVEN.some((one) => isInside(path, one)))
      .map((path) => base(path, "--perms", "0111", "--dir", path)),
    ...links.filter(({ path }) => !isOpen(dirname(path)))
      .map(({ path, target }) => base(path, "--symlink", target, path)),
  ];
}

/** The writable folders of such a child that are its own: what it leaves there ends with its namespace. */
export function freshFolders(plan: BubblewrapPlan): string[] {
  const open = [...plan.read, ...plan.write];
  const ownTemp = !open.some((root) => isInside("/tmp", root));
  return [
    "/dev",
    "/dev/shm",
    ...ownTemp ? ["/tmp", ...waysThrough("/tmp", plan).map(({ path }) => path)] : [],
  ];
}

/**
 * The folders from a writable file system to the roots in it. They hold nothing else, and are no place to write to: what
 * was written there would be gone with the command.
 */
function waysThrough(folder: string, { read, write, home, cwd }: BubblewrapPlan): Mount[] {
  const ways = new Set<string>();
  for (const path of [...read, ...write, join(home, "x"), join(cwd, "x")]) {
    for (let at = dirname(path); isInside(at, folder) && at !== folder; at = dirname(at)) ways.add(at);
  }
  const made = [...ways].filter((path) => ![...read, ...write].some((root) => isInside(path, root)));
  return made.map((path) => ({ path, order: ORDER.base, args: ["--perms", "0555", "--dir", path] }));
}

/** One mount for each root that is open further than what lies around it. */
function rootMounts({ read, write, temp }: BubblewrapPlan): Mount[] {
  const written = outermost(write);
  const readable = outermost(read).filter((path) => !written.some((root) => isInside(path, root)));
  // A written root inside a read one is a mount of its own.
  return [
    ...readable.map((path) => bind(path, false)),
    ...new Set([...written, temp]).values().map((path) => bind(path, true)),
  ].filter((mount) => mount !== undefined);
}

function bind(path: string, writable: boolean): Mount | undefined {
  if (isInside(path, "/proc")) return undefined;
  if (isInside(path, "/dev")) {
    return path === "/dev" || isInside(path, "/dev/shm") || GIVEN_DEVICES.has(path)
      ? undefined
      : { path, order: ORDER.root, args: ["--dev-bind", path, path] };
  }
  return { path, order: ORDER.root, args: [writable ? "--bind" : "--ro-bind", path, path] };
}

const GIVEN_DEVICES = new Set(
  ["null", "zero", "full", "random", "urandom", "tty", "stdin", "stdout", "stderr", "fd", "ptmx", "pts"]
    .map((name) => `/dev/${name}`),
);

function closingMounts(plan: BubblewrapPlan): Mount[] {
  const { closedFile, closedFolder, read, write } = plan;
  const roots = [...read, ...write];
  const closed = plan.closed.filter(({ path }) =>
    !VIRTUAL.some((folder) => isInside(path, folder)) && roots.some((root) => isInside(path, root))
  );
  const readOnly = outermost(closed.filter(({ access }) => access === "read").map(({ path }) => path));
  const masked = closed.filter(({ access }) => access === "none");
  const pinned = new Set(
    [...readOnly, ...masked.map(({ path }) => path)].flatMap((path) => parentsWithin(path, write)),
  );
  return [
    ...readOnly.map((path) => ({ path, order: ORDER.readOnly, args: ["--ro-bind", path, path] })),
    ...masked.map(({ path, kind }) => ({
      path,
      order: ORDER.mask,
      args: ["--ro-bind", kind === "folder" ? closedFolder : closedFile, path],
    })),
    ...[...pinned].filter((path) => !readOnly.some((folder) => isInside(path, folder)))
      .map((path) => ({ path, order: ORDER.pin, args: ["--bind", path, path] })),
  ];
}

/** The folders between the outermost writable root and `path`, outermost first, both left out. */
export function parentsWithin(path: string, write: readonly string[]): string[] {
  const [root] = outermost(write).filter((one) => isInside(path, one));
  const parents: string[] = [];
  if (root === undefined || root === path) return parents;
  for (let at = dirname(path); at !== root && at !== dirname(at); at = dirname(at)) parents.unshift(at);
  return parents;
}

/** True when the working folder is there without being made. */
function hasPlace(cwd: string, { read, write }: BubblewrapPlan): boolean {
  return [...read, ...write, "/tmp", "/dev", "/proc"].some((root) => isInside(cwd, root)) || cwd === sep;
}

function depth(path: string): number {
  return path === sep ? 0 : path.split(sep).length - 1;
}
