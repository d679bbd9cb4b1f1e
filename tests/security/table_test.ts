import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { FAMILIES } from "./families.ts";
import { renderTable, withTable } from "./table.ts";

const cases = FAMILIES.flatMap((family) => family.cases);
const ids = new Set(cases.map(({ id }) => id));
const text = await Deno.readTextFile(fileURLToPath(new URL("../../docs/security.md", import.meta.url)));
const prose = text.slice(0, text.indexOf("## What is refused"));

Deno.test("every case has an id of its own, a refusal, and a weakness that it answers", () => {
  assert.ok(cases.length >= 60, `${cases.length} cases`);
  assert.equal(ids.size, cases.length, "two cases have the same id");
  for (const { id, refused, answers } of cases) {
    assert.match(id, /^[a-z]+-\d\d$/);
    assert.ok(Object.keys(refused).length > 0, `${id} is refused nowhere`);
    assert.match(
      answers,
      /^(none|((CVE-\d{4}-\d{4,}|CWE-\d+|GHSA(-[0-9a-z]{4}){3}|OWASP LLM\d\d:2025|[\w-]+\/[\w-]+#\d+|Adversa 2026: .+)(, )?)+)$/,
      id,
    );
  }
});

Deno.test("docs/security.md names cases that there are, and every case is named by a defence", () => {
  const named = new Set([...prose.matchAll(/`([a-z]+-\d\d)`/g)].map(([, id = ""]) => id));
  for (const [, from = "", to = ""] of prose.matchAll(/`([a-z]+-\d\d)` … `([a-z]+-\d\d)`/g)) {
    const family = from.slice(0, -2);
    assert.equal(to.slice(0, -2), family, `${from} … ${to} is no range`);
    for (let at = Number(from.slice(-2)); at <= Number(to.slice(-2)); at++) {
      named.add(`${family}${String(at).padStart(2, "0")}`);
    }
  }
  assert.deepEqual([...named].filter((id) => !ids.has(id)), [], "there are no such cases");
  assert.deepEqual([...ids].filter((id) => !named.has(id)), [], "no defence names them");
});

Deno.test("withTable() puts the table between its marks and leaves the rest alone", () => {
  const filled = withTable(text, FAMILIES);
  assert.equal(withTable(filled, FAMILIES), filled);
  assert.ok(filled.startsWith(prose));
  assert.ok(filled.includes(renderTable(FAMILIES)));
  assert.throws(() => withTable("no marks", FAMILIES), /no place for the table/);
});
