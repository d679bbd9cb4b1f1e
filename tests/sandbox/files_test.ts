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
