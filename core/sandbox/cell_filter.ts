import {
  assemble,
  type Block,
  keepBits,
  loadArchitecture,
  loadArgument,
  loadHighArgument,
  loadNumber,
  unlessEqual,
  verdict,
  whenAtLeast,
  whenEqual,
} from "./_bpf.ts";
import { type CellSyscall, cellSyscallNumber, PLAIN_SYSCALLS } from "./_cell_syscalls.ts";
import type { Architecture } from "./_syscalls.ts";
import { AUDIT_ARCH, X32 } from "./seccomp.ts";

const ALLOW = verdict(0x7fff0000);
const KILL = verdict(0x80000000);
const ERRNO = 0x00050000;
const EPERM = verdict(ERRNO | 1);
/** Does nothing and says that it did. */
const PRETEND = verdict(ERRNO);
const ENOSYS = verdict(ERRNO | 38);

/** CLONE_VM, CLONE_SIGHAND, CLONE_THREAD: a thread of this process and nothing else. */
const THREAD = 0x100 | 0x800 | 0x10000;
/** Every CLONE_NEW* that clone(2) knows, CLONE_PTRACE, CLONE_VFORK, CLONE_PARENT, CLONE_PIDFD. */
const NEVER = 0x7e020000 | 0x2000 | 0x4000 | 0x8000 | 0x1000;

const FCNTL = { getDescriptorFlags: 1, setDescriptorFlags: 2, getFlags: 3, duplicate: 1030 };
const F_SETLK = 6;
/** Is it a terminal; close on exec; how much is there to read. */
const IOCTL = { TCGETS: 0x5401, FIOCLEX: 0x5451, FIONREAD: 0x541b };
/** Names of threads and of memory, for people who look at the process. */
const PRCTL = { PR_SET_NAME: 15, PR_SET_VMA: 0x53564d41 };

/**
 * The seccomp filter of a cell, for all of its threads: an allowlist. No file, socket, process or signal to another one can
 * be had; what is not listed fails with EPERM. `pid`: the cell's own number, which alone it may signal. Pure.
 */
export function cellFilter({ arch, pid }: { arch: Architecture; pid: number }): Uint8Array<ArrayBuffer> {
  const on = (name: CellSyscall, block: Block): Block => {
    const number = cellSyscallNumber(name, arch);
    return number === null ? [] : whenEqual(number, block);
  };
  const oneOf = (argument: number, values: Readonly<Record<string, number>>): Block => [
    loadArgument(argument),
    ...Object.values(values).flatMap((value) => whenEqual(value, [ALLOW])),
    EPERM,
  ];
  return assemble([
    loadArchitecture,
    ...unlessEqual(AUDIT_ARCH[arch], [KILL]),
    loadNumber,
    ...(arch === "x86_64" ? whenAtLeast(X32, [EPERM]) : []),
    ...PLAIN_SYSCALLS.flatMap((name) => on(name, [ALLOW])),
    ...on("clone", [
      loadArgument(0),
      keepBits(THREAD | NEVER),
      ...whenEqual(THREAD, [ALLOW]),
      EPERM,
    ]),
    // Its flags are behind a pointer. libc falls back to clone.
    ...on("clone3", [ENOSYS]),
    // The runtime's database tries again for ten seconds where it gets no lock; the write that follows fails at once.
    ...on("fcntl", [loadArgument(1), ...whenEqual(F_SETLK, [PRETEND]), ...oneOf(1, FCNTL)]),
    ...on("ioctl", oneOf(1, IOCTL)),
    ...on("prctl", oneOf(0, PRCTL)),
    // To the other end of a pair, never to an address.
    ...on("sendto", [
      loadArgument(4),
      ...unlessEqual(0, [EPERM]),
      loadHighArgument(4),
      ...unlessEqual(0, [EPERM]),
      ALLOW,
    ]),
    ...on("tgkill", oneOf(0, { pid })),
    EPERM,
  ]);
}
