import { basename, join, sep } from "node:path";
import { messageOf, PryxError } from "../domain/error.ts";

export interface EmbeddedPrograms {
  /** The folder of a compiled program's own files: only it can read them, the system can neither start nor load them. */
  readonly root: string;
  /** Folder to put them in, private to this user. */
  readonly folder: string;
}

/**
 * Finds the real file of a program or native module that may be an embedded one: a copy in the folder, made when it is not there or
 * is not the same byte for byte. Other paths are given back as they are. Rejects with `io` when no copy can be made.
 */
export function createEmbedded({ root, folder }: EmbeddedPrograms): (program: string) => Promise<string> {
  const ready = new Map<string, Promise<string>>();
  return (program) => {
    if (!program.startsWith(root + sep)) return Promise.resolve(program);
    const made = ready.get(program) ?? extract(program, folder);
    ready.set(program, made);
    made.catch(() => ready.delete(program));
    return made;
  };
}

async function extract(program: string, folder: string): Promise<string> {
  const name = basename(program);
  const path = join(folder, name);
  try {
    const wanted = await Deno.readFile(program);
    if (await isCopy(path, wanted)) return path;
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    const fresh = `${path}.${crypto.randomUUID()}`;
    try {
      await Deno.writeFile(fresh, wanted, { createNew: true, mode: 0o700 });
      await Deno.rename(fresh, path);
    } catch (error) {
      await Deno.remove(fresh).catch(() => {});
      throw error;
    }
    return path;
  } catch (error) {
    const reason = messageOf(error);
    throw new PryxError("io", `Cannot put ${name}, which comes with pryx, in ${folder}: ${reason}`, {
      fix: `Install ${name} so that it is on PATH, or let pryx write in that folder`,
      cause: error,
    });
  }
}

/** True for a file, not a link, with these very bytes, that its owner alone may use. */
async function isCopy(path: string, wanted: Uint8Array): Promise<boolean> {
  const info = await Deno.lstat(path).catch(() => null);
  if (!info?.isFile || info.size !== wanted.length) return false;
  if (info.mode !== null && (info.mode & 0o777) !== 0o700) return false;
  const found = await Deno.readFile(path);
  return found.every((byte, index) => byte === wanted[index]);
}
