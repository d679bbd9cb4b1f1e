import assert from "node:assert/strict";
import { readFromCell } from "../../core/automation/_from_cell.ts";

Deno.test("readFromCell() takes an answer that has either a value or an error, as it says", () => {
  const error = { name: "Error", message: "no" };
  const read = (message: Record<string, unknown>) =>
    readFromCell(JSON.stringify({ t: "reply", id: 1, ...message })) !== undefined;
  assert.ok(read({ ok: true, value: 1 }));
  assert.ok(read({ ok: true }));
  assert.ok(read({ ok: false, error }));
  assert.ok(!read({ ok: false }));
  assert.ok(!read({ ok: false, value: 1 }));
  assert.ok(!read({ ok: true, error }));
});

Deno.test("readFromCell() reads what is a message, and nothing else", () => {
  for (const line of ["", "null", "1", "[]", "{}", '{"t":1}', '{"t":"toString"}', '{"t":"__proto__"}']) {
    assert.equal(readFromCell(line), undefined, line);
  }
  assert.equal(readFromCell('{"t":"cancel","id":1,"more":2}'), undefined);
  assert.deepEqual(readFromCell('{"t":"cancel","id":1}'), { t: "cancel", id: 1 });
});
