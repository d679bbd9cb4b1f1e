import assert from "node:assert/strict";
import { PryxError } from "../../core/domain/error.ts";
import { createEnvSecrets } from "../../core/secrets/env.ts";

const store = createEnvSecrets({ OPENAI_API_KEY: "sk-1\n", EMPTY_KEY: " ", GITHUB_TOKEN: "t", PATH: "/bin" });

Deno.test("env secrets: get() reads variables; empty ones are not there", async () => {
  assert.equal(await store.get("OPENAI_API_KEY"), "sk-1");
  for (const name of ["EMPTY_KEY", "NOT_SET", "constructor", "__proto__"]) {
    assert.equal(await store.get(name), undefined, name);
  }
});

Deno.test("env secrets: cannot be changed, and say what to do instead", async () => {
  assert.equal(store.writable, false);
  for (const work of [() => store.set("A", "value"), () => store.remove("OPENAI_API_KEY")]) {
    await assert.rejects(work, (error) => {
      return error instanceof PryxError && error.code === "usage" && /--store keychain/.test(error.fix ?? "");
    });
  }
});

Deno.test("env secrets: list() names only what looks like a key", async () => {
  assert.deepEqual(await store.list(), ["GITHUB_TOKEN", "OPENAI_API_KEY"]);
});
