import assert from "node:assert/strict";
import { type BuiltPryx, withModel } from "../support/built_pryx.ts";
import type { ModelScript } from "../support/model_server.ts";
import { git, runExample, withExamples } from "./_project.ts";

/** Two commits behind a tag. */
async function withHistory(pryx: BuiltPryx): Promise<void> {
  await withExamples(pryx);
  const { workspace } = pryx;
  await pryx.write("CHANGELOG.md", "# Changelog\n\n## Unreleased\n\n## 1.0.0 (2026-01-01)\n\n- First.\n");
  await git(workspace, "init", "-q");
  await git(workspace, "add", "-A");
  await git(workspace, "commit", "-qm", "First");
  await git(workspace, "tag", "v1.0.0");
  for (const subject of ["fix: tea is no longer cold", "feat: sencha"]) {
    await git(workspace, "commit", "-q", "--allow-empty", "-m", subject);
  }
}

/** A model that groups what it is given by the word before the colon. */
const grouping: ModelScript = ({ body }) => {
  const text: string = body.messages.at(-1).content;
  const sections = [...text.matchAll(/^([0-9a-f]{9}) (fix|feat): (.+)$/gm)].map(([, hash, kind, what]) => ({
    title: kind === "fix" ? "Fixed" : "Added",
    entries: [{ text: what, commits: [hash] }],
  }));
  return { text: JSON.stringify({ sections }) };
};

Deno.test("release_notes writes a section of what was committed since the last tag", async () => {
  await using pryx = await withModel(grouping);
  await withHistory(pryx);
  const dry = await runExample(pryx, "release_notes", ["1.1.0", "--dry-run"]);
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(
    dry.stdout,
    /^## 1\.1\.0 \(\d{4}-\d\d-\d\d\)\n\n### Added\n\n- sencha \(`[0-9a-f]{9}`\)\n\n### Fixed\n\n- tea is no longer cold \(`[0-9a-f]{9}`\)\n$/,
  );
  assert.doesNotMatch(await pryx.read("CHANGELOG.md"), /1\.1\.0/);

  const real = await runExample(pryx, "release_notes", ["1.1.0"]);
  assert.equal(real.code, 0, real.stderr);
  const changelog = await pryx.read("CHANGELOG.md");
  assert.ok(changelog.startsWith("# Changelog\n\n## Unreleased\n\n## 1.1.0 ("), changelog);
  assert.ok(changelog.endsWith("\n\n## 1.0.0 (2026-01-01)\n\n- First.\n"), changelog);
  const again = await runExample(pryx, "release_notes", ["1.1.0"]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /CHANGELOG\.md has a section 1\.1\.0 already/);
});

Deno.test("release_notes refuses what the agent made up", async () => {
  const sections = [{ title: "Added", entries: [{ text: "Gold", commits: ["0123456789"] }] }];
  await using pryx = await withModel([{ text: JSON.stringify({ sections }) }]);
  await withHistory(pryx);
  const { code, stderr } = await runExample(pryx, "release_notes", ["1.1.0"]);
  assert.equal(code, 1);
  assert.match(stderr, /named commits that are not there: 0123456789/);
  assert.doesNotMatch(await pryx.read("CHANGELOG.md"), /Gold/);
});
