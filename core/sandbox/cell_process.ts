/**
 * Starts the process that an automation runs in. Imports nothing: the program begins with this, before it reads anything
 * else, so that the process is there when it is needed.
 */

/** A process that was started and knows nothing yet. Until it is told something it ends when its input closes. */
export interface CellProcess extends Disposable {
  readonly child: Deno.ChildProcess;
  /** Kills it, unless somebody took it. */
  [Symbol.dispose](): void;
  /** From now on it is the caller's to end. Undefined when it was taken before. */
  take(): Deno.ChildProcess | undefined;
}

/** The hidden subcommand of this program, and its argument where the process was started confined. */
export const CELL_PART = "__cell";
export const CONFINED = "confined";

/**
 * Its environment is empty but for what the program needs to start. Its own process group and session; its working folder
 * is `/`. `self`: how this program is started (core/domain/self_argv.ts).
 */
export function spawnCell(self: readonly [string, ...string[]], options: CellEnvironment = {}): CellProcess {
  const [program, ...args] = self;
  const child = new Deno.Command(program, {
    args: [...args, CELL_PART],
    cwd: "/",
    clearEnv: true,
    env: cellEnvironment(self, options),
    detached: Deno.build.os !== "windows",
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  child.unref();
  let taken = false;
  return {
    child,
    take() {
      if (taken) return undefined;
      taken = true;
      return child;
    },
    [Symbol.dispose]() {
      if (taken) return;
      taken = true;
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      for (const stream of [child.stdin.close(), child.stdout.cancel(), child.stderr.cancel()]) {
        stream.catch(() => {});
      }
    },
  };
}

export interface CellEnvironment {
  /** Times and texts of the process are those of no place: UTC, English. For runs that are to be the same everywhere. */
  readonly fixed?: boolean;
}

/** From source its packages lie in Deno's cache, and Windows starts no program without its own folder. */
export function cellEnvironment(
  self: readonly string[],
  { fixed = false }: CellEnvironment = {},
): Record<string, string> {
  const env: Record<string, string> = {
    DENO_NO_UPDATE_CHECK: "1",
    NO_COLOR: "1",
    ...(fixed ? { TZ: "UTC", LC_ALL: "en_US.UTF-8", LANG: "en_US.UTF-8" } : {}),
  };
  const source = self.at(-1)?.endsWith(".ts") === true;
  const names = [
    ...source ? ["DENO_DIR", "XDG_CACHE_HOME", "HOME"] : [],
    ...Deno.build.os === "windows" ? ["SYSTEMROOT", "WINDIR", "TEMP", "TMP"] : [],
  ];
  for (const name of names) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  return env;
}
