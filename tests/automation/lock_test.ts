import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import type { LockEntry } from "../../core/domain/automation.ts";
import { readLock, writeLock } from "../../core/automation/lock.ts";

const HASH = "0123456789abcdef".repeat(4);
const ENTRY = { graph: HASH, api: 1, permissions: { read: ["."], run: ["git log"] } };

async function lockFile(text?: string) {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  const file = join(folder, "pryx.lock");
  if (text !== undefined) await Deno.writeTextFile(file, text);
  return { folder, file, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

Deno.test("readLock() takes a missing file for an empty lock", async () => {
  await using here = await lockFile();
  assert.deepEqual(await readLock(here.file), { file: here.file, entries: new Map() });
  assert.deepEqual((await readLock(join(here.folder, "none/pryx.lock"))).entries, new Map());
});

Deno.test("writeLock() writes the same text for the same entries", async () => {
  await using here = await lockFile();
  const entries = new Map<string, LockEntry>([
    ["z.pryx.ts", { ...ENTRY, permissions: {} }],
    ["a/b.pryx.ts", { ...ENTRY, permissions: { write: ["b", "a", "b"], read: ["."], net: [] } }],
  ]);
  await writeLock({ file: here.file, entries });
  assert.equal(
    await Deno.readTextFile(here.file),
    `{
  "v": 1,
  "automations": {
    "a/b.pryx.ts": {
      "graph": "${HASH}",
      "api": 1,
      "permissions": {
        "read": [
          "."
        ],
        "write": [
          "a",
          "b"
        ]
      }
    },
    "z.pryx.ts": {
      "graph": "${HASH}",
      "api": 1,
      "permissions": {}
    }
  }
}
`,
  );
  assert.deepEqual([...(await readLock(here.file)).entries.keys()], ["a/b.pryx.ts", "z.pryx.ts"]);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(here.folder), ({ name }) => name), ["pryx.lock"]);
});

Deno.test("writeLock() keeps the mode of the file, and follows a link", async () => {
  await using here = await lockFile("");
  await Deno.chmod(here.file, 0o640);
  const link = join(here.folder, "link.lock");
  await Deno.symlink(here.file, link);
  await writeLock({ file: link, entries: new Map([["a.pryx.ts", ENTRY]]) });
  assert.ok((await Deno.lstat(link)).isSymlink);
  assert.equal(((await Deno.stat(here.file)).mode ?? 0) & 0o777, 0o640);
  assert.equal((await readLock(here.file)).entries.size, 1);
  await assert.rejects(writeLock({ file: join(here.folder, "none/x.lock"), entries: new Map() }), {
    code: "io",
  });
});

Deno.test("readLock() says where a file is no lock", async () => {
  const lock = (automations: unknown, v: unknown = 1) => JSON.stringify({ v, automations });
  const cases: readonly (readonly [text: string, message: RegExp, fix?: RegExp])[] = [
    ["", /it is not JSON/],
    ["{", /it is not JSON/],
    ["[]", /must be an object/],
    ["null", /must be an object/],
    ["{}", /v is missing; automations is missing/],
    [lock({}, 2), /newer pryx/, /update pryx/],
    [lock({}, "1"), /v must be a number/],
    [lock({ "a.pryx.ts": {} }), /a\.pryx\.ts\.graph is missing/],
    [lock({ "a.pryx.ts": { ...ENTRY, graph: "xyz" } }), /a\.pryx\.ts\.graph must be a SHA-256/],
    [lock({ "a.pryx.ts": { ...ENTRY, graph: `${HASH}\n` } }), /SHA-256/],
    [lock({ "a.pryx.ts": { ...ENTRY, api: 1.5 } }), /api must be a whole number/],
    [lock({ "a.pryx.ts": { ...ENTRY, extra: 1 } }), /extra is not known/],
    [lock({ "a.pryx.ts": { ...ENTRY, permissions: { raed: [] } } }), /permissions\.raed is not known/],
    [lock({ "a.pryx.ts": { ...ENTRY, permissions: { read: "." } } }), /permissions\.read must be a list/],
    [lock({ "a.pryx.ts": { ...ENTRY, permissions: { read: [1] } } }), /permissions\.read\.0 must be text/],
    [lock({ "a.pryx.ts": { ...ENTRY, permissions: { read: [""] } } }), /must not be empty/],
    [lock({ "../a.pryx.ts": ENTRY }), /"\.\.\/a\.pryx\.ts" is not a path/],
    [lock({ "/a.pryx.ts": ENTRY }), /is not a path/],
    [lock({ "a/./b.pryx.ts": ENTRY }), /is not a path/],
    [lock({ "a\\b.pryx.ts": ENTRY }), /is not a path/],
    [lock({ "": ENTRY }), /is not a path/],
    [lock({ "a\u202eb.pryx.ts": ENTRY }), /"a\\u\{202e\}b\.pryx\.ts" is not a path/],
    [`{"v":1,"automations":{"__proto__":{"graph":1}}}`, /graph/],
    [
      `{"v":1,"automations":{"a":${JSON.stringify(ENTRY)},\n"a":${JSON.stringify(ENTRY)}}}`,
      /line 2 names "a" a second time/,
    ],
    [`{"v":1,"v":1,"automations":{}}`, /"v" a second time/],
    [
      `{"v":1,"automations":{"a":{"graph":"${HASH}","api":1,"permissions":{"run":["ls"],"run":["*"]}}}}`,
      /"run" a second time/,
    ],
    ["{\n<<<<<<< HEAD\n}\n=======\n}\n>>>>>>> main\n", /line 2 has the mark of a merge/, /take either side/],
    ['{\r\n  "v": 1,\r\n=======\r\n}', /line 3 has the mark of a merge/],
  ];
  for (const [text, message, fix] of cases) {
    await using here = await lockFile(text);
    await assert.rejects(readLock(here.file), (error: { code: string; message: string; fix: string }) => {
      assert.equal(error.code, "input_invalid", text);
      assert.ok(error.message.includes(here.file));
      assert.match(error.message, message);
      assert.match(error.fix, fix ?? /pryx check --update/);
      return true;
    });
  }
});

Deno.test("readLock() refuses what is no file of text", async () => {
  await using here = await lockFile();
  await Deno.writeFile(here.file, new Uint8Array([0xff]));
  await assert.rejects(readLock(here.file), { code: "input_invalid" });
  await assert.rejects(readLock(here.folder), { code: "io" });
});

Deno.test("readLock() reads back what writeLock() wrote", async () => {
  await using here = await lockFile();
  const part = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9 _.-]{0,8}$/).filter((one) => one !== "..");
  const path = fc.oneof(
    fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
    fc.constantFrom("__proto__", "constructor", "toString"),
  );
  const patterns = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1 }).map((list) => list.sort());
  const entry = fc.record({
    graph: fc.constant(HASH),
    api: fc.integer({ min: 1, max: 9 }),
    permissions: fc.dictionary(fc.constantFrom("env", "net", "read"), patterns, { noNullPrototype: true }),
  }, { noNullPrototype: true });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(path, entry)), async (pairs) => {
      const entries = new Map<string, LockEntry>(pairs);
      await writeLock({ file: here.file, entries });
      const read = await readLock(here.file);
      assert.deepEqual(Object.fromEntries(read.entries), Object.fromEntries(entries));
    }),
    { numRuns: 50 },
  );
});
