import { textAt } from "./_proc.ts";

export interface CellLimits {
  /** Bytes of private memory. */
  readonly memoryBytes: number;
  /** Seconds of CPU time, of all threads together. */
  readonly cpuSeconds: number;
}

const EVERY_MS = 100;
/** Clock ticks a second in /proc, on every Linux: USER_HZ. */
const TICKS = 100;

/**
 * Looks at one process, which can start no other, ten times a second; on Linux only. Calls `onExceeded` once, when it has
 * passed a limit. `stop` ends it.
 */
export function watchCell(
  pid: number,
  limits: CellLimits,
  onExceeded: (limit: "memory" | "cpu") => void,
): { stop(): void } {
  if (Deno.build.os !== "linux") return { stop() {} };
  const timer = setInterval(() => {
    const memory = Number(textAt(`/proc/${pid}/status`)?.match(/^RssAnon:\s+(\d+) kB/m)?.[1] ?? 0) * 1024;
    const stat = textAt(`/proc/${pid}/stat`);
    // pid (name) state parent …: user and system time are the 14th and 15th of all.
    const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
    const seconds = (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS;
    const limit = memory > limits.memoryBytes ? "memory" : seconds > limits.cpuSeconds ? "cpu" : undefined;
    if (limit === undefined) return;
    clearInterval(timer);
    onExceeded(limit);
  }, EVERY_MS);
  Deno.unrefTimer(Number(timer));
  return { stop: () => clearInterval(timer) };
}
