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
    const snapshot = await takeSnapshot([command], options);
    await Deno.writeTextFile(join(workspace, ".env"), "TOKEN=12");
    await Deno.writeTextFile(join(folder, "elsewhere", "private.txt"), "changed");
    const changes = await snapshot.changes();
    assert.deepEqual(changes.map(({ path, before, kept }) => [path, before, kept]), [
      [join(workspace, ".env"), null, false],
    ]);
    assert.deepEqual([...kept.values()], []);
  });
});

Deno.test("takeSnapshot() writes to the store what a command changed, as it was before that command", async () => {
  await inFolder(async (folder) => {
    for (const name of ["a", "b", "c"]) await Deno.writeTextFile(join(folder, name), `${name} 1`);
    const { options, kept } = parts(folder);
    const first = await takeSnapshot([command], options);
    await Deno.writeTextFile(join(folder, "a"), "a is 2");
    await first.changes();
    assert.deepEqual([...kept.values()], ["a 1"]);
    const second = await takeSnapshot([command], options);
    await Deno.writeTextFile(join(folder, "a"), "a is now 3");
    await Deno.remove(join(folder, "b"));
    await second.changes();
    assert.deepEqual([...kept.values()].sort(), ["a 1", "a is 2", "b 1"]);
    assert.deepEqual([...options.known.keys()].sort(), ["a", "b", "c"].map((name) => join(folder, name)));
    await takeSnapshot([command], options);
    assert.ok(!options.known.has(join(folder, "b")), "what is gone is held no longer");
  });
});

Deno.test("takeSnapshot() reads again only what changed", async () => {
  await inFolder(async (folder) => {
    for (const name of ["a", "b"]) await Deno.writeTextFile(join(folder, name), name);
    const { options } = parts(folder);
    const read: string[] = [];
    const watching = {
      ...options,
      isSecret: (path: string) => {
        read.push(path.slice(folder.length + 1));
        return Promise.resolve(false);
      },
    };
    await takeSnapshot([command], watching);
    assert.deepEqual(read.splice(0).sort(), ["a", "b"]);
    await Deno.writeTextFile(join(folder, "b"), "b, longer");
    await takeSnapshot([command], watching);
    assert.deepEqual(read, ["b"]);
  });
});

Deno.test("a change whose content cannot be written to the store is told as not kept", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "a"), "old");
    const { options } = parts(folder);
    const full = { ...options.blobs, put: () => Promise.reject(new Error("no space")) };
    const snapshot = await takeSnapshot([command], { ...options, blobs: full });
    await Deno.writeTextFile(join(folder, "a"), "quite new");
    const [change] = await snapshot.changes();
    assert.deepEqual([change?.before, change?.kept], [null, false]);
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
    for (const name of ["same", "changed", "removed", "linked"]) {
      await Deno.writeTextFile(join(folder, name), name);
    }
    const { options } = parts(folder);
    const snapshot = await snapshotFolder(folder, { ...options, ignored: () => false });
    await Deno.writeTextFile(join(folder, "changed"), "changed indeed");
    await Deno.remove(join(folder, "removed"));
    await Deno.remove(join(folder, "linked"));
    await Deno.symlink("same", join(folder, "linked"));
    await Deno.writeTextFile(join(folder, "added"), "added");
    const changes = await snapshot?.changes() ?? [];
    const told = changes.map((
      { path, before, after },
    ) => [path.slice(folder.length + 1), before, after !== null]);
    assert.deepEqual(told.sort(), [
      ["added", null, true],
      ["changed", "hash of changed", true],
      ["linked", "hash of linked", false],
      ["removed", "hash of removed", false],
    ]);
  });
});
