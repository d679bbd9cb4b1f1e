import { type ObjectSchema, type Schema, validate } from "../domain/schema.ts";
import type { FromCell } from "./wire.ts";

const id = { type: "integer", minimum: 0 } as const;
const text = { type: "string" } as const;
const any = {} as const;

const error = {
  type: "object",
  properties: { name: text, message: text, code: text, fix: text, stack: text, data: any },
  required: ["name", "message"],
} as const satisfies ObjectSchema;

/** Every message of a cell, by its type. Closed: what is not here is not a message. */
const MESSAGES: Readonly<Record<FromCell["t"], ObjectSchema>> = {
  ready: message({
    v: id,
    seal: object({ permissions: { type: "boolean" }, seccomp: { type: "boolean" } }, { problem: text }),
  }),
  call: message({ id, method: text }, { params: any }),
  cancel: message({ id }),
  say: message({ to: { type: "string", enum: ["stdout", "stderr"] }, text }),
  reply: message({ id, ok: { type: "boolean" } }, { value: any, error }),
  done: message({
    registered: object({
      triggers: {
        type: "array",
        items: object({ kind: { type: "string", enum: ["schedule", "message", "webhook"] }, name: text }),
      },
      tests: { type: "array", items: text },
    }),
  }),
  failed: message({ error }),
};

function object(
  required: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): ObjectSchema {
  return { type: "object", properties: { ...required, ...optional }, required: Object.keys(required) };
}

function message(
  required: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
) {
  return object({ t: text, ...required }, optional);
}

/** One line of a cell as a message; undefined when it is none. Total: a cell may be in anybody's hands. */
export function readFromCell(line: string): FromCell | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, "t")) return undefined;
  const { t } = value as { readonly t: unknown };
  if (typeof t !== "string" || !Object.hasOwn(MESSAGES, t)) return undefined;
  const schema = MESSAGES[t as FromCell["t"]];
  if (validate(schema, value).length > 0) return undefined;
  if (t === "reply" && (value as { ok: boolean }).ok !== !Object.hasOwn(value, "error")) return undefined;
  return value as FromCell;
}
