import { addUsage, NO_USAGE, type Usage } from "../domain/message.ts";

/** What the model calls of one turn have used so far. */
export interface Tally {
  readonly usage: Usage;
  /** US dollars; null once a call had no known price. */
  readonly cost: number | null;
  count(usage: Usage, cost: number | null): void;
}

/** Starts at nothing used and no cost. */
export function createTally(): Tally {
  let usage = NO_USAGE;
  let cost: number | null = 0;
  return {
    get usage() {
      return usage;
    },
    get cost() {
      return cost;
    },
    count(more, price) {
      usage = addUsage(usage, more);
      cost = cost === null || price === null ? null : cost + price;
    },
  } satisfies Tally;
}
