import assert from "node:assert/strict";
import { join } from "node:path";
import { writeFile } from "../../core/tools/write_file.ts";
import { createBench } from "./_context.ts";

Deno.test("write_file makes a file with its folders, then says that it overwrote it", async () => {
  await using bench = await createBench();
  const args = { path: "new/deep/a.txt", content: "one\ntwo\n" };
  assert.deepEqual(await bench.needs(writeFile, args), [`write=${join(bench.folder, "new/deep/a.txt")}`]);
  assert.equal((await bench.call(writeFile, args)).text, "Created new/deep/a.txt (2 lines, 8 bytes)");
  const again = await bench.call(writeFile, { ...args, content: "é" });
  assert.equal(again.text, "Overwrote new/deep/a.txt (1 line, 2 bytes; it had 8 bytes)");
  assert.equal(await bench.get("new/deep/a.txt"), "é");
  assert.deepEqual([...Deno.readDirSync(join(bench.folder, "new/deep"))].map(({ name }) => name), ["a.txt"]);
});

Deno.test("write_file fails on a folder and is denied outside of what was granted", async () => {
  await using bench = await createBench();
  await Deno.mkdir(join(bench.folder, "dir"));
  for (const path of ["dir", "dir/", "other/"]) {
    const result = await bench.call(writeFile, { path, content: "x" });
    assert.ok(result.failed, path);
    assert.match(result.text, /is a folder/);
  }
  await assert.rejects(bench.call(writeFile, { path: "../out.txt", content: "x" }), { code: "denied" });
});
