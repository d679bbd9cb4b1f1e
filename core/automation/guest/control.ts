import type * as Api from "../api.d.ts";
import type { Calls } from "./asking.ts";
import type { Guest } from "./guest.ts";

/** Several things at a time, again, and later. */
export function controlApi(guest: Guest, { _calls: calls }: { readonly _calls: Calls }) {
  // What timers take at most; longer ones would end at once.
  const MAX_TIMER_MS = 2 ** 31 - 1;
  /** Errors that another attempt cannot mend. */
  const LASTING = ["denied", "cancelled", "budget"];

  const ended = (): unknown => {
    const reason = guest.signal.reason;
    if (reason instanceof Error) return reason;
    return new guest.PryxError("The automation is to end", { code: "cancelled", cause: reason });
  };

  const whole = (value: number, what: string): number => {
    if (Number.isInteger(value) && value >= 1) return value;
    throw new TypeError(`${what} is a whole number, 1 or more, not ${guest.inspect(value)}`);
  };

  async function sleep(duration: number | string): Promise<void> {
    let left = calls.milliseconds(duration, "The duration of sleep()");
    const { signal } = guest;
    do {
      if (signal.aborted) throw ended();
      const now = Math.min(left, MAX_TIMER_MS);
      left -= now;
      await new Promise<void>((done) => {
        const wake = () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", wake);
          done();
        };
        const timer = setTimeout(wake, now);
        signal.addEventListener("abort", wake);
      });
    } while (left > 0);
    if (signal.aborted) throw ended();
  }

  async function parallel<T, R>(
    items: Iterable<T>,
    work: (item: T, index: number) => Promise<R> | R,
    options: { readonly limit?: number } = {},
  ): Promise<R[]> {
    const limit = whole(options.limit ?? 4, "The limit of parallel()");
    if (typeof work !== "function") throw new TypeError("parallel() takes items and a function of an item");
    const iterator = items[Symbol.iterator]();
    const results: R[] = [];
    let count = 0;
    let over = false;
    const lane = async () => {
      try {
        while (!over) {
          if (guest.signal.aborted) throw ended();
          const next = iterator.next();
          if (next.done) {
            over = true;
            return;
          }
          const index = count++;
          results[index] = await work(next.value, index);
        }
      } catch (error) {
        // What runs goes on, and nobody waits for it; nothing more is begun.
        if (!over) iterator.return?.();
        over = true;
        throw error;
      }
    };
    const lanes: Promise<void>[] = [];
    while (lanes.length < limit && !over) lanes.push(lane());
    await Promise.all(lanes);
    return results;
  }

  async function retry<T>(
    work: (attempt: number) => Promise<T> | T,
    options: {
      readonly times?: number;
      readonly delay?: number | string;
      readonly when?: (error: unknown) => boolean;
    } = {},
  ): Promise<T> {
    const times = whole(options.times ?? 3, "The times of retry()");
    const delay = calls.milliseconds(options.delay ?? 1_000, "The delay of retry()");
    for (let attempt = 1;; attempt++) {
      try {
        return await work(attempt);
      } catch (error) {
        if (attempt >= times || guest.signal.aborted || calls.hasCode(error, ...LASTING)) throw error;
        if (options.when !== undefined && !options.when(error)) throw error;
      }
      await sleep(delay * 2 ** (attempt - 1));
    }
  }

  function exit(code = 0): never {
    if (!Number.isInteger(code) || code < 0 || code > 125) {
      throw new RangeError(`An exit code is a whole number from 0 to 125, not ${guest.inspect(code)}`);
    }
    calls.tell("exit", { code });
    throw new guest.PryxError("The automation has ended itself", { code: "cancelled" });
  }

  return { sleep, parallel, retry, exit } satisfies Pick<
    typeof Api,
    "sleep" | "parallel" | "retry" | "exit"
  >;
}
