import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { findInstructions, trustState } from "../../core/policy/trust.ts";

/** A folder with these files, removed afterwards. */
async function folderWith(files: Readonly<Record<string, string>>) {
  const root = await Deno.realPath(await Deno.makeTempDir());
  for (const [name, content] of Object.entries(files)) {
    await Deno.mkdir(dirname(join(root, name)), { recursive: true });
    await Deno.writeTextFile(join(root, name), content);
  }
  return {
    root,
    path: (name: string) => join(root, name),
    found: async (workspace = root) =>
      (await findInstructions(workspace)).map((file) => relative(root, file)),
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

Deno.test("findInstructions() takes the nearest AGENTS.md up to the root of the repository", async () => {
  await using outer = await folderWith({
    "AGENTS.md": "outside",
    "repo/.git/HEAD": "",
    "repo/AGENTS.md": "repo",
    "repo/sub/CLAUDE.md": "sub",
    "repo/sub/deep/x": "",
    "repo/own/AGENTS.md": "own",
    "bare/x": "",
  });
  assert.deepEqual(await outer.found(outer.path("repo/sub/deep")), ["repo/AGENTS.md"]);
  assert.deepEqual(await outer.found(outer.path("repo/own")), ["repo/own/AGENTS.md"]);
  assert.deepEqual(await outer.found(outer.path("bare")), [], "no repository: the folder alone");
});

Deno.test("findInstructions() takes CLAUDE.md where there is no AGENTS.md", async () => {
  await using folder = await folderWith({ ".git/HEAD": "", "CLAUDE.md": "x", "sub/y": "" });
  assert.deepEqual(await folder.found(folder.path("sub")), ["CLAUDE.md"]);
});

Deno.test("findInstructions() takes skills and hooks with all their files, and not the settings", async () => {
  await using folder = await folderWith({
    ".pryx/skills/a/SKILL.md": "a",
    ".pryx/skills/a/scripts/run.sh": "b",
    ".agents/skills/b/SKILL.md": "c",
    ".pryx/hooks/before.sh": "d",
    ".pryx/hooks.jsonc": "{}",
    ".pryx/mcp.json": "{}",
    ".pryx/config.jsonc": "{}",
    "src/SKILL.md": "no",
  });
  assert.deepEqual(await folder.found(), [
    ".agents/skills/b/SKILL.md",
    ".pryx/hooks.jsonc",
    ".pryx/hooks/before.sh",
    ".pryx/mcp.json",
    ".pryx/skills/a/SKILL.md",
    ".pryx/skills/a/scripts/run.sh",
  ]);
});

Deno.test("findInstructions() follows links to skills, and ends when they lead back", async () => {
  await using folder = await folderWith({ "shared/s/SKILL.md": "x", ".pryx/skills/own/SKILL.md": "y" });
  await Deno.symlink(folder.path("shared/s"), folder.path(".pryx/skills/linked"));
  await Deno.symlink(folder.path(".pryx/skills"), folder.path(".pryx/skills/own/back"));
  assert.deepEqual(await folder.found(), [".pryx/skills/linked/SKILL.md", ".pryx/skills/own/SKILL.md"]);
});

Deno.test("trustState() asks again when a byte, a name or a file changes", async () => {
  await using folder = await folderWith({ "AGENTS.md": "one", ".pryx/skills/a/SKILL.md": "two" });
  const state = () => trustState(folder.root, () => undefined);
  const { hash, trusted, files } = await state();
  assert.equal(trusted, false);
  assert.equal(files.length, 2);
  assert.equal((await trustState(folder.root, (at) => at === folder.root ? hash : undefined)).trusted, true);

  const hashes = new Set([hash]);
  await Deno.writeTextFile(folder.path("AGENTS.md"), "onE");
  hashes.add((await state()).hash);
  await Deno.rename(folder.path(".pryx/skills/a"), folder.path(".pryx/skills/b"));
  hashes.add((await state()).hash);
  await Deno.writeTextFile(folder.path(".pryx/skills/b/x"), "");
  hashes.add((await state()).hash);
  await Deno.remove(folder.path("AGENTS.md"));
  hashes.add((await state()).hash);
  assert.equal(hashes.size, 5);
  assert.equal((await trustState(folder.root, () => hash)).trusted, false);
});

Deno.test("trustState() tells contents apart that run together the same way", async () => {
  await using a = await folderWith({ ".pryx/hooks/a": "bc", ".pryx/hooks/b": "" });
  await using b = await folderWith({ ".pryx/hooks/a": "b", ".pryx/hooks/b": "c" });
  const hash = async (root: string) => (await trustState(root, () => undefined)).hash;
  assert.notEqual(await hash(a.root), await hash(b.root));
});

Deno.test("trustState() hashes nothing where there is nothing", async () => {
  await using folder = await folderWith({ "src/a.ts": "" });
  const state = await trustState(folder.root, () => undefined);
  assert.deepEqual(state, {
    folder: folder.root,
    files: [],
    hash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    trusted: false,
  });
});
