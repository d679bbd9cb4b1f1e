import type { Architecture } from "./_syscalls.ts";

type Table = Readonly<Record<string, readonly [x86_64: number | null, aarch64: number | null]>>;

/**
 * What V8 and Deno's runtime ask of the kernel once everything is loaded: memory, threads of their own, time, and reading
 * and writing what is open already. From syscall_64.tbl and asm-generic/unistd.h.
 */
const PLAIN = {
  read: [0, 63],
  readv: [19, 65],
  write: [1, 64],
  writev: [20, 66],
  close: [3, 57],
  fstat: [5, 80],
  lseek: [8, 62],

  mmap: [9, 222],
  mprotect: [10, 226],
  munmap: [11, 215],
  brk: [12, 214],
  mremap: [25, 216],
  madvise: [28, 233],
  pkey_mprotect: [329, 288],
  pkey_alloc: [330, 289],
  pkey_free: [331, 290],

  rt_sigaction: [13, 134],
  rt_sigprocmask: [14, 135],
  rt_sigreturn: [15, 139],
  sigaltstack: [131, 132],
  restart_syscall: [219, 128],

  futex: [202, 98],
  sched_yield: [24, 124],
  sched_getaffinity: [204, 123],
  sched_getparam: [143, 121],
  sched_getscheduler: [145, 120],
  set_robust_list: [273, 99],
  rseq: [334, 293],
  membarrier: [324, 283],
  getpid: [39, 172],
  gettid: [186, 178],
  exit: [60, 93],
  exit_group: [231, 94],

  poll: [7, null],
  ppoll: [271, 73],
  epoll_wait: [232, null],
  epoll_pwait: [281, 22],
  epoll_ctl: [233, 21],
  eventfd2: [290, 19],
  // Of the pair of sockets that the runtime wakes itself up with when a signal comes.
  recvfrom: [45, 207],
  nanosleep: [35, 101],
  clock_nanosleep: [230, 115],
  clock_gettime: [228, 113],
  clock_getres: [229, 114],
  gettimeofday: [96, 169],
  getrandom: [318, 278],
  getrusage: [98, 165],
} as const satisfies Table;

/** Calls whose arguments decide. */
const WEIGHED = {
  clone: [56, 220],
  clone3: [435, 435],
  fcntl: [72, 25],
  ioctl: [16, 29],
  prctl: [157, 167],
  sendto: [44, 206],
  tgkill: [234, 131],
} as const satisfies Table;

export type CellSyscall = keyof typeof PLAIN | keyof typeof WEIGHED;
export const PLAIN_SYSCALLS = Object.keys(PLAIN) as readonly (keyof typeof PLAIN)[];
const NUMBERS = { ...PLAIN, ...WEIGHED };

/** Null where that machine has no such call. */
export function cellSyscallNumber(name: CellSyscall, arch: Architecture): number | null {
  return NUMBERS[name][arch === "x86_64" ? 0 : 1];
}
