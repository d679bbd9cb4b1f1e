import type { Json } from "../domain/schema.ts";
import type { Registered } from "./wire.ts";

/**
 * What an automation can ask of the host, by the name in a `call` message: parameters, answer, and pieces on the way.
 * Bytes travel as base64 in `{base64}`, text as a string. A refusal is an error with `code: "denied"`.
 */
export interface Methods {
  /**
   * One of pryx's tools, or one that only programs have (core/tools/program/): `sh`, `fs_read`, `http`, … `show`: its
   * output is shown to people. `stream`: its output comes in events as well.
   */
  readonly tool: {
    readonly params: {
      readonly name: string;
      readonly args: { readonly [key: string]: Json };
      readonly show?: boolean;
      readonly stream?: boolean;
    };
    readonly value: { readonly text: string; readonly data?: Json; readonly exitCode?: number | null };
    /** `data`: pieces as the tool says they are, for programs alone. */
    readonly event: { readonly stream: "stdout" | "stderr" | "data"; readonly text: string };
  };
  readonly tools: { readonly params: null; readonly value: readonly string[] };
  /** A question to the agent. `session`: goes on with one. `functions`: tools that the host calls back (`HostCall` `tool`). */
  readonly ask: {
    readonly params: {
      readonly prompt: string;
      readonly context?: string;
      readonly session?: string;
      readonly schema?: { readonly [key: string]: Json };
      readonly model?: string;
      readonly tools?: readonly string[];
      readonly functions?: readonly {
        /** Given back when it is called: two questions at a time may have functions of one name. */
        readonly id?: string;
        readonly name: string;
        readonly description: string;
        readonly parameters: { readonly [key: string]: Json };
      }[];
      readonly budget?: number;
      readonly maxTurns?: number;
      readonly timeoutMs?: number;
      readonly preset?: string;
      readonly stream?: boolean;
    };
    readonly value: {
      readonly text: string;
      /** With a schema: the checked answer. */
      readonly json?: Json;
      readonly session: string;
      readonly cost: number | null;
      readonly usage: { readonly input: number; readonly output: number };
    };
    /** A piece of the answer. */
    readonly event: string;
  };
  /** Values are the text that the automation's own encoding made: the host keeps them as they are. */
  readonly "state.get": { readonly params: { readonly key: string }; readonly value: string | null };
  readonly "state.set": {
    readonly params: { readonly key: string; readonly value: string };
    readonly value: null;
  };
  readonly "state.delete": { readonly params: { readonly key: string }; readonly value: boolean };
  readonly "state.keys": { readonly params: { readonly prefix: string }; readonly value: readonly string[] };
  /** Sets `value` where the key still holds `before` (null: nothing); false where it does not. */
  readonly "state.swap": {
    readonly params: { readonly key: string; readonly before: string | null; readonly value: string };
    readonly value: boolean;
  };
  /** A question to a person. `value` of a confirm is `"yes"` or `"no"`; of a multiselect JSON. */
  readonly question: {
    readonly params: {
      readonly name: string;
      readonly kind: "confirm" | "input" | "select" | "multiselect";
      readonly text: string;
      readonly choices?: readonly string[];
      readonly default?: string;
    };
    readonly value: string;
  };
  /** A line of progress; `null` takes it away. */
  readonly progress: {
    readonly params: {
      readonly label: string;
      readonly done?: number;
      readonly total?: number;
      readonly text?: string;
    } | null;
    readonly value: null;
  };
  readonly markdown: { readonly params: { readonly text: string }; readonly value: null };
  readonly log: {
    readonly params: {
      readonly level: "debug" | "info" | "warn" | "error";
      readonly text: string;
      readonly data?: Json;
    };
    readonly value: null;
  };
  /** A mark that stands for the secret's value in a request; it means nothing elsewhere. */
  readonly secret: { readonly params: { readonly name: string }; readonly value: string };
  /** HMAC (RFC 2104) of a text in UTF-8 with a secret as its key, in hexadecimal. */
  readonly hmac: {
    readonly params: {
      readonly name: string;
      readonly text: string;
      readonly algorithm: "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512";
    };
    readonly value: string;
  };
  readonly env: { readonly params: { readonly name: string }; readonly value: string | null };
  readonly stdin: { readonly params: null; readonly value: string };
  /** A folder of the automation's own, removed when it ends. */
  readonly temp: { readonly params: { readonly prefix: string }; readonly value: string };
  /** Goes on until it is cancelled. */
  readonly watch: {
    readonly params: { readonly path: string };
    readonly value: null;
    readonly event: { readonly kind: "create" | "modify" | "remove"; readonly path: string };
  };
  readonly "mcp.tools": { readonly params: { readonly server: string }; readonly value: Json };
  readonly "mcp.call": {
    readonly params: {
      readonly server: string;
      readonly tool: string;
      readonly args: { readonly [key: string]: Json };
    };
    readonly value: Json;
  };
  readonly "channel.send": {
    readonly params: {
      readonly channel: string;
      readonly text: string;
      readonly to?: string;
      readonly thread?: string;
    };
    readonly value: null;
  };
  /** A timer, where clock and randomness are fixed: answered when it is over. */
  readonly timer: { readonly params: { readonly ms: number }; readonly value: null };
  /** Ends the automation at once with this exit code: `--help`, wrong flags. Nothing after it is done. */
  readonly exit: { readonly params: { readonly code: number }; readonly value: null };
}

export type MethodName = keyof Methods;

/** What the host may call, by the name in a `call` message to the cell. */
export interface HostCalls {
  readonly tool: {
    readonly params: { readonly name: string; readonly id?: string; readonly args: Json };
    readonly value: Json;
  };
  readonly trigger: {
    readonly params: {
      readonly kind: Registered["triggers"][number]["kind"];
      readonly name: string;
      readonly data: Json;
    };
    readonly value: Json;
  };
  readonly test: { readonly params: { readonly name: string }; readonly value: null };
  /**
   * `code` as the host made it of what was typed (_evaluation.ts); the result is shown as text, and kept as `_`; what is
   * thrown, as `_error`. `name`: what stack traces call it.
   */
  readonly evaluate: {
    readonly params: { readonly code: string; readonly name?: string };
    readonly value: { readonly text: string; readonly type: string };
  };
  /** Names of members that an expression's value has; getters are not run. */
  readonly complete: {
    readonly params: { readonly path: readonly string[] };
    readonly value: readonly string[];
  };
}
