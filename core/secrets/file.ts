import { join } from "node:path";
import { checkName, checkValue } from "./_names.ts";
import { ioError, readPrivate, writePrivate } from "./_private_file.ts";
import type { SecretStore } from "./secret_store.ts";

/** Secrets as files that only their owner can read, one each. For machines without a keychain. */
export function createFileSecrets(folder: string): SecretStore {
  return {
    scheme: "file",
    writable: true,
    warning:
      `Secrets in ${folder} are not encrypted: whoever can read your files or their backups can read them`,
    async get(name) {
      checkName(name);
      return (await readPrivate(join(folder, name)))?.replace(/\r?\n$/, "") || undefined;
    },
    async set(name, value) {
      checkName(name);
      checkValue(name, value);
      await writePrivate(join(folder, name), value);
    },
    async remove(name) {
      checkName(name);
      try {
        await Deno.remove(join(folder, name));
        return true;
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return false;
        throw ioError(`Cannot remove ${join(folder, name)}`, error);
      }
    },
    async list() {
      try {
        const entries = await Array.fromAsync(Deno.readDir(folder));
        return entries.filter(({ name }) => !name.startsWith(".")).map(({ name }) => name).sort();
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return [];
        throw ioError(`Cannot read ${folder}`, error);
      }
    },
  };
}
