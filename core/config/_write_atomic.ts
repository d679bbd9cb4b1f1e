import { dirname } from "node:path";
import { PryxError } from "../domain/error.ts";

/**
 * Replaces a file's content at once: a reader sees the old or the new one, a crash leaves the old. Mode 0600, its folder
 * 0700 when it is made here. A link is followed, so that a config kept elsewhere stays there.
 */
export async function writeAtomic(path: string, text: string): Promise<void> {
  const target = await Deno.realPath(path).catch(() => path);
  const temporary = `${target}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    await Deno.mkdir(dirname(target), { recursive: true, mode: 0o700 });
    using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
    const bytes = new TextEncoder().encode(text);
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
    await file.sync();
    await Deno.rename(temporary, target);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw writeError(path, error);
  }
}

/** Runs `work` while no other process does so for the same path. The lock ends with the process, however that ends. */
export async function locked<T>(path: string, work: () => Promise<T>): Promise<T> {
  let file: Deno.FsFile;
  try {
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    file = await Deno.open(`${path}.lock`, { write: true, create: true, mode: 0o600 });
  } catch (error) {
    throw writeError(path, error);
  }
  using lock = file;
  await lock.lock(true);
  try {
    return await work();
  } finally {
    await lock.unlock();
  }
}

function writeError(path: string, error: unknown): PryxError {
  if (error instanceof PryxError) return error;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new PryxError("disk_full", `Cannot write ${path}: the disk is full`, {
      fix: "Free some space and try again",
      cause: error,
    });
  }
  if (code === "EROFS" || error instanceof Deno.errors.PermissionDenied) {
    return new PryxError("read_only", `Cannot write ${path}: permission denied or read-only`, {
      fix: `Make ${dirname(path)} writable, or set PRYX_HOME to a folder that is`,
      cause: error,
    });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new PryxError("io", `Cannot write ${path}: ${reason}`, { cause: error });
}
