import { join } from "node:path";
import { messageOf, PryxError } from "../domain/error.ts";
import { checkName, checkValue } from "./_names.ts";
import { readPrivate, withLock, writePrivate } from "./_private_file.ts";
import type { SecretStore } from "./secret_store.ts";

type Entry = Pick<
  InstanceType<typeof import("@napi-rs/keyring").AsyncEntry>,
  "getPassword" | "setPassword" | "deletePassword"
>;

/** As much of `@napi-rs/keyring` as is used. */
export interface KeyringModule {
  readonly AsyncEntry: new (service: string, account: string, options: typeof PINNED) => Entry;
}

/** How the system's keychain is used. */
interface KeychainOptions {
  /** Folder of the list of names: keychains do not list what is one's own on every platform. */
  readonly folder: string;
  readonly platform?: typeof Deno.build.os;
  /** Name under which the keychain files secrets. Tests use their own. */
  readonly service?: string;
  /** How long the keychain may take, milliseconds; it may be asking the user to unlock it. */
  readonly timeoutMs?: number;
  readonly load?: () => Promise<KeyringModule>;
}

/**
 * On Linux the library falls back, without a word, to the kernel's keyring, which forgets everything at the next start.
 * Pinned, it fails instead.
 */
const PINNED = { linux: { store: "secret-service" } } as const;

/** Secrets in the system's keychain: Secret Service on Linux, Keychain on macOS, Credential Manager on Windows. */
export function createKeychainSecrets(options: KeychainOptions): SecretStore {
  const { folder, service = "pryx", timeoutMs = 60_000, load = () => import("@napi-rs/keyring") } = options;
  const platform = options.platform ?? Deno.build.os;
  const index = join(folder, "keychain.json");

  const call = async <T>(code: "secret_missing" | "io", name: string, work: (entry: Entry) => Promise<T>) => {
    checkName(name);
    let keyring: KeyringModule;
    try {
      keyring = await load();
    } catch (error) {
      throw new PryxError(code, `Cannot reach the keychain for "${name}": its native module is not here`, {
        fix: INSTEAD,
        cause: error,
      });
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`it did not answer within ${timeoutMs / 1000} s`)),
        timeoutMs,
      );
    });
    try {
      // The constructor is what connects, and what throws when there is nothing to connect to.
      return await Promise.race([
        (async () => await work(new keyring.AsyncEntry(service, name, PINNED)))(),
        late,
      ]);
    } catch (error) {
      throw keychainError(code, name, platform, error);
    } finally {
      clearTimeout(timer);
    }
  };

  const changeIndex = (change: (names: Set<string>) => void) =>
    withLock(`${index}.lock`, async () => {
      const names = new Set(await readIndex(index));
      change(names);
      await writePrivate(index, `${JSON.stringify({ v: 1, names: [...names].sort() })}\n`);
    });

  return {
    scheme: "keychain",
    writable: true,
    get: async (name) => await call("secret_missing", name, (entry) => entry.getPassword()) || undefined,
    async set(name, value) {
      checkValue(name, value);
      await call("io", name, (entry) => entry.setPassword(value));
      await changeIndex((names) => names.add(name));
    },
    async remove(name) {
      const removed = await call("io", name, (entry) => entry.deletePassword());
      await changeIndex((names) => names.delete(name));
      return removed;
    },
    list: () => readIndex(index),
  };
}

async function readIndex(path: string): Promise<string[]> {
  const text = await readPrivate(path);
  if (text === undefined) return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  const names = (parsed as { names?: unknown } | null | undefined)?.names;
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string")) {
    throw new PryxError("io", `Cannot read ${path}: it is damaged`, {
      fix: "Remove it; the secrets stay in the keychain, only the list of their names is gone",
    });
  }
  return names;
}

const INSTEAD =
  "Keep the secret in a file, `pryx secrets set NAME --store file`, or in a variable, `env:NAME`";

function keychainError(
  code: "secret_missing" | "io",
  name: string,
  platform: typeof Deno.build.os,
  error: unknown,
): PryxError {
  if (error instanceof PryxError) return error;
  const reason = messageOf(error);
  const what = `Cannot use the keychain for "${name}"`;
  if (platform === "linux" && /D-?Bus|not provided by any/i.test(reason)) {
    return new PryxError(
      code,
      `${what}: no Secret Service (GNOME Keyring, KWallet, KeePassXC) can be reached`,
      {
        fix: `${INSTEAD}. On a desktop, start the keyring in your login session`,
        cause: error,
      },
    );
  }
  if (/no result found|locked|prompt|dismissed/i.test(reason)) {
    return new PryxError(code, `${what}: it is locked, or has no default keyring`, {
      fix: `Unlock it, or create a default keyring, and try again. ${INSTEAD}`,
      cause: error,
    });
  }
  return new PryxError(code, `${what}: ${reason}`, { fix: INSTEAD, cause: error });
}
