import type * as Api from "../api.d.ts";
import type { Calls } from "./asking.ts";
import type { Guest } from "./guest.ts";

/** Questions to people, and what is shown to them. */
export function uiApi(guest: Guest, { _calls: calls }: { readonly _calls: Calls }) {
  const PROGRESS_EVERY_MS = 100;
  /** Characters that take no place: marks that join the one before, and joiners. */
  const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
  /** East Asian characters and emoji, which take two. */
  const WIDE = new RegExp(
    "^[\\u1100-\\u115f\\u2e80-\\u303e\\u3041-\\u33ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\ua000-\\ua4cf\\uac00-\\ud7a3" +
      "\\uf900-\\ufaff\\ufe30-\\ufe6f\\uff00-\\uff60\\uffe0-\\uffe6\\u{1f300}-\\u{1f64f}\\u{1f680}-\\u{1f6ff}" +
      "\\u{1f900}-\\u{1f9ff}\\u{1fa70}-\\u{1faff}\\u{20000}-\\u{3fffd}]$|^\\p{Emoji_Presentation}$",
    "u",
  );

  const nameOf = (name: unknown): string => {
    const text = calls.text(name, "The name of a question");
    if (/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(text)) return text;
    throw new TypeError(
      `A question cannot be named ${
        guest.inspect(text)
      }: \`--answer NAME=VALUE\` takes letters, digits, "_", "." and "-"`,
    );
  };
  const textOf = (question: string | undefined, name: string) =>
    question === undefined ? name : calls.text(question, `The text of the question ${name}`);

  const choicesOf = <T extends string>(choices: readonly T[], name: string): readonly T[] => {
    if (!Array.isArray(choices) || choices.length === 0) {
      throw new TypeError(`The question ${name} has no choices`);
    }
    for (const choice of choices) calls.text(choice, `A choice of the question ${name}`);
    if (new Set(choices).size < choices.length) {
      throw new TypeError(`Two choices of the question ${name} are the same`);
    }
    return choices;
  };
  const wrong = (name: string, answer: string, expected: string) =>
    new guest.PryxError(`${guest.inspect(answer)} is no answer to the question ${name}: it is ${expected}`, {
      code: "input_invalid",
    });

  function oneOf<T extends string>(choices: readonly T[], answer: string, name: string): T {
    const found = choices.find((choice) => choice === answer);
    if (found === undefined) throw wrong(name, answer, `one of ${choices.join(", ")}`);
    return found;
  }

  const listOf = (answer: string): readonly string[] => {
    try {
      const list: unknown = JSON.parse(answer);
      if (Array.isArray(list)) return list.map(String);
    } catch {
      // Then it is as it was typed.
    }
    return answer.split(",").map((word) => word.trim()).filter((word) => word !== "");
  };

  const widthOf = (text: string) => {
    let width = 0;
    for (const char of text) width += NO_WIDTH.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
    return width;
  };
  const cellOf = (value: unknown): string => {
    if (value === undefined || value === null) return "";
    const text = typeof value === "string"
      ? value
      : typeof value === "object"
      ? guest.inspect(value)
      : String(value);
    // One line, and nothing that a terminal would obey.
    return text.replace(/\s+/g, " ").replace(/\p{Cc}/gu, "").trim();
  };

  const ui: typeof Api.ui = {
    async confirm(name, question, options = {}) {
      const fallback = options.default === undefined ? {} : { default: options.default ? "yes" : "no" };
      const text = textOf(question, nameOf(name));
      const answer = await calls.call("question", { name, kind: "confirm", text, ...fallback });
      if (/^(y|yes|true|1)$/i.test(answer)) return true;
      if (/^(n|no|false|0)$/i.test(answer)) return false;
      throw wrong(name, answer, "yes or no");
    },

    async input(name, question, options = {}) {
      const fallback = options.default === undefined
        ? {}
        : { default: calls.text(options.default, "A default") };
      const text = textOf(question, nameOf(name));
      return await calls.call("question", { name, kind: "input", text, ...fallback });
    },

    async select(name, choices, options = {}) {
      const text = textOf(options.question, nameOf(name));
      const all = choicesOf(choices, name);
      const fallback = options.default === undefined ? {} : { default: oneOf(all, options.default, name) };
      return oneOf(
        all,
        await calls.call("question", { name, kind: "select", text, choices: all, ...fallback }),
        name,
      );
    },

    async multiselect(name, choices, options = {}) {
      const text = textOf(options.question, nameOf(name));
      const all = choicesOf(choices, name);
      const fallback = options.default === undefined
        ? {}
        : { default: JSON.stringify(options.default.map((choice) => oneOf(all, choice, name))) };
      const answer = await calls.call("question", {
        name,
        kind: "multiselect",
        text,
        choices: all,
        ...fallback,
      });
      const chosen = new Set(listOf(answer).map((choice) => oneOf(all, choice, name)));
      return all.filter((choice) => chosen.has(choice));
    },

    progress(label, total) {
      calls.text(label, "The label of a progress");
      let done = 0;
      let ended = false;
      let last = -Infinity;
      const show = (text?: string) => {
        last = Date.now();
        calls.tell("progress", {
          label,
          done,
          ...(total === undefined ? {} : { total }),
          ...(text === undefined ? {} : { text }),
        });
      };
      const end = () => {
        if (ended) return;
        ended = true;
        calls.tell("progress", null);
      };
      show();
      return {
        update(now = done + 1, text) {
          done = now;
          if (!ended && (done === total || Date.now() - last >= PROGRESS_EVERY_MS)) show(text);
        },
        end,
        [Symbol.dispose]: end,
      };
    },

    table(rows, columns) {
      if (!Array.isArray(rows)) {
        throw new TypeError(`ui.table() takes a list of rows, not ${guest.inspect(rows)}`);
      }
      const names = columns ?? [...new Set(rows.flatMap((row) => Object.keys(row)))];
      if (names.length === 0) return;
      const cells = rows.map((row) => names.map((name) => cellOf(row[name])));
      const head = names.map(cellOf);
      const widths = head.map((cell, i) =>
        Math.max(...[head, ...cells].map((line) => widthOf(line[i] ?? cell)))
      );
      // Numbers stand under each other.
      const right = names.map((name) =>
        rows.some((row) => typeof row[name] === "number") &&
        rows.every((row) => ["number", "bigint", "undefined"].includes(typeof row[name]))
      );
      const lineOf = (line: readonly string[]) =>
        line.map((cell, i) => {
          const space = " ".repeat((widths[i] ?? 0) - widthOf(cell));
          return right[i] ? space + cell : cell + space;
        }).join("  ").trimEnd();
      const lines = [lineOf(head), widths.map((width) => "─".repeat(width)).join("  "), ...cells.map(lineOf)];
      guest.say("stdout", `${lines.join("\n")}\n`);
    },

    markdown(text) {
      calls.tell("markdown", { text: calls.text(text, "What ui.markdown() shows") });
    },
  };

  return { ui } satisfies Pick<typeof Api, "ui">;
}
