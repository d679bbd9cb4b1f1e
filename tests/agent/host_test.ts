import assert from "node:assert/strict";
import { join } from "node:path";
import { createNeedContext, type ShellHost } from "../../core/agent/host.ts";

async function withFolder(body: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "pryx-host-" }));
  try {
    await body(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("resolve() says where a path leads, for a file that is still to be made and through a link to nothing too", async () => {
  await withFolder(async (root) => {
    const workspace = join(root, "work");
    await Deno.mkdir(join(root, "out"));
    await Deno.mkdir(workspace);
    await Deno.symlink(join(root, "out"), join(workspace, "folder"));
    await Deno.symlink(join(root, "out", "later"), join(workspace, "nothing"));
    await Deno.symlink("nothing", join(workspace, "twice"));
    await Deno.symlink("round", join(workspace, "round"));
    const context = createNeedContext({
      workspace,
      home: root,
      searchPath: "/usr/bin",
      shellNeeds: () => Promise.resolve([]),
      isClosed: () => Promise.resolve(false),
    });
    for (
      const [path, wanted] of [
        ["a/new", join(workspace, "a/new")],
        ["a/../../x", join(root, "x")],
        ["folder/new", join(root, "out/new")],
        ["nothing", join(root, "out/later")],
        ["nothing/below", join(root, "out/later/below")],
        ["twice", join(root, "out/later")],
        ["~/y", join(root, "y")],
      ] as const
    ) assert.equal(await context.resolve(path), wanted, path);
    await assert.rejects(async () => await context.resolve("round"), { code: "io" });
  });
});

Deno.test("a program in the workspace or in a temporary folder is one that could have been put there", async () => {
  let host: ShellHost | undefined;
  const context = createNeedContext({
    workspace: "/ws",
    home: "/home/u",
    searchPath: "/usr/bin",
    shellNeeds(_command, _cwd, given) {
      host = given;
      return Promise.resolve([]);
    },
    isClosed: () => Promise.resolve(false),
  });
  await context.shellNeeds("x", "/ws");
  for (const path of ["/ws/x", "/tmp/x", "/var/tmp/x", "/dev/shm/x"]) assert.ok(host?.isWritable(path), path);
  for (const path of ["/usr/bin/x", "/wsx", "/tmpx"]) assert.ok(!host?.isWritable(path), path);
});
