import assert from "node:assert/strict";
import { glob } from "../../core/tools/glob.ts";
import { createBench } from "./_context.ts";

Deno.test("glob finds files, newest first, without what is ignored or denied", async () => {
  await using bench = await createBench({ denied: ["**/.env*"] });
  const old = await bench.put("src/old.ts", "");
  await Deno.utime(old, 1, 1);
  await bench.put("src/deep/new.ts", "");
  await bench.put("build/out.ts", "");
  await bench.put(".env.ts", "");
  await bench.put(".gitignore", "build/\n");
  assert.equal((await bench.call(glob, { pattern: "**/*.ts" })).text, "src/deep/new.ts\nsrc/old.ts");
  assert.equal((await bench.call(glob, { pattern: "*.ts", path: "src/deep" })).text, "src/deep/new.ts");
  assert.equal((await bench.call(glob, { pattern: "./*.ts", path: "src" })).text, "src/old.ts");
  assert.equal((await bench.call(glob, { pattern: "*.py" })).text, "No file matches *.py");
});

Deno.test("glob takes the leading folders of an absolute pattern as the place to search", async () => {
  await using bench = await createBench();
  await bench.put("src/a.ts", "");
  await bench.put("src/sub/b.ts", "");
  const pattern = `${bench.folder}/src/*.ts`;
  assert.deepEqual(await bench.needs(glob, { pattern }), [`read=${bench.folder}/src`]);
  assert.equal((await bench.call(glob, { pattern })).text, "src/a.ts");
  assert.deepEqual(await bench.needs(glob, { pattern: "../x/**/*.ts", path: "src" }), [
    `read=${bench.folder}/x`,
  ]);
});

Deno.test("glob says that there is more, and that a folder is missing", async () => {
  await using bench = await createBench();
  for (let i = 0; i < 502; i++) await bench.put(`f/${i}.txt`, "");
  assert.match((await bench.call(glob, { pattern: "*.txt" })).text, /\[the newest 500 files; there are more/);
  const missing = await bench.call(glob, { pattern: "*", path: "g" });
  assert.ok(missing.failed);
  assert.match(missing.text, /Did you mean f\?/);
});
