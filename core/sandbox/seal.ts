import type { Seal } from "../domain/automation.ts";
import { cellFilter } from "./cell_filter.ts";
import { type CellLibc, createCellLibc } from "./_cell_libc.ts";

const PR_SET_PDEATHSIG = 1;
const PR_SET_DUMPABLE = 4;
const PR_SET_NO_NEW_PRIVS = 38;
/** Bytes of writable memory that the system itself allows: above what the host watches for, so that the host says why. */
const DATA_BYTES = 4 * 1024 ** 3;
/** setrlimit(2), resource and limit; where the hard limit is lower already it stays. No file may grow, no core be written, a few descriptors be made. */
const LIMITS: readonly (readonly [resource: number, value: number])[] = [
  [1, 0], // FSIZE
  [2, DATA_BYTES], // DATA
  [4, 0], // CORE
  [7, 64], // NOFILE
  [10, 0], // LOCKS
  [12, 0], // MSGQUEUE
];
const SIGKILL = 9;
const AF_INET = 2;
const AF_UNIX = 1;
const SOCK_STREAM = 1;

const PERMISSIONS = ["run", "read", "write", "net", "env", "ffi", "sys", "import"] as const;

/**
 * Shuts this process in, for good: it keeps its three streams, memory, threads and time. Nothing can be opened, started or
 * reached any more, by whatever code runs here, native code too. It dies with the thread that started it. Everything that
 * will be imported must be there by now.
 *
 * Deno's permissions are given up in any case. Where the system has no seccomp that is all, and the answer says so: then
 * whoever started this process must have confined it.
 */
export function seal(options: { readonly already?: boolean } = {}): Seal {
  const problem = options.already === true ? "it was started confined" : sealProcess();
  for (const name of PERMISSIONS) Deno.permissions.revokeSync({ name });
  return problem === undefined
    ? { permissions: true, seccomp: true }
    : { permissions: true, seccomp: false, problem };
}

/** Undefined when it holds; else what is in the way. */
function sealProcess(): string | undefined {
  const { os, arch } = Deno.build;
  if (os !== "linux" && os !== "android") return `${os} has no seccomp`;
  try {
    using libc = createCellLibc(arch);
    closeFiles(libc);
    coverSharedMemory(libc);
    for (const [resource, value] of LIMITS) libc.limit(resource, value);
    // Whoever started it and died before this never tells it anything: it ends when its input closes.
    libc.prctl("end with whoever started it", PR_SET_PDEATHSIG, SIGKILL);
    libc.prctl("make the process unreadable", PR_SET_DUMPABLE, 0);
    libc.prctl("give up new privileges", PR_SET_NO_NEW_PRIVS, 1);
    libc.filterAllThreads(cellFilter({ arch, pid: Deno.pid }));
    return probe(libc);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Tries what must fail now. */
function probe(libc: CellLibc): string | undefined {
  if (libc.openPath("/") >= 0) return "the filter does not hold: a folder was opened";
  for (const family of [AF_INET, AF_UNIX]) {
    if (libc.openSocket(family, SOCK_STREAM) >= 0) return "the filter does not hold: a socket was made";
  }
  return undefined;
}

/**
 * Files that the runtime left open (its caches, which other programs of the user share) become /dev/null under the same
 * number, so that it closes what it takes for its own. Pipes, sockets and pollers of its own stay: they lead nowhere else.
 */
function closeFiles(libc: CellLibc): void {
  const folder = "/proc/self/fd";
  const targets = new Map<number, string>();
  for (const { name } of Deno.readDirSync(folder)) {
    try {
      targets.set(Number(name), Deno.readLinkSync(`${folder}/${name}`));
    } catch {
      // The descriptor of this very list.
    }
  }
  const kept = new Set([0, 1, 2].map((stream) => targets.get(stream)));
  const files = [...targets].filter(([, target]) => target.startsWith("/") && !kept.has(target));
  if (files.length === 0) return;
  // Stands for it and opens nothing: reading and writing fail.
  const none = libc.openPath("/dev/null");
  if (none < 0) throw new Error("there is no /dev/null");
  for (const [descriptor] of files) libc.replace(none, descriptor);
  libc.close(none);
}

/**
 * The indexes of the runtime's caches are memory that it shares with other programs of the user. What is there instead is
 * this process's own: it finds a cache that is empty and cannot be written.
 */
function coverSharedMemory(libc: CellLibc): void {
  // from-to rwxs offset device inode path: `s` is shared.
  const shared = /^([0-9a-f]+)-([0-9a-f]+) .w.s \S+ \S+ [1-9]\d* +\//gm;
  for (const [, from = "", to = ""] of Deno.readTextFileSync("/proc/self/maps").matchAll(shared)) {
    const start = BigInt(`0x${from}`);
    libc.cover(start, BigInt(`0x${to}`) - start);
  }
}
