/** One number with the limit it has to keep. */
export interface Measurement {
  readonly name: string;
  readonly value: number;
  /** `×`, `ms`, `MB`, `/s`. */
  readonly unit: string;
  /** The value is at most, or at least, this. */
  readonly limit: { readonly most: number } | { readonly least: number };
  /** How it came about: what was compared, in which numbers. */
  readonly detail: string;
}

/** What could not be measured here, and why. */
export interface Skipped {
  readonly name: string;
  readonly skipped: string;
}

/** What a benchmark works with. */
export interface Bench {
  /** The built program. */
  readonly pryx: string;
  /** A program that does nothing, built and started the same way. */
  readonly empty: string;
  /** A new folder of its own; removed afterwards. */
  folder(): Promise<string>;
}

export function within({ value, limit }: Measurement): boolean {
  return "most" in limit ? value <= limit.most : value >= limit.least;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError("The median of nothing");
  const lower = sorted[middle - 1];
  return sorted.length % 2 === 0 && lower !== undefined ? (lower + upper) / 2 : upper;
}

/**
 * Times two things in turns, `rounds` times each after one round that does not count, so that whatever else the machine
 * does slows both alike.
 */
export async function interleave(
  rounds: number,
  a: () => Promise<number>,
  b: () => Promise<number>,
): Promise<{ a: number; b: number }> {
  const times = { a: [] as number[], b: [] as number[] };
  for (let round = -1; round < rounds; round++) {
    const [first, second] = [await a(), await b()];
    if (round < 0) continue;
    times.a.push(first);
    times.b.push(second);
  }
  return { a: median(times.a), b: median(times.b) };
}

/** Calls a second of `work`, which does `batch` of them; the best of five stretches of about 200 ms. */
export function rate(batch: number, work: () => void): number {
  work();
  let best = 0;
  for (let stretch = 0; stretch < 5; stretch++) {
    const started = performance.now();
    let calls = 0;
    while (performance.now() - started < 200) {
      work();
      calls += batch;
    }
    best = Math.max(best, calls * 1000 / (performance.now() - started));
  }
  return best;
}

export function round(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString("en-US");
  return value.toFixed(value >= 100 ? 0 : value < 0.1 ? 3 : 1);
}
