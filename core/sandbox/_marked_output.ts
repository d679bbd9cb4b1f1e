import { Buffer } from "node:buffer";

export type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** What a piece of output is, seen with the pieces before it. */
export interface Marked {
  /** Certainly output. */
  readonly output: Uint8Array;
  /** What follows the marker, once it has come. */
  readonly after?: Uint8Array;
}

/** Looks for a marker in output that comes in pieces. Whatever could be its beginning is held back until the next one. */
export interface MarkerSearch {
  add(piece: Uint8Array): Marked;
  /** What is held back: output, when nothing more comes. */
  held(): Uint8Array;
}

export function createMarkerSearch(marker: Uint8Array): MarkerSearch {
  let held = Buffer.alloc(0);
  return {
    add(piece) {
      const bytes = Buffer.concat([held, piece]);
      const at = bytes.indexOf(marker);
      const end = at >= 0 ? at : bytes.length - beginningAtEnd(bytes, marker);
      const output = bytes.subarray(0, end);
      if (at >= 0) return { output, after: bytes.subarray(at + marker.length) };
      held = bytes.subarray(end);
      return { output };
    },
    held: () => held,
  };
}

/** How many bytes at the end are those that the marker begins with. */
function beginningAtEnd(bytes: Buffer, marker: Uint8Array): number {
  for (let length = Math.min(bytes.length, marker.length - 1); length > 0; length--) {
    if (bytes.subarray(bytes.length - length).equals(marker.subarray(0, length))) return length;
  }
  return 0;
}

/** Reads until `text` was said. False when the output ends before. */
export async function untilSaid(reader: Reader, text: string): Promise<boolean> {
  const search = createMarkerSearch(Buffer.from(text));
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return false;
    if (search.add(value).after !== undefined) return true;
  }
}

/** The line that begins with `begun`, and what came with its end. An end of the output ends it too. */
export async function readLine(reader: Reader, begun: Uint8Array): Promise<{ line: string; rest: Buffer }> {
  let bytes = Buffer.from(begun);
  for (;;) {
    const at = bytes.indexOf("\n");
    if (at >= 0) return { line: bytes.toString("latin1", 0, at), rest: bytes.subarray(at + 1) };
    const { done, value } = await reader.read();
    if (done) return { line: bytes.toString("latin1"), rest: Buffer.alloc(0) };
    bytes = Buffer.concat([bytes, value]);
  }
}

/** What came, `begun` first, until a marker and `length` bytes after it, without those; all of it where the output ends before. */
export async function withoutMarked(
  reader: Reader,
  begun: Uint8Array,
  marker: Uint8Array,
  length: number,
): Promise<Uint8Array> {
  let bytes = Buffer.from(begun);
  for (;;) {
    const at = bytes.indexOf(marker);
    const end = at + marker.length + length;
    if (at >= 0 && bytes.length >= end) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
    const { done, value } = await reader.read();
    if (done) return bytes;
    bytes = Buffer.concat([bytes, value]);
  }
}
