import type { ProviderConfig } from "../config/config.ts";
import type { Usage } from "../domain/message.ts";
import { createPriceCache, type Listed } from "./_price_cache.ts";
import type { ModelCatalog, ModelInfo } from "./provider.ts";

/** Where the catalogue gets windows and prices from. */
interface CatalogOptions {
  readonly providers: Readonly<Record<string, ProviderConfig>>;
  /** File that remembers what the table says about models in use, so that a start need not load it. */
  readonly cacheFile?: string;
  /** The time prices are asked for: some depend on the date. Default: now. */
  readonly now?: () => Date;
}

type Price = NonNullable<ModelInfo["price"]>;

const FREE: Price = { input: 0, output: 0, cached: 0 };

/**
 * What is known about models without asking anybody. What the configuration says wins; local providers cost nothing;
 * the rest comes from the price table of `@pydantic/genai-prices`, loaded when needed and never updated over the network.
 */
export function createCatalog(options: CatalogOptions): ModelCatalog {
  const now = options.now ?? (() => new Date());
  const cache = options.cacheFile === undefined ? undefined : createPriceCache(options.cacheFile, now);
  let library: Promise<typeof import("@pydantic/genai-prices")> | undefined;

  const keyOf = (name: string, model: string) =>
    JSON.stringify([name, options.providers[name]?.baseUrl ?? "", model]);

  /** The table's own reckoning; null when it does not know the model, or cannot price it by tokens. */
  const reckon = async (name: string, model: string, usage: Usage) => {
    const { calcPrice, findProvider } = await (library ??= import("@pydantic/genai-prices"));
    const config = options.providers[name];
    // By address first: a provider may have any name.
    const provider = (config && findProvider({ providerApiUrl: config.baseUrl })) ??
      findProvider({ providerId: name });
    if (!provider) return null;
    try {
      const tokens = {
        input_tokens: usage.input,
        cache_read_tokens: Math.min(usage.cached, usage.input),
        output_tokens: usage.output,
      };
      return calcPrice(tokens, model, { provider, timestamp: now() });
    } catch {
      // Prices by the minute or by the picture cannot be had from tokens.
      return null;
    }
  };

  const look = async (name: string, model: string): Promise<Listed | null> => {
    const found = await reckon(name, model, { input: 0, output: 0, cached: 0, reasoning: 0 });
    if (!found) return null;
    const { input_mtok, output_mtok, cache_read_mtok } = found.model_price;
    const [input, output, cached] = [input_mtok, output_mtok, cache_read_mtok].map(perMillion);
    const free = found.provider.id === "openrouter" && model.endsWith(":free");
    const price = input !== undefined && output !== undefined
      ? { input, output, ...(cached === undefined ? {} : { cached }) }
      : free
      ? FREE
      : undefined;
    const tiered = [input_mtok, output_mtok, cache_read_mtok].some((part) => typeof part === "object");
    return {
      ...(found.model.context_window === undefined ? {} : { contextWindow: found.model.context_window }),
      ...(price === undefined ? {} : { price }),
      flat: !tiered && !Array.isArray(found.model.prices),
    };
  };

  return {
    async info(provider, model) {
      const config = options.providers[provider];
      const ownWindow = own(config?.contextWindows, model);
      const ownPrice = own(config?.prices, model) ?? (config?.local ? FREE : undefined);
      let listed: Listed | null = null;
      if (!config?.local && (ownWindow === undefined || ownPrice === undefined)) {
        const cached = await cache?.get(keyOf(provider, model));
        listed = cached === undefined ? await look(provider, model) : cached;
      }
      const contextWindow = ownWindow ?? listed?.contextWindow;
      const price = ownPrice ?? listed?.price;
      if (contextWindow === undefined && price === undefined) return undefined;
      return {
        id: model,
        ...(contextWindow === undefined ? {} : { contextWindow }),
        ...(price === undefined ? {} : { price }),
      };
    },

    async cost(provider, model, usage) {
      const config = options.providers[provider];
      const price = own(config?.prices, model);
      if (price) return byTokens(price, usage);
      if (config?.local) return 0;
      const key = keyOf(provider, model);
      let listed = await cache?.get(key);
      if (listed === undefined) {
        listed = await look(provider, model);
        // Only models that are paid for are remembered, not all that somebody looked at.
        await cache?.put(key, listed);
      }
      if (!listed?.price) return null;
      if (listed.flat) return byTokens(listed.price, usage);
      return (await reckon(provider, model, usage))?.total_price ?? null;
    },
  } satisfies ModelCatalog;
}

function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record && Object.hasOwn(record, key) ? record[key] : undefined;
}

function byTokens(price: Price, usage: Usage): number {
  const cached = Math.min(usage.cached, usage.input);
  const dollars = (usage.input - cached) * price.input + cached * (price.cached ?? price.input) +
    usage.output * price.output;
  return dollars / 1e6;
}

/** A price of the table: a number, or the first tier of one that depends on the length of the prompt. */
function perMillion(price: unknown): number | undefined {
  if (typeof price === "number") return price;
  if (typeof price === "object" && price !== null && "base" in price && typeof price.base === "number") {
    return price.base;
  }
  return undefined;
}
