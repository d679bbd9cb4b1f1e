import { sha256 } from "@noble/hashes/sha2.js";
import { join } from "node:path";
import { PryxError } from "../domain/error.ts";
import { newId } from "../domain/id.ts";
import { storeError } from "./_errors.ts";
import type { Blobs } from "./store.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Contents of files in `folder`, each named by its SHA-256: `ab/cdef…`. Folders 0700, files 0600; a file appears whole
 * or not at all. Rejects with PryxError `disk_full`, `read_only`, and `io` when a kept content is damaged.
 */
export function openBlobs(folder: string): Blobs {
  const pathOf = (hash: string) => join(folder, hash.slice(0, 2), hash.slice(2));

  return {
    async put(bytes) {
      const hash = sha256(bytes).toHex();
      const path = pathOf(hash);
      try {
        const there = await look(path);
        if (there?.size === bytes.length) {
          // Kept anew: its age counts from now.
          if (Date.now() - (there.mtime?.getTime() ?? 0) > DAY_MS) {
            await Deno.utime(path, new Date(), new Date());
          }
          return hash;
        }
        await makePrivateFolder(folder);
        await makePrivateFolder(join(folder, hash.slice(0, 2)));
        await writeWhole(path, bytes);
        return hash;
      } catch (error) {
        throw storeError("keep the content of a file", path, error);
      }
    },

    async get(hash) {
      if (!/^[0-9a-f]{64}$/.test(hash)) return undefined;
      const path = pathOf(hash);
      let bytes: Uint8Array;
      try {
        bytes = await Deno.readFile(path);
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return undefined;
        throw storeError("read the kept content of a file", path, error);
      }
      if (sha256(bytes).toHex() !== hash) {
        throw new PryxError("io", `Cannot read ${path}: its content is damaged`, {
          fix:
            "Restore it from a backup of the state folder; what it was kept for cannot be undone without it",
        });
      }
      return bytes;
    },

    async remove(hash) {
      if (!/^[0-9a-f]{64}$/.test(hash)) return false;
      const path = pathOf(hash);
      try {
        await Deno.remove(path);
        return true;
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return false;
        throw storeError("remove the kept content of a file", path, error);
      }
    },

    async *list({ olderThan } = {}) {
      for await (const start of entries(folder)) {
        for await (const rest of entries(join(folder, start))) {
          const hash = `${start}${rest}`;
          if (!/^[0-9a-f]{64}$/.test(hash)) continue;
          if (olderThan) {
            const mtime = (await look(pathOf(hash)))?.mtime;
            if (!mtime || mtime >= olderThan) continue;
          }
          yield hash;
        }
      }
    },
  } satisfies Blobs;
}

/** Names in a folder; none when there is no such folder. */
async function* entries(folder: string): AsyncIterableIterator<string> {
  try {
    for await (const { name } of Deno.readDir(folder)) yield name;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return;
    throw storeError("list the kept contents of files", folder, error);
  }
}

async function look(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function makePrivateFolder(path: string): Promise<void> {
  if (await look(path)) return;
  await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  if (Deno.build.os !== "windows") await Deno.chmod(path, 0o700);
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${newId()}.tmp`;
  try {
    using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
    if (Deno.build.os !== "windows") await Deno.chmod(temporary, 0o600);
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}
