import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createSandbox } from "../../core/sandbox/create_sandbox.ts";
import type { ErrorCode } from "../../core/domain/error.ts";
import { PryxError } from "../../core/domain/error.ts";
import type { SandboxGrants } from "../../core/domain/policy.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array) => new TextDecoder().decode(data);
const rejects = (work: Promise<unknown>, code: ErrorCode, message?: RegExp) =>
  assert.rejects(work, (error) => {
    assert.ok(error instanceof PryxError, String(error));
    assert.equal(error.code, code, error.message);
    if (message) assert.match(error.message, message);
    return true;
  });

async function place() {
  const root = await Deno.realPath(await Deno.makeTempDir());
  const workspace = join(root, "ws");
  await Deno.mkdir(workspace);
  const sandbox = createSandbox({ home: join(root, "home"), env: {}, scopes: [workspace] });
  const all = (denied: string[] = []): SandboxGrants => ({ read: [workspace], write: [workspace], denied });
  return {
    root,
    workspace,
    sandbox,
    all,
    files: sandbox.files(all()),
    async [Symbol.asyncDispose]() {
      await sandbox[Symbol.asyncDispose]();
      await Deno.remove(root, { recursive: true });
    },
  };
}

Deno.test("files.write() makes missing folders, and files.read() gives back the part asked for", async () => {
  await using at = await place();
  const path = join(at.workspace, "a/b/c.txt");
  await at.files.write(path, bytes("hello world"));
  const { bytes: part, info } = await at.files.read(path, { maxBytes: 5, offset: 6 });
  assert.equal(text(part), "world");
  assert.deepEqual([info.kind, info.size], ["file", 11]);
});

Deno.test("files.write() keeps the mode of the file it replaces and leaves nothing beside it", async () => {
  await using at = await place();
  const path = join(at.workspace, "run.sh");
  await Deno.writeTextFile(path, "old", { mode: 0o751 });
  await Deno.chmod(path, 0o751);
  await at.files.write(path, bytes("new"));
  assert.equal((await Deno.stat(path)).mode! & 0o777, 0o751);
  assert.deepEqual([...Deno.readDirSync(at.workspace)].map(({ name }) => name), ["run.sh"]);
});

Deno.test("files.write() puts new content in place at once: who has the old file open reads all of it", async () => {
  await using at = await place();
  const path = join(at.workspace, "a.txt");
  await Deno.writeTextFile(path, "old content");
  using open = await Deno.open(path);
  await at.files.write(path, bytes("new"));
  assert.equal(await new Response(open.readable).text(), "old content");
  assert.equal(await Deno.readTextFile(path), "new");
});

Deno.test("files are neither read, written nor removed through a link that leads to a denied one in the same root", async () => {
  await using at = await place();
  const secret = join(at.workspace, ".env");
  await Deno.writeTextFile(secret, "secret");
  await Deno.mkdir(join(at.workspace, "closed"));
  await Deno.writeTextFile(join(at.workspace, "closed/a"), "secret");
  await Deno.symlink(".env", join(at.workspace, "link"));
  await Deno.symlink("closed", join(at.workspace, "folder"));
  const files = at.sandbox.files(at.all([secret, join(at.workspace, "closed")]));
  for (const name of ["link", "folder/a"]) {
    const path = join(at.workspace, name);
    await rejects(files.read(path, { maxBytes: 9 }), "denied", /policy denies it/);
    await rejects(files.write(path, bytes("evil")), "denied", /policy denies it/);
  }
  await rejects(files.write(join(at.workspace, "folder/new"), bytes("evil")), "denied", /policy denies it/);
  await rejects(files.remove(join(at.workspace, "folder/a")), "denied", /policy denies it/);
  await rejects(files.list(join(at.workspace, "folder")), "denied", /policy denies it/);
  assert.equal(await Deno.readTextFile(secret), "secret");
  assert.deepEqual([...Deno.readDirSync(join(at.workspace, "closed"))].map(({ name }) => name), ["a"]);
});

Deno.test("files.write() writes through a link inside the roots and keeps the link", async () => {
  await using at = await place();
  await Deno.writeTextFile(join(at.workspace, "target"), "old");
  await Deno.symlink("target", join(at.workspace, "link"));
  await at.files.write(join(at.workspace, "link"), bytes("new"));
  assert.equal(await Deno.readTextFile(join(at.workspace, "target")), "new");
  assert.ok((await Deno.lstat(join(at.workspace, "link"))).isSymlink);
});

Deno.test("files.write() is a conflict when the content is not the expected one", async () => {
  await using at = await place();
  const path = join(at.workspace, "f");
  await at.files.write(path, bytes("one"), { expect: null });
  await rejects(at.files.write(path, bytes("two"), { expect: null }), "conflict");
  await rejects(at.files.write(path, bytes("two"), { expect: "0".repeat(64) }), "conflict", /changed/);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes("one"))).toHex();
  await at.files.write(path, bytes("two"), { expect: hash });
  assert.equal(await Deno.readTextFile(path), "two");
});

Deno.test("files deny what lies outside the roots, however it is spelled", async () => {
  await using at = await place();
  const secret = join(at.root, "secret");
  await Deno.writeTextFile(secret, "s");
  await Deno.symlink(secret, join(at.workspace, "link"));
  await Deno.symlink(at.root, join(at.workspace, "up"));
  for (
    const path of [
      secret,
      `${at.workspace}/../secret`,
      join(at.workspace, "link"),
      join(at.workspace, "up/secret"),
    ]
  ) {
    await rejects(at.files.read(path, { maxBytes: 10 }), "denied");
    await rejects(at.files.write(path, bytes("x")), "denied");
  }
  await rejects(at.files.write(join(at.workspace, "up/new"), bytes("x")), "denied");
  await rejects(at.files.list(join(at.workspace, "up")), "denied");
  await rejects(at.files.remove(join(at.workspace, "up/secret")), "denied");
  assert.equal(await Deno.readTextFile(secret), "s");
});

Deno.test("files deny denied paths and globs inside the roots, through links too", async () => {
  await using at = await place();
  await Deno.mkdir(join(at.workspace, "keys"));
  await Deno.writeTextFile(join(at.workspace, "keys/a"), "k");
  await Deno.writeTextFile(join(at.workspace, ".env.local"), "k");
  await Deno.symlink(".env.local", join(at.workspace, "harmless"));
  const files = at.sandbox.files(at.all([join(at.workspace, "keys"), `${at.workspace}/**/.env*`]));
  for (const name of ["keys/a", ".env.local", "harmless", "keys"]) {
    await rejects(files.read(join(at.workspace, name), { maxBytes: 10 }), "denied");
  }
  await rejects(files.write(join(at.workspace, "sub/.env"), bytes("x")), "denied");
  assert.equal(await files.mayRead?.(join(at.workspace, ".env.local")), false);
  assert.equal(await files.mayRead?.(join(at.workspace, "src.ts")), true);
  assert.deepEqual((await files.glob(at.workspace, "**", 100)).paths, []);
});

Deno.test("files take an escaped name in denied as that very name", async () => {
  await using at = await place();
  for (const name of ["[id]", "i", "(x)"]) await Deno.writeTextFile(join(at.workspace, name), "t");
  const files = at.sandbox.files(at.all([`${at.workspace}/\\[id\\]`, `${at.workspace}/\\(x\\)`]));
  await rejects(files.read(join(at.workspace, "[id]"), { maxBytes: 1 }), "denied");
  await rejects(files.read(join(at.workspace, "(x)"), { maxBytes: 1 }), "denied");
  assert.equal(text((await files.read(join(at.workspace, "i"), { maxBytes: 1 })).bytes), "t");
});

Deno.test("files write only where write was granted, and a single file is no folder", async () => {
  await using at = await place();
  const one = join(at.root, "one.txt");
  const other = join(at.root, "other.txt");
  await Deno.writeTextFile(one, "1");
  await Deno.writeTextFile(other, "2");
  const files = at.sandbox.files({ read: [at.workspace], write: [one], denied: [] });
  await files.write(one, bytes("new"));
  assert.equal(text((await files.read(one, { maxBytes: 10 })).bytes), "new");
  await rejects(files.read(other, { maxBytes: 10 }), "denied");
  await rejects(files.write(join(at.workspace, "x"), bytes("x")), "denied");
});

Deno.test("files make a new file in new folders when only that file was granted", async () => {
  await using at = await place();
  const path = join(at.root, "new/deep/file.txt");
  await at.sandbox.files({ read: [], write: [path], denied: [] }).write(path, bytes("x"));
  assert.equal(await Deno.readTextFile(path), "x");
});

Deno.test("files refuse folders, pipes, devices and links to nothing at once", async () => {
  await using at = await place();
  const fifo = join(at.workspace, "fifo");
  await new Deno.Command("mkfifo", { args: [fifo] }).output();
  await Deno.symlink("nowhere", join(at.workspace, "dangling"));
  await rejects(at.files.read(fifo, { maxBytes: 10 }), "io", /pipe/);
  await rejects(at.files.write(fifo, bytes("x")), "io");
  await rejects(at.files.read(at.workspace, { maxBytes: 10 }), "io", /folder/);
  await rejects(at.files.write(at.workspace, bytes("x")), "io", /folder/);
  await rejects(at.files.write(join(at.workspace, "dangling"), bytes("x")), "io", /link/);
  await rejects(at.files.read(join(at.workspace, "gone"), { maxBytes: 1 }), "not_found");
  assert.equal(await at.files.stat(join(at.workspace, "gone")), null);
  const device = at.sandbox.files({ read: ["/dev/zero"], write: [], denied: [] });
  await assert.rejects(device.read("/dev/zero", { maxBytes: 10 }), PryxError);
});

Deno.test("files.glob() honours ignore files, skips .git and links, newest first, within its limit", async () => {
  await using at = await place();
  const make = async (name: string, content = "", ageSeconds = 0) => {
    const path = join(at.workspace, name);
    await Deno.mkdir(join(path, ".."), { recursive: true });
    await Deno.writeTextFile(path, content);
    const when = new Date(Date.now() - ageSeconds * 1000);
    await Deno.utime(path, when, when);
  };
  await make(".gitignore", "dist/\n*.log\n!keep.log\n");
  await make(".ignore", "quiet.ts\n");
  await make("sub/.gitignore", "!loud.log\nlocal.ts\n");
  await make("old.ts", "", 100);
  await make("sub/new.ts", "", 10);
  for (const name of ["dist/x.ts", "quiet.ts", "sub/local.ts", ".git/config.ts", "noise.log"]) {
    await make(name);
  }
  await make("keep.log");
  await make("sub/loud.log");
  await Deno.symlink("old.ts", join(at.workspace, "link.ts"));
  const names = async (pattern: string, limit = 100) =>
    (await at.files.glob(at.workspace, pattern, limit)).paths.map((path) =>
      path.slice(at.workspace.length + 1)
    );
  assert.deepEqual(await names("*.ts"), ["sub/new.ts", "old.ts"]);
  assert.deepEqual(await names("sub/*.ts"), ["sub/new.ts"]);
  assert.deepEqual((await names("**/*.log")).sort(), ["keep.log", "sub/loud.log"]);
  assert.deepEqual(await at.files.glob(at.workspace, "*.ts", 1), {
    paths: [join(at.workspace, "sub/new.ts")],
    more: true,
  });
});

Deno.test("files use at most eight workers, and more scopes than that still get their turn", async () => {
  await using at = await place();
  const folders = Array.from({ length: 12 }, (_, i) => join(at.root, `f${i}`));
  for (const folder of folders) {
    await Deno.mkdir(folder);
    await Deno.writeTextFile(join(folder, "t"), folder);
  }
  const read = (folder: string) =>
    at.sandbox.files({ read: [folder], write: [], denied: [] }).read(join(folder, "t"), { maxBytes: 999 });
  const results = await Promise.all(folders.map(read));
  assert.deepEqual(results.map(({ bytes }) => text(bytes)), folders);
});

Deno.test("an idle file worker does not keep a program alive", async () => {
  await using at = await place();
  const url = new URL("../../core/sandbox/create_sandbox.ts", import.meta.url);
  const script = join(at.root, "main.ts");
  await Deno.writeTextFile(
    script,
    `import { createSandbox } from ${JSON.stringify(url.href)};
     const folder = Deno.args[0];
     const files = createSandbox({ home: "/nowhere", env: {} }).files({ read: [folder], write: [], denied: [] });
     console.log((await files.stat(folder)).kind);`,
  );
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  const { stdout, code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "-c", config, script, at.workspace],
    signal: AbortSignal.timeout(8_000),
    stderr: "null",
  }).output();
  assert.deepEqual([text(stdout).trim(), code], ["folder", 0]);
});

Deno.test("files.read() does not read a denied file by another of its names, and reads others that have two", async () => {
  await using at = await place();
  const path = (name: string) => join(at.workspace, name);
  for (const name of [".env", "plain"]) await Deno.writeTextFile(path(name), `of ${name}`);
  await Deno.link(path(".env"), path("notes"));
  await Deno.link(path("plain"), path("copy"));
  const files = at.sandbox.files(at.all([`${at.workspace}/**/.env`]));
  await rejects(files.read(path("notes"), { maxBytes: 100 }), "denied", /another name/);
  assert.equal(text((await files.read(path("copy"), { maxBytes: 100 })).bytes), "of plain");
});

/** Every path below a folder, with the content of files, by path. */
async function treeOf(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const walk = async (at: string) => {
    for (const { name, isDirectory, isSymlink } of Deno.readDirSync(join(folder, at))) {
      const path = join(at, name);
      if (isDirectory) {
        found[`${path}/`] = "";
        await walk(path);
      } else found[path] = isSymlink ? "link" : await Deno.readTextFile(join(folder, path));
    }
  };
  await walk("");
  return Object.fromEntries(Object.entries(found).sort());
}

async function plant(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await Deno.mkdir(join(folder, name, ".."), { recursive: true });
    await Deno.writeTextFile(join(folder, name), content);
  }
}

Deno.test("files.append() adds to the end, makes what is missing, and loses nothing to others who append", async () => {
  await using at = await place();
  const path = join(at.workspace, "logs/a.txt");
  await at.files.append(path, bytes("0\n"), { mode: 0o600 });
  assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  await Promise.all(Array.from({ length: 50 }, (_, i) => at.files.append(path, bytes(`${i + 1}\n`))));
  const lines = (await Deno.readTextFile(path)).trimEnd().split("\n").map(Number);
  assert.deepEqual(lines.toSorted((a, b) => a - b), Array.from({ length: 51 }, (_, i) => i));
  await rejects(at.files.append(at.workspace, bytes("x")), "io", /it is a folder/);
  await rejects(at.files.append(join(at.root, "out"), bytes("x")), "denied");
});

Deno.test("files.append() adds to no denied file by another of its names, and to others that have two", async () => {
  await using at = await place();
  await plant(at.workspace, { ".env": "of env", plain: "of plain" });
  await Deno.link(join(at.workspace, ".env"), join(at.workspace, "notes"));
  await Deno.link(join(at.workspace, "plain"), join(at.workspace, "copy"));
  const files = at.sandbox.files(at.all([`${at.workspace}/**/.env`]));
  await rejects(files.append(join(at.workspace, "notes"), bytes("!")), "denied", /another name/);
  await files.append(join(at.workspace, "copy"), bytes("!"));
  assert.deepEqual(await treeOf(at.workspace), {
    ".env": "of env",
    copy: "of plain!",
    notes: "of env",
    plain: "of plain!",
  });
});

Deno.test("files.mkdir() makes a folder with those above it, and minds none that is there", async () => {
  await using at = await place();
  await at.files.mkdir(join(at.workspace, "a/b"));
  await at.files.mkdir(join(at.workspace, "a/b"));
  await Deno.writeTextFile(join(at.workspace, "file"), "");
  await rejects(at.files.mkdir(join(at.workspace, "file")), "io", /it is a file/);
  await rejects(at.files.mkdir(join(at.root, "out")), "denied");
  await Deno.symlink(at.root, join(at.workspace, "link"));
  await rejects(at.files.mkdir(join(at.workspace, "link/out")), "denied");
  assert.deepEqual(await treeOf(at.workspace), { "a/": "", "a/b/": "", file: "", link: "link" });
});

Deno.test("files.copy() copies a folder with all that is in it, modes too, to where nothing is", async () => {
  await using at = await place();
  const path = (name: string) => join(at.workspace, name);
  await plant(at.workspace, { "a/run.sh": "run", "a/b/c.txt": "c" });
  await Deno.mkdir(path("a/empty"));
  await Deno.chmod(path("a/run.sh"), 0o750);
  await Deno.chmod(path("a/b"), 0o555);
  try {
    await at.files.copy(path("a"), path("new/copy"));
    assert.deepEqual(await treeOf(path("new")), {
      "copy/": "",
      "copy/b/": "",
      "copy/b/c.txt": "c",
      "copy/empty/": "",
      "copy/run.sh": "run",
    });
    const mode = async (name: string) => (await Deno.stat(path(name))).mode! & 0o777;
    assert.deepEqual([await mode("new/copy/run.sh"), await mode("new/copy/b")], [0o750, 0o555]);
    await at.files.copy(path("a/run.sh"), path("single"));
    assert.equal(await Deno.readTextFile(path("single")), "run");
    await rejects(at.files.copy(path("a"), path("single")), "conflict", /something is there/);
    await rejects(at.files.copy(path("a"), path("a")), "conflict");
    await rejects(at.files.copy(path("a"), path("a/inner")), "io", /inside of it/);
    await rejects(at.files.copy(path("none"), path("x")), "not_found");
    await rejects(at.files.copy(path("a"), join(at.root, "out")), "denied");
    await rejects(at.files.copy(join(at.root, "home"), path("x")), "denied");
  } finally {
    for (const name of ["a/b", "new/copy/b"]) await Deno.chmod(path(name), 0o755).catch(() => {});
  }
});

Deno.test("files.copy() does nothing when anything in the folder is denied, a link, or another name of a denied file", async () => {
  await using at = await place();
  const path = (name: string) => join(at.workspace, name);
  await plant(at.workspace, {
    "a/deep/.env": "secret",
    "b/x": "x",
    "c/x": "x",
    "d/keep": "k",
    "e/keep": "k",
  });
  await Deno.symlink("/etc/passwd", path("b/link"));
  await Deno.link(path("a/deep/.env"), path("c/notes"));
  await Deno.link(path("d/keep"), path("d/again"));
  const before = await treeOf(at.workspace);
  const files = at.sandbox.files(at.all([`${at.workspace}/**/.env`, `${at.workspace}/to/keep`]));
  await rejects(files.copy(path("a"), path("to")), "denied", /policy denies .*\.env/);
  await rejects(files.copy(path("b"), path("to")), "io", /symbolic link/);
  await rejects(files.copy(path("c"), path("to")), "denied", /another name/);
  await rejects(files.copy(path("e"), path("to")), "denied", /policy denies .*to\/keep/);
  await rejects(files.copy(path("e/keep"), path("x.env/../.env")), "denied");
  assert.deepEqual(await treeOf(at.workspace), before);
  await files.copy(path("d"), path("fine"));
  assert.equal(await Deno.readTextFile(path("fine/again")), "k");
});

Deno.test("files.move() moves files, folders and links themselves to where nothing is", async () => {
  await using at = await place();
  const path = (name: string) => join(at.workspace, name);
  await plant(at.workspace, { "a/b": "b", f: "f" });
  await Deno.symlink("f", path("link"));
  await at.files.move(path("a"), path("new/a"));
  await at.files.move(path("f"), path("g"));
  await at.files.move(path("link"), path("link2"));
  assert.deepEqual(await treeOf(at.workspace), {
    "g": "f",
    "link2": "link",
    "new/": "",
    "new/a/": "",
    "new/a/b": "b",
  });
  await rejects(at.files.move(path("g"), path("new")), "conflict");
  await rejects(at.files.move(path("new"), path("new/a/inner")), "io", /inside of it/);
  await rejects(at.files.move(path("gone"), path("x")), "not_found");
  await rejects(at.files.move(path("g"), join(at.root, "out")), "denied");
});

Deno.test("files.move() and files.remove() leave a folder alone when anything in it is denied", async () => {
  await using at = await place();
  const path = (name: string) => join(at.workspace, name);
  await plant(at.workspace, { "a/deep/.env": "secret", "a/x": "x", "b/hooks/run": "r" });
  const files = at.sandbox.files(at.all([`${at.workspace}/**/.env`, path("to/hooks")]));
  const before = await treeOf(at.workspace);
  await rejects(files.move(path("a"), path("to")), "denied", /policy denies/);
  await rejects(files.move(path("b"), path("to")), "denied", /policy denies/);
  await rejects(files.remove(path("a"), { folder: "all" }), "denied", /policy denies/);
  await rejects(files.remove(path("a")), "io", /it is a folder/);
  await rejects(files.remove(path("a"), { folder: "empty" }), "io", /not empty/);
  assert.deepEqual(await treeOf(at.workspace), before);
  await files.remove(path("a/x"));
  await files.remove(path("b"), { folder: "all" });
  assert.deepEqual(await treeOf(at.workspace), { "a/": "", "a/deep/": "", "a/deep/.env": "secret" });
});

Deno.test("files.remove() of a folder follows no link out of it", async () => {
  await using at = await place();
  await plant(at.root, { "out/keep": "k", "ws/a/x": "x" });
  await Deno.symlink(join(at.root, "out"), join(at.workspace, "a/link"));
  await at.files.remove(join(at.workspace, "a"), { folder: "all" });
  assert.deepEqual(await treeOf(at.root), { "out/": "", "out/keep": "k", "ws/": "" });
});

Deno.test("files.tree() lists folders, files and links by path, without what is ignored or denied", async () => {
  await using at = await place();
  await plant(at.workspace, {
    ".git/config": "",
    ".gitignore": "build/\n",
    "build/x": "",
    "src/a.ts": "1234",
    "src/.env": "",
  });
  await Deno.symlink("/etc", join(at.workspace, "src/etc"));
  const files = at.sandbox.files(at.all([`${at.workspace}/**/.env`]));
  const { entries, more } = await files.tree(at.workspace, 100);
  assert.deepEqual(
    entries.map(({ path, kind, size }) => `${path.slice(at.workspace.length)} ${kind} ${size}`),
    [
      "/.gitignore file 7",
      "/src folder 0",
      "/src/a.ts file 4",
      "/src/etc link 0",
    ],
  );
  assert.equal(more, false);
  assert.equal((await files.tree(at.workspace, 2)).more, true);
});

Deno.test("files move and remove a folder outside of the shared scopes when only that was granted", async () => {
  await using at = await place();
  await plant(at.root, { "out/a/x": "x", "out/b": "b", "out/c/y": "y" });
  const path = (name: string) => join(at.root, "out", name);
  const only = (...write: string[]) => at.sandbox.files({ read: [], write, denied: [] });
  await only(path("a"), join(at.workspace, "a")).move(path("a"), join(at.workspace, "a"));
  await only(path("c")).remove(path("c"), { folder: "all" });
  await rejects(only(path("c")).remove(path("b")), "denied");
  assert.deepEqual(await treeOf(at.root), {
    "out/": "",
    "out/b": "b",
    "ws/": "",
    "ws/a/": "",
    "ws/a/x": "x",
  });
});
