import {
  assemble,
  type Block,
  keepBits,
  loadArchitecture,
  loadArgument,
  loadNumber,
  unlessEqual,
  verdict,
  whenAnyBit,
  whenAtLeast,
  whenEqual,
} from "./_bpf.ts";
import {
  type Architecture,
  LAST_KNOWN,
  REFUSED_SYSCALLS,
  SHARED_SYSCALLS,
  type SyscallName,
  syscallNumber,
} from "./_syscalls.ts";

export type { Architecture } from "./_syscalls.ts";

export interface SeccompOptions {
  /** `isolated`: the child has a network namespace of its own. */
  readonly network: "none" | "isolated" | "all";
  readonly unixSockets: boolean;
  readonly arch: Architecture;
  /**
   * Process, thread and (negative) group numbers that must not be signalled, nor any thread by its own number through a
   * descriptor. For children that see the process numbers of pryx, and so what programs of this user share by number,
   * which is refused too. Absent: they live in namespaces of their own.
   */
  readonly spared?: readonly number[];
  /** Truncating by path is refused: Landlock before version 3 does not see it. */
  readonly noTruncate?: boolean;
}

const ALLOW = verdict(0x7fff0000);
const KILL = verdict(0x80000000);
const ERRNO = 0x00050000;
const EPERM = verdict(ERRNO | 1);
/** For calls that libraries know how to do without. */
const ENOSYS = verdict(ERRNO | 38);

export const AUDIT_ARCH: Record<Architecture, number> = { x86_64: 0xc000003e, aarch64: 0xc00000b7 };
/** System calls of the x32 ABI have this bit in their number. */
export const X32 = 0x40000000;

/** Every CLONE_NEW* that clone(2) knows: mount, cgroup, uts, ipc, user, pid, net. */
const NEW_NAMESPACE = 0x7e020000;

const AF = { unix: 1, inet: 2, inet6: 10, netlink: 16 };
const SOCK = { stream: 1, datagram: 2, seqpacket: 5 };
/** Without SOCK_NONBLOCK and SOCK_CLOEXEC. */
const SOCK_TYPE = 0xf;
const NETLINK_ROUTE = 0;

/** Requests of ioctl(2) that type into, or select in, a terminal that is shared with pryx. */
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
const FIOSETOWN = 0x8901;
const SIOCSPGRP = 0x8902;

const F_SETOWN = 8;
const F_SETOWN_EX = 15;
const PIDFD_THREAD = 0x80;

const O_WRONLY = 1;
const O_RDWR = 2;
const O_ACCMODE = 3;
const O_TRUNC = 0x200;

/**
 * A seccomp filter as an array of struct sock_filter: for prctl(PR_SET_SECCOMP) and for bubblewrap's `--seccomp`.
 * Sockets are allowed by list, other calls refused by list with EPERM; calls that are newer than the list are answered
 * as if the kernel did not have them. Pure.
 */
export function seccompFilter(options: SeccompOptions): Uint8Array<ArrayBuffer> {
  const { arch } = options;
  const on = (name: SyscallName, block: Block): Block => {
    const number = syscallNumber(name, arch);
    return number === undefined ? [] : whenEqual(number, block);
  };
  return assemble([
    loadArchitecture,
    ...unlessEqual(AUDIT_ARCH[arch], [KILL]),
    loadNumber,
    ...(arch === "x86_64" ? whenAtLeast(X32, [EPERM]) : []),
    ...on("socket", socket(options)),
    ...on("socketpair", socketpair(options)),
    ...on("clone", [loadArgument(0), ...whenAnyBit(NEW_NAMESPACE, [EPERM]), ALLOW]),
    // Its flags are behind a pointer. libc falls back to clone.
    ...on("clone3", [ENOSYS]),
    ...on("ioctl", ioctl(options)),
    // Limits of its own only: those of another process of the user could end it.
    ...on("prlimit64", [loadArgument(0), ...whenEqual(0, [ALLOW]), EPERM]),
    ...(options.spared ? sparing(options.spared, on) : []),
    ...(options.noTruncate ? withoutTruncate(on) : []),
    ...REFUSED_SYSCALLS.flatMap((name) => on(name, [EPERM])),
    ...whenAtLeast(LAST_KNOWN + 1, [ENOSYS]),
    ALLOW,
  ]);
}

function socket({ network, unixSockets }: SeccompOptions): Block {
  const internet: Block = [
    loadArgument(1),
    keepBits(SOCK_TYPE),
    ...whenEqual(SOCK.stream, [ALLOW]),
    ...whenEqual(SOCK.datagram, [ALLOW]),
    EPERM,
  ];
  const route: Block = [loadArgument(2), ...whenEqual(NETLINK_ROUTE, [ALLOW]), EPERM];
  return [
    loadArgument(0),
    ...(unixSockets ? whenEqual(AF.unix, [ALLOW]) : []),
    ...(network === "none" ? [] : [
      ...whenEqual(AF.inet, internet),
      ...whenEqual(AF.inet6, internet),
      ...whenEqual(AF.netlink, route),
    ]),
    EPERM,
  ];
}

/** Pairs speak to each other alone. A datagram one could be sent elsewhere; SOCK_RAW is another word for it here. */
function socketpair({ unixSockets }: SeccompOptions): Block {
  return [
    loadArgument(0),
    ...unlessEqual(AF.unix, [EPERM]),
    ...(unixSockets ? [ALLOW] : [
      loadArgument(1),
      keepBits(SOCK_TYPE),
      ...whenEqual(SOCK.stream, [ALLOW]),
      ...whenEqual(SOCK.seqpacket, [ALLOW]),
      EPERM,
    ]),
  ];
}

function ioctl({ spared }: SeccompOptions): Block {
  const refused = [TIOCSTI, TIOCLINUX, ...(spared ? [FIOSETOWN, SIOCSPGRP] : [])];
  return [loadArgument(1), ...refused.flatMap((request) => whenEqual(request, [EPERM])), ALLOW];
}

/**
 * Landlock lets a child signal its own domain, and the thread that started it is in that: by a signal to that thread's
 * number it could end pryx.
 */
function sparing(ids: readonly number[], on: (name: SyscallName, block: Block) => Block): Block {
  const refuse = ids.flatMap((id) => whenEqual(id, [EPERM]));
  const first: Block = [loadArgument(0), ...refuse];
  const owner: Block = [loadArgument(2), ...refuse, ALLOW];
  return [
    ...on("kill", [...first, ALLOW]),
    ...on("tkill", [...first, ALLOW]),
    ...on("rt_sigqueueinfo", [...first, ALLOW]),
    ...on("tgkill", [...first, loadArgument(1), ...refuse, ALLOW]),
    ...on("rt_tgsigqueueinfo", [...first, loadArgument(1), ...refuse, ALLOW]),
    ...on("pidfd_open", [...first, loadArgument(1), ...whenAnyBit(PIDFD_THREAD, [EPERM]), ALLOW]),
    // A folder of /proc serves as a descriptor too.
    ...on("pidfd_send_signal", [ENOSYS]),
    ...SHARED_SYSCALLS.flatMap((name) => on(name, [EPERM])),
    // Who gets SIGIO, or the signal chosen instead of it.
    ...on("fcntl", [
      loadArgument(1),
      ...whenEqual(F_SETOWN, owner),
      ...whenEqual(F_SETOWN_EX, [EPERM]),
      ALLOW,
    ]),
  ];
}

function withoutTruncate(on: (name: SyscallName, block: Block) => Block): Block {
  // O_RDONLY and the odd fourth mode open a file without the right to write, and truncate it all the same.
  const flagsIn = (index: number): Block => [
    loadArgument(index),
    ...whenAnyBit(O_TRUNC, [
      keepBits(O_ACCMODE),
      ...whenEqual(O_WRONLY, [ALLOW]),
      ...whenEqual(O_RDWR, [ALLOW]),
      EPERM,
    ]),
    ALLOW,
  ];
  return [
    ...on("truncate", [EPERM]),
    ...on("open", flagsIn(1)),
    ...on("openat", flagsIn(2)),
    ...on("openat2", [ENOSYS]),
  ];
}
