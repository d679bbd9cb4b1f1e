import type { LandlockRights, LandlockRule } from "./_landlock_rules.ts";
import { createLibc, type Libc } from "./_libc.ts";
import { type Architecture, seccompFilter } from "./seccomp.ts";

/** What the kernel offers to a program without privileges. */
export interface KernelSupport {
  /** Version of Landlock's interface: 1 is Linux 5.13, 3 is 6.2, 6 is 6.12. 0: none. */
  readonly landlock: number;
  readonly seccomp: boolean;
}

export interface ThreadRestriction {
  readonly rules: readonly LandlockRule[];
  readonly network: "none" | "all";
  readonly unixSockets: boolean;
}

const FS = {
  execute: 1n << 0n,
  writeFile: 1n << 1n,
  readFile: 1n << 2n,
  readDir: 1n << 3n,
  removeDir: 1n << 4n,
  removeFile: 1n << 5n,
  makeDir: 1n << 7n,
  makeReg: 1n << 8n,
  makeSock: 1n << 9n,
  makeFifo: 1n << 10n,
  makeSym: 1n << 12n,
  refer: 1n << 13n,
  truncate: 1n << 14n,
  ioctlDev: 1n << 15n,
};
/** Rights of version 1: bits 0 to 12, the making of devices among them, which nothing grants. */
const FIRST_RIGHTS = (1n << 13n) - 1n;
const READ_FILE = FS.execute | FS.readFile;
const WRITE_FILE = READ_FILE | FS.writeFile | FS.truncate;
const DEVICE = FS.readFile | FS.writeFile | FS.truncate | FS.ioctlDev;

/** For a folder; a rule on a file may hold {@link FILE_RIGHTS} only. */
const RIGHTS: Record<LandlockRights, bigint> = {
  list: FS.readDir,
  read: READ_FILE | FS.readDir,
  write: WRITE_FILE | FS.readDir | FS.removeDir | FS.removeFile | FS.makeDir | FS.makeReg | FS.makeSock |
    FS.makeFifo | FS.makeSym | FS.refer,
  device: DEVICE | FS.readDir,
  memory: FS.readFile | FS.writeFile | FS.truncate | FS.makeReg | FS.removeFile,
};
const FILE_RIGHTS = WRITE_FILE | DEVICE;

const TCP = 3n;
const SCOPE_ABSTRACT_SOCKETS = 1n;
const SCOPE_SIGNALS = 2n;

const PR_SET_DUMPABLE = 4;
const PR_SET_SECCOMP = 22;
const PR_CAPBSET_READ = 23;
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
const SECCOMP_MODE_FILTER = 2;

/** chown, dac_override, fowner, fsetid, setgid, setuid, net_bind_service: what a command run by root expects of files. */
const KEPT_CAPABILITIES = [0, 1, 3, 4, 6, 7, 10];

/** Architectures other than x86-64 and aarch64 have no filter, and so nothing of this. */
function architecture(): Architecture | undefined {
  return Deno.build.os === "linux" ? Deno.build.arch : undefined;
}

/** Never throws. Changes nothing. */
export function kernelSupport(): KernelSupport {
  const arch = architecture();
  if (!arch) return { landlock: 0, seccomp: false };
  try {
    using libc = createLibc(arch);
    return { landlock: libc.landlockVersion(), seccomp: libc.hasSeccomp() };
  } catch {
    return { landlock: 0, seccomp: false };
  }
}

/** What this version of Landlock does not see, beside the filter. One clause each, for people. */
export function landlockGaps(version: number): readonly string[] {
  return [
    ...(version < 2 ? ["files cannot be moved between folders"] : []),
    ...(version < 6 ? ["other processes of this user can be signalled"] : []),
    "owner, mode and times of files outside can be changed where the user may",
  ];
}

/**
 * Makes sure that no child of this process, confined or not, inherits more than its three streams: whoever started pryx
 * may have left files and sockets open, which no rule would close.
 */
export function sealDescriptors(): void {
  const arch = architecture();
  if (!arch) throw new Error("there is no kernel sandbox on this platform");
  using libc = createLibc(arch);
  if (libc.closeAllOnExec(3)) return;
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    if (Number(name) > 2) libc.closeOnExec(Number(name));
  }
}

/**
 * Restricts the calling thread, for good, and every child it starts from then on. Other threads of the process stay as
 * they are. Throws when any part of it fails: then the thread must start nothing.
 *
 * The child is in the same Landlock domain as this thread, which shares pryx's memory. So the whole process is made
 * unreadable for its own user first (/proc/PID/task/TID/mem, ptrace), root's children lose the capability that
 * would read it anyway, and signals to this thread's number are refused by the filter.
 */
export function restrictThread(restriction: ThreadRestriction): void {
  const arch = architecture();
  if (!arch) throw new Error("there is no kernel sandbox on this platform");
  using libc = createLibc(arch);
  const version = libc.landlockVersion();
  if (version < 1) throw new Error("the kernel has no Landlock");
  libc.prctl("make the process unreadable", PR_SET_DUMPABLE, 0);
  if (!libc.closeAllOnExec(3)) throw new Error("cannot keep descriptors from children");
  dropCapabilities(libc);
  libc.prctl("give up new privileges", PR_SET_NO_NEW_PRIVS, 1);
  enforceRules(libc, version, restriction);
  const { network, unixSockets } = restriction;
  const older = version < 6 ? [-1, -libc.processGroup()] : [];
  const spared = [Deno.pid, libc.threadId(), ...older];
  const filter = seccompFilter({ network, unixSockets, arch, spared, noTruncate: version < 3 });
  libc.installFilter(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter);
}

function enforceRules(libc: Libc, version: number, { rules, network, unixSockets }: ThreadRestriction): void {
  const handled = FIRST_RIGHTS | (version >= 2 ? FS.refer : 0n) | (version >= 3 ? FS.truncate : 0n) |
    (version >= 5 ? FS.ioctlDev : 0n);
  const attributes = [handled];
  if (version >= 4) attributes.push(network === "none" ? TCP : 0n);
  if (version >= 6) attributes.push(SCOPE_SIGNALS | (unixSockets ? 0n : SCOPE_ABSTRACT_SOCKETS));
  const ruleset = libc.createRuleset(new BigUint64Array(attributes));
  try {
    for (const rule of rules) {
      const rights = RIGHTS[rule.rights] & handled & (rule.folder ? ~0n : FILE_RIGHTS);
      const target = libc.openPath(rule.path);
      // It has gone, or this user does not see it: neither would a child.
      if (target === undefined) continue;
      try {
        const found = libc.identify(target);
        const same = found.folder === rule.folder && found.device === rule.device &&
          found.inode === rule.inode;
        if (same && rights !== 0n) libc.addRule(ruleset, target, rights, rule.path);
      } finally {
        libc.close(target);
      }
    }
    libc.restrictSelf(ruleset);
  } finally {
    libc.close(ruleset);
  }
}

function dropCapabilities(libc: Libc): void {
  for (let capability = 0; capability < 64; capability++) {
    const has = libc.tryPrctl(PR_CAPBSET_READ, capability);
    if (has < 0) break;
    if (has === 0 || KEPT_CAPABILITIES.includes(capability)) continue;
    // Only root's children get what is in this set, and only root may take it out.
    if (libc.tryPrctl(PR_CAPBSET_DROP, capability) < 0 && libc.isRoot()) {
      throw new Error(`cannot drop capability ${capability}`);
    }
  }
  // Absent before Linux 4.3, and then there is nothing to clear.
  libc.tryPrctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL);
}
