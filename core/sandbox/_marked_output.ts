import { Buffer } from "node:buffer";

/** What a piece of output is, seen with the pieces before it. */
export interface Marked {
  /** Certainly output. */
  readonly output: Uint8Array;
  /** What follows the marker, once it has come. */
  readonly after?: Uint8Array;
}

/** Looks for a marker in output that comes in pieces. Whatever could be its beginning is held back until the next one. */
export function createMarkerSearch(marker: Uint8Array): (piece: Uint8Array) => Marked {
  let held: Uint8Array = new Uint8Array(0);
  return (piece) => {
    const bytes = Buffer.concat([held, piece]);
    const at = bytes.indexOf(marker);
    if (at >= 0) return { output: bytes.subarray(0, at), after: bytes.subarray(at + marker.length) };
    const end = bytes.length - beginningAtEnd(bytes, marker);
    held = bytes.subarray(end);
    return { output: bytes.subarray(0, end) };
  };
}

/** How many bytes at the end are those that the marker begins with. */
function beginningAtEnd(bytes: Buffer, marker: Uint8Array): number {
  for (let length = Math.min(bytes.length, marker.length - 1); length > 0; length--) {
    if (bytes.subarray(bytes.length - length).equals(marker.subarray(0, length))) return length;
  }
  return 0;
}
