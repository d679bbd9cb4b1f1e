import type { Command } from "../core/commands/command.ts";
import type { Schema } from "../core/domain/schema.ts";

/** What the text after a flag is read as. */
type ValueType = "boolean" | "string" | "number" | "integer" | "json";

/** One flag or positional argument, made from a property of a command's input. */
export interface FlagSpec {
  /** The property: `maxCost`. */
  readonly key: string;
  /** The flag without its dashes: `max-cost`. */
  readonly flag: string;
  readonly type: ValueType;
  /** True when it may be given several times. */
  readonly list: boolean;
  readonly required: boolean;
  /** What stands for the value in help: `DIR`, `N`, `PROMPT`. */
  readonly metavar: string;
  readonly description: string;
  readonly short?: string;
  /** Set for positional arguments: the place, from 0. */
  readonly position?: number;
  readonly choices?: readonly string[];
  readonly default?: string | number | boolean;
}

/** Flags that every command takes. A command whose input has a property of the same name gets the value too. */
export const GLOBAL_FLAGS: readonly FlagSpec[] = [
  globalFlag("json", "boolean", "Print JSON on standard output instead of text"),
  globalFlag("cwd", "string", "Work in this folder", "DIR", "C"),
  globalFlag("profile", "string", "Use this profile of the configuration", "NAME"),
  globalFlag("quiet", "boolean", "Show no progress, only the answer and errors", undefined, "q"),
  globalFlag("no-color", "boolean", "Use no colours (NO_COLOR does the same)"),
  globalFlag("debug", "boolean", "Show where errors come from"),
  globalFlag("help", "boolean", "Show help", undefined, "h"),
];

function globalFlag(
  flag: string,
  type: ValueType,
  description: string,
  metavar = "",
  short?: string,
): FlagSpec {
  return {
    key: flag,
    flag,
    type,
    description,
    metavar,
    list: false,
    required: false,
    ...(short === undefined ? {} : { short }),
  };
}

/** `maxCost` → `max-cost`, `oldText` → `old-text`, `old_text` → `old-text`. */
export function kebab(key: string): string {
  return key.replace(/([a-z0-9])([A-Z])/g, "$1-$2").replaceAll("_", "-").toLowerCase();
}

/** Flags and positional arguments of a command, in the order of its schema. */
export function flagsOf(command: Command): readonly FlagSpec[] {
  const required = new Set(command.input.required ?? []);
  const places = command.positionals ?? [];
  const properties = Object.entries(command.input.properties)
    .filter(([key]) => key !== command.passThrough?.to);
  return properties.map(([key, schema]) => {
    const position = places.indexOf(key);
    const short = command.short?.[key];
    const value = valueSpec(schema);
    return {
      ...value,
      key,
      flag: kebab(key),
      required: required.has(key),
      metavar: metavarOf(key, value, position >= 0),
      description: schema.description ?? "",
      ...(short === undefined ? {} : { short }),
      ...(position < 0 ? {} : { position }),
    };
  });
}

type Value = Pick<FlagSpec, "type" | "list" | "choices" | "default">;

function valueSpec(schema: Schema): Value {
  if (schema.type === "array") return { ...valueSpec(schema.items), list: true };
  if (schema.type === undefined) {
    // A nullable or alternative value is typed as its first alternative that a person can write.
    const options = "anyOf" in schema ? schema.anyOf.filter((one) => one.type !== "null") : [];
    const [only] = options;
    return only && options.length === 1 ? valueSpec(only) : { type: "json", list: false };
  }
  switch (schema.type) {
    case "string":
      return {
        type: "string",
        list: false,
        ...(schema.enum ? { choices: schema.enum } : {}),
        ...(schema.default === undefined ? {} : { default: schema.default }),
      };
    case "boolean":
    case "number":
    case "integer":
      return {
        type: schema.type,
        list: false,
        ...(schema.default === undefined ? {} : { default: schema.default }),
      };
    default:
      return { type: "json", list: false };
  }
}

/** Names of folders and files get the customary words; everything else is named for its type or itself. */
function metavarOf(key: string, { type, choices }: Value, positional: boolean): string {
  if (type === "boolean") return "";
  if (positional) return kebab(key).replaceAll("-", "_").toUpperCase();
  if (type === "number" || type === "integer") return "N";
  if (choices) return kebab(key).split("-").at(-1)?.toUpperCase() ?? "VALUE";
  const words = kebab(key).split("-");
  return METAVARS.find(([names]) => names.some((name) => words.includes(name)))?.[1] ?? "TEXT";
}

/** What stands for a value, by a word of the property's name. */
const METAVARS: readonly (readonly [words: readonly string[], metavar: string])[] = [
  [["file", "output", "record", "replay", "schema", "lock", "path"], "FILE"],
  [["cwd", "dir", "folder"], "DIR"],
  [["allow", "deny"], "KIND=TARGET"],
  [["model"], "PROVIDER/MODEL"],
  [["resume", "session", "id"], "ID"],
  [["profile", "name"], "NAME"],
  [["timeout"], "TIME"],
];
