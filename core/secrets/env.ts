import { PryxError } from "../domain/error.ts";
import type { SecretStore } from "./secret_store.ts";

/** Secrets in the environment that pryx was started with. Read-only. */
export function createEnvSecrets(env: Readonly<Record<string, string | undefined>>): SecretStore {
  const readOnly = (name: string) =>
    new PryxError("usage", `Cannot change ${name}: pryx does not change its environment`, {
      fix: "Use --store keychain or --store file, or set the variable in your shell",
    });
  return {
    scheme: "env",
    writable: false,
    // A variable that was filled from a file often ends in a newline; no header may.
    get: (name) => Promise.resolve(Object.hasOwn(env, name) ? env[name]?.trim() || undefined : undefined),
    set: (name) => Promise.reject(readOnly(name)),
    remove: (name) => Promise.reject(readOnly(name)),
    list: () =>
      Promise.resolve(
        Object.keys(env).filter((name) => /_(API_)?(KEY|TOKEN)$/.test(name) && env[name]?.trim()).sort(),
      ),
  };
}
