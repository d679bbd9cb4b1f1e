import type { Cells } from "./cell.ts";
import type { CellProcess } from "./cell_process.ts";
import type { ClosedPaths } from "./_closed_paths.ts";
import type { EmbeddedPrograms } from "./embedded.ts";
import { createFilePool, type FilePool } from "./_file_pool.ts";
import { createFiles } from "./_files.ts";
import { createKernel, type Kernel } from "./kernel.ts";
import { memoryLimit, type ProcessLimits, withMemory } from "./_limits.ts";
import { createProcesses, type Processes } from "./processes.ts";
import { createReaper, type Reaper } from "./reaper.ts";
import type { Sandbox } from "./sandbox.ts";

export interface SandboxOptions {
  /** The user's home folder: never given to a worker as a whole for the sake of one file in it. */
  readonly home: string;
  /** pryx's own environment; children get an allowlist of it. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders whose contents share one file worker: the workspace. Absolute and resolved. */
  readonly scopes?: readonly string[];
  /** pryx's own folders: no toolchain that children may read holds one of them. */
  readonly own?: readonly string[];
  /** How this very program is started, to be put between a child and its network. Absent: hosts cannot be told apart. */
  readonly self?: readonly [string, ...string[]];
  readonly limits?: ProcessLimits;
  /** Programs inside a compiled pryx, which are copied out before they are started. */
  readonly embedded?: EmbeddedPrograms;
  /** A process for the first cell, which was started before there was a sandbox. It is killed when nobody wants it. */
  readonly cell?: CellProcess;
}

/** The sandbox of one pryx process. Starts no worker and no process until one is needed. */
export function createSandbox(options: SandboxOptions): Sandbox {
  const { home, env, scopes = [], own = [], self, embedded } = options;
  let known: ProcessLimits | undefined;
  const limits = () => known ??= withMemory(options.limits ?? {});
  let pool: FilePool | undefined;
  let processes: Processes | undefined;
  let holding: Kernel | undefined;
  const kernel = () =>
    holding ??= createKernel({ home, env, scopes, own, memoryBytes: memoryLimit(limits()), self });
  let reaping: Reaper | undefined;
  const reaper = () => reaping ??= createReaper(kernel().folder);
  const running = () =>
    processes ??= createProcesses({
      home,
      env,
      limits: limits(),
      reaper: reaper(),
      kernel: kernel(),
      embedded,
    });
  let looking: Promise<ClosedPaths> | undefined;
  const closedPaths = () =>
    looking ??= import("./_closed_paths.ts").then(({ createClosedPaths }) => createClosedPaths());
  let cells: Promise<Cells> | undefined;
  const cellsHere = () =>
    cells ??= import("./cell.ts").then(({ createCells }) =>
      createCells({ self, limits: options.limits ?? {}, reaper: reaper(), kernel, started: options.cell })
    );
  return {
    files: (grants) => createFiles(pool ??= createFilePool(), grants, { home, scopes, closedPaths }),
    run: async (spec) =>
      await running().run(spec.self ? (await import("./_self.ts")).ownPart(spec, self) : spec),
    cell: async (own) => await (await cellsHere()).start(own),
    fetch: async (url, request) => (await import("./_proxy_fetch.ts")).fetchPinned(url, request, { env }),
    baseline() {
      const found = kernel();
      // Most want the temporary folder alone: the system is looked at when somebody asks what it has.
      return Promise.resolve({
        temp: found.temp,
        get read() {
          return found.baseline().read;
        },
      });
    },
    tempFolder: (prefix) => Promise.resolve(kernel().tempFolder(prefix)),
    shortfall: (envelope) => kernel().shortfall(envelope),
    async layers() {
      const found = kernel();
      const { describeLayers } = await import("./layers.ts");
      return describeLayers({ layer: await found.layer(), support: await found.support() });
    },
    async [Symbol.asyncDispose]() {
      pool?.[Symbol.dispose]();
      options.cell?.[Symbol.dispose]();
      await (await cells)?.[Symbol.asyncDispose]();
      if (processes) await processes[Symbol.asyncDispose]();
      else await reaping?.[Symbol.asyncDispose]();
      await holding?.[Symbol.asyncDispose]();
    },
  } satisfies Sandbox;
}
