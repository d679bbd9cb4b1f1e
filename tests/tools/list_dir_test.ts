import assert from "node:assert/strict";
import { listDir } from "../../core/tools/list_dir.ts";
import { createBench } from "./_context.ts";

Deno.test("list_dir shows folders first, then files with sizes and links", async () => {
  await using bench = await createBench();
  await bench.put("zoo/x", "");
  await bench.put("b.txt", "12345");
  await bench.put(".hidden", "");
  await bench.put("two\nlines", "");
  await Deno.symlink("b.txt", `${bench.folder}/a-link`);
  const { text } = await bench.call(listDir, { path: "." });
  assert.equal(
    text,
    "zoo/\n.hidden  0 bytes\na-link -> (link)\nb.txt  5 bytes\ntwo\\nlines  0 bytes",
  );
  assert.deepEqual(await bench.needs(listDir, { path: "zoo" }), [`read=${bench.folder}/zoo`]);
});

Deno.test("list_dir says what is empty, missing, no folder, or too much to show", async () => {
  await using bench = await createBench();
  await Deno.mkdir(`${bench.folder}/none`);
  await bench.put("file", "");
  assert.equal((await bench.call(listDir, { path: "none" })).text, "none is empty");
  const missing = await bench.call(listDir, { path: "nona" });
  assert.ok(missing.failed);
  assert.match(missing.text, /Did you mean none\?/);
  assert.match((await bench.call(listDir, { path: "file" })).text, /not a folder. Use read_file/);
  for (let i = 0; i < 1_003; i++) await bench.put(`many/f${i}`, "");
  assert.match(
    (await bench.call(listDir, { path: "many" })).text,
    /\[3 more entries of 1003; find them with glob\]$/,
  );
});
