import assert from "node:assert/strict";
import { renderKeyTable, renderVariableTable } from "../../core/config/render_keys.ts";
import { CONFIG_SCHEMA } from "../../core/config/schema.ts";
import { parseDocument } from "../../core/config/_document.ts";
import { checkDocument } from "../../core/config/_check_values.ts";

const text = await Deno.readTextFile(new URL("../../docs/configuration.md", import.meta.url));

function between(name: string): string {
  return text.split(`<!-- ${name} -->\n`)[1]?.split(`\n<!-- /${name} -->`)[0] ?? "";
}

Deno.test("docs/configuration.md holds the tables of every key and variable as they are", () => {
  assert.equal(between("keys"), renderKeyTable());
  assert.equal(between("variables"), renderVariableTable());
});

Deno.test("renderKeyTable() has a row for every key and a meaning in every row", () => {
  const rows = renderKeyTable().split("\n").slice(2);
  for (const key of Object.keys(CONFIG_SCHEMA.properties)) {
    assert.ok(rows.some((row) => row.startsWith(`| \`${key}`)), key);
  }
  for (const row of rows) assert.ok((row.split("|").at(-2) ?? "").trim() !== "", row);
});

Deno.test("docs/configuration.md shows configurations that are valid", async () => {
  const examples = [...text.matchAll(/```jsonc\n([\s\S]*?)```/g)].map((found) => found[1] ?? "");
  assert.ok(examples.length > 0);
  for (const example of examples) {
    const document = await parseDocument("example", example);
    assert.ok(!Array.isArray(document), example);
    assert.deepEqual(checkDocument("config", document), []);
  }
});
