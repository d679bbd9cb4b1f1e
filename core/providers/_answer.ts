import type { ModelResponse } from "./provider.ts";

/** Reads the events of one answer, whatever the API's dialect. */
export interface AnswerReader {
  /** One event's data. Throws SyntaxError when it is not JSON, {@link StreamFailure} when the server reports an error. */
  event(data: string): void;
  /** True once the answer is whole, even if the connection breaks now. */
  readonly whole: boolean;
  /** True once nothing more will come. */
  readonly over: boolean;
  /** A server that does not stream answered with this document instead. */
  document(body: unknown): void;
  result(): ModelResponse;
}

/** An error that the server reported inside the stream, behind a 200. */
export class StreamFailure extends Error {
  override readonly name = "StreamFailure";
  constructor(readonly body: unknown) {
    super("the server reported an error in the stream");
  }
}

/** What the one who listens to deltas threw: not a failure of the provider. */
export class ConsumerFailure extends Error {
  override readonly name = "ConsumerFailure";
}

/** The text of an answer as it grows; passes on what came since the last flush in one piece. */
export interface Deltas {
  add(text: string, kind: "text" | "reasoning"): void;
  flush(): void;
  readonly text: string;
  readonly reasoning: string;
  /** True once something was passed on. */
  readonly passed: boolean;
}

/** Gathers text and reasoning, and passes them on in pieces through `on`. */
export function createDeltas(on: (text: string, kind: "text" | "reasoning") => void): Deltas {
  let text = "";
  let reasoning = "";
  let pending = "";
  let kind: "text" | "reasoning" = "text";
  let passed = false;
  const flush = () => {
    if (pending === "") return;
    const piece = pending;
    pending = "";
    if (kind === "text") text += piece;
    else reasoning += piece;
    passed = true;
    try {
      on(piece, kind);
    } catch (cause) {
      throw new ConsumerFailure("a listener failed", { cause });
    }
  };
  return {
    add(piece, of) {
      if (piece === "") return;
      if (of !== kind) flush();
      kind = of;
      pending += piece;
    },
    flush,
    get text() {
      return kind === "text" ? text + pending : text;
    },
    get reasoning() {
      return kind === "reasoning" ? reasoning + pending : reasoning;
    },
    get passed() {
      return passed;
    },
  };
}

/** An object of a server's answer, whose fields are still to be checked. */
export type JsonObject = { readonly [key: string]: unknown };

/** `value` when it is an object, else an empty one: servers send null, and nothing, where others send objects. */
export function object(value: unknown): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value as JsonObject : {};
}

/** The value when it is a list, else an empty one. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value when it is text, else "". */
export function string(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The value as a whole number above 0, else 0. */
export function count(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? Math.floor(value) : 0;
}

/** Arguments as JSON text: some servers send the object itself, some nothing at all for a call without arguments. */
export function argsText(value: unknown): string {
  if (typeof value === "string") return value;
  return value === null || value === undefined ? "" : JSON.stringify(value);
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** True when a provider's strict mode takes the schema: every object closed, every property required. */
export function isStrictSchema(schema: unknown): boolean {
  if (typeof schema !== "object" || schema === null) return true;
  if (Array.isArray(schema)) return schema.every(isStrictSchema);
  const node = object(schema);
  if (node.properties !== undefined || node.type === "object") {
    const required = new Set(list(node.required));
    const names = Object.keys(object(node.properties));
    if (node.additionalProperties !== false || names.some((name) => !required.has(name))) return false;
    return names.every((name) => isStrictSchema(object(node.properties)[name]));
  }
  return Object.values(node).every(isStrictSchema);
}
