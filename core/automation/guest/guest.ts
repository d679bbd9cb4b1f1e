import type { HostCalls, MethodName, Methods } from "../methods.ts";
import type { LoadMessage, Registered } from "../wire.ts";

/**
 * What the parts of the API are made from. Each file of this folder exports one function of a {@link Guest}, whose text
 * is run inside the automation's context: it may use its parameter, the language, the globals that the context has, and
 * types. Nothing of its module, no import: there it does not exist.
 */
export interface Guest {
  readonly load: Omit<LoadMessage, "t" | "modules">;
  /** Asks the host. Rejects with a {@link PryxError}. `on`: pieces on the way. An abort of `signal` cancels the call. */
  call<M extends MethodName>(
    method: M,
    params: Methods[M]["params"],
    options?: {
      readonly on?: (event: Methods[M] extends { event: infer E } ? E : never) => void;
      readonly signal?: AbortSignal;
    },
  ): Promise<Methods[M]["value"]>;
  /** Answers calls of the host. */
  handle<H extends keyof HostCalls>(
    name: H,
    answer: (params: HostCalls[H]["params"]) => HostCalls[H]["value"] | Promise<HostCalls[H]["value"]>,
  ): void;
  /** What `console` writes. */
  say(to: "stdout" | "stderr", text: string): void;
  /** A value as text: JSON, and dates, maps, sets, bytes, bigints, `undefined` beside it. Throws a TypeError that names the place of what cannot be sent (functions, cycles). */
  encode(value: unknown): string;
  decode(text: string): unknown;
  /** A value as people read it: what `console.log` prints. */
  inspect(value: unknown): string;
  toBase64(bytes: Uint8Array): string;
  fromBase64(text: string): Uint8Array;
  /** Told to the host with `done`. */
  readonly registered: {
    readonly triggers: Registered["triggers"][number][];
    readonly tests: string[];
  };
  readonly signal: AbortSignal;
  /** The class of the API, of this context. */
  readonly PryxError: new (
    message: string,
    options?: { readonly code?: string; readonly fix?: string; readonly cause?: unknown },
  ) => Error & { readonly code: string; readonly fix?: string };
}
