import type { CappedOutput } from "./sandbox.ts";

export interface OutputCollector {
  add(bytes: Uint8Array): void;
  result(): CappedOutput;
}

/** Keeps the first and the last half of `maxBytes`; what lies between is dropped and counted. */
export function createOutputCollector(maxBytes: number): OutputCollector {
  const headLimit = Math.ceil(maxBytes / 2);
  const tailLimit = Math.floor(maxBytes / 2);
  const head: Uint8Array[] = [];
  let headLength = 0;
  let tail: Uint8Array[] = [];
  let tailLength = 0;
  let dropped = 0;

  /** Cuts the tail to its limit. Done rarely, so that small pieces do not cost a copy each. */
  function trim(): void {
    const joined = concat(tail, tailLength);
    const kept = joined.slice(Math.max(0, joined.length - tailLimit));
    dropped += joined.length - kept.length;
    tail = [kept];
    tailLength = kept.length;
  }

  return {
    add(bytes) {
      const toHead = Math.min(bytes.length, headLimit - headLength);
      if (toHead > 0) {
        head.push(bytes.subarray(0, toHead));
        headLength += toHead;
      }
      if (toHead === bytes.length) return;
      tail.push(bytes.subarray(toHead));
      tailLength += bytes.length - toHead;
      if (tailLength > tailLimit * 2 + 65_536) trim();
    },
    result() {
      if (tailLength > tailLimit) trim();
      return { head: concat(head, headLength), tail: concat(tail, tailLength), dropped };
    },
  };
}

function concat(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
