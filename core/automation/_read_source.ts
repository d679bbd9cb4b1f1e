import { PryxError } from "../domain/error.ts";

/** Bytes of a module at most. */
export const MAX_MODULE_BYTES = 4 * 1024 * 1024;

/**
 * The bytes of a plain file, read once; of a longer one than `maxBytes` the first `maxBytes + 1`. `path` has no links in
 * it: what was exchanged for one since it was decided about is not read. Rejects with `io` for that and for what is no
 * plain file, and with what the system throws. Without node:fs, which takes longer to load than all of this.
 */
export async function readSource(path: string, maxBytes: number): Promise<Uint8Array> {
  // Opening a pipe would wait for whoever writes to it.
  if (!Deno.lstatSync(path).isFile) throw new PryxError("io", `Cannot read "${path}": it is no plain file`);
  // Not synchronous: what was exchanged for a pipe in this very moment holds up this file alone, and can be interrupted.
  using file = await Deno.open(path);
  const opened = file.statSync();
  if (!opened.isFile) throw new PryxError("io", `Cannot read "${path}": it is no plain file`);
  // The open file must still be what stands there, with no link in any folder above it.
  const there = Deno.lstatSync(path);
  const same = there.ino === null || (there.ino === opened.ino && there.dev === opened.dev);
  if (!same || Deno.realPathSync(path) !== path) {
    throw new PryxError("io", `Cannot read "${path}": it was replaced while it was opened`);
  }
  return readAll(file, opened.size, maxBytes);
}

function readAll(file: Deno.FsFile, size: number, maxBytes: number): Uint8Array {
  let bytes = new Uint8Array(Math.min(size, maxBytes) + 1);
  let length = 0;
  for (;;) {
    const read = file.readSync(bytes.subarray(length));
    if (read === null) return bytes.subarray(0, length);
    length += read;
    if (length > maxBytes) return bytes.subarray(0, length);
    if (length === bytes.length) {
      // It has grown since.
      const longer = new Uint8Array(Math.min(2 * length, maxBytes + 1));
      longer.set(bytes);
      bytes = longer;
    }
  }
}

/** Text of UTF-8, without a byte-order mark; undefined for other bytes. */
export function decodeSource(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
