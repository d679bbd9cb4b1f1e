/** What the kernel and the programs of this machine give, found without asking pryx. */
export interface KernelLayers {
  /** bubblewrap is installed and may make its namespaces. */
  readonly bubblewrap: boolean;
  /** The version of Landlock; 0 where there is none. */
  readonly landlock: number;
}

const LANDLOCK_CREATE_RULESET = 444n;
const VERSION_FLAG = 1n;

/** Looks once: the tests of a file share it. */
export const kernelLayers: KernelLayers = { bubblewrap: triesBubblewrap(), landlock: landlockVersion() };

/** A command could do all that the user may, so it asks for everything: what tests of commands take for granted is not so. */
export const NOTHING_HOLDS = Deno.build.os === "linux" && !kernelLayers.bubblewrap &&
  kernelLayers.landlock === 0;

/** A test that runs confined commands: left out where nothing holds them, and says so. */
export function heldTest(name: string, fn: () => Promise<void>): void {
  if (!NOTHING_HOLDS) Deno.test(name, fn);
  else Deno.test({ name: `${name} (not run: nothing here holds a command)`, ignore: true, fn });
}

function triesBubblewrap(): boolean {
  if (Deno.build.os !== "linux") return false;
  const args = ["--unshare-user", "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "--proc", "/proc"];
  try {
    return new Deno.Command("bwrap", { args: [...args, "true"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

function landlockVersion(): number {
  if (Deno.build.os !== "linux") return 0;
  try {
    const libc = Deno.dlopen("libc.so.6", {
      syscall: { parameters: ["i64", "pointer", "usize", "i64"], result: "i64" },
    });
    try {
      return Math.max(0, Number(libc.symbols.syscall(LANDLOCK_CREATE_RULESET, null, 0n, VERSION_FLAG)));
    } finally {
      libc.close();
    }
  } catch {
    // No such library: another libc, and nothing to find out with.
    return 0;
  }
}
