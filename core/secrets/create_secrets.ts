import { join } from "node:path";
import type { Paths } from "../config/config.ts";
import { PryxError } from "../domain/error.ts";
import { type EmbeddedModules, loadEmbeddedKeyring } from "./_embedded_keyring.ts";
import { createEnvSecrets } from "./env.ts";
import { createFileSecrets } from "./file.ts";
import { createKeychainSecrets } from "./keychain.ts";
import type { Secrets, SecretStore } from "./secret_store.ts";

/** Where secrets come from. */
interface SecretsOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly paths: Pick<Paths, "data">;
  readonly platform?: typeof Deno.build.os;
  /** Given by a compiled program. */
  readonly embedded?: EmbeddedModules;
  /** In place of the built-in ones. */
  readonly stores?: readonly SecretStore[];
  /** Called with a store's warning the first time that a secret of it is used. */
  readonly onWarning?: (warning: string) => void;
}

/** All secret stores behind their references. Opens nothing until a secret is asked for. */
export function createSecrets(options: SecretsOptions): Secrets {
  const { env, paths, platform, embedded } = options;
  const stores = options.stores ?? [
    createEnvSecrets(env),
    createKeychainSecrets({
      folder: paths.data,
      ...(platform ? { platform } : {}),
      ...(embedded ? { load: () => loadEmbeddedKeyring(embedded) } : {}),
    }),
    createFileSecrets(join(paths.data, "secrets")),
  ];
  const warned = new Set<string>();
  const store = (scheme: string): SecretStore => {
    const found = stores.find((one) => one.scheme === scheme);
    if (found) return found;
    throw new PryxError("usage", `There is no secret store "${scheme}"`, {
      fix: `There are ${stores.map((one) => one.scheme).join(", ")}`,
    });
  };
  return {
    stores,
    store,
    async resolve(reference) {
      const colon = reference.indexOf(":");
      if (colon < 1) {
        // Not shown: somebody may have put the secret itself where a reference belongs.
        throw new PryxError("secret_missing", "Cannot read a secret: what names it is not a reference", {
          fix: `Write it as ${stores.map((one) => `${one.scheme}:NAME`).join(", ")}`,
        });
      }
      const found = store(reference.slice(0, colon));
      const name = reference.slice(colon + 1);
      const value = await found.get(name);
      if (value === undefined) throw missing(found.scheme, name);
      if (found.warning !== undefined && !warned.has(found.scheme)) {
        warned.add(found.scheme);
        options.onWarning?.(found.warning);
      }
      return value;
    },
  };
}

function missing(scheme: string, name: string): PryxError {
  if (scheme === "env") {
    return new PryxError("secret_missing", `Cannot find the secret env:${name}: the variable is not set`, {
      fix: `Set it, export ${name}=…, or store a key with \`pryx secrets set NAME --provider PROVIDER\``,
    });
  }
  return new PryxError("secret_missing", `Cannot find the secret ${scheme}:${name}`, {
    fix: `Store it: pryx secrets set ${name} --store ${scheme}`,
  });
}
