import assert from "node:assert/strict";
import { truncate } from "../../core/tools/_truncate.ts";
import { createBench } from "./_context.ts";

Deno.test("truncate() keeps head and tail, names what was left out, and keeps the whole", async () => {
  await using bench = await createBench();
  const text = Array.from({ length: 2_000 }, (_, i) => `line ${i}`).join("\n");
  const result = await truncate(text, bench.context, "x.txt", 5_000);
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
  await using bench = await createBench();
  assert.deepEqual(await truncate("short", bench.context, "x", 5_000), { text: "short" });
  assert.deepEqual(bench.kept, []);
  for (const shift of ["", "a", "ab"]) {
    const { text } = await truncate(shift + "😀".repeat(5_000), bench.context, "x", 2_001);
    assert.ok(text.isWellFormed());
  }
});
