import assert from "node:assert/strict";
import { interpret } from "./_bpf_interpreter.ts";
import { type Architecture, seccompFilter, type SeccompOptions } from "../../core/sandbox/seccomp.ts";

const EPERM = "EPERM";
const ENOSYS = "ENOSYS";
const ARCHES: Record<Architecture, number> = { x86_64: 0xc000003e, aarch64: 0xc00000b7 };
function judge(options: Partial<SeccompOptions>, number: number, ...args: (number | bigint)[]): string {
  const arch = options.arch ?? "x86_64";
  const filter = seccompFilter({ network: "none", unixSockets: false, arch, ...options });
  return interpret(filter, ARCHES[arch], number, args.map(BigInt));
}

/** x86-64, aarch64. */
const CALLS = {
  read: [0, 63],
  execve: [59, 221],
  socket: [41, 198],
  socketpair: [53, 199],
  clone: [56, 220],
  ioctl: [16, 29],
  fcntl: [72, 25],
  kill: [62, 129],
  tkill: [200, 130],
  tgkill: [234, 131],
  rt_sigqueueinfo: [129, 138],
  rt_tgsigqueueinfo: [297, 240],
  openat: [257, 56],
  truncate: [76, 45],
  prlimit64: [302, 261],
} as const;
const REFUSED: Record<string, readonly [x86_64: number, aarch64: number | undefined]> = {
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
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
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  unshare: [272, 97],
  setns: [308, 268],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  reboot: [169, 142],
  swapon: [167, 224],
  swapoff: [168, 225],
  acct: [163, 89],
  quotactl: [179, 60],
  open_by_handle_at: [304, 265],
  syslog: [103, 116],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  adjtimex: [159, 171],
  process_madvise: [440, 440],
  process_mrelease: [448, 448],
  fanotify_init: [300, 262],
  fanotify_mark: [301, 263],
  lookup_dcookie: [212, 18],
  open_tree_attr: [467, 467],
  quotactl_fd: [443, 443],
  nfsservctl: [180, 42],
  clock_adjtime: [305, 266],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  vhangup: [153, 58],
  create_module: [174, undefined],
  iopl: [172, undefined],
  ioperm: [173, undefined],
  uselib: [134, undefined],
  _sysctl: [156, undefined],
};
const [UNIX, INET, INET6, NETLINK, PACKET, VSOCK, ALG, BLUETOOTH] = [1, 2, 10, 16, 17, 40, 38, 31];
const [STREAM, DATAGRAM, RAW, SEQPACKET] = [1, 2, 3, 5];
const CLOEXEC = 0x80000;
/** Noise in the half of an argument that the kernel drops. */
const HIGH = 0x1234_0000_0000n;

for (const [index, arch] of (["x86_64", "aarch64"] as const).entries()) {
  const call = (name: keyof typeof CALLS) => CALLS[name][index] ?? assert.fail(name);
  const check = (options: Partial<SeccompOptions>, name: keyof typeof CALLS, ...args: (number | bigint)[]) =>
    judge({ arch, ...options }, call(name), ...args);

  Deno.test(`seccompFilter() refuses what reaches other processes and the machine on ${arch}`, () => {
    for (const [name, numbers] of Object.entries(REFUSED)) {
      const number = numbers[index];
      if (number !== undefined) assert.equal(judge({ arch }, number), EPERM, name);
    }
    assert.equal(check({}, "read"), "allow");
    assert.equal(check({}, "execve"), "allow");
    assert.equal(judge({ arch }, 435), ENOSYS, "clone3");
    assert.equal(judge({ arch }, 469), "allow");
    assert.equal(judge({ arch }, 470), ENOSYS, "a system call of the future");
  });

  Deno.test(`seccompFilter() allows sockets by family and type on ${arch}`, () => {
    const socket = (options: Partial<SeccompOptions>, ...args: (number | bigint)[]) =>
      check(options, "socket", ...args);
    for (const network of ["none", "isolated", "all"] as const) {
      const open = network === "none" ? EPERM : "allow";
      for (const family of [INET, INET6]) {
        assert.equal(socket({ network }, family, STREAM | CLOEXEC, 0), open);
        assert.equal(socket({ network }, family, DATAGRAM, 17), open);
        assert.equal(socket({ network }, family, RAW, 1), EPERM);
        assert.equal(socket({ network }, family, SEQPACKET, 132), EPERM);
      }
      assert.equal(socket({ network }, NETLINK, RAW | CLOEXEC, 0), open);
      for (const protocol of [4, 9, 12, 15, 16]) {
        assert.equal(socket({ network }, NETLINK, RAW, protocol), EPERM);
      }
      for (const family of [0, PACKET, VSOCK, ALG, BLUETOOTH, 99]) {
        assert.equal(socket({ network }, family, STREAM, 0), EPERM, `family ${family}`);
      }
      assert.equal(socket({ network }, UNIX, STREAM, 0), EPERM);
      assert.equal(socket({ network, unixSockets: true }, UNIX, DATAGRAM, 0), "allow");
    }
    assert.equal(socket({ unixSockets: true }, INET, STREAM, 0), EPERM);
    assert.equal(socket({}, HIGH | BigInt(INET), STREAM, 0), EPERM);
    assert.equal(socket({ network: "all" }, INET, HIGH | BigInt(RAW), 0), EPERM);
  });

  Deno.test(`seccompFilter() allows socket pairs that speak to each other alone on ${arch}`, () => {
    const pair = (options: Partial<SeccompOptions>, ...args: number[]) =>
      check(options, "socketpair", ...args);
    assert.equal(pair({}, UNIX, STREAM | CLOEXEC), "allow");
    assert.equal(pair({}, UNIX, SEQPACKET), "allow");
    assert.equal(pair({}, UNIX, DATAGRAM), EPERM);
    assert.equal(pair({}, UNIX, RAW), EPERM);
    assert.equal(pair({ unixSockets: true }, UNIX, DATAGRAM), "allow");
    assert.equal(pair({ network: "all" }, INET, STREAM), EPERM);
  });

  Deno.test(`seccompFilter() refuses namespaces, typing into terminals and others' limits on ${arch}`, () => {
    assert.equal(check({}, "clone", 0x01200011), "allow");
    for (
      const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]
    ) {
      assert.equal(check({}, "clone", flag | 17), EPERM);
      assert.equal(check({}, "clone", HIGH | BigInt(flag)), EPERM);
    }
    assert.equal(check({}, "ioctl", 0, 0x5412), EPERM);
    assert.equal(check({}, "ioctl", 0, HIGH | 0x5412n), EPERM);
    assert.equal(check({}, "ioctl", 0, 0x541c), EPERM);
    assert.equal(check({}, "ioctl", 0, 0x5401), "allow");
    assert.equal(check({}, "prlimit64", 0, 7), "allow");
    assert.equal(check({}, "prlimit64", HIGH, 7), "allow");
    assert.equal(check({}, "prlimit64", 4711, 7), EPERM);
  });

  Deno.test(`seccompFilter() refuses signals to spared numbers and to no other on ${arch}`, () => {
    const spared = [4711, 4712, -1];
    for (const name of ["kill", "tkill", "rt_sigqueueinfo"] as const) {
      assert.equal(check({ spared }, name, 4711, 9), EPERM);
      assert.equal(check({ spared }, name, HIGH | 4712n, 9), EPERM);
      assert.equal(check({ spared }, name, -1, 9), EPERM);
      assert.equal(check({ spared }, name, 0xffff_ffffn, 9), EPERM);
      assert.equal(check({ spared }, name, 4713, 9), "allow");
      assert.equal(check({}, name, 4711, 9), "allow");
    }
    for (const name of ["tgkill", "rt_tgsigqueueinfo"] as const) {
      assert.equal(check({ spared }, name, 4711, 1, 9), EPERM);
      assert.equal(check({ spared }, name, 1, 4712, 9), EPERM);
      assert.equal(check({ spared }, name, 1, 2, 9), "allow");
    }
    assert.equal(check({ spared }, "fcntl", 0, 8, 4712), EPERM, "F_SETOWN");
    assert.equal(check({ spared }, "fcntl", 0, 8, 4713), "allow");
    assert.equal(check({ spared }, "fcntl", 0, 15, 0), EPERM, "F_SETOWN_EX");
    assert.equal(check({ spared }, "fcntl", 0, 2, 4712), "allow");
    assert.equal(check({ spared }, "ioctl", 0, 0x8901), EPERM, "FIOSETOWN");
    assert.equal(check({ spared }, "ioctl", 0, 0x8902), EPERM, "SIOCSPGRP");
    for (
      const shared of arch === "x86_64" ? [29, 30, 31, 64, 65, 66, 68, 69, 70, 71, 220] : [186, 187, 194, 196]
    ) {
      assert.equal(judge({ arch, spared }, shared, 0), EPERM, `shared by number: ${shared}`);
      assert.equal(judge({ arch }, shared, 0), "allow");
    }
    assert.equal(judge({ arch, spared }, 424), ENOSYS, "pidfd_send_signal");
    assert.equal(judge({ arch, spared }, 434, 1, 0), "allow", "pidfd_open");
    assert.equal(judge({ arch, spared }, 434, 1, 0x80), EPERM, "pidfd_open of a thread");
  });

  Deno.test(`seccompFilter() refuses to truncate without the right to write, where asked, on ${arch}`, () => {
    const noTruncate = true;
    assert.equal(check({ noTruncate }, "truncate", 0, 0), EPERM);
    assert.equal(check({}, "truncate", 0, 0), "allow");
    for (const mode of [0, 3]) assert.equal(check({ noTruncate }, "openat", 0, 0, 0x200 | mode), EPERM);
    for (const mode of [1, 2]) assert.equal(check({ noTruncate }, "openat", 0, 0, 0x200 | mode), "allow");
    assert.equal(check({ noTruncate }, "openat", 0, 0, 0x80000), "allow");
    assert.equal(judge({ arch, noTruncate }, 437), ENOSYS, "openat2");
  });
}

Deno.test("seccompFilter() knows no system calls but those of its architecture", () => {
  const filter = seccompFilter({ network: "all", unixSockets: true, arch: "x86_64" });
  assert.equal(interpret(filter, 0x40000003, 1, []), "kill");
  assert.equal(interpret(filter, ARCHES.aarch64, 63, []), "kill");
  assert.equal(interpret(filter, ARCHES.x86_64, 0x40000000 + 39, []), EPERM);
  assert.equal(interpret(filter, ARCHES.x86_64, 39, []), "allow");
});
