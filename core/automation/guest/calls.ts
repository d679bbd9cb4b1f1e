import type { HostCalls, Methods } from "../methods.ts";
import type { WireError } from "../wire.ts";
import type { Kit } from "./kit.ts";

interface Call {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly on: ((event: unknown) => void) | undefined;
  /** False for the runtime's own, which keep nothing alive. */
  readonly counts: boolean;
  /** Where it was asked, for the stack of an error. */
  readonly at: { readonly stack?: string };
}

type Answer = (params: unknown) => unknown;

type Incoming =
  | { readonly t: "reply"; readonly id: number; readonly ok: true; readonly value?: unknown }
  | { readonly t: "reply"; readonly id: number; readonly ok: false; readonly error: WireError }
  | { readonly t: "event"; readonly id: number; readonly value: unknown }
  | { readonly t: "call"; readonly id: number; readonly name: string; readonly params: unknown }
  | { readonly t: "abort"; readonly reason: string };

/** Calls both ways: what the automation asks of the host, and the host of the automation. */
export function calls(kit: Kit): void {
  const { bridge, uncurry } = kit;
  const { parse, stringify } = JSON;
  const GuestPromise = Promise;
  const GuestError = Error;
  const waiting: Map<number, Call> = new Map();
  const timersById: Map<number, number> = new Map();
  const handlers: Map<string, Answer> = new Map();
  const get = uncurry(Map.prototype.get) as <K, V>(map: Map<K, V>, key: K) => V | undefined;
  const set = uncurry(Map.prototype.set) as <K, V>(map: Map<K, V>, key: K, value: V) => unknown;
  const remove = uncurry(Map.prototype.delete) as <K, V>(map: Map<K, V>, key: K) => boolean;
  const then = uncurry(Promise.prototype.then) as (
    promise: Promise<unknown>,
    done: (value: unknown) => void,
    failed?: (error: unknown) => void,
  ) => unknown;
  const listen = uncurry(
    kit.global.EventTarget
      ? (kit.global.EventTarget as { prototype: EventTarget }).prototype.addEventListener
      : () => {},
  ) as (target: EventTarget, type: string, run: () => void) => void;
  const LONGEST = 64 * 1024 * 1024;
  let last = 0;
  let counted = 0;
  let over = false;

  function send(line: string): void {
    if (line.length > LONGEST) {
      throw new kit.PryxError(`A message of ${line.length} characters is too long for the host`, {
        code: "input_invalid",
      });
    }
    bridge.send(line);
  }

  function start(method: string, params: unknown, call: Call): number {
    const text = stringify(params) ?? "null";
    const id = ++last;
    send(`{"t":"call","id":${id},"method":${stringify(method)},"params":${text}}`);
    set(waiting, id, call);
    if (call.counts) counted++;
    return id;
  }

  function finish(id: number): Call | undefined {
    const call = get(waiting, id);
    if (!call) return undefined;
    remove(waiting, id);
    if (call.counts) counted--;
    return call;
  }

  function cancel(id: number): Call | undefined {
    const call = finish(id);
    if (call) send(`{"t":"cancel","id":${id}}`);
    return call;
  }

  kit.pending = () => counted;
  kit.say = (to, text) => {
    send(`{"t":"say","to":"${to === "stderr" ? "stderr" : "stdout"}","text":${stringify(`${text}`)}}`);
  };
  kit.call = <M extends keyof Methods>(
    method: M,
    params: Methods[M]["params"],
    options: { readonly on?: (event: never) => void; readonly signal?: AbortSignal } = {},
  ): Promise<Methods[M]["value"]> => {
    const { on, signal } = options;
    return new GuestPromise((resolve, reject) => {
      if (signal?.aborted) throw signal.reason;
      const id = start(method, params, {
        resolve: resolve as (value: unknown) => void,
        reject,
        on: on as ((event: unknown) => void) | undefined,
        counts: true,
        at: new GuestError(),
      });
      if (signal) {
        listen(signal, "abort", () => {
          if (cancel(id)) reject(signal.reason);
          kit.settled();
        });
      }
    });
  };

  kit.handle = <H extends keyof HostCalls>(name: H, answer: (params: HostCalls[H]["params"]) => unknown) => {
    set(handlers, name, answer as Answer);
  };

  function answerCall(id: number, name: string, params: unknown): void {
    const failed = (error: unknown) => {
      send(`{"t":"reply","id":${id},"ok":false,"error":${stringify(kit.describe(error))}}`);
    };
    const done = (value: unknown) => {
      try {
        const text = stringify(value);
        send(`{"t":"reply","id":${id},"ok":true${text === undefined ? "" : `,"value":${text}`}}`);
      } catch (error) {
        failed(error);
      }
    };
    const answer = get(handlers, name);
    if (!answer) {
      return failed(new kit.PryxError(`The automation answers no ${name}`, { code: "not_found" }));
    }
    let given: unknown;
    try {
      given = answer(params);
    } catch (error) {
      return failed(error);
    }
    // A promise is not asked for its `then`, which a user may have changed.
    then(given instanceof GuestPromise ? given : new GuestPromise((resolve) => resolve(given)), done, failed);
  }

  kit.receive = (line) => {
    const message = parse(line) as Incoming & { readonly now?: number };
    if (message.now !== undefined) kit.setNow(message.now);
    switch (message.t) {
      case "reply": {
        const call = finish(message.id);
        if (!call) return;
        if (message.ok) call.resolve(message.value);
        else call.reject(kit.fromWire(message.error, call.at.stack));
        return kit.settled();
      }
      case "event": {
        const on = get(waiting, message.id)?.on;
        try {
          on?.(message.value);
        } catch (error) {
          kit.fail(error);
        }
        return;
      }
      case "call":
        return answerCall(message.id, message.name, message.params);
      case "abort":
        return kit.onAbort(message.reason);
    }
  };

  kit.fail = (thrown) => {
    if (over) return;
    over = true;
    send(`{"t":"failed","error":${stringify(kit.describe(thrown))}}`);
  };

  // With a fixed clock the host says when a timer is over.
  kit.askTimer = (id, ms) => {
    const call = start("timer", { ms }, {
      resolve: () => kit.fire(id),
      reject: () => {},
      on: undefined,
      counts: false,
      at: {},
    });
    set(timersById, id, call);
  };
  kit.dropTimer = (id) => {
    const call = get(timersById, id);
    if (call === undefined) return;
    remove(timersById, id);
    cancel(call);
  };
}
