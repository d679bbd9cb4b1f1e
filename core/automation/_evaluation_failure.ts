import { PryxError, toPryxError } from "../domain/error.ts";
import type { EvaluationFailure } from "./automation.ts";
import { AutomationError } from "./conversation.ts";
import type { Finding, Spot } from "./_module.ts";

/** Where places of evaluated code come from, input by input. */
export interface Origins {
  /** Keeps them for input `number`; gives the name that its code has in stack traces. */
  add(number: number, origin: (place: Spot) => Spot): string;
  /** A line of a stack trace with places in what was typed, `>1:7`, as seen from input `now`. */
  frame(line: string, now: number): string;
}

/** Inputs whose places are known at most. */
const KEPT = 1_000;
const PLACE = /\bshell#(?<number>\d{1,9}):(?<line>\d{1,9}):(?<column>\d{1,9})/u;

export function createOrigins(): Origins {
  const origins = new Map<number, (place: Spot) => Spot>();
  return {
    add(number, origin) {
      origins.set(number, origin);
      origins.delete(number - KEPT);
      return `shell#${number}`;
    },
    frame: (text, now) =>
      text.replace(PLACE, (_all, ...rest) => {
        const { number, line, column } = rest.at(-1) as Record<"number" | "line" | "column", string>;
        const place = { line: Number(line), column: Number(column) };
        const typed = origins.get(Number(number))?.(place) ?? place;
        const ago = now - Number(number);
        return `>${typed.line}:${typed.column}${
          ago <= 0 ? "" : ago === 1 ? ", the input before" : `, ${ago} inputs before`
        }`;
      }),
  };
}

/** What was thrown by input `number`, or kept it from running. */
export function failureOf(error: PryxError, origins: Origins, number: number): EvaluationFailure {
  const thrown = error instanceof AutomationError && error.thrown !== "" ? error.thrown : "PryxError";
  const frames = error instanceof AutomationError ? error.frames : [];
  const title = thrown === "PryxError" ? error.message : `${thrown}: ${error.message}`;
  const trace = frames.map((line) => `\n${origins.frame(line, number)}`).join("");
  return { kind: "error", name: thrown, error: error.toJSON(), text: `${title}${trace}` };
}

/** What was typed cannot be read. */
export function syntaxFailure({ line, column, message, fix }: Finding): EvaluationFailure {
  const error = new PryxError("input_invalid", message, fix === undefined ? {} : { fix });
  return {
    kind: "error",
    name: "SyntaxError",
    error: error.toJSON(),
    text: `SyntaxError: ${message}\n    at >${line}:${column}`,
    place: { line, column },
  };
}

/** `lost`: it did not give way. */
export function interrupted(reason: unknown, lost: boolean): EvaluationFailure {
  const { code, message } = toPryxError(reason);
  const said = lost
    ? `${message}. It did not give way, so its process was ended: what was defined is gone`
    : message;
  return {
    kind: "error",
    name: "PryxError",
    error: new PryxError(code, said).toJSON(),
    text: said,
    ...(lost ? { stateLost: true } : {}),
  };
}
