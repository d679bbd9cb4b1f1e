import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { builtPryx } from "../support/built_pryx.ts";
import { withExamples } from "./_project.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));

Deno.test("examples/ are well typed, and as their lock says", async () => {
  await using pryx = await builtPryx();
  const { code, stdout, stderr } = await pryx.run(["check", "--frozen", EXAMPLES]);
  assert.equal(code, 0, stdout + stderr);
});

Deno.test("tests beside the examples pass", async () => {
  await using pryx = await builtPryx();
  await withExamples(pryx);
  let files = 0;
  for await (const { name } of Deno.readDir(pryx.workspace)) {
    if (!name.endsWith(".test.pryx.ts")) continue;
    files++;
    const { code, stdout, stderr } = await pryx.run(["run", name]);
    assert.equal(code, 0, `${name}\n${stdout}${stderr}`);
    assert.match(stdout, /^[1-9]\d* passed, 0 failed$/m);
  }
  assert.equal(files, 6);
});
