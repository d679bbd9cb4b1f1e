import type { Kit } from "./kit.ts";

interface Listener {
  readonly run: unknown;
  readonly once: boolean;
  readonly capture: boolean;
  removed: boolean;
}

interface EventState {
  readonly type: string;
  readonly bubbles: boolean;
  readonly cancelable: boolean;
  readonly composed: boolean;
  readonly at: number;
  target: object | null;
  dispatching: boolean;
  stopped: boolean;
  prevented: boolean;
  passive: boolean;
}

/** Event, EventTarget, AbortSignal and AbortController, as the DOM standard has them for one target without a tree. */
export function events(kit: Kit): void {
  const { uncurry } = kit;
  const { defineProperty } = Object;
  const { apply } = Reflect;
  const Weak = WeakMap;
  const weakGet = uncurry(WeakMap.prototype.get) as <V>(
    map: WeakMap<object, V>,
    key: object,
  ) => V | undefined;
  const weakSet = uncurry(WeakMap.prototype.set) as <V>(
    map: WeakMap<object, V>,
    key: object,
    value: V,
  ) => unknown;
  const states = new Weak<object, EventState>();
  const listeners = new Weak<object, Record<string, Listener[]>>();

  function stateOf(event: object): EventState {
    const state = weakGet(states, event);
    if (!state) throw new TypeError("Illegal invocation: not an Event");
    return state;
  }

  class Event {
    static readonly NONE = 0;
    static readonly CAPTURING_PHASE = 1;
    static readonly AT_TARGET = 2;
    static readonly BUBBLING_PHASE = 3;
    constructor(
      type: string,
      init: { readonly bubbles?: boolean; readonly cancelable?: boolean; readonly composed?: boolean } = {},
    ) {
      if (arguments.length === 0) throw new TypeError("Event takes a type");
      weakSet(states, this, {
        type: `${type}`,
        bubbles: !!init?.bubbles,
        cancelable: !!init?.cancelable,
        composed: !!init?.composed,
        at: kit.now(),
        target: null,
        dispatching: false,
        stopped: false,
        prevented: false,
        passive: false,
      });
    }
    get type(): string {
      return stateOf(this).type;
    }
    get target(): object | null {
      return stateOf(this).target;
    }
    get currentTarget(): object | null {
      const { dispatching, target } = stateOf(this);
      return dispatching ? target : null;
    }
    get eventPhase(): number {
      return stateOf(this).dispatching ? 2 : 0;
    }
    get bubbles(): boolean {
      return stateOf(this).bubbles;
    }
    get cancelable(): boolean {
      return stateOf(this).cancelable;
    }
    get composed(): boolean {
      return stateOf(this).composed;
    }
    get defaultPrevented(): boolean {
      return stateOf(this).prevented;
    }
    get isTrusted(): boolean {
      return false;
    }
    get timeStamp(): number {
      return stateOf(this).at;
    }
    composedPath(): object[] {
      const { dispatching, target } = stateOf(this);
      return dispatching && target ? [target] : [];
    }
    preventDefault(): void {
      const state = stateOf(this);
      if (state.cancelable && !state.passive) state.prevented = true;
    }
    stopPropagation(): void {
      stateOf(this);
    }
    stopImmediatePropagation(): void {
      stateOf(this).stopped = true;
    }
    get [Symbol.toStringTag]() {
      return "Event";
    }
  }

  function listenersOf(target: object): Record<string, Listener[]> {
    const found = weakGet(listeners, target);
    if (!found) throw new TypeError("Illegal invocation: not an EventTarget");
    return found;
  }

  function without(list: readonly Listener[], gone: Listener): Listener[] {
    const left: Listener[] = [];
    for (let index = 0; index < list.length; index++) {
      const one = list[index];
      if (one && one !== gone) left[left.length] = one;
    }
    return left;
  }

  function remove(target: object, type: string, gone: Listener): void {
    const all = listenersOf(target);
    gone.removed = true;
    all[type] = without(all[type] ?? [], gone);
  }

  function captures(options: unknown): boolean {
    return typeof options === "object" && options !== null
      ? !!(options as { capture?: boolean }).capture
      : !!options;
  }

  class EventTarget {
    constructor() {
      weakSet(listeners, this, { __proto__: null } as never);
    }
    addEventListener(type: string, run: unknown, options?: unknown): void {
      const all = listenersOf(this);
      if (run === null || run === undefined) return;
      if (typeof run !== "function" && typeof run !== "object") {
        throw new TypeError("addEventListener() takes a function or an object");
      }
      const name = `${type}`;
      const capture = captures(options);
      const more = (typeof options === "object" && options !== null ? options : {}) as {
        once?: boolean;
        signal?: AbortSignal;
      };
      const { once, signal } = more;
      if (signal?.aborted) return;
      const list = all[name] ??= [];
      for (let index = 0; index < list.length; index++) {
        if (list[index]?.run === run && list[index]?.capture === capture) return;
      }
      const listener: Listener = { run, once: !!once, capture, removed: false };
      all[name] = append(list, listener);
      if (signal) signal.addEventListener("abort", () => remove(this, name, listener), { once: true });
    }
    removeEventListener(type: string, run: unknown, options?: unknown): void {
      const list = listenersOf(this)[`${type}`] ?? [];
      for (let index = 0; index < list.length; index++) {
        const one = list[index];
        if (one && one.run === run && one.capture === captures(options)) return remove(this, `${type}`, one);
      }
    }
    dispatchEvent(event: Event): boolean {
      const all = listenersOf(this);
      const state = stateOf(event);
      if (state.dispatching) {
        throw new kit.DOMException("The event is being dispatched already", "InvalidStateError");
      }
      state.target = this;
      state.dispatching = true;
      const list = all[state.type] ?? [];
      for (let index = 0; index < list.length && !state.stopped; index++) {
        const listener = list[index];
        if (!listener || listener.removed) continue;
        if (listener.once) remove(this, state.type, listener);
        tell(listener.run, this, event);
      }
      state.dispatching = false;
      state.stopped = false;
      return !state.prevented;
    }
    get [Symbol.toStringTag]() {
      return "EventTarget";
    }
  }

  function append(list: readonly Listener[], listener: Listener): Listener[] {
    const longer = without(list, listener);
    longer[longer.length] = listener;
    return longer;
  }

  function tell(run: unknown, target: object, event: Event): void {
    try {
      if (typeof run === "function") return void apply(run, target, [event]);
      const handle = (run as { handleEvent?: unknown }).handleEvent;
      if (typeof handle === "function") apply(handle, run, [event]);
    } catch (error) {
      kit.fail(error);
    }
  }

  /** An attribute like `onabort`: one listener, in the place where it was first set. */
  function handlerAttribute(prototype: object, name: string, type: string): void {
    const set = new Weak<object, unknown>();
    const hooked = new Weak<object, boolean>();
    defineProperty(prototype, name, {
      configurable: true,
      enumerable: true,
      get(this: object): unknown {
        return weakGet(set, this) ?? null;
      },
      set(this: EventTarget, value: unknown): void {
        weakSet(set, this, typeof value === "function" ? value : null);
        if (weakGet(hooked, this)) return;
        weakSet(hooked, this, true);
        this.addEventListener(type, (event: Event) => {
          const run = weakGet(set, this);
          if (typeof run === "function") tell(run, this, event);
        });
      },
    });
  }

  interface SignalState {
    aborted: boolean;
    reason: unknown;
    /** What follows this one: AbortSignal.any(). */
    dependents: Signal[];
  }
  const signals = new Weak<object, SignalState>();
  const KEY = {};

  function signalState(signal: object): SignalState {
    const state = weakGet(signals, signal);
    if (!state) throw new TypeError("Illegal invocation: not an AbortSignal");
    return state;
  }

  class Signal extends EventTarget {
    constructor(key?: object) {
      if (key !== KEY) throw new TypeError("Illegal constructor");
      super();
      weakSet(signals, this, { aborted: false, reason: undefined, dependents: [] });
    }
    static abort(reason?: unknown): Signal {
      const signal = new Signal(KEY);
      abortSignal(signal, reason);
      return signal;
    }
    static timeout(ms: number): Signal {
      const delay = Number(ms);
      if (!(delay >= 0)) throw new TypeError("AbortSignal.timeout() takes milliseconds");
      const signal = new Signal(KEY);
      const late = () => abortSignal(signal, new kit.DOMException("The time is up", "TimeoutError"));
      kit.after(delay > 2_147_483_647 ? 2_147_483_647 : delay, late, false);
      return signal;
    }
    static any(list: Iterable<Signal>): Signal {
      const all = [...list];
      const signal = new Signal(KEY);
      for (let index = 0; index < all.length; index++) {
        const state = signalState(all[index] as Signal);
        if (!state.aborted) continue;
        abortSignal(signal, state.reason);
        return signal;
      }
      for (let index = 0; index < all.length; index++) {
        const { dependents } = signalState(all[index] as Signal);
        dependents[dependents.length] = signal;
      }
      return signal;
    }
    get aborted(): boolean {
      return signalState(this).aborted;
    }
    get reason(): unknown {
      return signalState(this).reason;
    }
    throwIfAborted(): void {
      const { aborted, reason } = signalState(this);
      if (aborted) throw reason;
    }
    override get [Symbol.toStringTag]() {
      return "AbortSignal";
    }
  }
  handlerAttribute(Signal.prototype, "onabort", "abort");
  defineProperty(Signal, "name", { value: "AbortSignal", configurable: true });

  function abortSignal(signal: Signal, reason: unknown): void {
    const state = signalState(signal);
    if (state.aborted) return;
    state.aborted = true;
    state.reason = reason === undefined
      ? new kit.DOMException("This operation was aborted", "AbortError")
      : reason;
    dispatch(signal, new Event("abort"));
    const { dependents } = state;
    state.dependents = [];
    for (let index = 0; index < dependents.length; index++) {
      const dependent = dependents[index];
      if (dependent) abortSignal(dependent, state.reason);
    }
  }
  const dispatch = uncurry(EventTarget.prototype.dispatchEvent);

  const controllers = new Weak<object, Signal>();
  function signalOf(controller: object): Signal {
    const signal = weakGet(controllers, controller);
    if (!signal) throw new TypeError("Illegal invocation: not an AbortController");
    return signal;
  }
  class AbortController {
    constructor() {
      weakSet(controllers, this, new Signal(KEY));
    }
    get signal(): Signal {
      return signalOf(this);
    }
    abort(reason?: unknown): void {
      abortSignal(signalOf(this), reason);
    }
    get [Symbol.toStringTag]() {
      return "AbortController";
    }
  }

  kit.createAbort = () => {
    const signal = new Signal(KEY);
    return { signal: signal as unknown as AbortSignal, abort: (reason) => abortSignal(signal, reason) };
  };
  kit.showAs(Event.prototype, (event) => {
    const { type, target, prevented, cancelable } = stateOf(event);
    return { type, defaultPrevented: prevented, cancelable, target };
  });
  kit.showAs(Signal.prototype, (signal) => {
    const { aborted, reason } = signalState(signal);
    return aborted ? { aborted, reason } : { aborted };
  });
  kit.showAs(AbortController.prototype, (controller) => ({ signal: signalOf(controller) }));
  kit.expose({ Event, EventTarget, AbortSignal: Signal, AbortController });
}
