import assert from "node:assert/strict";
import { builtPryx } from "../support/built_pryx.ts";
import { runExample, withExamples } from "./_project.ts";

Deno.test("repo_map prints a tree with what files say of themselves", async () => {
  await using pryx = await builtPryx();
  await withExamples(pryx);
  const { code, stdout, stderr } = await runExample(pryx, "repo_map", ["--depth", "1"]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^# Map of the repository\n\n\d+ files, /);
  assert.match(stdout, /^- \*\*data\/\*\* \([\d.]+ kB, 2 files\)$/m);
  assert.match(stdout, /^- `csv_chart\.pryx\.ts` \([\d.]+ kB\): A chart from a table: CSV in, SVG out$/m);
});

Deno.test("repo_map --write keeps a file that --check accepts until something changes", async () => {
  await using pryx = await builtPryx();
  await withExamples(pryx);
  assert.equal((await runExample(pryx, "repo_map", ["--check"])).code, 1);
  assert.equal((await runExample(pryx, "repo_map", ["--write"])).code, 0);
  assert.match(await pryx.read("REPO_MAP.md"), /`sales\.csv`/);
  assert.equal((await runExample(pryx, "repo_map", ["--check"])).code, 0);
  await pryx.write("new.ts", "// A new file.\n");
  const stale = await runExample(pryx, "repo_map", ["--check"]);
  assert.equal(stale.code, 1);
  assert.match(stale.stderr, /REPO_MAP\.md is stale[\s\S]*repo_map\.pryx\.ts --write/);
});
