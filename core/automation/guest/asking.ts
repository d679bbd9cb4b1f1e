import type { Json } from "../../domain/schema.ts";
import type { MethodName, Methods } from "../methods.ts";
import type { Guest } from "./guest.ts";

type ToolEvent = Methods["tool"]["event"];

/** What the other parts are made with; nothing of it is exported to automations. */
export interface Calls {
  /** {@link Guest.call}, whose errors have the stack of whoever asked. */
  call: Guest["call"];
  /** Calls a method that nobody waits for: what goes wrong is not told. */
  tell<M extends MethodName>(method: M, params: Methods[M]["params"]): void;
  /** A tool of the host. Arguments that are undefined are left out. */
  tool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    options?: {
      readonly show?: boolean;
      readonly on?: (event: ToolEvent) => void;
      readonly signal?: AbortSignal;
    },
  ): Promise<Methods["tool"]["value"]>;
  /** The same, and its `data` in the shape that the tool promises. */
  data<T>(name: string, args: Readonly<Record<string, unknown>>): Promise<T>;
  /**
   * What `start` pushes, as it comes. It is started when the first piece is asked for; leaving the loop aborts its
   * signal. The loop ends when its promise does, and throws what that rejects with.
   */
  pieces<T>(
    start: (push: (piece: T) => void, signal: AbortSignal) => Promise<unknown>,
  ): AsyncIterableIterator<T, undefined>;
  /** Milliseconds of `1500`, `"90s"`, `"1h30m"`; `what` names it in a TypeError. */
  milliseconds(duration: number | string, what: string): number;
  /** Bytes of any view or buffer, whichever context it is from; undefined for anything else. */
  bytesOf(value: unknown): Uint8Array | undefined;
  /** A value as plain JSON; a TypeError that begins with `what` where it is none. Undefined becomes null. */
  json(value: unknown, what: string): Json;
  /** The string itself, or a TypeError that begins with `what`. */
  text(value: unknown, what: string): string;
  /** Where the caller of `below` stands, for {@link placed}. */
  place(below: (...args: never[]) => unknown): { readonly stack?: string };
  /** The error with the stack of `place`. */
  placed(error: unknown, place: { readonly stack?: string }): unknown;
  /** Gives a class its name, which bundling takes away. */
  named(made: { readonly prototype: object }, name: string): void;
  /** What an unknown value says as an error. */
  message(error: unknown): string;
  /** Whether it is an error of the API with this code. */
  hasCode(error: unknown, ...codes: readonly string[]): boolean;
}

/** How the other parts call the host. */
export function askingApi(guest: Guest): { readonly _calls: Calls } {
  const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };
  const { captureStackTrace } = Error;

  const place: Calls["place"] = (below) => {
    const made: { stack?: string } = {};
    captureStackTrace(made, below);
    return made;
  };

  const placed: Calls["placed"] = (error, { stack }) => {
    if (!(error instanceof Error) || typeof error.stack !== "string" || typeof stack !== "string") {
      return error;
    }
    const frames = stack.indexOf("\n    at ");
    if (frames < 0) return error;
    const own = error.stack.indexOf("\n    at ");
    error.stack = (own < 0 ? error.stack : error.stack.slice(0, own)) + stack.slice(frames);
    return error;
  };

  // An error of the host is made when its answer is read, where nobody of the automation is on the stack.
  const call: Guest["call"] = (method, params, options) => {
    const from = place(call);
    return guest.call(method, params, options).catch((error) => {
      throw error instanceof Error && error.stack?.includes("\n    at ") ? error : placed(error, from);
    });
  };

  const tell: Calls["tell"] = (method, params) => {
    guest.call(method, params).catch(() => {});
  };

  const message: Calls["message"] = (error) => error instanceof Error ? error.message : String(error);

  const json: Calls["json"] = (value, what) => {
    try {
      const text = JSON.stringify(value);
      return text === undefined ? null : JSON.parse(text);
    } catch (error) {
      throw new TypeError(`${what} cannot be said as JSON: ${message(error)}`);
    }
  };

  const tool: Calls["tool"] = (name, args, { show, on, signal } = {}) => {
    const given = Object.fromEntries(
      Object.entries(args).filter(([, value]) => value !== undefined),
    ) as Record<string, Json>;
    return call("tool", {
      name,
      args: given,
      ...(show === true ? { show: true } : {}),
      ...(on === undefined ? {} : { stream: true }),
    }, { ...(on === undefined ? {} : { on }), ...(signal === undefined ? {} : { signal }) });
  };

  const data = async <T>(name: string, args: Readonly<Record<string, unknown>>): Promise<T> => {
    const answer = await tool(name, args);
    return answer.data as T;
  };

  async function* pieces<T>(
    start: (push: (piece: T) => void, signal: AbortSignal) => Promise<unknown>,
  ): AsyncGenerator<T, undefined> {
    const left = new AbortController();
    let waiting: T[] = [];
    let ended = false;
    let failure: { readonly error: unknown } | undefined;
    let wake = () => {};
    const work = start((piece) => {
      waiting.push(piece);
      wake();
    }, left.signal).catch((error) => {
      failure = { error };
    }).finally(() => {
      ended = true;
      wake();
    });
    try {
      while (true) {
        const now = waiting;
        waiting = [];
        yield* now;
        if (waiting.length > 0) continue;
        if (ended) break;
        await new Promise<void>((done) => wake = done);
      }
      await work;
      if (failure !== undefined) throw failure.error;
    } finally {
      if (!ended) left.abort();
    }
  }

  const milliseconds: Calls["milliseconds"] = (duration, what) => {
    if (typeof duration === "number" && duration >= 0 && duration < Infinity) return duration;
    if (typeof duration === "string" && /^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(duration)) {
      let total = 0;
      for (const [, amount, unit] of duration.matchAll(/([\d.]+)(ms|s|m|h|d)/g)) {
        total += Number(amount) * (UNITS[unit ?? ""] ?? 0);
      }
      return Math.round(total);
    }
    throw new TypeError(
      `${what} is milliseconds or a text like "90s", "10m" or "1h30m", not ${guest.inspect(duration)}`,
    );
  };

  const bytesOf: Calls["bytesOf"] = (value) => {
    if (ArrayBuffer.isView(value)) {
      return new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength);
    }
    const kind = Object.prototype.toString.call(value);
    return kind === "[object ArrayBuffer]" ? new Uint8Array(value as ArrayBuffer) : undefined;
  };

  const text: Calls["text"] = (value, what) => {
    if (typeof value === "string") return value;
    throw new TypeError(`${what} is a string, not ${guest.inspect(value)}`);
  };

  const named: Calls["named"] = (made, name) => {
    Object.defineProperty(made, "name", { value: name, configurable: true });
    if (made.prototype instanceof Error) {
      Object.defineProperty(made.prototype, "name", { value: name, configurable: true, writable: true });
    }
  };

  const hasCode: Calls["hasCode"] = (error, ...codes) =>
    error instanceof guest.PryxError && codes.includes(error.code);

  return {
    _calls: {
      call,
      tell,
      tool,
      data,
      pieces,
      milliseconds,
      bytesOf,
      json,
      text,
      place,
      placed,
      named,
      message,
      hasCode,
    },
  };
}
