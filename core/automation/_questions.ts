import type { ProgramTurn } from "../api.ts";
import { PryxError } from "../domain/error.ts";
import type { Methods } from "./methods.ts";

type Question = Methods["question"]["params"];

/** Questions of one run: answered by flags, by a person, or by their default. */
export interface Questions {
  /** Rejects with `denied` where nobody is there, and with `input_invalid` where a flag's answer does not fit. */
  ask(question: Question): Promise<string>;
}

const YES = /^(?:y|yes|true|1|on)$/iu;
const NO = /^(?:n|no|false|0|off)$/iu;
/** A person may answer what does not fit so often. */
const ATTEMPTS = 3;

/** `answers`: by name, from the command line. They go before everything: a script must run alike with and without a terminal. */
export function createQuestions(turn: ProgramTurn, answers: Readonly<Record<string, string>>): Questions {
  return {
    async ask(question) {
      const { name, choices } = question;
      const given = Object.hasOwn(answers, name) ? answers[name] : undefined;
      if (given !== undefined) {
        const read = readAnswer(question, given);
        if ("value" in read) return read.value;
        throw new PryxError("input_invalid", `--answer ${name}=${given}: ${read.problem}`, {
          fix: `write --answer ${name}=VALUE`,
        });
      }
      if (turn.attended) {
        const hint = hintOf(question);
        let problem = "";
        for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
          const options = question.kind === "select" ? choices : undefined;
          const { text } = await turn.ask(`${problem}${question.text}${hint}`, options, question.default);
          if (text.trim() === "" && question.default !== undefined) return question.default;
          const read = readAnswer(question, text);
          if ("value" in read) return read.value;
          problem = `${read.problem}. `;
        }
        throw new PryxError("input_invalid", `No answer to "${name}" (${question.text}) fitted`);
      }
      if (question.default !== undefined) return question.default;
      throw new PryxError("denied", `Nobody is there to answer "${name}" (${question.text})`, {
        fix: `answer it with --answer ${name}=${
          choices?.[0] ?? (question.kind === "confirm" ? "yes" : "VALUE")
        }`,
      });
    },
  };
}

function hintOf({ kind, choices, default: preset }: Question): string {
  const usual = preset === undefined ? "" : `, ${preset} by default`;
  if (kind === "confirm") return ` [yes or no${usual}]`;
  if (kind === "multiselect") {
    const several = preset === undefined ? "" : `, ${shownList(preset)} by default`;
    return ` [any of ${choices?.join(", ")}, with commas between${several}]`;
  }
  return preset === undefined ? "" : ` [${preset}]`;
}

/** A list that came as JSON, as a person would type it. */
function shownList(json: string): string {
  try {
    const list: unknown = JSON.parse(json);
    return Array.isArray(list) ? list.join(", ") : json;
  } catch {
    return json;
  }
}

function readAnswer({ kind, choices = [] }: Question, text: string): { value: string } | { problem: string } {
  const said = text.trim();
  const known = (one: string) => choices.includes(one);
  switch (kind) {
    case "confirm":
      if (YES.test(said)) return { value: "yes" };
      return NO.test(said) ? { value: "no" } : { problem: "it is neither yes nor no" };
    case "input":
      return { value: text };
    case "select":
      return known(said) ? { value: said } : { problem: `it is none of ${choices.join(", ")}` };
    case "multiselect": {
      const several = said === "" ? [] : said.split(",").map((one) => one.trim());
      const unknown = several.find((one) => !known(one));
      return unknown === undefined
        ? { value: JSON.stringify(several) }
        : { problem: `"${unknown}" is none of ${choices.join(", ")}` };
    }
  }
}
