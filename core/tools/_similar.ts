const MAX_LINES = 20_000;
const MAX_WINDOW = 12;
const CLOSE_ENOUGH = 0.35;

/** The part of a text that is most like `wanted`, with line numbers; undefined when nothing is. */
export function mostSimilarLines(
  text: string,
  wanted: string,
): { readonly from: number; readonly lines: readonly string[] } | undefined {
  const target = wanted.split("\n").filter((line) => line.trim() !== "").slice(0, MAX_WINDOW).map(pairsOf);
  const lines = text.split("\n").slice(0, MAX_LINES);
  const sets = lines.map(pairsOf);
  if (target.length === 0) return undefined;
  let best = { at: -1, score: CLOSE_ENOUGH };
  for (let at = 0; at < lines.length; at++) {
    let sum = 0;
    for (let k = 0; k < target.length; k++) sum += likeness(target[k], sets[at + k]);
    const score = sum / target.length;
    if (score > best.score) best = { at, score };
  }
  if (best.at < 0) return undefined;
  return { from: best.at + 1, lines: lines.slice(best.at, best.at + target.length) };
}

/** Pairs of neighbouring characters, white space apart (Dice's coefficient on bigrams). */
function pairsOf(line: string): ReadonlySet<string> {
  const dense = line.replace(/\s+/g, "").slice(0, 200);
  const pairs = new Set<string>();
  for (let i = 0; i < dense.length - 1; i++) pairs.add(dense.slice(i, i + 2));
  if (dense.length === 1) pairs.add(dense);
  return pairs;
}

function likeness(a: ReadonlySet<string> | undefined, b: ReadonlySet<string> | undefined): number {
  if (!a || !b || a.size === 0 || b.size === 0) return 0;
  let common = 0;
  for (const pair of a) if (b.has(pair)) common++;
  return (2 * common) / (a.size + b.size);
}
