import type { ProviderConfig } from "../config/config.ts";
import type { Usage } from "../domain/message.ts";
import type { ModelCatalog, ModelInfo } from "./provider.ts";

export interface CatalogOptions {
  readonly providers: Readonly<Record<string, ProviderConfig>>;
  /** The time prices are asked for: some depend on the date. Default: now. */
  readonly now?: () => Date;
}

type Price = NonNullable<ModelInfo["price"]>;

const FREE: Price = { input: 0, output: 0, cached: 0 };

/**
 * What is known about models without asking anybody. What the configuration says wins; local providers cost nothing;
 * the rest comes from the price table of `@pydantic/genai-prices`, loaded on first use and never updated over the
 * network.
 */
export function createCatalog(options: CatalogOptions): ModelCatalog {
  const now = options.now ?? (() => new Date());
  let table: Promise<typeof import("@pydantic/genai-prices")> | undefined;

  /** The table's entry for a model: `cost` in US dollars for a usage, undefined when it has no price per token. */
  const listed = async (name: string, model: string) => {
    const { calcPrice, findProvider } = await (table ??= import("@pydantic/genai-prices"));
    const config = options.providers[name];
    // By address first: a provider may have any name.
    const provider = (config && findProvider({ providerApiUrl: config.baseUrl })) ??
      findProvider({ providerId: name });
    if (!provider) return undefined;
    const price = (usage: Usage) => {
      try {
        return calcPrice(
          {
            input_tokens: usage.input,
            cache_read_tokens: Math.min(usage.cached, usage.input),
            output_tokens: usage.output,
          },
          model,
          { provider, timestamp: now() },
        );
      } catch {
        // Prices by the minute or by the picture cannot be had from tokens.
        return null;
      }
    };
    const entry = price({ input: 0, output: 0, cached: 0, reasoning: 0 });
    if (!entry) return undefined;
    const input = perMillion(entry.model_price.input_mtok);
    const output = perMillion(entry.model_price.output_mtok);
    const cached = perMillion(entry.model_price.cache_read_mtok);
    const free = provider.id === "openrouter" && model.endsWith(":free");
    const known = input !== undefined && output !== undefined
      ? { input, output, ...(cached === undefined ? {} : { cached }) }
      : free
      ? FREE
      : undefined;
    return {
      contextWindow: entry.model.context_window,
      price: known,
      cost: (usage: Usage) => known === undefined ? null : free ? 0 : price(usage)?.total_price ?? null,
    };
  };

  return {
    async info(provider, model) {
      const config = options.providers[provider];
      const ownWindow = own(config?.contextWindows, model);
      const ownPrice = own(config?.prices, model) ?? (config?.local ? FREE : undefined);
      const entry = ownWindow !== undefined && ownPrice !== undefined || config?.local
        ? undefined
        : await listed(provider, model);
      const contextWindow = ownWindow ?? entry?.contextWindow;
      const price = ownPrice ?? entry?.price;
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
      return (await listed(provider, model))?.cost(usage) ?? null;
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
