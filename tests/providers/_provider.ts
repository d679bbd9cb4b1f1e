import type { ApiStyle, ProviderConfig } from "../../core/config/config.ts";
import { PryxError } from "../../core/domain/error.ts";
import { createOpenAIProvider, type OpenAIProviderOptions } from "../../core/providers/openai.ts";
import type { ModelRequest, Provider } from "../../core/providers/provider.ts";

export function config(baseUrl: string, more: Partial<ProviderConfig> = {}): ProviderConfig {
  return {
    name: "test",
    baseUrl,
    api: "chat",
    headers: {},
    local: true,
    contextWindows: {},
    prices: {},
    ...more,
  };
}

export function providerAt(
  url: string,
  api: ApiStyle = "chat",
  options: Partial<OpenAIProviderOptions> = {},
): Provider {
  return createOpenAIProvider(config(url, { api }), { key: () => Promise.resolve(undefined), ...options });
}

/** Time that does not pass: keeps the waits asked for. */
export function stoppedClock(random = 0.5) {
  const waits: number[] = [];
  return {
    waits,
    sleep(ms: number) {
      waits.push(ms);
      return Promise.resolve();
    },
    random: () => random,
  };
}

export const hello: ModelRequest = { model: "test", messages: [{ role: "user", text: "hello" }], tools: [] };

/** What a promise was rejected with; fails when that is no PryxError. */
export async function failureOf(promise: Promise<unknown>): Promise<PryxError> {
  const outcome = await promise.then((value) => ({ value }), (error: unknown) => ({ error }));
  if ("error" in outcome && outcome.error instanceof PryxError) return outcome.error;
  throw new Error(`expected a PryxError, got ${Deno.inspect(outcome)}`);
}
