/** What limits each process of a child, and all of them together. Absent: the default. */
export interface ProcessLimits {
  /** CPU seconds of one process. Default: the time limit on every core at once, for children that escape the wall clock. */
  readonly cpuSeconds?: number;
  /** Bytes of private memory, of one process and of all together. Default: 60 % of the machine's, and at least 2 GiB. */
  readonly memoryBytes?: number;
  /** Bytes of the largest file it may write. Default: not limited without an envelope, else {@link FILE_BYTES}. */
  readonly fileBytes?: number;
  /** Processes of one child. Default: {@link PROCESSES}. */
  readonly processes?: number;
}

const FILE_BYTES = 32 * 1024 ** 3;
const PROCESSES = 2_000;
/** Threads count as processes for the system's own limit, which holds in a user namespace and not for root. */
const THREADS_PER_PROCESS = 4;
const LEAST_MEMORY = 2 * 1024 ** 3;
const MEMORY_SHARE = 0.6;

export function memoryLimit(limits: ProcessLimits): number {
  return limits.memoryBytes ?? Math.max(LEAST_MEMORY, Deno.systemMemoryInfo().total * MEMORY_SHARE);
}

export function processLimit(limits: ProcessLimits): number {
  return limits.processes ?? PROCESSES;
}

export interface UlimitOptions {
  readonly limits: ProcessLimits;
  readonly timeoutMs: number;
  /** It has an envelope: what an agent runs, not what pryx chose. */
  readonly confined: boolean;
  /** Processes are counted for this child alone (a user namespace), not for all of this user's. */
  readonly countedAlone: boolean;
}

/** The same limits with what they are by default on this machine, which takes long to ask for. */
export function withMemory(limits: ProcessLimits): ProcessLimits {
  return { ...limits, memoryBytes: memoryLimit(limits) };
}

/**
 * Lines of `sh` that set what the system itself limits. One that this `sh` or this user cannot set is left as it is: the
 * others still hold. CPU has a soft limit first, whose signal says what happened.
 */
export function ulimits(options: UlimitOptions): string[] {
  const { limits, timeoutMs, confined, countedAlone } = options;
  const cores = Math.max(1, navigator.hardwareConcurrency);
  const cpu = Math.ceil(limits.cpuSeconds ?? Math.ceil(timeoutMs / 1000) * cores + 1);
  const memory = Math.ceil(memoryLimit(limits) / 1024);
  const file = limits.fileBytes ?? (confined ? FILE_BYTES : undefined);
  const threads = limits.processes ?? PROCESSES * THREADS_PER_PROCESS;
  return [
    "ulimit -c 0",
    // The hard one last: below a soft one it is refused.
    `ulimit -S -t ${cpu}; ulimit -H -t ${cpu + 1}`,
    `ulimit -d ${memory}`,
    ...file === undefined ? [] : [`ulimit -f ${Math.ceil(file / 512)}`],
    // dash says -p where bash says -u.
    ...countedAlone ? [`ulimit -u ${threads} 2>/dev/null || ulimit -p ${threads}`] : [],
  ].map((line) => `{ ${line}; } 2>/dev/null`);
}
