import assert from "node:assert/strict";
import { join } from "node:path";
import { type KnownFiles, snapshotFolder, takeSnapshot } from "../../core/agent/snapshots.ts";
import type { Need } from "../../core/domain/need.ts";

function parts(workspace: string) {
  const kept = new Map<string, string>();
  const known: KnownFiles = new Map();
  return {
    kept,
    options: {
      workspace,
      known,
      isSecret: (path: string) => Promise.resolve(path.endsWith(".env")),
      ignored: () => Promise.resolve(() => false),
      blobs: {
        put: (bytes: Uint8Array) => {
          const hash = `hash of ${new TextDecoder().decode(bytes)}`;
          kept.set(hash, new TextDecoder().decode(bytes));
          return Promise.resolve(hash);
        },
        get: () => Promise.resolve(undefined),
        remove: () => Promise.resolve(false),
        async *list() {},
      },
    },
  };
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const command: Need = { kind: "run", target: "make", argv: ["make"], executable: "/usr/bin/make" };

Deno.test("takeSnapshot() before a command keeps what it will write outside the workspace too", async () => {
  await inFolder(async (folder) => {
    const workspace = join(folder, "work");
    const outside = join(folder, "log.txt");
    await Deno.mkdir(workspace);
    await Deno.writeTextFile(outside, "old");
    const { options, kept } = parts(workspace);
    const snapshot = await takeSnapshot([command, { kind: "write", target: outside }], options);
    await Deno.writeTextFile(outside, "quite new");
    const changes = await snapshot.changes();
    assert.deepEqual(changes.map(({ path }) => path), [outside]);
    assert.deepEqual([...kept.values()], ["old"]);
  });
});

Deno.test("takeSnapshot() keeps no secret file, and follows no link out of the folder", async () => {
  await inFolder(async (folder) => {
    const workspace = join(folder, "work");
    await Deno.mkdir(workspace);
    await Deno.mkdir(join(folder, "elsewhere"));
    await Deno.writeTextFile(join(folder, "elsewhere", "private.txt"), "private");
    await Deno.writeTextFile(join(workspace, ".env"), "TOKEN=1");
    await Deno.symlink(join(folder, "elsewhere"), join(workspace, "link"));
    await Deno.symlink(join(folder, "elsewhere", "private.txt"), join(workspace, "file link"));
    const { options, kept } = parts(workspace);
    await takeSnapshot([command], options);
    assert.deepEqual([...kept.values()], []);
  });
});

Deno.test("takeSnapshot() looks once through a folder that is too large, not before every command", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(join(folder, "many"));
    for (let n = 0; n < 4_100; n++) Deno.writeTextFileSync(join(folder, "many", `${n}`), "");
    const { options } = parts(folder);
    let scans = 0;
    const counting = {
      ...options,
      ignored: () =>
        Promise.resolve((path: string) => {
          if (path === "many/") scans++;
          return false;
        }),
    };
    assert.equal((await takeSnapshot([command], counting)).complete, false);
    const second = await takeSnapshot([command], counting);
    assert.equal(second.complete, false);
    await second.changes();
    assert.equal(scans, 1);
  });
});

Deno.test("snapshotFolder() reports what was added, changed and removed, once each", async () => {
  await inFolder(async (folder) => {
    for (const name of ["same", "changed", "removed"]) await Deno.writeTextFile(join(folder, name), name);
    const { options } = parts(folder);
    const snapshot = await snapshotFolder(folder, { ...options, ignored: () => false });
    await Deno.writeTextFile(join(folder, "changed"), "changed indeed");
    await Deno.remove(join(folder, "removed"));
    await Deno.writeTextFile(join(folder, "added"), "added");
    const changes = await snapshot.changes();
    const told = changes.map((
      { path, before, after },
    ) => [path.slice(folder.length + 1), before, after !== null]);
    assert.deepEqual(told.sort(), [
      ["added", null, true],
      ["changed", "hash of changed", true],
      ["removed", "hash of removed", false],
    ]);
  });
});
