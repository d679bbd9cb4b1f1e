import assert from "node:assert/strict";
import { PryxError } from "../../core/domain/error.ts";
import type { SecretStore } from "../../core/secrets/secret_store.ts";

/** What every secret store must do. `open` makes an empty one and removes it with what it holds. */
export function secretStoreContract(
  name: string,
  open: () => Promise<{ store: SecretStore; [Symbol.asyncDispose](): Promise<void> }>,
): void {
  const test = (what: string, work: (store: SecretStore) => Promise<void>) =>
    Deno.test(`${name}: ${what}`, async () => {
      await using opened = await open();
      await work(opened.store);
    });

  test("get() and remove() know nothing at first, and list() is empty", async (store) => {
    assert.equal(await store.get("nothing"), undefined);
    assert.equal(await store.remove("nothing"), false);
    assert.deepEqual(await store.list(), []);
    assert.equal(store.writable, true);
  });

  test("get() returns what set() stored, until remove()", async (store) => {
    for (
      const value of [
        "sk-1234567890",
        "two\nlines",
        "ünï©ode 🔑",
        " spaces inside and around ",
        "x".repeat(4096),
      ]
    ) {
      await store.set("a.key_1-b", value);
      assert.equal(await store.get("a.key_1-b"), value);
    }
    assert.equal(await store.remove("a.key_1-b"), true);
    assert.equal(await store.get("a.key_1-b"), undefined);
    assert.equal(await store.remove("a.key_1-b"), false);
  });

  test("list() names what is stored, once, and no more after remove()", async (store) => {
    await store.set("b", "value of b");
    await store.set("a", "value of a");
    await store.set("a", "another value of a");
    assert.deepEqual(await store.list(), ["a", "b"]);
    await store.remove("a");
    assert.deepEqual(await store.list(), ["b"]);
    await store.remove("b");
    assert.deepEqual(await store.list(), []);
  });

  test("set() of several names at once loses none", async (store) => {
    const names = Array.from({ length: 8 }, (_, index) => `name${index}`);
    await Promise.all(names.map((one) => store.set(one, `value of ${one}`)));
    assert.deepEqual(await store.list(), names);
    for (const one of names) assert.equal(await store.get(one), `value of ${one}`);
    for (const one of names) await store.remove(one);
  });

  test("refuses names that could reach another place", async (store) => {
    for (const bad of ["", "../up", "a/b", ".hidden", "a\\b", "a\0b", "x".repeat(65), "a b", "-x", "end."]) {
      for (
        const work of [() => store.get(bad), () => store.set(bad, "some value"), () => store.remove(bad)]
      ) {
        await assert.rejects(
          work,
          (error) => error instanceof PryxError && error.code === "input_invalid",
          bad,
        );
      }
    }
    assert.deepEqual(await store.list(), []);
  });

  test("refuses values that are none, and repeats no value in an error", async (store) => {
    for (const bad of ["", " \n", "hunter2\0", "hunter2".repeat(20_000)]) {
      await assert.rejects(store.set("a", bad), (error) => {
        assert.ok(error instanceof PryxError);
        assert.equal(error.code, "input_invalid");
        return !error.message.includes("hunter2");
      });
    }
    assert.equal(await store.get("a"), undefined);
  });
}
