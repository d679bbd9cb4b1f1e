import assert from "node:assert/strict";
import { join } from "node:path";
import {
  type FoundFile,
  landlockRules,
  type Look,
  MAX_RULES,
  rulesKey,
} from "../../core/sandbox/_landlock_rules.ts";

/** Folders end with a slash, links with an at sign. Inodes are positions. */
function treeOf(...paths: string[]): Look {
  const files = new Map<string, FoundFile>();
  for (const [index, path] of paths.entries()) {
    const kind = path.endsWith("/") ? "folder" : path.endsWith("@") ? "link" : "file";
    files.set(path.replace(/[/@]$/, "") || "/", { kind, device: 1, inode: index + 1 });
  }
  return {
    stat: (path) => files.get(path) ?? null,
    list: (folder) =>
      [...files].flatMap(([path, found]) => {
        const name = path.slice(path.lastIndexOf("/") + 1);
        const parent = path.slice(0, path.lastIndexOf("/")) || "/";
        return parent === folder && name !== "" ? [{ name, ...found }] : [];
      }),
  };
}

const TREE = treeOf(
  "/",
  "/w/",
  "/w/a",
  "/w/.env",
  "/w/l@",
  "/w/sub/",
  "/w/sub/b",
  "/w/sub/key",
  "/w/sub/deep/",
  "/x/",
);

function shown(request: Partial<Parameters<typeof landlockRules>[0]>, look: Look = TREE) {
  return landlockRules({ read: [], write: [], closed: [], ...request }, look)
    .map(({ path, rights, folder }) => `${rights} ${path}${folder && path !== "/" ? "/" : ""}`);
}

Deno.test("landlockRules() makes one rule of a root without anything closed", () => {
  assert.deepEqual(shown({ read: ["/w", "/gone"], write: ["/x"] }), ["read /w/", "write /x/"]);
  assert.deepEqual(shown({ read: ["/w"], closed: ["/w2", "/elsewhere/.env"] }), ["read /w/"]);
});

Deno.test("landlockRules() opens what lies around closed paths", () => {
  assert.deepEqual(shown({ read: ["/w"], closed: ["/w/.env", "/w/sub/key"] }), [
    "list /w/",
    "read /w/a",
    "list /w/sub/",
    "read /w/sub/b",
    "read /w/sub/deep/",
  ]);
  assert.deepEqual(shown({ read: ["/"], closed: ["/w"] }), ["list /", "read /x/"]);
});

Deno.test("landlockRules() gives nothing of a root that is closed or lies below what is", () => {
  assert.deepEqual(shown({ read: ["/w/sub"], closed: ["/w/sub"] }), []);
  assert.deepEqual(shown({ read: ["/w/sub"], closed: ["/w"] }), []);
});

Deno.test("landlockRules() leaves writable roots whole", () => {
  assert.deepEqual(shown({ write: ["/w"], closed: ["/w/.env"] }), ["write /w/"]);
});

Deno.test("landlockRules() opens pseudo terminals only when asked to", () => {
  const look = treeOf("/dev/", "/dev/null", "/dev/tty", "/dev/ptmx", "/dev/pts/", "/dev/shm/", "/dev/sda");
  assert.deepEqual(shown({}, look), ["device /dev/null", "memory /dev/shm/", "device /dev/tty"]);
  assert.deepEqual(shown({ terminals: true }, look), [
    "device /dev/null",
    "device /dev/ptmx",
    "device /dev/pts/",
    "memory /dev/shm/",
    "device /dev/tty",
  ]);
});

Deno.test("rulesKey() is the same for the same files and another for a file made anew", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    const path = join(folder, "f");
    await Deno.writeTextFile(path, "1");
    const key = (read: string[]) => rulesKey(landlockRules({ read, write: [], closed: [] }));
    const first = key([folder, path]);
    assert.equal(key([path, folder, path]), first);
    await Deno.writeTextFile(join(folder, "other"), "2");
    assert.equal(key([folder, path]), first);
    await Deno.rename(join(folder, "other"), path);
    assert.notEqual(key([folder, path]), first);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("landlockRules() throws when too many files lie around a closed one", () => {
  const found: FoundFile = { kind: "folder", device: 1, inode: 1 };
  const files = (count: number): Look => ({
    stat: (path) => path === "/w" ? found : null,
    list: () => Array.from({ length: count }, (_, index) => ({ name: `${index}`, ...found })),
  });
  const request = { read: ["/w"], write: [], closed: ["/w/0"] };
  assert.equal(landlockRules(request, files(MAX_RULES)).length, MAX_RULES);
  assert.throws(() => landlockRules(request, files(MAX_RULES + 1)), { code: "sandbox" });
});
