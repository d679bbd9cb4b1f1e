/**
 * The candidates that `word` was probably meant to be, nearest first, at most three: those it is the start of, then
 * those within an edit distance that grows with its length.
 */
export function suggest(word: string, candidates: readonly string[]): readonly string[] {
  const typed = word.toLowerCase();
  if (typed === "") return [];
  const limit = Math.max(1, Math.floor(typed.length / 3));
  return candidates
    .map((candidate) => {
      const other = candidate.toLowerCase();
      const isStart = typed.length >= 2 && other.startsWith(typed);
      return { candidate, distance: isStart ? 0.5 : editDistance(typed, other) };
    })
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** `Did you mean "run"?`, or undefined when nothing is near. */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  const near = suggest(word, candidates);
  return near.length === 0 ? undefined : `Did you mean ${near.map((one) => `"${one}"`).join(" or ")}?`;
}

/** Damerau–Levenshtein distance with adjacent transpositions (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(
        (above[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (above[j - 1] ?? 0) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    before = above;
    above = row;
  }
  return above[b.length] ?? 0;
}
