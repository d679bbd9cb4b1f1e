import assert from "node:assert/strict";
import { createPolicy, type PolicyOptions } from "../../core/policy/create_policy.ts";
import { findLinks } from "../../core/policy/find_links.ts";
import { rule, verdictOf } from "./_policy.ts";

const LINKS: Readonly<Record<string, string>> = {
  "/home/u/.ssh": "/vault/ssh",
  "/link": "/real/place",
  "/opt/pryx": "/usr/lib/pryx",
  "/state": "/disk/state",
};

Deno.test("findLinks() lets rules hold where their paths lead", async () => {
  const options: PolicyOptions = {
    preset: "workspace",
    workspace: "/ws",
    home: "/home/u",
    rules: ["user deny read=/link/**/*.txt", "user allow write=/link/out"].map(rule),
    protectedPaths: ["/opt/pryx", "/state/pryx"],
    readablePaths: ["/state/pryx/outputs"],
    ignoreCase: false,
  };
  const links = await findLinks(options, (path) => {
    const to = Object.entries(LINKS).find(([from]) => path === from || path.startsWith(`${from}/`));
    if (path === "/home/u/.aws") return Promise.reject(new Error("not there"));
    return Promise.resolve(to ? to[1] + path.slice(to[0].length) : path);
  });
  const without = createPolicy(options);
  const policy = createPolicy({ ...options, links });
  for (
    const [need, before, after] of [
      ["read=/vault/ssh/id", "ask", "deny"],
      ["read=/real/place/a/b.txt", "ask", "deny"],
      ["read=/real/place/a/b.md", "ask", "ask"],
      ["write=/real/place/out/x", "ask", "allow"],
      ["write=/usr/lib/pryx/pryx", "ask", "deny"],
      ["read=/disk/state/pryx/blobs/x", "ask", "deny"],
      ["read=/disk/state/pryx/outputs/x", "ask", "allow"],
      ["read=/home/u/.ssh/id", "deny", "deny"],
      ["read=/home/u/.aws/config", "deny", "deny"],
    ] as const
  ) {
    assert.equal(verdictOf(without, need), before, `without links: ${need}`);
    assert.equal(verdictOf(policy, need), after, `with links: ${need}`);
  }
});

Deno.test("findLinks() asks the file system where no other is given", async () => {
  const root = await Deno.realPath(await Deno.makeTempDir());
  try {
    await Deno.mkdir(`${root}/vault/deep`, { recursive: true });
    await Deno.mkdir(`${root}/home`);
    await Deno.symlink(`${root}/vault`, `${root}/home/.ssh`);
    await Deno.symlink(`../later`, `${root}/home/.gnupg`);
    await Deno.symlink(`${root}/home/loop`, `${root}/home/loop`);
    const options: PolicyOptions = {
      preset: "workspace",
      workspace: "/ws",
      home: `${root}/home`,
      rules: ["user deny read=~/.ssh/deep/missing/x", "user deny read=~/loop/x"].map(rule),
      protectedPaths: [],
    };
    const links = await findLinks(options);
    assert.equal(links.get(`${root}/home/.ssh`), `${root}/vault`);
    assert.equal(links.get(`${root}/home/.ssh/deep/missing/x`), `${root}/vault/deep/missing/x`);
    assert.equal(links.get(`${root}/home/.gnupg`), `${root}/later`);
    assert.equal(links.has(`${root}/home/.aws`), false);
    assert.equal(verdictOf(createPolicy({ ...options, links }), `read=${root}/later/key`), "deny");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
