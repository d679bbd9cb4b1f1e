import assert from "node:assert/strict";
import { PryxError } from "../../core/domain/error.ts";
import { createSecrets } from "../../core/secrets/create_secrets.ts";

async function open(env: Record<string, string> = {}) {
  const data = await Deno.makeTempDir({ prefix: "pryx secrets " });
  const warnings: string[] = [];
  return {
    warnings,
    secrets: createSecrets({ env, paths: { data }, onWarning: (text) => warnings.push(text) }),
    [Symbol.asyncDispose]: () => Deno.remove(data, { recursive: true }),
  };
}

Deno.test("createSecrets() has the three stores", async () => {
  await using at = await open();
  assert.deepEqual(at.secrets.stores.map((store) => store.scheme), ["env", "keychain", "file"]);
  assert.equal(at.secrets.store("file").scheme, "file");
  assert.throws(() => at.secrets.store("vault"), (error) => {
    return error instanceof PryxError && error.fix === "There are env, keychain, file";
  });
});

Deno.test("resolve() reads by reference, and warns once about files", async () => {
  await using at = await open({ A_KEY: "from env" });
  await at.secrets.store("file").set("a", "from file");
  assert.equal(await at.secrets.resolve("env:A_KEY"), "from env");
  assert.deepEqual(at.warnings, []);
  assert.equal(await at.secrets.resolve("file:a"), "from file");
  assert.equal(await at.secrets.resolve("file:a"), "from file");
  assert.equal(at.warnings.length, 1);
});

Deno.test("resolve() says what is missing and what to do", async () => {
  await using at = await open();
  for (
    const [reference, message, fix] of [
      ["env:OPENAI_API_KEY", /env:OPENAI_API_KEY: the variable is not set/, /export OPENAI_API_KEY=/],
      ["file:openai", /file:openai/, /pryx secrets set openai --store file/],
    ] as const
  ) {
    await assert.rejects(at.secrets.resolve(reference), (error) => {
      assert.ok(error instanceof PryxError);
      assert.equal(error.code, "secret_missing");
      assert.equal(error.exitCode, 5);
      assert.match(error.message, message);
      assert.match(error.fix ?? "", fix);
      return true;
    });
  }
});

Deno.test("resolve() does not repeat what may be the secret itself", async () => {
  await using at = await open();
  await assert.rejects(at.secrets.resolve("sk-proj-abcdef"), (error) => {
    assert.ok(error instanceof PryxError);
    return error.code === "secret_missing" && !`${error.message}${error.fix}`.includes("sk-proj");
  });
});
