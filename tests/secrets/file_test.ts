import assert from "node:assert/strict";
import { join } from "node:path";
import { PryxError } from "../../core/domain/error.ts";
import { createFileSecrets } from "../../core/secrets/file.ts";
import { secretStoreContract } from "../contract/secret_store_contract.ts";

async function open() {
  const root = await Deno.makeTempDir({ prefix: "pryx secrets " });
  const folder = join(root, "data", "secrets");
  return {
    folder,
    store: createFileSecrets(folder),
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

secretStoreContract("file secrets", open);

const modeOf = async (path: string) => ((await Deno.stat(path)).mode ?? 0) & 0o777;

Deno.test("file secrets: set() writes 0600 in a folder 0700, whatever was there, and leaves nothing else", async () => {
  await using at = await open();
  await Deno.mkdir(at.folder, { recursive: true, mode: 0o755 });
  await Deno.writeTextFile(join(at.folder, "a"), "old", { mode: 0o644 });
  await at.store.set("a", "new value");
  assert.equal(await modeOf(join(at.folder, "a")), 0o600);
  assert.equal(await modeOf(at.folder), 0o700);
  assert.deepEqual((await Array.fromAsync(Deno.readDir(at.folder))).map((entry) => entry.name), ["a"]);
  assert.match(at.store.warning ?? "", /not encrypted/);
});

Deno.test("file secrets: get() refuses a file that others can reach, and says how to close it", async () => {
  for (const mode of [0o644, 0o640, 0o604, 0o660]) {
    await using at = await open();
    await at.store.set("a", "some value");
    await Deno.chmod(join(at.folder, "a"), mode);
    await assert.rejects(at.store.get("a"), (error) => {
      assert.ok(error instanceof PryxError);
      assert.equal(error.code, "io");
      assert.ok(error.message.includes(`mode 0${mode.toString(8)}`), error.message);
      assert.ok(!error.message.includes("some value"));
      return /chmod 600/.test(error.fix ?? "");
    });
  }
});

Deno.test("file secrets: get() drops one newline of a file made by hand, and refuses bytes", async () => {
  await using at = await open();
  await at.store.set("a", "x");
  await Deno.writeTextFile(join(at.folder, "a"), "by hand\n");
  assert.equal(await at.store.get("a"), "by hand");
  await Deno.writeFile(join(at.folder, "a"), new Uint8Array([0xff, 0xfe]));
  await assert.rejects(at.store.get("a"), (error) => error instanceof PryxError && error.code === "io");
});
