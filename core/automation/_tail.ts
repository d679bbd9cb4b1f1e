/** The end of a text that grows. */
export interface Tail {
  add(text: string): void;
  /** The last characters of all that was added. */
  text(): string;
}

/** Keeps the last `longest` characters. Cut now and then, not for every piece: a program may print a million lines. */
export function createTail(longest: number): Tail {
  let kept = "";
  return {
    add(text) {
      kept += text;
      if (kept.length > 2 * longest) kept = kept.slice(-longest);
    },
    text: () => kept.slice(-longest),
  };
}
