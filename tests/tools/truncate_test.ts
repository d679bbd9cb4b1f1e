import assert from "node:assert/strict";
import { truncate } from "../../core/tools/_truncate.ts";
import { createToolContext } from "../support/tool_context.ts";

Deno.test("truncate() keeps head and tail, names what was left out, and keeps the whole", async () => {
  await using at = await createToolContext();
  const text = Array.from({ length: 2_000 }, (_, i) => `line ${i}`).join("\n");
  const result = await truncate(text, at.ctx, "x.txt", 5_000);
  assert.ok(result.text.length <= 5_000);
  assert.match(result.text, /^line 0\nline 1\n/);
  assert.match(result.text, /line 1999$/);
  assert.ok(result.outputFile !== undefined && result.text.includes(result.outputFile));
  assert.equal(await Deno.readTextFile(result.outputFile), text);
  const [, left, lines] = /\[(\d+) characters \((\d+) lines\) left out/.exec(result.text) ?? [];
  const shown = result.text.split("\n").filter((line) => line.startsWith("line "));
  assert.equal(shown.length + Number(lines), 2_000);
  assert.ok(Number(left) > 5_000);
});

Deno.test("truncate() leaves short text alone and never cuts inside a character", async () => {
  await using at = await createToolContext();
  assert.deepEqual(await truncate("short", at.ctx, "x", 5_000), { text: "short" });
  assert.deepEqual(at.kept, []);
  for (const shift of ["", "a", "ab"]) {
    const { text } = await truncate(shift + "😀".repeat(5_000), at.ctx, "x", 2_001);
    assert.ok(text.isWellFormed());
  }
});
