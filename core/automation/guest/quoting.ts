import type { Guest } from "./guest.ts";

/** What stands in one place of a template: words, or a command line that another template made. */
export type Filling =
  | { readonly words: readonly string[]; readonly list: boolean; readonly number: boolean }
  | { readonly text: string };

export interface Quoting {
  /** One word of a command line, quoted where it has to be. */
  quote(word: string): string;
  /** The command line: the texts as they stand, between them what `fill` gives for each place (from 0). */
  join(texts: readonly string[], fill: (index: number) => Filling): string;
  /** The text as one command that stands in a pipeline or a list: as it is where it is one, else in braces. */
  group(text: string): string;
  /** The text in a subshell, after these variables were set. */
  withVariables(text: string, variables: ReadonlyMap<string, string>): string;
}

/**
 * How words become a command line: POSIX quoting that depends on where in the text a word stands, by a small reading of
 * the shell's own rules (POSIX.1-2017, Shell Command Language, 2.2 and 2.3). Where a word cannot be made safe it throws.
 */
export function quotingApi(guest: Guest): { readonly _quoting: Quoting } {
  type Place =
    | "bare"
    | "group"
    | "single"
    | "double"
    | "ansi"
    | "backtick"
    | "parameter"
    | "arithmetic"
    | "comment"
    | "heredoc";

  // Without "=", which would make an assignment of a first word; an option cannot be one.
  const PLAIN = /^([A-Za-z0-9_./:@%+,-]+|--?[A-Za-z][A-Za-z0-9-]*=[A-Za-z0-9_./:@%+,-]+)$/;
  const KEYWORDS = new Set(
    "case coproc do done elif else esac fi for function if in select then time until while".split(" "),
  );
  const REFUSED: { readonly [P in Place]?: string } = {
    backtick: "stands in backticks, where quotes do not hold; use $(…)",
    parameter: "stands in ${…} of the shell; put it into a variable with env() first",
    comment: "stands in a comment",
    heredoc: "stands in or after a here-document; give the text with stdin() instead",
  };

  const single = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const quote = (word: string) => PLAIN.test(word) && !KEYWORDS.has(word) ? word : single(word);
  const ordinal = (index: number) => `Value ${index + 1} of the command`;

  /** Reads a command line piece by piece, and knows where it is. */
  function createReader() {
    const stack: Place[] = ["bare"];
    // The character before the one that is read, and whether a backslash took its meaning.
    let last = "";
    let plain = true;
    let list = false;
    let pipeline = false;

    const place = (): Place => stack.at(-1) ?? "bare";
    const operator = (text: string, at: number) => {
      const char = text[at];
      const next = text[at + 1];
      if (stack.length > 1) return;
      if (char === "\n" || char === ";") list = true;
      else if (char === "|") {
        if (next === "|" || last === "|") list = true;
        else if (last !== ">" || !plain) pipeline = true;
      } else if (char === "&" && last !== ">" && last !== "<" && next !== ">") {
        if (last !== "|" || next === "&") list = true;
      }
    };

    /** How many characters a thing that begins at `at` takes, when it opens a place there; else 0. */
    const opens = (text: string, at: number, quoted: boolean): number => {
      const here = text.slice(at, at + 3);
      if (here === "$((") return stack.push("arithmetic", "arithmetic"), 3;
      if (here.startsWith("$(")) return stack.push("group"), 2;
      if (here.startsWith("${")) return stack.push("parameter"), 2;
      if (here.startsWith("`")) return stack.push("backtick"), 1;
      if (quoted) return 0;
      if (here.startsWith("$'")) return stack.push("ansi"), 2;
      if (here.startsWith("'")) return stack.push("single"), 1;
      if (here.startsWith('"')) return stack.push("double"), 1;
      if (here.startsWith("((")) return stack.push("arithmetic", "arithmetic"), 2;
      if (here.startsWith("(")) return stack.push("group"), 1;
      if (here === "<<<") return 3;
      if (here.startsWith("<<")) return stack.push("heredoc"), 2;
      return 0;
    };

    /** Reads what begins at `at`; how many characters that was. */
    const step = (text: string, at: number): number => {
      const char = text[at] ?? "";
      const here = place();
      if (here === "heredoc") return text.length - at;
      if (here === "comment") {
        if (char !== "\n") return 1;
        stack.pop();
        operator(text, at);
        return 1;
      }
      if (here === "single") {
        if (char === "'") stack.pop();
        return 1;
      }
      if (char === "\\") return 2;
      if (here === "ansi" || here === "backtick") {
        if (char === (here === "ansi" ? "'" : "`")) stack.pop();
        return 1;
      }
      if (here === "double") {
        if (char === '"') return stack.pop(), 1;
        return opens(text, at, true) || 1;
      }
      if (here === "parameter") {
        if (char === "}") return stack.pop(), 1;
        const quoted = stack.at(-2) === "double" && char !== '"';
        return opens(text, at, quoted) || 1;
      }
      if (here === "arithmetic") {
        if (char === "(") return stack.push("arithmetic"), 1;
        if (char === ")") return stack.pop(), 1;
        return opens(text, at, true) || 1;
      }
      if (char === "#" && (last === "" || (plain && /[\s;|&()]/.test(last)))) return stack.push("comment"), 1;
      if (char === ")" && here === "group") return stack.pop(), 1;
      operator(text, at);
      return opens(text, at, false) || 1;
    };

    return {
      place,
      read(text: string) {
        for (let at = 0; at < text.length;) {
          const length = step(text, at);
          plain = !(text[at] === "\\" && length === 2);
          at += length;
          last = text[at - 1] ?? last;
        }
      },
      /** Something quoted was put here. */
      skip() {
        last = "'";
        plain = false;
      },
      /** Whether what comes next would be read as the name of a variable, or as another kind of quote. */
      afterDollar: () => last === "$" && plain,
      get last() {
        return plain ? last : "'";
      },
      get shape(): "simple" | "pipeline" | "list" {
        return list || stack.includes("heredoc") ? "list" : pipeline ? "pipeline" : "simple";
      },
      get open() {
        return !["bare", "comment", "heredoc"].includes(place());
      },
    };
  }

  const read = (text: string) => {
    const reader = createReader();
    reader.read(text);
    if (reader.open) {
      throw new TypeError(`A quote or bracket is left open in the command ${guest.inspect(text)}`);
    }
    return reader;
  };

  const inside = (
    words: readonly string[],
    place: Place,
    before: string,
    after: string,
  ): string => {
    if (place === "double") return words.join(" ").replace(/[\\"$`]/g, "\\$&");
    if (place === "single") return words.join(" ").replaceAll("'", `'\\''`);
    if (place === "ansi") return words.join(" ").replace(/[\\']/g, "\\$&");
    // A word that touches others is quoted unless what it touches cannot give it a meaning: `2` before `>`, `A` before `=`.
    const alone = /^$|[\s=/:,.@-]/.test(before) && /^$|[\s/:,.@;|&)-]/.test(after);
    return words.map((word) => alone ? quote(word) : single(word)).join(" ");
  };

  const join: Quoting["join"] = (texts, fill) => {
    const reader = createReader();
    let line = "";
    texts.forEach((text, index) => {
      line += text;
      reader.read(text);
      if (index === texts.length - 1) return;
      const filling = fill(index);
      const place = reader.place();
      const refuse = (why: string) => {
        throw new TypeError(`${ordinal(index)} ${why}`);
      };
      const refused = REFUSED[place];
      if (refused !== undefined) refuse(refused);
      if (place !== "single" && reader.afterDollar()) {
        refuse("stands right after a $, which would give it another meaning");
      }
      const bare = place === "bare" || place === "group";
      if ("text" in filling) {
        if (!bare) refuse("is a command that stands inside quotes; await its text() first");
        line += filling.text;
        reader.read(filling.text);
        return;
      }
      if (place === "arithmetic") {
        if (!filling.number) refuse("stands in arithmetic, where only an integer can");
        line += filling.words.join("");
        reader.read(filling.words.join(""));
        return;
      }
      if (!bare && filling.list) {
        refuse("is a list that stands inside quotes, where it would be one word; join it first");
      }
      if (filling.words.length === 0) return;
      line += inside(filling.words, place, reader.last, texts[index + 1]?.[0] ?? "");
      reader.skip();
    });
    if (line.includes("\0")) {
      throw new TypeError("The command has a NUL character in it, which no command can");
    }
    return line;
  };

  /** What ends the last command of a text, so that a bracket can follow. */
  const end = (text: string, other: string) => /#|<<|[&;]\s*$/.test(text) ? "\n" : other;

  return {
    _quoting: {
      quote,
      join,
      group(text) {
        return read(text).shape === "list" ? `{ ${text}${end(text, "; ")}}` : text;
      },
      withVariables(text, variables) {
        if (variables.size === 0) return text;
        read(text);
        const set = [...variables].map(([name, value]) => ` ${name}=${single(value)}`).join("");
        return `(export${set}; ${text}${end(text, "")})`;
      },
    },
  };
}
