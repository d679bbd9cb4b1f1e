import type { CappedOutput } from "./sandbox.ts";

export interface OutputCollector {
  add(bytes: Uint8Array): void;
  result(): CappedOutput;
}

/** Memory that is taken at first, bytes. */
const FIRST = 65_536;

/**
 * Keeps the first and the last half of `maxBytes`; what lies between is dropped and counted. Copies what it is given: a
 * piece that a pipe brings lies in a buffer far larger than itself, which keeping it would hold.
 */
export function createOutputCollector(maxBytes: number): OutputCollector {
  const headLimit = Math.ceil(maxBytes / 2);
  const tailLimit = Math.floor(maxBytes / 2);
  let head = new Uint8Array(0);
  let headLength = 0;
  /** A ring, once it is as large as it may be: what is new overwrites what is oldest. */
  let tail = new Uint8Array(0);
  let tailLength = 0;

  function addToTail(bytes: Uint8Array): void {
    const needed = Math.min(tailLength + bytes.length, tailLimit);
    // It does not grow any more once it is a ring, so its bytes are in order here.
    if (needed > tail.length) tail = grown(tail, needed, tailLimit);
    if (tail.length === 0) {
      tailLength += bytes.length;
      return;
    }
    const kept = bytes.subarray(Math.max(0, bytes.length - tail.length));
    const at = (tailLength + bytes.length - kept.length) % tail.length;
    const first = kept.subarray(0, tail.length - at);
    tail.set(first, at);
    tail.set(kept.subarray(first.length), 0);
    tailLength += bytes.length;
  }

  return {
    add(bytes) {
      const toHead = Math.min(bytes.length, headLimit - headLength);
      if (toHead > 0) {
        if (headLength + toHead > head.length) head = grown(head, headLength + toHead, headLimit);
        head.set(bytes.subarray(0, toHead), headLength);
        headLength += toHead;
      }
      if (toHead < bytes.length) addToTail(bytes.subarray(toHead));
    },
    result() {
      const dropped = Math.max(0, tailLength - tailLimit);
      const start = dropped === 0 || tailLimit === 0 ? 0 : tailLength % tailLimit;
      const ordered = new Uint8Array(tailLength - dropped);
      ordered.set(tail.subarray(start, start + ordered.length));
      ordered.set(tail.subarray(0, start), Math.max(0, ordered.length - start));
      return { head: head.subarray(0, headLength), tail: ordered, dropped };
    },
  };
}

/** The same bytes with room for `needed`, and for as many again where `limit` lets it. */
function grown(bytes: Uint8Array, needed: number, limit: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.min(limit, Math.max(FIRST, needed, bytes.length * 2)));
  larger.set(bytes);
  return larger;
}
