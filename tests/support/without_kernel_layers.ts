import { fileURLToPath } from "node:url";
import { withoutBubblewrap } from "./without_bubblewrap.ts";

/**
 * `deno run -A without_kernel_layers.ts PROGRAM ARGS…` becomes the program, with a kernel that knows no Landlock: a filter
 * answers its first system call with ENOSYS, for good. With bubblewrap not on PATH, nothing is left that holds a command.
 */

/** struct sock_filter, each: load the number of the call; Landlock's? then ENOSYS; else allowed. */
const FILTER: readonly (readonly [code: number, yes: number, no: number, value: number])[] = [
  [0x20, 0, 0, 0],
  [0x15, 0, 1, 444],
  [0x06, 0, 0, 0x0005_0000 | 38],
  [0x06, 0, 0, 0x7fff_0000],
];
const PR_SET_NO_NEW_PRIVS = 38;
const PR_SET_SECCOMP = 22;
const SECCOMP_MODE_FILTER = 2n;

/** A machine on which nothing can hold a command. */
export interface Unheld extends AsyncDisposable {
  /** A command line to start programs through, with an absolute path. */
  readonly through: readonly string[];
  /** A PATH without bubblewrap. */
  readonly path: string;
}

/** Everything else is as it is here. Linux. */
export async function withoutKernelLayers(): Promise<Unheld> {
  const search = await withoutBubblewrap();
  return {
    through: [Deno.execPath(), "run", "-A", "--no-config", "--quiet", fileURLToPath(import.meta.url)],
    path: search.path,
    [Symbol.asyncDispose]: () => search[Symbol.asyncDispose](),
  };
}

function becomeProgram([program, ...args]: readonly string[]): never {
  if (program === undefined) throw new Error("no program is named");
  const libc = Deno.dlopen("libc.so.6", {
    prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
    execv: { parameters: ["buffer", "buffer"], result: "i32" },
  });
  const address = (bytes: Uint8Array<ArrayBuffer>) =>
    BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
  const filter = new DataView(new ArrayBuffer(FILTER.length * 8));
  for (const [at, [code, yes, no, value]] of FILTER.entries()) {
    filter.setUint16(at * 8, code, true);
    filter.setUint8(at * 8 + 2, yes);
    filter.setUint8(at * 8 + 3, no);
    filter.setUint32(at * 8 + 4, value, true);
  }
  const wrapped = new DataView(new ArrayBuffer(16));
  wrapped.setUint16(0, FILTER.length, true);
  wrapped.setBigUint64(8, address(new Uint8Array(filter.buffer)), true);
  const install = address(new Uint8Array(wrapped.buffer));
  if (libc.symbols.prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n) !== 0) throw new Error("no_new_privs failed");
  if (libc.symbols.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, install, 0n, 0n) !== 0) {
    throw new Error("the filter was not taken");
  }
  const words = [program, ...args].map((word) => new TextEncoder().encode(`${word}\0`));
  const argv = new BigUint64Array([...words.map(address), 0n]);
  libc.symbols.execv(new TextEncoder().encode(`${program}\0`), new Uint8Array(argv.buffer));
  throw new Error(`${program} cannot be started`);
}

if (import.meta.main) becomeProgram(Deno.args);
