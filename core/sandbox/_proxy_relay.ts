import { shut, writeAll } from "./_proxy_head.ts";

/** One end of a relay. `closeWrite` is absent where a side cannot be closed alone. */
export type End = Pick<Deno.Conn, "read" | "write" | "close"> & { closeWrite?: () => Promise<void> };

/**
 * Copies both ways until both sides have ended; when one ends, the other may still answer. One buffer for each way, and
 * nothing is read before what was read is written: a transfer of any size takes the same memory. Closes both. Never
 * rejects: what breaks a connection is told to neither side but by its end.
 */
export async function relay(a: End, b: End, options: { idleMs: number; signal: AbortSignal }): Promise<void> {
  let last = performance.now();
  const close = () => [a, b].forEach(shut);
  const watch = setInterval(() => {
    if (performance.now() - last >= options.idleMs) close();
  }, Math.max(10, options.idleMs / 4));
  options.signal.addEventListener("abort", close, { once: true });
  if (options.signal.aborted) close();
  const copy = async (from: End, to: End) => {
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      const read = await from.read(buffer);
      if (read === null) break;
      last = performance.now();
      await writeAll(to, buffer.subarray(0, read));
      last = performance.now();
    }
    await to.closeWrite?.();
  };
  try {
    await Promise.all([copy(a, b), copy(b, a)]);
  } catch {
    // One of them went away: so does the other.
  } finally {
    clearInterval(watch);
    options.signal.removeEventListener("abort", close);
    close();
  }
}
