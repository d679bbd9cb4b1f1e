/** How this very program was started, as a value. */
export interface OwnProgram {
  /** True for a compiled program. */
  readonly standalone: boolean;
  /** The compiled program, or Deno. Absolute. */
  readonly execPath: string;
  /** Absolute path of the main module. Of no meaning in a compiled program. */
  readonly main: string;
}

/**
 * The command line that starts this program once more; arguments follow. Of a bundle as its launcher does it. From source
 * the lock file says which packages it has: without it Deno would choose them again, and ask for what is in no cache.
 */
export function selfArgv({ standalone, execPath, main }: OwnProgram): readonly [string, ...string[]] {
  if (standalone) return [execPath];
  const lock = main.endsWith(".ts") ? "--frozen" : "--no-lock";
  const flags = ["run", "--quiet", "-A", "--no-prompt", lock, "--no-remote", "--cached-only"];
  return [execPath, ...flags, "--v8-flags=--max-old-space-size=1024,--min-semi-space-size=8", main];
}
