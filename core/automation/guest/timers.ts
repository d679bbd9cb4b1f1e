import type { Kit } from "./kit.ts";

interface Timer {
  readonly run: () => void;
  readonly every: number | undefined;
  readonly keeps: boolean;
}

/** setTimeout and its kin. What a callback throws ends the automation, as it would a program. */
export function timers(kit: Kit): void {
  const { bridge, uncurry } = kit;
  const active: Map<number, Timer> = new Map();
  const get = uncurry(Map.prototype.get as (this: Map<number, Timer>, id: number) => Timer | undefined);
  const set = uncurry(Map.prototype.set as (this: Map<number, Timer>, id: number, timer: Timer) => unknown);
  const remove = uncurry(Map.prototype.delete as (this: Map<number, Timer>, id: number) => boolean);
  const then = uncurry(Promise.prototype.then as (this: Promise<void>, run: () => void) => unknown);
  const sizeOf = uncurry(
    Object.getOwnPropertyDescriptor(Map.prototype, "size")?.get as (this: Map<number, Timer>) => number,
  );
  const { apply } = Reflect;
  const toNumber = Number;
  const settledNow = Promise.resolve();
  const LONGEST = 2_147_483_647;
  let last = 0;
  let keeping = 0;

  function delayOf(ms: unknown): number {
    const delay = toNumber(ms);
    return delay >= 1 && delay <= LONGEST ? delay : delay > LONGEST ? LONGEST : 1;
  }

  function arm(id: number, ms: number): void {
    if (kit.fixed()) kit.askTimer(id, ms);
    else bridge.timer(id, ms);
  }

  function start(run: () => void, ms: number, every: number | undefined, keeps: boolean): number {
    const id = ++last;
    set(active, id, { run, every, keeps });
    if (keeps) keeping++;
    arm(id, ms);
    return id;
  }

  function cancel(id: number): void {
    const timer = get(active, id);
    if (!timer) return;
    remove(active, id);
    if (kit.fixed()) kit.dropTimer(id);
    else bridge.clearTimer(id);
    if (timer.keeps) keeping--;
    kit.settled();
  }

  function callback(name: string, value: unknown, args: unknown[]): () => void {
    if (typeof value !== "function") throw new TypeError(`${name}() takes a function`);
    return () => {
      try {
        apply(value, undefined, args);
      } catch (error) {
        kit.fail(error);
      }
    };
  }

  kit.after = (ms, run, keeps) => start(run, ms, undefined, keeps);
  kit.cancel = cancel;
  kit.waiting = () => keeping;
  kit.isTimed = () => sizeOf(active) > 0;
  kit.fire = (id) => {
    const timer = get(active, id);
    if (!timer) return;
    if (timer.every === undefined) {
      remove(active, id);
      if (timer.keeps) keeping--;
    } else arm(id, timer.every);
    timer.run();
    kit.settled();
  };

  kit.expose({
    setTimeout(run: unknown, ms?: unknown, ...args: unknown[]): number {
      return start(callback("setTimeout", run, args), delayOf(ms), undefined, true);
    },
    setInterval(run: unknown, ms?: unknown, ...args: unknown[]): number {
      const every = delayOf(ms);
      return start(callback("setInterval", run, args), every, every, true);
    },
    clearTimeout(id?: unknown): void {
      cancel(toNumber(id));
    },
    clearInterval(id?: unknown): void {
      cancel(toNumber(id));
    },
    queueMicrotask(run: unknown): void {
      then(settledNow, callback("queueMicrotask", run, []));
    },
  });
}
