import type { Message, RequestedCall, Usage } from "../../core/domain/message.ts";
import type { ModelRequest, ModelResponse, Provider, StreamOptions } from "../../core/providers/provider.ts";

/** One answer of the model: text, calls, an error to throw, or a function that decides when it is asked. */
export interface Step {
  readonly text?: string;
  /** `[tool, arguments]`. */
  readonly calls?: readonly (readonly [string, unknown])[];
  readonly error?: unknown;
  /** Runs after the text was streamed, before the answer is whole. */
  readonly during?: (options: StreamOptions, request: ModelRequest) => void | Promise<void>;
  readonly usage?: Usage | null;
  readonly finish?: ModelResponse["finish"];
}

export interface ScriptedProvider extends Provider {
  /** Every request that was made. */
  readonly requests: readonly ModelRequest[];
}

/** A provider that answers from a list, in order. Asking it once too often is an error. */
export function scriptedProvider(
  steps: readonly (Step | ((request: ModelRequest) => Step))[],
): ScriptedProvider {
  const requests: ModelRequest[] = [];
  let calls = 0;
  return {
    name: "scripted",
    requests,
    models: () => Promise.resolve([{ id: "model" }]),
    async complete(request, options) {
      const entry = steps[requests.length];
      requests.push({ ...request, messages: [...request.messages] });
      if (!entry) throw new Error(`the script has ${steps.length} steps, and was asked for one more`);
      const step = typeof entry === "function" ? entry(request) : entry;
      options.signal.throwIfAborted();
      if (step.text) options.onDelta(step.text, "text");
      await step.during?.(options, request);
      options.signal.throwIfAborted();
      if (step.error) throw step.error;
      const requested = (step.calls ?? []).map(([name, args]): RequestedCall => ({
        id: `call_${++calls}`,
        name,
        args: typeof args === "string" ? args : JSON.stringify(args),
      }));
      return {
        text: step.text ?? "",
        reasoning: "",
        calls: requested,
        finish: step.finish ?? (requested.length > 0 ? "tool_calls" : "stop"),
        usage: step.usage === undefined ? { input: 100, output: 20, cached: 0, reasoning: 0 } : step.usage,
      };
    },
  };
}

/** `role:text` of each message but the system prompt, for short assertions. */
export function transcript(messages: readonly Message[]): string[] {
  return messages.filter((message) => message.role !== "system").map((message) =>
    message.role === "assistant" && message.calls.length > 0
      ? `assistant:${message.text}[${message.calls.map((call) => call.name)}]`
      : `${message.role}:${message.text}`
  );
}
