/** The candidate closest to `word`, when one is close enough to be what was meant. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  let best: string | undefined;
  // A third of the letters may differ: enough for a slip or two, too little for a guess.
  let least = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase(), least);
    if (distance < least && distance < word.length) [best, least] = [candidate, distance];
  }
  return best ?? within(wanted, [...candidates]);
}

/** `maxCost` means `cost`: the longest candidate that ends the word. */
function within(wanted: string, candidates: readonly string[]): string | undefined {
  return candidates.filter((one) => one.length > 2 && wanted.endsWith(one.toLowerCase()))
    .sort((a, b) => b.length - a.length)[0];
}

/** Levenshtein's distance with adjacent swaps counted as one edit; `limit` or more is reported as `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(
        (previous[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (previous[j - 1] ?? 0) + cost,
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      }
      row.push(least);
    }
    [before, previous] = [previous, row];
  }
  return Math.min(previous[b.length] ?? limit, limit);
}
