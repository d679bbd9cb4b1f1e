import assert from "node:assert/strict";
import { join } from "node:path";
import { PryxError } from "../../core/domain/error.ts";
import { openBlobs } from "../../core/store/blobs.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
/** Of "abc": FIPS 180-2, appendix B.1. */
const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(join(folder, "state", "blobs"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("put() names content by its SHA-256 and get() gives it back", () =>
  inFolder(async (folder) => {
    const blobs = openBlobs(folder);
    assert.equal(await blobs.get(ABC), undefined);
    assert.equal(await blobs.put(bytes("abc")), ABC);
    assert.deepEqual(await blobs.get(ABC), bytes("abc"));
    assert.deepEqual([await blobs.remove(ABC), await blobs.remove(ABC), await blobs.remove("../x")], [
      true,
      false,
      false,
    ]);
    assert.equal(await blobs.get(ABC), undefined);
    const binary = crypto.getRandomValues(new Uint8Array(60_000));
    assert.deepEqual(await openBlobs(folder).get(await blobs.put(binary)), binary);
    assert.deepEqual(await blobs.get(await blobs.put(new Uint8Array())), new Uint8Array());
    for (const no of ["", "../../../etc/passwd", ABC.toUpperCase(), "0".repeat(64)]) {
      assert.equal(await blobs.get(no), undefined);
    }
  }));

Deno.test("list() tells what is kept, and what was last put before a time", () =>
  inFolder(async (folder) => {
    const blobs = openBlobs(folder);
    const list = (olderThan?: Date) => Array.fromAsync(blobs.list(olderThan && { olderThan }));
    assert.deepEqual(await list(), []);
    const [old, fresh] = [await blobs.put(bytes("old")), await blobs.put(bytes("fresh"))];
    await Deno.writeTextFile(join(folder, "no content"), "");
    await Deno.writeTextFile(join(folder, old.slice(0, 2), "cut off.tmp"), "");
    const longAgo = new Date("2026-01-01T00:00:00Z");
    await Deno.utime(join(folder, old.slice(0, 2), old.slice(2)), longAgo, longAgo);
    assert.deepEqual((await list()).sort(), [old, fresh].sort());
    const limit = new Date("2026-01-02T00:00:00Z");
    assert.deepEqual(await list(limit), [old]);
    await blobs.put(bytes("old"));
    assert.deepEqual(await list(limit), [], "kept anew");
  }));

Deno.test("put() writes private files, once, and leaves nothing beside them", () =>
  inFolder(async (folder) => {
    const blobs = openBlobs(folder);
    const old = Deno.umask(0);
    try {
      await Promise.all(Array.from({ length: 8 }, () => blobs.put(bytes("abc"))));
    } finally {
      Deno.umask(old);
    }
    const sub = join(folder, ABC.slice(0, 2));
    assert.deepEqual([...Deno.readDirSync(sub)].map(({ name }) => name), [ABC.slice(2)]);
    const file = join(sub, ABC.slice(2));
    if (Deno.build.os !== "windows") {
      const mode = (path: string) => ((Deno.statSync(path).mode ?? 0) & 0o777).toString(8);
      assert.deepEqual([mode(folder), mode(sub), mode(file)], ["700", "700", "600"]);
    }
    const before = (await Deno.stat(file)).mtime;
    await blobs.put(bytes("abc"));
    assert.deepEqual((await Deno.stat(file)).mtime, before);
  }));

Deno.test("get() refuses damaged content, and put() replaces what was cut short", () =>
  inFolder(async (folder) => {
    const blobs = openBlobs(folder);
    await blobs.put(bytes("abc"));
    const file = join(folder, ABC.slice(0, 2), ABC.slice(2));
    await Deno.writeFile(file, bytes("abd"));
    await assert.rejects(blobs.get(ABC), (error) => error instanceof PryxError && error.code === "io");
    await Deno.writeFile(file, new Uint8Array());
    await blobs.put(bytes("abc"));
    assert.deepEqual(await blobs.get(ABC), bytes("abc"));
  }));
