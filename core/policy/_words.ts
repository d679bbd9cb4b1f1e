/**
 * Command lines as words, in the small part of shell quoting that patterns use: `'…'` and `"…"` keep text as it is,
 * `\x` keeps one character, an unquoted `*` stands for any text within a word.
 */
export interface WordPattern {
  /** The text, when it has no wildcard. */
  readonly text?: string;
  /** The texts around its wildcards, in order. */
  readonly pieces: readonly string[];
}

/**
 * Stands, in the words of a `run` need, for text that is not known before it runs: within a word once, twice for what may
 * become several words, or none. No word of a real command can hold it.
 */
export const UNKNOWN = "\u0000";

/** Whether the words are all known. */
export function areKnown(argv: readonly string[]): boolean {
  return argv.every((word) => !word.includes(UNKNOWN));
}

/** The words of a command line. Returns what is wrong, as text. */
export function splitWords(line: string): readonly WordPattern[] | string {
  const words: WordPattern[] = [];
  let pieces: string[] | undefined;
  const add = (text: string) => {
    pieces ??= [""];
    pieces[pieces.length - 1] += text;
  };
  const end = () => {
    if (pieces) words.push(pieces.length === 1 ? { text: pieces[0] ?? "", pieces } : { pieces });
    pieces = undefined;
  };
  for (let i = 0; i < line.length; i++) {
    const char = line.charAt(i);
    if (/\s/u.test(char)) end();
    else if (char === "'") {
      const close = line.indexOf("'", i + 1);
      if (close < 0) return "a ' is never closed";
      add(line.slice(i + 1, close));
      i = close;
    } else if (char === '"') {
      add("");
      for (i++; line[i] !== '"'; i++) {
        if (i >= line.length) return 'a " is never closed';
        if (line[i] === "\\" && (line[i + 1] === '"' || line[i + 1] === "\\")) i++;
        add(line.charAt(i));
      }
    } else if (char === "\\") {
      if (++i >= line.length) return "it ends in a lone \\";
      add(line.charAt(i));
    } else if (char === "*") {
      pieces ??= [""];
      pieces.push("");
    } else add(char);
  }
  end();
  return words;
}

/** `argv` as a line that {@link splitWords} reads back, and that a person could type. */
export function quoteWords(argv: readonly string[]): string {
  return argv.map((word, index) =>
    /^(?:[\p{L}\p{N}_@%+=:,./-]+|[[\]]|\{\})$/u.test(word) && !(index === 0 && word.startsWith("="))
      ? word
      : `'${word.replaceAll("'", `'\\''`)}'`
  ).join(" ");
}

/** Whether the pattern covers the whole word. Never backtracks. */
export function wordMatches(pattern: WordPattern, word: string): boolean {
  if (pattern.text !== undefined) return pattern.text === word;
  const first = pattern.pieces[0] ?? "";
  const last = pattern.pieces.at(-1) ?? "";
  if (word.length < first.length + last.length || !word.startsWith(first) || !word.endsWith(last)) {
    return false;
  }
  let at = first.length;
  const stop = word.length - last.length;
  for (const piece of pattern.pieces.slice(1, -1)) {
    const found = word.indexOf(piece, at);
    if (found < 0 || found + piece.length > stop) return false;
    at = found + piece.length;
  }
  return true;
}

/** Whether the pattern may cover a word of which some is not known: rather yes than no. */
export function wordMayMatch(pattern: WordPattern, word: string): boolean {
  if (!word.includes(UNKNOWN)) return wordMatches(pattern, word);
  const known = word.split(UNKNOWN);
  const [first = ""] = pattern.pieces;
  const last = pattern.pieces.at(-1) ?? "";
  const [start = ""] = known;
  const end = known.at(-1) ?? "";
  return (start.startsWith(first) || first.startsWith(start)) && (end.endsWith(last) || last.endsWith(end));
}
