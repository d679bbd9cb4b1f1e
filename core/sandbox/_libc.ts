import type { Architecture } from "./_syscalls.ts";

const NUMBERS = {
  close: [3, 57],
  close_range: [436, 436],
  fcntl: [72, 25],
  getpgid: [121, 155],
  geteuid: [107, 175],
  gettid: [186, 178],
  prctl: [157, 167],
  openat: [257, 56],
  statx: [332, 291],
  landlock_create_ruleset: [444, 444],
  landlock_add_rule: [445, 445],
  landlock_restrict_self: [446, 446],
} as const satisfies Record<string, readonly [x86_64: number, aarch64: number]>;

const LANDLOCK_CREATE_RULESET_VERSION = 1;
const LANDLOCK_RULE_PATH_BENEATH = 1n;
const AT_FDCWD = -100n;
const AT_EMPTY_PATH = 0x1000n;
const O_PATH_CLOEXEC = 0o12000000n;
const STATX_BASIC_STATS = 0x7ffn;
const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const PR_GET_SECCOMP = 21;
const CLOSE_RANGE_CLOEXEC = 4;
const LAST_DESCRIPTOR = 0xffffffff;
const F_SETFD = 2;
const FD_CLOEXEC = 1;

const LONG = "i64";
/** One C function under several names: what stands for a pointer differs. */
const SYMBOLS = {
  call: { name: "syscall", parameters: [LONG, LONG, LONG, LONG, LONG, LONG], result: LONG },
  open: { name: "syscall", parameters: [LONG, LONG, "buffer", LONG, LONG], result: LONG },
  statx: { name: "syscall", parameters: [LONG, LONG, "buffer", LONG, LONG, "buffer"], result: LONG },
  ruleset: { name: "syscall", parameters: [LONG, "buffer", LONG, LONG], result: LONG },
  rule: { name: "syscall", parameters: [LONG, LONG, LONG, "buffer", LONG], result: LONG },
  filter: { name: "syscall", parameters: [LONG, LONG, LONG, "buffer", LONG, LONG], result: LONG },
  errno: { name: "__errno_location", parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The few system calls of the kernel sandbox. Those that fail throw, with the number of the error, unless said otherwise. */
export interface Libc extends Disposable {
  /** 0 where there is none. */
  landlockVersion(): number;
  hasSeccomp(): boolean;
  isRoot(): boolean;
  threadId(): number;
  processGroup(): number;
  /** `what`, for the message: "cannot …". */
  prctl(what: string, option: number, argument: number): void;
  /** What the call returned; negative when it failed. */
  tryPrctl(option: number, argument: number): number;
  createRuleset(attributes: BigUint64Array<ArrayBuffer>): number;
  /** A descriptor that stands for the path and opens nothing. Undefined when it is not there or not to be seen. */
  openPath(path: string): number | undefined;
  identify(descriptor: number): { folder: boolean; device: number; inode: number };
  addRule(ruleset: number, target: number, rights: bigint, path: string): void;
  restrictSelf(ruleset: number): void;
  installFilter(option: number, mode: number, filter: Uint8Array<ArrayBuffer>): void;
  close(descriptor: number): void;
  /** Every descriptor of the process from this one on is closed in programs that it starts. False before Linux 5.11. */
  closeAllOnExec(first: number): boolean;
  /** The same for one. One that is not open is no error. */
  closeOnExec(descriptor: number): void;
}

export function createLibc(arch: Architecture): Libc {
  const library = openLibrary(arch);
  const { symbols } = library;
  const number = (name: keyof typeof NUMBERS) => BigInt(NUMBERS[name][arch === "x86_64" ? 0 : 1]);
  const call = (name: keyof typeof NUMBERS, a = 0, b = 0, c = 0) =>
    Number(symbols.call(number(name), BigInt(a), BigInt(b), BigInt(c), 0n, 0n));
  const errno = () => {
    const at = symbols.errno();
    return at === null ? 0 : new Deno.UnsafePointerView(at).getInt32();
  };
  const check = (what: string, result: number | bigint): number => {
    const value = Number(result);
    if (value < 0) throw new Error(`cannot ${what} (error ${errno()})`);
    return value;
  };

  return {
    landlockVersion: () =>
      Math.max(0, call("landlock_create_ruleset", 0, 0, LANDLOCK_CREATE_RULESET_VERSION)),
    hasSeccomp: () => call("prctl", PR_GET_SECCOMP) >= 0,
    isRoot: () => call("geteuid") === 0,
    threadId: () => call("gettid"),
    processGroup: () => call("getpgid"),
    prctl: (what, option, argument) => void check(what, call("prctl", option, argument)),
    tryPrctl: (option, argument) => call("prctl", option, argument),
    createRuleset: (attributes) =>
      check(
        "make a Landlock rule set",
        symbols.ruleset(number("landlock_create_ruleset"), attributes, BigInt(attributes.byteLength), 0n),
      ),
    openPath(path) {
      const name = new TextEncoder().encode(`${path}\0`);
      const descriptor = Number(symbols.open(number("openat"), AT_FDCWD, name, O_PATH_CLOEXEC, 0n));
      return descriptor < 0 ? undefined : descriptor;
    },
    identify(descriptor) {
      const empty = new Uint8Array(1);
      const found = new DataView(new ArrayBuffer(256));
      const answer = symbols.statx(
        number("statx"),
        BigInt(descriptor),
        empty,
        AT_EMPTY_PATH,
        STATX_BASIC_STATS,
        found.buffer,
      );
      check("look at a file", answer);
      return {
        folder: (found.getUint16(28, true) & S_IFMT) === S_IFDIR,
        inode: Number(found.getBigUint64(32, true)),
        device: deviceNumber(found.getUint32(136, true), found.getUint32(140, true)),
      };
    },
    addRule(ruleset, target, rights, path) {
      // struct landlock_path_beneath_attr, packed.
      const rule = new DataView(new ArrayBuffer(12));
      rule.setBigUint64(0, rights, true);
      rule.setInt32(8, target, true);
      check(
        `add a Landlock rule for ${path}`,
        symbols.rule(
          number("landlock_add_rule"),
          BigInt(ruleset),
          LANDLOCK_RULE_PATH_BENEATH,
          rule.buffer,
          0n,
        ),
      );
    },
    restrictSelf: (ruleset) => void check("enforce Landlock rules", call("landlock_restrict_self", ruleset)),
    installFilter(option, mode, filter) {
      // struct sock_fprog: a count of instructions, and where they are.
      const program = new DataView(new ArrayBuffer(16));
      program.setUint16(0, filter.length / 8, true);
      program.setBigUint64(8, BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(filter))), true);
      check(
        "install a seccomp filter",
        symbols.filter(number("prctl"), BigInt(option), BigInt(mode), program.buffer, 0n, 0n),
      );
    },
    closeAllOnExec: (first) => call("close_range", first, LAST_DESCRIPTOR, CLOSE_RANGE_CLOEXEC) >= 0,
    closeOnExec: (descriptor) => void call("fcntl", descriptor, F_SETFD, FD_CLOEXEC),
    close: (descriptor) => void call("close", descriptor),
    [Symbol.dispose]: () => library.close(),
  };
}

/** As stat(2) has it: gnu_dev_makedev(3). */
function deviceNumber(major: number, minor: number): number {
  const [a, b] = [BigInt(major), BigInt(minor)];
  return Number(
    ((a & 0xfffff000n) << 32n) | ((a & 0xfffn) << 8n) | ((b & 0xffffff00n) << 12n) | (b & 0xffn),
  );
}

/** glibc, then musl, which has its architecture in the name. */
function openLibrary(arch: Architecture): Deno.DynamicLibrary<typeof SYMBOLS> {
  const names = ["libc.so.6", `libc.musl-${arch}.so.1`, "libc.so"];
  const failures: unknown[] = [];
  for (const name of names) {
    try {
      return Deno.dlopen(name, SYMBOLS);
    } catch (error) {
      failures.push(error);
    }
  }
  throw new AggregateError(failures, "cannot open the C library");
}
