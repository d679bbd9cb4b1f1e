import { dirname, join } from "node:path";
import { messageOf, PryxError } from "../domain/error.ts";

/**
 * Reads a file that only its owner may read. Undefined when there is none. Rejects with `io` when others can read it:
 * what was open to others may have been read, and is not to be relied on in silence.
 */
export async function readPrivate(path: string): Promise<string | undefined> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw ioError(`Cannot read ${path}`, error);
  }
  using opened = file;
  // Asked of the open file, so that what is checked is what is read.
  const info = await opened.stat();
  if (!info.isFile) throw new PryxError("io", `Cannot read ${path}: it is not a regular file`);
  if (info.mode !== null && (info.mode & 0o077) !== 0) {
    const mode = (info.mode & 0o777).toString(8).padStart(4, "0");
    throw new PryxError("io", `Cannot use ${path}: other users can reach it (mode ${mode})`, {
      fix: `chmod 600 ${JSON.stringify(path)}, and replace the secret if others may have read it`,
    });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readAll(opened, info.size));
  } catch (error) {
    throw ioError(`Cannot read ${path}`, error);
  }
}

async function readAll(file: Deno.FsFile, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let length = 0;
  while (length < size) {
    const read = await file.read(bytes.subarray(length));
    if (read === null) break;
    length += read;
  }
  return bytes.subarray(0, length);
}

/** Writes a file 0600 at once, in a folder 0700 that is made when it is not there. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${crypto.randomUUID()}.tmp`);
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    if (Deno.build.os !== "windows") await Deno.chmod(folder, 0o700);
    using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
    const bytes = new TextEncoder().encode(text);
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
    // On the disk before its name is: a crash leaves the old secret, never an empty one.
    await file.sync();
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw ioError(`Cannot write ${path}`, error);
  }
}

/** Runs `work` while no other process does so with the same lock file. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  let file: Deno.FsFile;
  try {
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    file = await Deno.open(path, { write: true, create: true, mode: 0o600 });
  } catch (error) {
    throw ioError(`Cannot write ${path}`, error);
  }
  using lock = file;
  await lock.lock(true);
  try {
    return await work();
  } finally {
    await lock.unlock();
  }
}

/** `what` failed because of `error`, as `disk_full`, `read_only` or `io`. */
export function ioError(what: string, error: unknown): PryxError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const reason = messageOf(error);
  if (code === "ENOSPC") return new PryxError("disk_full", `${what}: the disk is full`, { cause: error });
  if (code === "EROFS" || error instanceof Deno.errors.PermissionDenied) {
    return new PryxError("read_only", `${what}: permission denied or read-only`, { cause: error });
  }
  return new PryxError("io", `${what}: ${reason}`, { cause: error });
}
