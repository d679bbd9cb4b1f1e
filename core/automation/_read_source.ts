import { PryxError } from "../domain/error.ts";

/** Bytes of a module at most. */
export const MAX_MODULE_BYTES = 4 * 1024 * 1024;

/**
 * The bytes of a plain file, read once; of a longer one than `maxBytes` the first `maxBytes + 1`. Rejects with `io` for
 * what is no plain file, and with what Deno throws.
 */
export async function readSource(path: string, maxBytes: number): Promise<Uint8Array> {
  // Opening a pipe would wait for whoever writes to it.
  const { isFile, size } = await Deno.stat(path);
  if (!isFile) {
    throw new PryxError("io", `Cannot read "${path}": it is no plain file`);
  }
  using file = await Deno.open(path);
  let bytes = new Uint8Array(Math.min(size, maxBytes) + 1);
  let length = 0;
  for (;;) {
    const read = await file.read(bytes.subarray(length));
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
