/**
 * The contract against a real Secret Service. Not collected by itself: keychain_test.ts starts it inside a session bus
 * of its own, with a keyring that is unlocked and thrown away.
 */
import assert from "node:assert/strict";
import { createKeychainSecrets } from "../../core/secrets/keychain.ts";
import { secretStoreContract } from "../contract/secret_store_contract.ts";

async function open() {
  const folder = await Deno.makeTempDir({ prefix: "pryx keychain " });
  const service = `pryx-test-${crypto.randomUUID()}`;
  const store = createKeychainSecrets({ folder, service });
  return {
    folder,
    service,
    store,
    async [Symbol.asyncDispose]() {
      for (const name of await store.list()) await store.remove(name);
      await Deno.remove(folder, { recursive: true });
    },
  };
}

secretStoreContract("keychain secrets", open);

Deno.test("keychain secrets: the value is in the Secret Service and the names alone in a 0600 file", async () => {
  await using at = await open();
  await at.store.set("openai", "value in the keyring");
  // An independent client of the same service.
  const { stdout } = await new Deno.Command("secret-tool", {
    args: ["lookup", "service", at.service, "username", "openai"],
  }).output();
  assert.equal(new TextDecoder().decode(stdout).trim(), "value in the keyring");
  const index = `${at.folder}/keychain.json`;
  assert.equal(await Deno.readTextFile(index), '{"v":1,"names":["openai"]}\n');
  assert.equal(((await Deno.stat(index)).mode ?? 0) & 0o777, 0o600);
});
