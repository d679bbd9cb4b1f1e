import assert from "node:assert/strict";
import { COMMANDS } from "../core/command_index.ts";
import { CONFIG_SCHEMA, POLICY_FILE_SCHEMA } from "../core/config/schema.ts";
import type { Schema } from "../core/domain/schema.ts";

/** Every schema in a schema, itself included. */
function* parts(schema: Schema): IterableIterator<Schema> {
  yield schema;
  if (schema.type === "array") yield* parts(schema.items);
  if (schema.type === undefined && "anyOf" in schema) { for (const one of schema.anyOf) yield* parts(one); }
  if (schema.type !== "object") return;
  for (const one of Object.values(schema.properties)) yield* parts(one);
  if (typeof schema.additionalProperties === "object") yield* parts(schema.additionalProperties);
}

Deno.test("no command or setting shows a regular expression to a person", async () => {
  const commands = (await Promise.all(COMMANDS.map((entry) => entry.load()))).flat();
  const schemas = [...commands.map(({ input }) => input), CONFIG_SCHEMA, POLICY_FILE_SCHEMA];
  const patterns = schemas.flatMap((schema) => [...parts(schema)])
    .flatMap((part) => part.type === "string" && part.pattern !== undefined ? [part] : []);
  assert.ok(patterns.length >= 6, "they are found");
  assert.deepEqual(patterns.filter(({ patternName }) => patternName === undefined), []);
});
