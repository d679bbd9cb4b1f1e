import assert from "node:assert/strict";
import { listDir } from "../../core/tools/list_dir.ts";
import { createToolContext } from "../support/tool_context.ts";

Deno.test("list_dir shows folders first, then files with sizes and links", async () => {
  await using at = await createToolContext();
  await at.write("zoo/x", "");
  await at.write("b.txt", "12345");
  await at.write(".hidden", "");
  await at.write("two\nlines", "");
  await Deno.symlink("b.txt", `${at.workspace}/a-link`);
  const { text } = await at.call(listDir, { path: "." });
  assert.equal(
    text,
    "zoo/\n.hidden  0 bytes\na-link -> (link)\nb.txt  5 bytes\ntwo\\nlines  0 bytes",
  );
  assert.deepEqual(await at.needs(listDir, { path: "zoo" }), [`read=${at.workspace}/zoo`]);
});

Deno.test("list_dir says what is empty, missing, no folder, or too much to show", async () => {
  await using at = await createToolContext();
  await Deno.mkdir(`${at.workspace}/none`);
  await at.write("file", "");
  assert.equal((await at.call(listDir, { path: "none" })).text, "none is empty");
  const missing = await at.call(listDir, { path: "nona" });
  assert.ok(missing.failed);
  assert.match(missing.text, /Did you mean none\?/);
  assert.match((await at.call(listDir, { path: "file" })).text, /not a folder. Use read_file/);
  for (let i = 0; i < 1_003; i++) await at.write(`many/f${i}`, "");
  assert.match(
    (await at.call(listDir, { path: "many" })).text,
    /\[3 more entries of 1003; find them with glob\]$/,
  );
});
