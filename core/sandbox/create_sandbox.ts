import type { EmbeddedPrograms } from "./embedded.ts";
import { createFilePool, type FilePool } from "./_file_pool.ts";
import { createFiles } from "./_files.ts";
import { describeLayers } from "./layers.ts";
import { createProcesses, type Processes, type ProcessLimits } from "./processes.ts";
import { createReaper } from "./reaper.ts";
import type { Sandbox } from "./sandbox.ts";

export interface SandboxOptions {
  /** The user's home folder: never given to a worker as a whole for the sake of one file in it. */
  readonly home: string;
  /** pryx's own environment; children get an allowlist of it. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders whose contents share one file worker: the workspace. Absolute and resolved. */
  readonly scopes?: readonly string[];
  readonly limits?: ProcessLimits;
  /** Programs inside a compiled pryx, which are copied out before they are started. */
  readonly embedded?: EmbeddedPrograms;
}

/** The sandbox of one pryx process. Starts no worker and no process until one is needed. */
export function createSandbox(options: SandboxOptions): Sandbox {
  const { home, env, scopes = [], limits = {}, embedded } = options;
  let pool: FilePool | undefined;
  let processes: Processes | undefined;
  const running = () =>
    processes ??= createProcesses({
      home,
      env,
      limits,
      reaper: createReaper(),
      ...(embedded === undefined ? {} : { embedded }),
    });
  return {
    files: (grants) => createFiles(pool ??= createFilePool(), grants, { home, scopes }),
    run: (spec) => running().run(spec),
    baseline: () => Promise.resolve({ read: ["/usr", "/etc"], temp: "/tmp" }),
    shortfall: () => Promise.resolve([]),
    layers: () => Promise.resolve(describeLayers()),
    async [Symbol.asyncDispose]() {
      pool?.[Symbol.dispose]();
      await processes?.[Symbol.asyncDispose]();
    },
  } satisfies Sandbox;
}
