import assert from "node:assert/strict";
import { join } from "node:path";
import type { SandboxGrants } from "../../core/domain/policy.ts";
import { createFilePool, type FilePool } from "../../core/sandbox/_file_pool.ts";
import { createFiles } from "../../core/sandbox/_files.ts";

const EVERYTHING: SandboxGrants = { read: ["/"], write: ["/"], denied: [] };
const DENIED = { code: "denied" };

async function twoFolders() {
  const root = await Deno.realPath(await Deno.makeTempDir());
  const [inside, outside] = [join(root, "inside"), join(root, "outside")];
  for (const folder of [inside, outside]) {
    await Deno.mkdir(folder);
    await Deno.writeTextFile(join(folder, "a.txt"), "content");
  }
  return { inside, outside, [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }) };
}

Deno.test("a file worker cannot leave its scope though the grants of a call say more: Deno itself refuses", async () => {
  await using at = await twoFolders();
  using pool = createFilePool();
  const read = (path: string) => ({ op: "read", path, maxBytes: 100, offset: 0 }) as const;
  const write = (path: string) => ({ op: "write", path, bytes: new Uint8Array(1) }) as const;
  const scope = { read: [at.inside], write: [] };
  const { bytes } = await pool.call(scope, read(join(at.inside, "a.txt")), EVERYTHING);
  assert.equal(new TextDecoder().decode(bytes), "content");
  await assert.rejects(pool.call(scope, read(join(at.outside, "a.txt")), EVERYTHING), DENIED);
  await assert.rejects(pool.call(scope, { op: "list", path: at.outside }, EVERYTHING), DENIED);
  await assert.rejects(pool.call(scope, write(join(at.inside, "b.txt")), EVERYTHING), DENIED);
  const writable = { read: [], write: [at.inside] };
  await pool.call(writable, write(join(at.inside, "b.txt")), EVERYTHING);
  await assert.rejects(pool.call(writable, write(join(at.outside, "b.txt")), EVERYTHING), DENIED);
});

Deno.test("a file worker is given its folders and no other permission", async () => {
  const given: unknown[] = [];
  const { Worker } = globalThis;
  globalThis.Worker = class extends Worker {
    constructor(url: string | URL, options?: WorkerOptions & { deno?: { permissions?: unknown } }) {
      super(url, options);
      given.push(options?.deno?.permissions);
    }
  };
  try {
    await using at = await twoFolders();
    using pool = createFilePool();
    const scope = { read: [at.inside], write: [at.outside] };
    await pool.call(scope, { op: "list", path: at.inside }, EVERYTHING);
    const none = { net: false, env: false, run: false, ffi: false, sys: false, import: false };
    assert.deepEqual(given, [{ ...none, read: [at.inside, at.outside], write: [at.outside] }]);
  } finally {
    globalThis.Worker = Worker;
  }
});

Deno.test("what the grants of a call do not hold never reaches a worker", async () => {
  const asked: string[] = [];
  const pool: FilePool = {
    call(_scope, request) {
      asked.push(request.path);
      return Promise.resolve(null as never);
    },
    size: 0,
    [Symbol.dispose]() {},
  };
  const grants = { read: ["/ws"], write: [], denied: ["/ws/secret", "/ws/**/.env*"] };
  const files = createFiles(pool, grants, {
    home: "/home/me",
    scopes: ["/ws"],
    closedPaths: () => Promise.reject(new Error("no file here has two names")),
  });
  for (const path of ["/elsewhere", "/ws/../etc/passwd", "/ws/secret/key", "/ws/a/.env.local"]) {
    await assert.rejects(files.stat(path), DENIED, path);
  }
  await assert.rejects(files.write("/ws/a.txt", new Uint8Array()), DENIED);
  await files.stat("/ws/a.txt");
  assert.deepEqual(asked, ["/ws/a.txt"]);
});
