import type { ObjectSchema, Schema } from "../domain/schema.ts";
import type { MethodName } from "./methods.ts";

const text = { type: "string" } as const;
const name = { type: "string", minLength: 1 } as const;
const flag = { type: "boolean" } as const;
const count = { type: "integer", minimum: 1 } as const;
const anything = { type: "object", properties: {}, additionalProperties: true } as const;
const list = { type: "array", items: text } as const;
const nothing = { anyOf: [{ type: "null" }, anything] } as const satisfies Schema;

function object(
  required: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): ObjectSchema {
  return { type: "object", properties: { ...required, ...optional }, required: Object.keys(required) };
}

/** What the parameters of each method must be. */
export const METHOD_SCHEMAS: Readonly<Record<MethodName, Schema>> = {
  tool: object({ name, args: anything }, { show: flag, stream: flag }),
  tools: nothing,
  ask: object({ prompt: name }, {
    context: text,
    session: name,
    schema: anything,
    model: name,
    tools: list,
    functions: {
      type: "array",
      items: object({ name, description: text, parameters: anything }, { id: name }),
    },
    budget: { type: "number", minimum: 0 },
    maxTurns: count,
    timeoutMs: count,
    preset: { type: "string", enum: ["read-only", "workspace", "network-allowlist"] },
    stream: flag,
  }),
  "state.get": object({ key: text }),
  "state.set": object({ key: text, value: text }),
  "state.delete": object({ key: text }),
  "state.keys": object({ prefix: text }),
  "state.swap": object({ key: text, before: { anyOf: [text, { type: "null" }] }, value: text }),
  question: object({
    name,
    kind: { type: "string", enum: ["confirm", "input", "select", "multiselect"] },
    text,
  }, { choices: list, default: text }),
  progress: {
    anyOf: [object({ label: text }, { done: { type: "number" }, total: { type: "number" }, text }), {
      type: "null",
    }],
  },
  markdown: object({ text }),
  log: object({ level: { type: "string", enum: ["debug", "info", "warn", "error"] }, text }, { data: {} }),
  secret: object({ name }),
  hmac: object({
    name,
    text,
    algorithm: { type: "string", enum: ["SHA-1", "SHA-256", "SHA-384", "SHA-512"] },
  }),
  env: object({ name }),
  stdin: nothing,
  temp: object({ prefix: { type: "string", pattern: "^[\\w.-]{0,40}$" } }),
  watch: object({ path: text }),
  "mcp.tools": object({ server: name }),
  "mcp.call": object({ server: name, tool: name, args: anything }),
  "channel.send": object({ channel: name, text }, { to: text, thread: text }),
  timer: object({ ms: { type: "number", minimum: 0 } }),
  exit: object({ code: { type: "integer", minimum: 0, maximum: 255 } }),
};
