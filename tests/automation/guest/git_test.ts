import assert from "node:assert/strict";
import { join } from "node:path";
import { type Asked, bashHost, createGuest, here } from "./_guest.ts";

/** A repository of its own, and the API over it. */
async function createRepository() {
  const folder = await Deno.makeTempDir({ prefix: "guest-git-" });
  const bash = bashHost(folder);
  const temps: string[] = [];
  const guest = createGuest(async (asked: Asked) => {
    if (asked.method !== "temp") return await bash(asked);
    const made = await Deno.makeTempDir({ prefix: asked.params.prefix });
    temps.push(made);
    return made;
  });
  const { sh } = guest.api;
  await sh`git init --quiet --initial-branch=main && git config user.name 'Ann "A" Other' && git config user.email ann@example.org`
    .quiet();
  return {
    ...guest,
    folder,
    write: (path: string, text: string) => Deno.writeTextFile(join(folder, path), text),
    commands: () =>
      guest.asked.filter(({ method }) => method === "tool").map(({ params }) => params.args.command),
    async [Symbol.asyncDispose]() {
      for (const path of [folder, ...temps]) await Deno.remove(path, { recursive: true });
    },
  };
}

Deno.test("git reads a repository without a commit", async () => {
  await using at = await createRepository();
  const { git } = at.api;
  assert.deepEqual(here(await git.status()), {
    branch: "main",
    upstream: null,
    ahead: 0,
    behind: 0,
    files: [],
    clean: true,
  });
  assert.deepEqual(here(await git.log()), []);
  assert.equal(await git.branch(), "main");
  await assert.rejects(() => git.log({ range: "nothing" }), { name: "ShellError" });
});

Deno.test("git.status() names files whatever is in their names, renames, conflicts and what is untracked", async () => {
  await using at = await createRepository();
  const { api: { git, sh } } = at;
  const odd = ' sp ace\n"quote" é\t';
  await at.write(odd, "one\n".repeat(20));
  await at.write("old name", "two\n".repeat(20));
  await at.write("kept", "three\n");
  await git.commit("First", { all: true });
  assert.equal((await git.status()).clean, true);

  await sh`git mv ${"old name"} ${"new\nname"}`.quiet();
  await at.write(odd, "changed\n");
  await at.write("kept", "staged\n");
  await sh`git add kept`.quiet();
  await Deno.mkdir(join(at.folder, "un tracked"));
  await at.write("un tracked/a b", "");
  const { files, clean } = here(await git.status());
  assert.equal(clean, false);
  assert.deepEqual(files.toSorted((a, b) => a.path < b.path ? -1 : 1), [
    { path: odd, index: ".", tree: "M" },
    { path: "kept", index: "M", tree: "." },
    { path: "new\nname", from: "old name", index: "R", tree: "." },
    { path: "un tracked/a b", index: "?", tree: "?" },
  ]);

  await sh`git reset --hard --quiet && git switch --quiet -c other`.quiet();
  await at.write("kept", "theirs\n");
  await git.commit("Theirs", { all: true });
  await sh`git switch --quiet main`.quiet();
  await at.write("kept", "ours\n");
  await git.commit("Ours", { all: true });
  await sh`git merge other`.quiet().result();
  assert.deepEqual(here((await git.status()).files).find(({ path }) => path === "kept"), {
    path: "kept",
    index: "U",
    tree: "U",
  });
});

Deno.test("git.status() knows the branch that is followed, and that there is none", async () => {
  await using at = await createRepository();
  const { api: { git, sh } } = at;
  const first = await git.commit("First", { all: true }).catch(() => null);
  assert.equal(first, null, "nothing to commit is a failure");
  await at.write("a", "a");
  const hash = await git.commit("First", { paths: ["a"] });
  assert.match(hash, /^[0-9a-f]{40}$/);
  await git.createBranch("topic/one");
  await sh`git branch --set-upstream-to=main`.quiet();
  await at.write("a", "b");
  await git.commit("Second", { all: true });
  const status = await git.status();
  assert.deepEqual([status.branch, status.upstream, status.ahead, status.behind], [
    "topic/one",
    "main",
    1,
    0,
  ]);
  await sh`git switch --quiet --detach ${hash}`.quiet();
  assert.equal((await git.status()).branch, null);
  assert.equal(await git.branch(), null);
  await git.createBranch("from-main", "main");
  assert.equal(await git.branch(), "from-main");
});

Deno.test("git.log() reads commits whatever their messages say", async () => {
  await using at = await createRepository();
  const { api: { git } } = at;
  await at.write("a b", "1");
  await git.commit(`It's "one" $HOME\n\nBody é\n\n# no comment\n\x1f`, { paths: ["a b"] });
  await at.write("c", "2");
  await git.commit("Two", { all: true });
  const log = here(await git.log());
  assert.deepEqual(log.map(({ subject }) => subject), ["Two", `It's "one" $HOME`]);
  assert.deepEqual({ ...log[1], hash: "", date: "" }, {
    hash: "",
    author: 'Ann "A" Other',
    email: "ann@example.org",
    date: "",
    subject: `It's "one" $HOME`,
    body: "Body é\n\n# no comment\n\x1f",
  });
  assert.match(log[1]?.date ?? "", /^\d{4}-\d\d-\d\dT[\d:]+([+-]\d\d:\d\d|Z)$/);
  assert.equal((await git.log({ limit: 1 })).length, 1);
  assert.deepEqual(here(await git.log({ paths: ["a b"] })).map(({ subject }) => subject), [
    `It's "one" $HOME`,
  ]);
  assert.deepEqual(here(await git.log({ range: "HEAD~1..HEAD" })).map(({ subject }) => subject), ["Two"]);
});

Deno.test("git.diff() shows what is staged, what is not, and a range", async () => {
  await using at = await createRepository();
  const { api: { git, sh } } = at;
  await at.write("a", "one\n");
  await at.write("b", "one\n");
  await git.commit("First", { all: true });
  await at.write("a", "two\n");
  await sh`git add a`.quiet();
  await at.write("b", "three\n");
  assert.match(await git.diff(), /^diff --git a\/b b\/b[^]*\+three\n$/);
  assert.match(await git.diff({ staged: true }), /^diff --git a\/a b\/a[^]*\+two\n$/);
  await git.commit("Second");
  assert.match(await git.diff({ range: "HEAD~1", paths: ["a"] }), /\+two\n$/);
  assert.doesNotMatch(await git.diff({ range: "HEAD~1", paths: ["a"] }), /three/);
});

Deno.test("git refuses names that git would read as options", async () => {
  const { api: { git }, asked } = createGuest();
  await assert.rejects(() => git.log({ range: "--output=/etc/passwd" }), { code: "input_invalid" });
  await assert.rejects(() => git.createBranch("-f"), { code: "input_invalid" });
  await assert.rejects(() => git.createBranch("a", "--orphan"), { code: "input_invalid" });
  await assert.rejects(() => git.worktree("-b", () => {}), { code: "input_invalid" });
  await assert.rejects(() => git.commit(" "), { name: "TypeError" });
  assert.equal(asked.length, 0);
});

Deno.test("git.worktree() checks out, gives what the body gives, and leaves nothing behind", async () => {
  await using at = await createRepository();
  const { api: { git, sh } } = at;
  await at.write("a", "main\n");
  await git.commit("First", { all: true });
  await sh`git branch topic`.quiet();
  const list = () => sh`git worktree list`.lines().then((lines) => lines.length);

  const seen = await git.worktree("topic", async (folder) => {
    assert.equal(await sh`git branch --show-current`.cwd(folder).text(), "topic");
    await Deno.writeTextFile(join(folder, "a"), "dirty");
    return folder;
  });
  await assert.rejects(() => Deno.stat(seen), Deno.errors.NotFound);
  assert.equal(await list(), 1);

  // The branch that is checked out already is had as its commit.
  assert.equal(await git.worktree("main", (folder) => Deno.readTextFile(join(folder, "a"))), "main\n");
  await assert.rejects(
    () =>
      git.worktree("main", () => {
        throw new Error("in the body");
      }),
    { message: "in the body" },
  );
  assert.equal(await list(), 1);
  await assert.rejects(() => git.worktree("nowhere", () => {}), { name: "ShellError" });
});
