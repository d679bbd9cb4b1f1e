import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { builtPryx } from "../support/built_pryx.ts";
import { withExamples } from "./_project.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));

Deno.test("examples/ are well typed, and as their lock says", async () => {
  await using pryx = await builtPryx();
  const { code, stdout, stderr } = await pryx.run(["check", "--frozen", EXAMPLES]);
  assert.equal(code, 0, stdout + stderr);
});

Deno.test("tests and recordings beside the examples pass, with no model, no key and no repository", async () => {
  await using pryx = await builtPryx();
  await withExamples(pryx);
  const { code, stdout, stderr } = await pryx.run(["test", "--json"]);
  assert.equal(code, 0, stdout + stderr);
  const { tests } = JSON.parse(stdout);
  const files = new Set<string>(tests.map((one: { file: string }) => one.file));
  assert.equal([...files].filter((file) => file.endsWith(".test.pryx.ts")).length, 6);
  assert.deepEqual([...files].filter((file) => file.endsWith(".cassette.jsonl")).sort(), [
    "explain_test_failure.cassette.jsonl",
    "log_triage.cassette.jsonl",
    "release_notes.cassette.jsonl",
  ]);
});

Deno.test("a recording of an example replays alike in any folder, and shows what it would have written", async () => {
  const replay = async () => {
    await using pryx = await builtPryx();
    await withExamples(pryx);
    const flags = ["--replay", "release_notes.cassette.jsonl"];
    const { code, stdout, stderr } = await pryx.run(["run", ...flags, "release_notes.pryx.ts"]);
    assert.equal(code, 0, stderr);
    await assert.rejects(pryx.read("CHANGELOG.md"), Deno.errors.NotFound);
    return stdout + stderr;
  };
  const first = await replay();
  assert.match(first, /^\+- Tea is no longer cold \(`[0-9a-f]{9}`\)$/m);
  assert.equal(await replay(), first);
});

Deno.test("a recording holds no secret that stood in what was read", async () => {
  const log = await Deno.readTextFile(join(EXAMPLES, "data", "app.log"));
  const password = /:\/\/app:([^@]+)@/.exec(log)?.[1] ?? "";
  assert.ok(password.length > 0);
  assert.ok(!(await Deno.readTextFile(join(EXAMPLES, "log_triage.cassette.jsonl"))).includes(password));
});
