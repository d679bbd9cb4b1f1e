import assert from "node:assert/strict";
import { createOutputCollector } from "../../core/sandbox/_output.ts";

/** Bytes that differ from their neighbours, so that a wrong place shows. */
function bytes(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (from + at) % 251);
}

Deno.test("createOutputCollector() keeps both ends in order, however the output is cut into pieces", () => {
  for (const limit of [0, 1, 2, 7, 100, 1_000, 200_000]) {
    for (const piece of [1, 3, 64, 997, 70_000]) {
      for (const total of [0, 1, 5, 99, 100, 101, 2_345, 300_001]) {
        if (total / piece > 20_000) continue;
        const collector = createOutputCollector(limit);
        for (let at = 0; at < total; at += piece) collector.add(bytes(at, Math.min(piece, total - at)));
        const { head, tail, dropped } = collector.result();
        const which = `limit ${limit}, pieces of ${piece}, ${total} in all`;
        const headLength = Math.min(total, Math.ceil(limit / 2));
        const tailLength = Math.min(total - headLength, Math.floor(limit / 2));
        assert.equal(dropped, total - headLength - tailLength, which);
        assert.deepEqual(head, bytes(0, headLength), which);
        assert.deepEqual(tail, bytes(total - tailLength, tailLength), which);
      }
    }
  }
});

Deno.test("createOutputCollector() holds no piece that it was given, nor the buffer it lies in", () => {
  const collector = createOutputCollector(100);
  const buffer = new Uint8Array(65_536);
  for (const byte of [1, 2, 3]) {
    buffer[0] = byte;
    collector.add(buffer.subarray(0, 1));
  }
  assert.deepEqual([...collector.result().head], [1, 2, 3]);
});
