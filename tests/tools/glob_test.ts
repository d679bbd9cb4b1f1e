import assert from "node:assert/strict";
import { glob } from "../../core/tools/glob.ts";
import { createToolContext } from "../support/tool_context.ts";

Deno.test("glob finds files, newest first, without what is ignored or denied", async () => {
  await using at = await createToolContext({ denied: ["**/.env*"] });
  const old = await at.write("src/old.ts", "");
  await Deno.utime(old, 1, 1);
  await at.write("src/deep/new.ts", "");
  await at.write("build/out.ts", "");
  await at.write(".env.ts", "");
  await at.write(".gitignore", "build/\n");
  assert.equal((await at.call(glob, { pattern: "**/*.ts" })).text, "src/deep/new.ts\nsrc/old.ts");
  assert.equal((await at.call(glob, { pattern: "*.ts", path: "src/deep" })).text, "src/deep/new.ts");
  assert.equal((await at.call(glob, { pattern: "./*.ts", path: "src" })).text, "src/old.ts");
  assert.equal((await at.call(glob, { pattern: "*.py" })).text, "No file matches *.py");
});

Deno.test("glob takes the leading folders of an absolute pattern as the place to search", async () => {
  await using at = await createToolContext();
  await at.write("src/a.ts", "");
  await at.write("src/sub/b.ts", "");
  const pattern = `${at.workspace}/src/*.ts`;
  assert.deepEqual(await at.needs(glob, { pattern }), [`read=${at.workspace}/src`]);
  assert.equal((await at.call(glob, { pattern })).text, "src/a.ts");
  assert.deepEqual(await at.needs(glob, { pattern: "../x/**/*.ts", path: "src" }), [
    `read=${at.workspace}/x`,
  ]);
});

Deno.test("glob says that there is more, and that a folder is missing", async () => {
  await using at = await createToolContext();
  for (let i = 0; i < 502; i++) await at.write(`f/${i}.txt`, "");
  assert.match((await at.call(glob, { pattern: "*.txt" })).text, /\[the newest 500 files; there are more/);
  const missing = await at.call(glob, { pattern: "*", path: "g" });
  assert.ok(missing.failed);
  assert.match(missing.text, /Did you mean f\?/);
});
