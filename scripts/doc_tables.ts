import type { ObjectSchema, Schema } from "../core/domain/schema.ts";

interface EventDoc {
  readonly description: string;
  readonly live?: boolean;
  readonly data: ObjectSchema;
}

/** docs/events.md: every event with its fields. */
export function renderEvents(events: Readonly<Record<string, EventDoc>>, version: number): string {
  const names = Object.keys(events);
  const out = [
    "<!-- Generated from core/domain/event.ts by `deno task docs`. -->",
    "# Events",
    "",
    "Everything a session does is a list of events. They are the only thing that is stored; whatever else pryx shows is",
    "derived from them. `pryx run --json` prints them as they happen, one JSON object a line:",
    "",
    "| field | type | |",
    "|---|---|---|",
    `| \`v\` | integer | Version of the format: ${version}. It grows only when a field changes its meaning or goes; new fields and events may come at any time |`,
    "| `seq` | integer | Place in the session, from 1 without gaps; 0 for live events, which are shown and never stored |",
    "| `session` | string | Id of the session |",
    "| `turn` | string or null | Id of the turn, null outside one |",
    "| `at` | string | ISO 8601, UTC, milliseconds |",
    "| `type` | string | One of the names below |",
    "| `data` | object | The fields below |",
    "",
    "A field marked * is always there.",
    "",
    "| event | |",
    "|---|---|",
    ...names.map((name) => {
      const event = events[name];
      return `| [\`${name}\`](#${anchor(name)}) | ${cell(event?.description ?? "")}${
        event?.live ? " *Live.*" : ""
      } |`;
    }),
  ];
  for (const name of names) {
    const event = events[name];
    if (event) out.push("", ...renderEvent(name, event));
  }
  return out.join("\n") + "\n";
}

function renderEvent(name: string, event: EventDoc): string[] {
  return [
    `## ${name}`,
    "",
    event.description + (event.live ? " Live: shown as it happens, never stored." : ""),
    "",
    "| field | type | |",
    "|---|---|---|",
    ...rows(event.data, ""),
  ];
}

function rows(schema: ObjectSchema, prefix: string): string[] {
  return Object.entries(schema.properties).flatMap(([key, property]) => {
    const required = schema.required?.includes(key) ? "*" : "";
    const path = `${prefix}${key}`;
    const row = `| \`${path}\`${required} | ${typeName(property)} | ${cell(property.description ?? "")} |`;
    return [row, ...nested(property, path)];
  });
}

function nested(schema: Schema, path: string): string[] {
  if (schema.type === "object") return rows(schema, `${path}.`);
  if (schema.type === "array") return nested(schema.items, `${path}[]`);
  return [];
}

function typeName(schema: Schema): string {
  if (schema.type === undefined) {
    return "anyOf" in schema ? schema.anyOf.map(typeName).join(" or ") : "any";
  }
  if (schema.type === "array") return `list of ${typeName(schema.items)}`;
  if (schema.type === "string" && schema.enum) return schema.enum.map((one) => `\`${one}\``).join(", ");
  return schema.type;
}

const EXIT_MEANING: Readonly<Record<string, string>> = {
  done: "Done",
  error: "Something failed",
  usage: "The command, its input or the configuration is wrong",
  denied:
    "Something had to ask and nobody could answer; standard error lists the `--allow` flags that would have done it",
  budget: "The budget is used up",
  provider: "The model's provider, or its key",
  sandbox:
    "The sandbox that the configuration requires is not available, or this machine cannot keep what is closed from a command",
  timeout: "The time limit was reached",
  interrupted: "Interrupted",
};

/** docs/errors.md: exit codes, and every error code with its exit code. */
export function renderErrors(
  codes: Readonly<Record<string, number>>,
  exits: Readonly<Record<string, number>>,
): string {
  const byExit = Object.entries(exits).map(([name, exit]) => {
    const own = Object.keys(codes).filter((code) => codes[code] === exit);
    return `| ${exit} | ${EXIT_MEANING[name] ?? name} | ${own.map((code) => `\`${code}\``).join(" ")} |`;
  });
  return [
    "<!-- Generated from core/domain/error.ts by `deno task docs`. -->",
    "# Exit codes and error codes",
    "",
    "A command that fails prints what was tried, what happened and what to do. With `--json` the same stands in an object",
    "`{code, message, fix}`. Codes are public: programs may match on them; messages may change.",
    "",
    "| exit code | meaning | error codes |",
    "|---|---|---|",
    ...byExit,
    "",
  ].join("\n");
}

function anchor(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9_-]/g, "");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
