import { PryxError } from "../domain/error.ts";
import type { Usage } from "../domain/message.ts";
import type { ModelCatalog } from "../providers/provider.ts";

/** Answers shorter than this are not worth paying a whole context for. */
const MIN_OUTPUT_TOKENS = 256;

/** What one request may cost, set aside before it is made. Settled or released once. */
export interface Reservation {
  /** US dollars set aside; null when the model has no known price. */
  readonly reserved: number | null;
  /** The longest answer that the rest of the budget pays for; undefined without a limit. */
  readonly maxOutputTokens: number | undefined;
  /** Puts what was not spent back. Returns the cost in US dollars; null when the price is not known. */
  settle(usage: Usage): Promise<number | null>;
  /** Puts everything back: the request failed before it cost anything. */
  release(): void;
}

/** Money for one turn: every model call reserves before it is sent and settles after, so parallel calls cannot overspend. */
export interface Budget {
  reserve(provider: string, model: string, inputTokens: number): Promise<Reservation>;
  readonly spent: number;
}

/** `limit` in US dollars; undefined: costs are counted, nothing is refused. */
export function createBudget(catalog: ModelCatalog, limit: number | undefined): Budget {
  let spent = 0;
  let held = 0;

  async function pricesOf(provider: string, model: string, inputTokens: number) {
    const input = await catalog.cost(provider, model, usageOf(inputTokens, 0));
    const perMillion = await catalog.cost(provider, model, usageOf(0, 1_000_000));
    if (input === null || perMillion === null) {
      throw new PryxError(
        "unpriced_model",
        `Cannot hold a cost limit for "${provider}/${model}": its price is not known`,
        {
          fix: `set providers.${provider}.prices in the config (pryx config set), or leave --max-cost out`,
        },
      );
    }
    return { input, perMillion };
  }

  return {
    get spent() {
      return spent;
    },
    async reserve(provider, model, inputTokens) {
      let reserved: number | null;
      let maxOutputTokens: number | undefined;
      if (limit === undefined) {
        // Nothing to hold back: the price is looked up when there is something to pay.
        reserved = null;
      } else {
        const { input, perMillion } = await pricesOf(provider, model, inputTokens);
        // No wait from here until it is held: what two calls at once may spend is the limit, not twice the limit.
        const rest = limit - spent - held;
        const tokens = perMillion === 0 ? undefined : Math.floor((rest - input) / (perMillion / 1_000_000));
        if (tokens !== undefined && tokens < MIN_OUTPUT_TOKENS || input > rest) {
          throw new PryxError(
            "budget",
            `The cost limit of $${limit} is reached: $${
              spent.toFixed(4)
            } is spent, and the next request would need ` +
              `$${input.toFixed(4)} for its input alone`,
            { fix: "raise --max-cost, or go on in a new session with less context" },
          );
        }
        reserved = tokens === undefined ? input : rest;
        maxOutputTokens = tokens;
      }
      const amount = reserved ?? 0;
      held += amount;
      let open = true;
      const release = () => {
        if (open) held -= amount;
        open = false;
      };
      return {
        reserved,
        maxOutputTokens,
        release,
        async settle(usage) {
          const cost = await catalog.cost(provider, model, usage);
          release();
          spent += cost ?? 0;
          return cost;
        },
      };
    },
  } satisfies Budget;
}

function usageOf(input: number, output: number): Usage {
  return { input, output, cached: 0, reasoning: 0 };
}
