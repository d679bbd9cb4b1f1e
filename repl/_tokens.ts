/** What the command line knows of a flag: whether a value follows it, and its letter. */
export interface FlagShape {
  readonly type: "string" | "boolean";
  readonly short?: string;
}

export type Token =
  | {
    readonly kind: "option";
    /** The flag's name without dashes; of an unknown letter that letter. */
    readonly name: string;
    /** As it was written: `--all`, `-a`. */
    readonly rawName: string;
    /** Position of its word, from 0. */
    readonly index: number;
    readonly value: string | undefined;
    /** Whether the value stood in the same word. */
    readonly inlineValue: boolean | undefined;
  }
  | { readonly kind: "positional"; readonly index: number; readonly value: string }
  | { readonly kind: "option-terminator"; readonly index: number };

/**
 * The words of a command line as `node:util`'s parseArgs sees them with `strict: false` and `tokens: true`: that module
 * costs every start what half an empty program does. `--name`, `--name=value`, `-n`, `-nvalue`, `-abc`, `--`.
 */
export function tokenize(argv: readonly string[], flags: Readonly<Record<string, FlagShape>>): Token[] {
  const letters = new Map(Object.entries(flags).flatMap(([name, { short }]) => short ? [[short, name]] : []));
  const named = (letter: string) => letters.get(letter) ?? letter;
  const takesValue = (name: string) => Object.hasOwn(flags, name) && flags[name]?.type === "string";
  const tokens: Token[] = [];

  /** A flag without its value in the same word; true when it has taken the next one. */
  const add = (name: string, rawName: string, index: number): boolean => {
    const value = takesValue(name) ? argv[index + 1] : undefined;
    tokens.push({
      kind: "option",
      name,
      rawName,
      index,
      value,
      inlineValue: value === undefined ? undefined : false,
    });
    return value !== undefined;
  };
  const addWith = (name: string, rawName: string, index: number, value: string) =>
    void tokens.push({ kind: "option", name, rawName, index, value, inlineValue: true });

  /** `-abc`: letters up to the first that takes what is left as its value. */
  const addLetters = (word: string, index: number): boolean => {
    for (let at = 1; at < word.length; at++) {
      const letter = word.charAt(at);
      const name = named(letter);
      const rest = word.slice(at + 1);
      if (rest === "") return add(name, `-${letter}`, index);
      if (takesValue(name)) {
        addWith(name, `-${letter}`, index, rest);
        return false;
      }
      tokens.push({
        kind: "option",
        name,
        rawName: `-${letter}`,
        index,
        value: undefined,
        inlineValue: undefined,
      });
    }
    return false;
  };

  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? "";
    if (word === "--") {
      tokens.push({ kind: "option-terminator", index });
      const behind = argv.slice(index + 1);
      behind.forEach((value, at) => tokens.push({ kind: "positional", index: index + 1 + at, value }));
      break;
    }
    const equals = word.startsWith("--") && word.includes("=", 3) ? word.indexOf("=") : -1;
    if (equals > 0) addWith(word.slice(2, equals), word.slice(0, equals), index, word.slice(equals + 1));
    else if (word.startsWith("--")) index += Number(add(word.slice(2), word, index));
    else if (word.length > 1 && word.startsWith("-")) index += Number(addLetters(word, index));
    else tokens.push({ kind: "positional", index, value: word });
  }
  return tokens;
}
