// @ts-types="npm:/sucrase@3.35.1/dist/types/parser/index.d.ts"
import { parse } from "sucrase/dist/parser/index.js";
// @ts-types="npm:/sucrase@3.35.1/dist/types/parser/tokenizer/types.d.ts"
import { TokenType } from "sucrase/dist/parser/tokenizer/types.js";
// @ts-types="npm:/sucrase@3.35.1/dist/types/parser/tokenizer/index.d.ts"
import { IdentifierRole } from "sucrase/dist/parser/tokenizer/index.js";
import { createSpots, type Finding, type Spot } from "./_module.ts";

export { IdentifierRole, TokenType };

/** A piece of a module's text: a word, a sign, a string. Comments and blanks are none. */
export interface Token {
  readonly type: TokenType;
  readonly start: number;
  readonly end: number;
  /** It belongs to a type: nothing of it is there when the module runs. */
  readonly isType: boolean;
  /** What a name is here: a declaration, a use; null for what is no name. */
  readonly identifierRole: IdentifierRole | null;
  /** Of the `=` of a declaration: index of the token behind its value. */
  readonly rhsEndIndex: number | null;
  /** As written. */
  readonly text: string;
}

/** The tokens of a module, and where they stand. */
export interface Tokens {
  readonly text: string;
  readonly list: readonly Token[];
  /** The one at an index; the end of the file where there is none. */
  at(index: number): Token;
  spot(token: Token): Spot;
  /** Whether a line break stands between this token and the one before it. */
  startsLine(index: number): boolean;
  /** The token after the bracket that closes the one at `index`. */
  after(index: number): number;
}

/** Looks at a text's characters that the parser may take, for each of them and in all. Usual text takes about six. */
const LOOKS_PER_CHARACTER = 200;
const LOOKS_AT_LEAST = 2_000_000;

const OPENING: ReadonlySet<TokenType> = new Set([
  TokenType.braceL,
  TokenType.bracketL,
  TokenType.parenL,
  TokenType.dollarBraceL,
]);
const CLOSING: ReadonlySet<TokenType> = new Set([TokenType.braceR, TokenType.bracketR, TokenType.parenR]);

/** The tokens of a text, or why it has none. */
export function tokenize(text: string, typescript: boolean): Tokens | Finding {
  const spots = createSpots(text);
  try {
    const metered = new MeteredText(text);
    // The parser asks a text for its length, characters and slices alone: an object that has these does.
    const { tokens } = parse(metered as unknown as string, false, typescript, false);
    return tokensOf(text, spots, tokens);
  } catch (error) {
    return syntaxFinding(error, spots);
  }
}

function tokensOf(
  text: string,
  spots: (offset: number) => Spot,
  parsed: readonly Omit<Token, "text">[],
): Tokens {
  const list = parsed.map(({ type, start, end, isType, identifierRole, rhsEndIndex }) => ({
    type,
    start,
    end,
    isType,
    identifierRole,
    rhsEndIndex,
    text: text.slice(start, end),
  }));
  const eof: Token = {
    type: TokenType.eof,
    start: text.length,
    end: text.length,
    isType: false,
    identifierRole: null,
    rhsEndIndex: null,
    text: "",
  };
  const at = (index: number) => list[index] ?? eof;
  return {
    text,
    list,
    at,
    spot: (token) => spots(token.start),
    startsLine: (index) =>
      index === 0 || /[\n\r\u2028\u2029]/u.test(text.slice(at(index - 1).end, at(index).start)),
    after(index) {
      let depth = 0;
      for (let i = index; i < list.length; i++) {
        if (OPENING.has(at(i).type)) depth++;
        else if (CLOSING.has(at(i).type) && --depth <= 0) return i + 1;
      }
      return list.length;
    },
  };
}

/** A parser's error as something a person can act on. */
export function syntaxFinding(error: unknown, spots: (offset: number) => Spot): Finding {
  const finding = (spot: Spot, message: string, fix?: string): Finding => ({
    ...spot,
    code: "syntax",
    severity: "error",
    message,
    ...(fix === undefined ? {} : { fix }),
  });
  const start = { line: 1, column: 1 };
  if (error instanceof TooLong || error instanceof RangeError) {
    return finding(start, "The file is nested too deeply to be read", "take its long expressions apart");
  }
  if (error instanceof SyntaxError && "pos" in error && typeof error.pos === "number") {
    const said = error.message.replace(/ \(\d+:\d+\)$/u, "");
    const [what = said, wanted] = said.split(", expected ");
    const message = what === "Unexpected token" ? "This cannot stand here" : said;
    return finding(spots(error.pos), wanted === undefined ? message : `${message}: ${wanted} was expected`);
  }
  return finding(
    start,
    "The file cannot be read as TypeScript",
    "look for a bracket or an import that does not end",
  );
}

class TooLong extends Error {}

/**
 * A text that can be looked at only so often. The parser reads what may be an arrow function twice, and what is inside
 * of it twice again: thirty nested brackets, made for it, would hold the host for hours.
 */
class MeteredText {
  readonly length: number;
  readonly #text: string;
  #left: number;

  constructor(text: string) {
    this.#text = text;
    this.length = text.length;
    this.#left = LOOKS_AT_LEAST + text.length * LOOKS_PER_CHARACTER;
  }

  charCodeAt(index: number): number {
    if (--this.#left < 0) throw new TooLong();
    return this.#text.charCodeAt(index);
  }

  toString(): string {
    return this.#text;
  }
}
