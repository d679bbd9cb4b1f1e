import { PryxError } from "../domain/error.ts";
import type { Schema } from "../domain/schema.ts";
import { formatKey, knownKeys, schemaAt, settings } from "./_check_values.ts";
import { nearest } from "../domain/nearest.ts";
import { CONFIG_SCHEMA } from "./schema.ts";

/**
 * The path that a dotted key means: `limits.turns`, `providers.openai.key`, `providers.x.prices["gpt-4.1"].input`. Names
 * with dots need no brackets where only one reading is possible: `providers.x.contextWindows.gpt-4.1`. Throws `usage`,
 * naming the nearest known key, when nothing may be set there.
 */
export function resolveKey(key: string): string[] {
  const parts = splitKey(key);
  const path: string[] = [];
  let schema: Schema = CONFIG_SCHEMA;
  while (parts.length > 0) {
    const [step, used]: [string, number] = takeStep(schema, parts, path.at(-1));
    const child = schemaAt(schema, [step]);
    if (child === undefined) throw unknown(key, schema, path, step);
    path.push(step);
    schema = child;
    parts.splice(0, used);
  }
  return path;
}

/** The next step and how many parts it takes: a name in a table of plain values takes all that is left. */
function takeStep(schema: Schema, parts: readonly string[], table: string | undefined): [string, number] {
  const first = parts[0] ?? "";
  if (schema.type !== "object" || Object.hasOwn(schema.properties, first)) return [first, 1];
  const entry = schema.additionalProperties;
  if (typeof entry !== "object") return [first, 1];
  if (entry.type !== "object") return [parts.join("."), parts.length];
  // A table of objects (providers, profiles, prices): the name ends where one of the object's own keys follows.
  const own = knownKeys(entry);
  for (let end = 1; end < parts.length; end++) {
    if (own.includes(parts[end] ?? "")) return [parts.slice(0, end).join("."), end];
  }
  // Names of models have dots, names of providers and profiles seldom: there a part too many is a slip in a key.
  return table === "prices" ? [parts.join("."), parts.length] : [first, 1];
}

function splitKey(key: string): string[] {
  const parts: string[] = [];
  const pattern = /\.?(?:\[("(?:[^"\\]|\\.)*")\]|\[([^\]"]+)\]|([^.[\]]+))/y;
  while (pattern.lastIndex < key.length) {
    const start = pattern.lastIndex;
    const found = pattern.exec(key);
    const part = found?.[1] === undefined ? found?.[2] ?? found?.[3] : unquote(found[1]);
    if (part === undefined || (start === 0 && key.startsWith("."))) {
      throw new PryxError("usage", `"${key}" is not a key`, {
        fix: 'Write a dotted key such as limits.turns; a name with dots as providers.x.prices["gpt-4.1"]',
      });
    }
    parts.push(part);
  }
  if (parts.length === 0) {
    throw new PryxError("usage", "The key is empty", { fix: "Write one such as model" });
  }
  return parts;
}

function unquote(text: string): string | undefined {
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined;
  }
}

function unknown(key: string, schema: Schema, path: readonly string[], step: string): PryxError {
  const known = knownKeys(schema);
  const near = nearest(step, known);
  const dotted = settings(CONFIG_SCHEMA, [], 2).map((one) => one.join("."));
  const meant = nearest(key, dotted) ??
    (near === undefined ? undefined : formatKey([...path, near])) ??
    dotted.find((one) => one.toLowerCase().endsWith(`.${step.toLowerCase()}`));
  const fix = meant
    ? `Did you mean ${meant}?`
    : known.length > 0
    ? `Known here: ${known.join(", ")}`
    : `${formatKey(path)} is a single value`;
  return new PryxError("usage", `"${key}" is not a known key`, { fix });
}

/** A value as typed, made what the schema wants. Throws `usage` when it cannot be. */
export function parseValue(path: readonly string[], text: string): unknown {
  const schema = schemaAt(CONFIG_SCHEMA, path);
  if (schema?.type === "string") return quoted(text) ?? text;
  try {
    return JSON.parse(text);
  } catch {
    const wanted = schema?.type === "array"
      ? `a list in JSON, such as '["…"]'; --add puts one more at its end`
      : schema?.type === "object"
      ? `an object in JSON, such as '{"…": …}'`
      : schema?.type === "boolean"
      ? "true or false"
      : "a number";
    throw new PryxError("usage", `Cannot set ${formatKey(path)}: the value must be ${wanted}`);
  }
}

/** One entry of a list as typed: a JSON object where the list takes objects, else the text. Throws `usage`. */
export function parseEntry(path: readonly string[], text: string): unknown {
  if (!text.trimStart().startsWith("{") || knownKeys(schemaAt(CONFIG_SCHEMA, [...path, 0])).length === 0) {
    return text;
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new PryxError("usage", `Cannot add to ${formatKey(path)}: this is no JSON object`, {
      fix: `write it such as '{"rule": "run=git log", "match": ["git log --oneline"]}'`,
    });
  }
}

function quoted(text: string): string | undefined {
  if (!/^".*"$/s.test(text)) return undefined;
  return unquote(text);
}
