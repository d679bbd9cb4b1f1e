import assert from "node:assert/strict";
import { join } from "node:path";
import { writeFile } from "../../core/tools/write_file.ts";
import { createToolContext } from "../support/tool_context.ts";

Deno.test("write_file makes a file with its folders, then says that it overwrote it", async () => {
  await using at = await createToolContext();
  const args = { path: "new/deep/a.txt", content: "one\ntwo\n" };
  assert.deepEqual(await at.needs(writeFile, args), [`write=${join(at.workspace, "new/deep/a.txt")}`]);
  assert.equal((await at.call(writeFile, args)).text, "Created new/deep/a.txt (2 lines, 8 bytes)");
  const again = await at.call(writeFile, { ...args, content: "é" });
  assert.equal(again.text, "Overwrote new/deep/a.txt (1 line, 2 bytes; it had 8 bytes)");
  assert.equal(await at.read("new/deep/a.txt"), "é");
  assert.deepEqual([...Deno.readDirSync(join(at.workspace, "new/deep"))].map(({ name }) => name), ["a.txt"]);
});

Deno.test("write_file fails on a folder and is denied outside of what was granted", async () => {
  await using at = await createToolContext();
  await Deno.mkdir(join(at.workspace, "dir"));
  for (const path of ["dir", "dir/", "other/"]) {
    const result = await at.call(writeFile, { path, content: "x" });
    assert.ok(result.failed, path);
    assert.match(result.text, /is a folder/);
  }
  await assert.rejects(at.call(writeFile, { path: "../out.txt", content: "x" }), { code: "denied" });
});
