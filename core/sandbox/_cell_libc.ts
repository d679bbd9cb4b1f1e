import type { Architecture } from "./_syscalls.ts";

const NUMBERS = {
  close: [3, 57],
  mmap: [9, 222],
  dup3: [292, 24],
  openat: [257, 56],
  prctl: [157, 167],
  prlimit64: [302, 261],
  seccomp: [317, 277],
  socket: [41, 198],
} as const satisfies Record<string, readonly [x86_64: number, aarch64: number]>;

const SECCOMP_SET_MODE_FILTER = 1n;
const SECCOMP_FILTER_FLAG_TSYNC = 1n;
const PROT_READ_WRITE = 3n;
const MAP_PRIVATE_FIXED_ANONYMOUS = 0x32n;
const AT_FDCWD = -100n;
const O_PATH_CLOEXEC = 0o12000000n;

const LONG = "i64";
/** One C function; the names differ in how many arguments there are, and which is a buffer. Every name costs time: a cell starts with this. */
const SYMBOLS = {
  third: { name: "syscall", parameters: [LONG, LONG, "buffer", LONG, LONG, LONG], result: LONG },
  six: { name: "syscall", parameters: [LONG, LONG, LONG, LONG, LONG, LONG, LONG], result: LONG },
  fourth: { name: "syscall", parameters: [LONG, LONG, LONG, "buffer", LONG, LONG], result: LONG },
} as const satisfies Deno.ForeignLibraryInterface;

/** The system calls that a cell shuts itself in with. */
export interface CellLibc extends Disposable {
  prctl(what: string, option: number, argument: number): void;
  /** Soft and hard limit of this process: setrlimit(2). False where the hard one was lower. */
  limit(resource: number, value: number): boolean;
  /** For every thread of the process, or for none. */
  filterAllThreads(filter: Uint8Array<ArrayBuffer>): void;
  /** A descriptor that stands for the path and opens nothing; negative when it cannot be had. */
  openPath(path: string): number;
  /** The descriptor, or a negative number. */
  openSocket(family: number, type: number): number;
  /** Puts what `from` stands for in the place of `to`, which is closed. */
  replace(from: number, to: number): void;
  close(descriptor: number): void;
  /** Puts empty memory of this process alone in the place of what is there. */
  cover(address: bigint, bytes: bigint): void;
}

export function createCellLibc(arch: Architecture): CellLibc {
  const library = openLibrary(arch);
  const { third, fourth, six } = library.symbols;
  const number = (name: keyof typeof NUMBERS) => BigInt(NUMBERS[name][arch === "x86_64" ? 0 : 1]);
  const call = (name: keyof typeof NUMBERS, a = 0, b = 0) =>
    Number(fourth(number(name), BigInt(a), BigInt(b), null, 0n, 0n));
  const check = (what: string, result: number | bigint) => {
    if (Number(result) !== 0) throw new Error(`cannot ${what}`);
  };
  return {
    prctl: (what, option, argument) => check(what, call("prctl", option, argument)),
    limit(resource, value) {
      const both = new BigUint64Array([BigInt(value), BigInt(value)]);
      return fourth(number("prlimit64"), 0n, BigInt(resource), both, 0n, 0n) === 0n;
    },
    filterAllThreads(filter) {
      // struct sock_fprog: a count of instructions, and where they are.
      const program = new DataView(new ArrayBuffer(16));
      program.setUint16(0, filter.length / 8, true);
      program.setBigUint64(8, BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(filter))), true);
      const flag = SECCOMP_FILTER_FLAG_TSYNC;
      // What is positive is a thread that could not be made to follow.
      check(
        "install a seccomp filter",
        fourth(number("seccomp"), SECCOMP_SET_MODE_FILTER, flag, program.buffer, 0n, 0n),
      );
    },
    openPath(path) {
      const name = new TextEncoder().encode(`${path}\0`);
      return Number(third(number("openat"), AT_FDCWD, name, O_PATH_CLOEXEC, 0n, 0n));
    },
    openSocket: (family, type) => call("socket", family, type),
    replace(from, to) {
      // Its flags are the third argument, which is no buffer here: it stays without any, and nothing is started from here.
      if (call("dup3", from, to) < 0) throw new Error("cannot close a descriptor");
    },
    close: (descriptor) => void call("close", descriptor),
    cover(address, bytes) {
      const made = six(number("mmap"), address, bytes, PROT_READ_WRITE, MAP_PRIVATE_FIXED_ANONYMOUS, -1n, 0n);
      if (made !== address) throw new Error("cannot cover shared memory");
    },
    [Symbol.dispose]: () => library.close(),
  };
}

/** glibc, then musl, which has its architecture in the name. */
function openLibrary(arch: Architecture): Deno.DynamicLibrary<typeof SYMBOLS> {
  let failure: unknown;
  for (const name of ["libc.so.6", `libc.musl-${arch}.so.1`, "libc.so"]) {
    try {
      return Deno.dlopen(name, SYMBOLS);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}
