/** What the kernel calls the machine that pryx runs on. Only these two have a filter. */
export type Architecture = "x86_64" | "aarch64";

/** By name: on x86-64 and on aarch64 (absent: it has none of that name). From syscall_64.tbl and asm-generic/unistd.h. */
type Table = Readonly<Record<string, readonly [x86_64: number, aarch64?: number]>>;

/** Calls whose arguments decide. */
const WEIGHED = {
  open: [2],
  socket: [41, 198],
  socketpair: [53, 199],
  clone: [56, 220],
  ioctl: [16, 29],
  fcntl: [72, 25],
  truncate: [76, 45],
  openat: [257, 56],
  openat2: [437, 437],
  kill: [62, 129],
  tkill: [200, 130],
  tgkill: [234, 131],
  rt_sigqueueinfo: [129, 138],
  rt_tgsigqueueinfo: [297, 240],
  pidfd_send_signal: [424, 424],
  pidfd_open: [434, 434],
  prlimit64: [302, 261],
  clone3: [435, 435],
} as const satisfies Table;

/** Shared memory, semaphores and queues of System V: all that this user's programs have, by number, and no file to close. */
const SHARED = {
  shmget: [29, 194],
  shmat: [30, 196],
  shmctl: [31, 195],
  semget: [64, 190],
  semop: [65, 193],
  semctl: [66, 191],
  semtimedop: [220, 192],
  msgget: [68, 186],
  msgsnd: [69, 189],
  msgrcv: [70, 188],
  msgctl: [71, 187],
} as const satisfies Table;

/** Never of use to a confined command: other processes, the kernel's insides, keyrings, mounts, namespaces, the machine's state. */
const REFUSED = {
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  process_mrelease: [448, 448],
  kcmp: [312, 272],
  pidfd_getfd: [438, 438],

  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  fanotify_init: [300, 262],
  fanotify_mark: [301, 263],
  lookup_dcookie: [212, 18],

  unshare: [272, 97],
  setns: [308, 268],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  open_tree: [428, 428],
  open_tree_attr: [467, 467],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  open_by_handle_at: [304, 265],

  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  create_module: [174],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  reboot: [169, 142],
  swapon: [167, 224],
  swapoff: [168, 225],
  acct: [163, 89],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  nfsservctl: [180, 42],
  syslog: [103, 116],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  clock_adjtime: [305, 266],
  adjtimex: [159, 171],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  vhangup: [153, 58],
  iopl: [172],
  ioperm: [173],
  uselib: [134],
  _sysctl: [156],
} as const satisfies Table;

export type SyscallName = keyof typeof WEIGHED | keyof typeof SHARED | keyof typeof REFUSED;
const NUMBERS = { ...WEIGHED, ...SHARED, ...REFUSED };
export const SHARED_SYSCALLS = Object.keys(SHARED) as readonly (keyof typeof SHARED)[];
export const REFUSED_SYSCALLS = Object.keys(REFUSED) as readonly (keyof typeof REFUSED)[];

/** The last number whose meaning was weighed (`file_setattr`, Linux 6.17). What comes after it is unknown, and refused. */
export const LAST_KNOWN = 469;

/** Undefined where that machine has no such call. */
export function syscallNumber(name: SyscallName, arch: Architecture): number | undefined {
  const numbers: readonly [number, number?] = NUMBERS[name];
  return arch === "x86_64" ? numbers[0] : numbers[1];
}
