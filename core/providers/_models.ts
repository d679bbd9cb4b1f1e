import { object, string } from "./_answer.ts";
import type { ModelInfo } from "./provider.ts";

const WINDOW_FIELDS = [
  "context_length",
  "context_window",
  "max_context_length",
  "max_model_len",
  "inputTokenLimit",
  "max_input_tokens",
];

/** One entry of a server's `/models` list; servers add context windows and prices in fields of their own. */
export function listedModel(entry: unknown): ModelInfo | undefined {
  const model = object(entry);
  // Names are shown on terminals, and come from whoever answers.
  const id = string(model.id).replace(/^models\//, "").replace(/[\p{Cc}\p{Cf}]/gu, "");
  if (id === "") return undefined;
  const windows = [...WINDOW_FIELDS.map((field) => model[field]), object(model.meta).n_ctx_train];
  const contextWindow = windows.find((tokens) => typeof tokens === "number" && tokens > 0);
  const price = listedPrice(object(model.pricing));
  return {
    id,
    ...(typeof contextWindow === "number" ? { contextWindow } : {}),
    ...(price === undefined ? {} : { price }),
  };
}

/** OpenRouter's form: US dollars per token, as text. */
function listedPrice(pricing: { readonly [key: string]: unknown }): ModelInfo["price"] {
  const perMillion = (value: unknown): number | undefined => {
    const dollars = typeof value === "string" && value !== "" ? Number(value) : NaN;
    return dollars >= 0 ? Number((dollars * 1e6).toPrecision(12)) : undefined;
  };
  const input = perMillion(pricing.prompt);
  const output = perMillion(pricing.completion);
  const cached = perMillion(pricing.input_cache_read);
  if (input === undefined || output === undefined) return undefined;
  return { input, output, ...(cached === undefined ? {} : { cached }) };
}
