import type { Json } from "../core/domain/schema.ts";
import type { FlagSpec } from "./_flags.ts";
import { didYouMean } from "./suggest.ts";

interface Token {
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
  readonly rawName: string;
}

type Read = { readonly value: Json } | { readonly problem: string; readonly hint?: string };

/** The value that a flag or argument was given, or what is wrong with it. */
export function readValue(spec: FlagSpec, token: Token, negated: boolean): Read {
  if (spec.type === "boolean") return readSwitch(token, negated);
  const { value, rawName } = token;
  const wanted = spec.choices ? `one of ${spec.choices.join(", ")}` : `a value (${spec.metavar || "TEXT"})`;
  if (value === undefined) return { problem: `${rawName} needs ${wanted}` };
  if (!token.inlineValue && value.length > 1 && value.startsWith("-") && !/^-\.?\d/.test(value)) {
    return {
      problem: `${rawName} needs ${wanted}, and "${value}" looks like a flag`,
      hint: `If it is the value, write ${rawName}=${value}`,
    };
  }
  switch (spec.type) {
    case "number":
    case "integer":
      return readNumber(spec, rawName, value);
    case "json":
      return { value: readJson(value) };
    default:
      return readText(spec, rawName, value);
  }
}

function readSwitch({ value, rawName }: Token, negated: boolean): Read {
  if (value === undefined) return { value: !negated };
  if (value === "true" || value === "false") return { value: (value === "true") !== negated };
  return { problem: `${rawName} is a switch and takes no value, not "${value}"` };
}

function readNumber(spec: FlagSpec, name: string, value: string): Read {
  const number = value.trim() === "" ? NaN : Number(value);
  if (!Number.isFinite(number)) return { problem: `${name} must be a number, not "${value}"` };
  if (spec.type === "integer" && !Number.isInteger(number)) {
    return { problem: `${name} must be a whole number, not ${value}` };
  }
  return { value: number };
}

function readText(spec: FlagSpec, name: string, value: string): Read {
  if (!spec.choices || spec.choices.includes(value)) return { value };
  const hint = didYouMean(value, spec.choices);
  return {
    problem: `${name} must be one of ${spec.choices.join(", ")}, not "${value}"`,
    ...(hint === undefined ? {} : { hint }),
  };
}

/** JSON where it is JSON, else the text itself: `50` is a number, `openai/gpt-5` is text. */
function readJson(value: string): Json {
  try {
    return JSON.parse(value) as Json;
  } catch {
    return value;
  }
}
