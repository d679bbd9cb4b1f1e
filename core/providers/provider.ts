import type { Message, RequestedCall, Usage } from "../domain/message.ts";
import type { ObjectSchema } from "../domain/schema.ts";

/** A tool as a model is told about it. */
export interface ToolDescription {
  readonly name: string;
  readonly description: string;
  readonly parameters: ObjectSchema | Readonly<Record<string, unknown>>;
}

/** One request to a model; the whole conversation each time. */
export interface ModelRequest {
  /** Without the provider's name: `gpt-5`, not `openai/gpt-5`. */
  readonly model: string;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolDescription[];
  /** JSON Schema that the answer must fit; where a provider cannot hold it, the agent checks and asks again. */
  readonly outputSchema?: Readonly<Record<string, unknown>>;
  readonly maxOutputTokens?: number;
}

/** A whole answer. `opaque`: the provider's own items, sent back to it as they are with the next request. */
export interface ModelResponse {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly RequestedCall[];
  readonly finish: "stop" | "tool_calls" | "length" | "content_filter";
  /** Null when the provider sent none. */
  readonly usage: Usage | null;
  readonly opaque?: { readonly provider: string; readonly items: readonly unknown[] };
}

/** What happens while an answer comes in. */
export interface StreamOptions {
  readonly signal: AbortSignal;
  /** A piece of the message; may hold many tokens. Called in order, never after the promise has settled. */
  readonly onDelta: (text: string, kind: "text" | "reasoning") => void;
  /** A failed attempt that will be repeated after `waitMs`. Nothing of it was passed to `onDelta`. */
  readonly onRetry: (attempt: number, waitMs: number, reason: string) => void;
}

/** What is known of a model. */
export interface ModelInfo {
  readonly id: string;
  /** Tokens; absent when not known. */
  readonly contextWindow?: number;
  /** US dollars per million tokens; absent when not known. */
  readonly price?: { readonly input: number; readonly output: number; readonly cached?: number };
}

/**
 * A source of model answers. `complete` sends one request and streams the answer. It repeats failures that pass (429,
 * 5xx, network) as long as nothing was streamed yet, and rejects with a PryxError: `provider_auth`,
 * `provider_unreachable`, `provider_interrupted` (broke off in mid-stream), `model_unknown`, `context_overflow`,
 * `provider`. When `signal` aborts it rejects with the signal's reason.
 */
export interface Provider {
  readonly name: string;
  /** True when answers come from a recording. */
  readonly recorded?: boolean;
  complete(request: ModelRequest, options: StreamOptions): Promise<ModelResponse>;
  /** What the provider offers. Asks the network. */
  models(signal: AbortSignal): Promise<readonly ModelInfo[]>;
  /** Opens a connection ahead of the first request, without waiting and without failing. */
  warm?(): void;
}

/** What is known offline about models: context windows and prices. */
export interface ModelCatalog {
  /** Undefined when the model is not known. `model` as in the request, without the provider. */
  info(provider: string, model: string): Promise<ModelInfo | undefined>;
  /** US dollars for `usage`; null when there is no known price. Local providers cost 0. */
  cost(provider: string, model: string, usage: Usage): Promise<number | null>;
}
