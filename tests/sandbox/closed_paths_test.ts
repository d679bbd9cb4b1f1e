import assert from "node:assert/strict";
import { join } from "node:path";
import type { Envelope, PathAccess } from "../../core/domain/envelope.ts";
import { createClosedPaths, MAX_CLOSED, MAX_MOUNTS } from "../../core/sandbox/_closed_paths.ts";

async function place() {
  const root = await Deno.realPath(await Deno.makeTempDir());
  return {
    root,
    async write(path: string, content = "x") {
      await Deno.mkdir(join(root, path, ".."), { recursive: true });
      await Deno.writeTextFile(join(root, path), content);
    },
    envelope(more: Partial<Envelope> & { asked?: string[] } = {}): Envelope {
      const access = (path: string): PathAccess => {
        more.asked?.push(path);
        if (/\/\.env(\/|$)|\/private(\/|$)/.test(path)) return "none";
        return /\/hooks(\/|$)/.test(path) ? "read" : "write";
      };
      return {
        read: [root],
        write: [root],
        closed: [],
        network: "none",
        unixSockets: false,
        access,
        ...more,
      };
    },
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

const found = async (
  paths: ReturnType<typeof createClosedPaths>,
  envelope: Envelope,
  baseline: string[] = [],
) =>
  (await paths.find(envelope, baseline)).closed.map(({ path, access, kind }) => `${access} ${kind} ${path}`);

Deno.test("find() names closed files and folders at any depth, and nothing inside a closed folder", async () => {
  await using at = await place();
  for (const path of [".env", "a/b/.env", "private/x/.env", "a/.git/hooks/x", "a/plain"]) {
    await at.write(path);
  }
  const closed = await found(createClosedPaths(), at.envelope());
  assert.deepEqual(closed, [
    `none file ${at.root}/.env`,
    `read folder ${at.root}/a/.git/hooks`,
    `none file ${at.root}/a/b/.env`,
    `none folder ${at.root}/private`,
  ]);
  // What is only read needs no closing to writing.
  const read = await found(createClosedPaths(), at.envelope({ write: [] }));
  assert.ok(!read.some((one) => one.includes("hooks")) && read.length === 3, read.join());
});

Deno.test("find() sees what came, went and was renamed since the last time", async () => {
  await using at = await place();
  await at.write("a/b/plain");
  const paths = createClosedPaths();
  const envelope = at.envelope({ key: "one" });
  assert.deepEqual(await found(paths, envelope), []);
  await at.write("a/b/.env");
  assert.deepEqual(await found(paths, envelope), [`none file ${at.root}/a/b/.env`]);
  await Deno.rename(join(at.root, "a"), join(at.root, "c"));
  assert.deepEqual(await found(paths, envelope), [`none file ${at.root}/c/b/.env`]);
  await Deno.remove(join(at.root, "c/b/.env"));
  assert.deepEqual(await found(paths, envelope), []);
});

Deno.test("find() does not ask again about folders that did not change since long, for envelopes that are alike", async () => {
  await using at = await place();
  for (let index = 0; index < 20; index++) await at.write(`a/f${index}`);
  await Deno.utime(join(at.root, "a"), 1, 1);
  const paths = createClosedPaths(20_000, () => Date.now() + 60_000);
  const first: string[] = [];
  await paths.find(at.envelope({ key: "one", asked: first }), []);
  assert.ok(first.length > 20);
  const second: string[] = [];
  await paths.find(at.envelope({ key: "one", asked: second }), []);
  assert.ok(second.length < 5, second.join());
  const other: string[] = [];
  await paths.find(at.envelope({ key: "two", asked: other }), []);
  assert.equal(other.length, first.length);
});

Deno.test("find() goes into no store, follows no link, and says which root has too many folders", async () => {
  await using at = await place();
  for (const path of ["node_modules/x/.env", "src/.env", "away/.env"]) await at.write(path);
  await Deno.symlink(join(at.root, "away"), join(at.root, "src/link"));
  const root = join(at.root, "src");
  assert.deepEqual(await found(createClosedPaths(), at.envelope({ read: [root], write: [root] })), [
    `none file ${root}/.env`,
  ]);
  assert.ok(!(await found(createClosedPaths(), at.envelope())).some((one) => one.includes("node_modules")));
  const few = await createClosedPaths(2).find(at.envelope(), []);
  assert.deepEqual(few.unseen, [at.root]);
});

Deno.test("find() looks up what is named, also by globs, in places too large to look through", async () => {
  await using at = await place();
  for (const path of ["big/keys/a.pem", "big/keys/b.txt", "big/.env", "big/deep/private/x"]) {
    await at.write(path);
  }
  const big = join(at.root, "big");
  const access = (path: string): PathAccess => /pem$|private/.test(path) ? "none" : "read";
  const envelope = at.envelope({
    read: [],
    write: [],
    access,
    closed: [`${big}/keys/*.pem`, `${big}/{deep,other}/private/**`, `${big}/gone`, "/elsewhere/x.pem"],
  });
  assert.deepEqual(await found(createClosedPaths(), envelope, [big]), [
    `none folder ${big}/deep/private`,
    `none file ${big}/keys/a.pem`,
  ]);
});

Deno.test("find() says which root has more closed files than can be closed", async () => {
  await using at = await place();
  for (let index = 0; index <= MAX_CLOSED; index++) {
    await at.write(`d${index % 10}/${index % 100}/.env${index}/x`);
  }
  const { closed, unseen } = await createClosedPaths().find(at.envelope({ access: dotEnv }), []);
  assert.deepEqual([closed.length, unseen], [MAX_CLOSED, [at.root]]);
});

const dotEnv = (path: string): PathAccess => path.includes("/.env") ? "none" : "write";

Deno.test("find() counts the folders on the way to what is closed: they are mounts as well", async () => {
  await using at = await place();
  for (let index = 0; index < MAX_MOUNTS / 2; index++) await at.write(`d/${index}/.env`);
  const paths = createClosedPaths();
  const { closed, unseen } = await paths.find(at.envelope(), []);
  assert.deepEqual([closed.length, unseen], [MAX_MOUNTS / 2 - 1, [at.root]]);
  // What is only read needs no pins.
  const read = await paths.find(at.envelope({ write: [] }), []);
  assert.deepEqual([read.closed.length, read.unseen], [MAX_MOUNTS / 2, []]);
});

Deno.test("find() closes the other names of a closed file, and says when one was not found", async () => {
  await using at = await place();
  await at.write("ws/.env");
  await at.write("ws/plain");
  await Deno.link(join(at.root, "ws/.env"), join(at.root, "ws/notes"));
  const paths = createClosedPaths();
  const envelope = at.envelope({ read: [join(at.root, "ws")], write: [] });
  const linked = async () =>
    (await paths.find(envelope, [])).closed.map(({ path, linked }) => [path.slice(at.root.length), linked]);
  assert.deepEqual(await linked(), [["/ws/.env", false], ["/ws/notes", false]]);
  await Deno.link(join(at.root, "ws/.env"), join(at.root, "outside"));
  assert.deepEqual(await linked(), [["/ws/.env", true], ["/ws/notes", true]]);
});
