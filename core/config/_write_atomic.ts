import { dirname } from "node:path";
import { messageOf, PryxError } from "../domain/error.ts";

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

/**
 * Runs `work` while no other process does so for the same path. The lock, `PATH.lock`, ends with the process, however
 * that ends, and its file is removed again.
 */
export async function locked<T>(path: string, work: () => Promise<T>): Promise<T> {
  using _lock = await takeLock(path, `${path}.lock`);
  return await work();
}

async function takeLock(path: string, name: string): Promise<Disposable> {
  for (;;) {
    let file: Deno.FsFile | undefined;
    try {
      await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
      file = await Deno.open(name, { write: true, create: true, mode: 0o600 });
      await file.lock(true);
      const [own, there] = [await file.stat(), await Deno.lstat(name).catch(() => undefined)];
      // Whoever held it before may have removed it: then the lock is one on a file that nobody else will find.
      if (there !== undefined && own.ino === there.ino && own.dev === there.dev) {
        return { [Symbol.dispose]: release.bind(null, file, name) };
      }
      file.close();
    } catch (error) {
      file?.close();
      throw writeError(path, error);
    }
  }
}

/** The file goes while the lock is still held: nobody else can hold it. */
function release(file: Deno.FsFile, name: string): void {
  try {
    Deno.removeSync(name);
  } catch {
    // Windows keeps an open file; it is empty, and serves the next time.
  }
  file.close();
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
  const reason = messageOf(error);
  return new PryxError("io", `Cannot write ${path}: ${reason}`, { cause: error });
}
