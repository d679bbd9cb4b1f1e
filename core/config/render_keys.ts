import type { Schema } from "../domain/schema.ts";
import { VARIABLES } from "./_environment.ts";
import { CONFIG_SCHEMA } from "./schema.ts";

/** The table of every key for docs/configuration.md, as markdown. A test keeps the document equal to it. */
export function renderKeyTable(): string {
  const rows = rowsOf(CONFIG_SCHEMA, []);
  return ["| key | value | default | meaning |", "|---|---|---|---|", ...rows].join("\n");
}

/** The table of the variables that set a key, as markdown. */
export function renderVariableTable(): string {
  const rows = VARIABLES.map(({ name, key }) => `| \`${name}\` | \`${key}\` |`);
  return ["| variable | sets |", "|---|---|", ...rows].join("\n");
}

function rowsOf(schema: Schema, path: readonly string[]): string[] {
  if (schema.type !== "object") return [];
  const rows: string[] = [];
  for (const [key, child] of Object.entries(schema.properties)) {
    const here = [...path, key];
    if (child.type !== "object") rows.push(rowOf(here, child));
    else rows.push(...rowsOf(child, here));
  }
  const entry = schema.additionalProperties;
  if (typeof entry !== "object") return rows;
  const named = [...path, path.length > 1 ? (path.at(-1) === "headers" ? "HEADER" : "MODEL") : "NAME"];
  if (path.length === 1 && path[0] === "profiles" && entry.type === "object") {
    const keys = Object.keys(entry.properties).map((key) => `\`${key}\``).join(", ");
    rows.push(`| \`${named.join(".")}\` | object | | ${schema.description}; each may hold ${keys} |`);
  } else if (entry.type === "object") rows.push(...rowsOf(entry, named));
  else rows.push(rowOf(named, entry, schema.description));
  return rows;
}

function rowOf(path: readonly string[], schema: Schema, description?: string): string {
  const fallback = "default" in schema && schema.default !== undefined ? `\`${schema.default}\`` : "";
  const text = schema.description ?? description ?? DESCRIPTIONS[path.at(-1) ?? ""] ?? "";
  return `| \`${path.join(".")}\` | ${typeOf(schema)} | ${fallback} | ${text} |`;
}

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  input: "US dollars per million input tokens",
  output: "US dollars per million output tokens",
  cached: "US dollars per million input tokens read from the provider's cache",
};

function typeOf(schema: Schema): string {
  if (schema.type === "string" && schema.enum) return schema.enum.map((one) => `\`${one}\``).join(", ");
  if (schema.type === "array") return `list of ${typeOf(schema.items)}`;
  if (schema.type === "string") return "text";
  if (schema.type === "integer") return "whole number";
  if (schema.type === undefined && "anyOf" in schema) return schema.anyOf.map(typeOf).join(" or ");
  return schema.type ?? "any";
}
