import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PryxError } from "../../core/domain/error.ts";
import { loadEmbeddedKeyring } from "../../core/secrets/_embedded_keyring.ts";
import { createKeychainSecrets, type KeyringModule } from "../../core/secrets/keychain.ts";
import { secretStoreContract } from "../contract/secret_store_contract.ts";

/** A keyring in memory, for what a real one does not do on demand. */
function memoryKeyring(fail?: () => Promise<never>): KeyringModule & { options: unknown[] } {
  const values = new Map<string, string>();
  const options: unknown[] = [];
  class AsyncEntry {
    readonly #key: string;
    constructor(service: string, account: string, given: unknown) {
      options.push(given);
      this.#key = `${service}/${account}`;
    }
    getPassword = () => fail?.() ?? Promise.resolve(values.get(this.#key) ?? null);
    setPassword(value: string) {
      values.set(this.#key, value);
      return fail?.() ?? Promise.resolve();
    }
    deletePassword = () => fail?.() ?? Promise.resolve(values.delete(this.#key));
  }
  return { AsyncEntry, options };
}

async function open(keyring: KeyringModule = memoryKeyring(), timeoutMs = 5_000) {
  const folder = await Deno.makeTempDir({ prefix: "pryx keychain " });
  const load = () => Promise.resolve(keyring);
  return {
    folder,
    store: createKeychainSecrets({ folder, load, timeoutMs, platform: "linux" }),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

secretStoreContract("keychain secrets (in memory)", open);

const installed = async (program: string) => {
  try {
    return (await new Deno.Command("sh", { args: ["-c", `command -v ${program}`] }).output()).success;
  } catch {
    return false;
  }
};
const missing: string[] = [];
for (
  const [program, debian] of [
    ["dbus-run-session", "dbus"],
    ["gnome-keyring-daemon", "gnome-keyring"],
    ["secret-tool", "libsecret-tools"],
  ] as const
) if (!await installed(program)) missing.push(debian);

const note = missing.length > 0 ? ` [not run: needs ${missing.join(", ")}]` : "";
Deno.test(`keychain secrets: the contract holds on a real Secret Service${note}`, {
  ignore: missing.length > 0,
}, async () => {
  const home = await Deno.makeTempDir({ prefix: "pryx keyring " });
  try {
    const child = join(import.meta.dirname ?? "", "_real_keychain.ts");
    const command =
      'printf throwaway | gnome-keyring-daemon --unlock --components=secrets >/dev/null; exec "$@"';
    const { success, stdout, stderr } = await new Deno.Command("dbus-run-session", {
      args: [
        "--",
        "sh",
        "-c",
        command,
        "sh",
        Deno.execPath(),
        "test",
        "-A",
        "--no-prompt",
        "--no-check",
        child,
      ],
      env: { XDG_DATA_HOME: join(home, "data"), XDG_CACHE_HOME: join(home, "cache"), XDG_RUNTIME_DIR: home },
    }).output();
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert.ok(success, text);
    assert.match(text, /7 passed/);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

async function refusal(work: Promise<unknown>): Promise<PryxError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof PryxError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

Deno.test("keychain secrets: the library is pinned to the Secret Service", async () => {
  const keyring = memoryKeyring();
  await using at = await open(keyring);
  await at.store.set("a", "some value");
  await at.store.get("a");
  assert.deepEqual(keyring.options, Array(2).fill({ linux: { store: "secret-service" } }));
});

Deno.test("keychain secrets: the real library without a session bus says what to do", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const program = `
    import { createKeychainSecrets } from ${
    JSON.stringify(import.meta.resolve("../../core/secrets/keychain.ts"))
  };
    const store = createKeychainSecrets({ folder: Deno.args[0] });
    const errors = [];
    for (const work of [() => store.get("a"), () => store.set("a", "hunter2hunter2")]) {
      await work().catch((error) => errors.push({ ...error.toJSON() }));
    }
    Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(errors)));
  `;
  const folder = await Deno.makeTempDir({ prefix: "pryx keychain " });
  try {
    await Deno.writeTextFile(join(folder, "program.ts"), program);
    const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--config", config, join(folder, "program.ts"), folder],
      env: { DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent/bus" },
    }).output();
    const text = new TextDecoder().decode(stdout);
    assert.notEqual(text, "", new TextDecoder().decode(stderr));
    const errors = JSON.parse(text) as { code: string; message: string; fix: string }[];
    assert.deepEqual(errors.map((error) => error.code), ["secret_missing", "io"]);
    for (const { message, fix } of errors) {
      assert.match(message, /no Secret Service .* can be reached/);
      assert.match(fix, /--store file.*env:NAME/);
      assert.ok(!message.includes("hunter2"));
    }
    const left = (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name);
    assert.deepEqual(left, ["program.ts"], "a name that was not stored is not listed");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("keychain secrets: a module that is not there is said plainly", async () => {
  const folder = await Deno.makeTempDir({ prefix: "pryx keychain " });
  try {
    const load = () => Promise.reject(new TypeError('Import "@napi-rs/keyring" not a dependency'));
    const store = createKeychainSecrets({ folder, load });
    const error = await refusal(store.get("openai"));
    assert.equal(error.code, "secret_missing");
    assert.match(error.message, /native module is not here/);
    assert.match(error.fix ?? "", /--store file/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("keychain secrets: a locked keychain is said plainly", async () => {
  const locked = () =>
    Promise.reject(new Error("Couldn't access platform storage: Secret Service: no result found"));
  await using at = await open(memoryKeyring(locked));
  const error = await refusal(at.store.set("openai", "some value"));
  assert.equal(error.code, "io");
  assert.match(error.message, /locked, or has no default keyring/);
  assert.deepEqual(await at.store.list(), []);
});

Deno.test("keychain secrets: a keychain that never answers does not hang", async () => {
  await using at = await open(memoryKeyring(() => new Promise<never>(() => {})), 20);
  const error = await refusal(at.store.get("openai"));
  assert.equal(error.code, "secret_missing");
  assert.match(error.message, /did not answer within 0.02 s/);
});

Deno.test("keychain secrets: a damaged list of names is said, not guessed at", async () => {
  await using at = await open();
  await Deno.writeTextFile(join(at.folder, "keychain.json"), "{", { mode: 0o600 });
  assert.match((await refusal(at.store.list())).message, /it is damaged/);
  assert.equal(await at.store.get("x"), undefined, "reading a secret does not need the list");
});

Deno.test("keychain secrets: a compiled program loads the keyring's native module from its own copy", async () => {
  const variable = "NAPI_RS_NATIVE_LIBRARY_PATH";
  const before = Deno.env.get(variable);
  const root = await Deno.makeTempDir({ prefix: "pryx root " });
  try {
    const folder = join(root, "node_modules/@napi-rs/keyring-here");
    await Deno.mkdir(folder, { recursive: true });
    const module = join(folder, "keyring.here.node");
    await Deno.writeTextFile(module, "");
    const asked: string[] = [];
    const locate = (file: string) => {
      asked.push(file);
      return Promise.resolve(join(root, "copy.node"));
    };
    // The copy it was told of is no module: nothing else is loaded in its place.
    await assert.rejects(loadEmbeddedKeyring({ root, locate }), /copy\.node|native/);
    assert.deepEqual(asked, [module]);
    assert.equal(Deno.env.get(variable), join(root, "copy.node"));
  } finally {
    if (before === undefined) Deno.env.delete(variable);
    else Deno.env.set(variable, before);
    await Deno.remove(root, { recursive: true });
  }
});
