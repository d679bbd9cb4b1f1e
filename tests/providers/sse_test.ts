import assert from "node:assert/strict";
import fc from "fast-check";
import { createSseParser } from "../../core/providers/_sse.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function parse(...chunks: Uint8Array[]): string[] {
  const events: string[] = [];
  const parser = createSseParser((data) => events.push(data));
  for (const chunk of chunks) parser.push(chunk);
  parser.end();
  return events;
}

const SAMPLE = [
  ": a comment\n",
  'data: {"a":1}\n\n',
  "event: named\nid: 7\nretry: 10\ndata:no space\n\n",
  "data: first line\ndata: second line\ndata\n\n",
  "data:  two spaces\n\n",
  "datax: not a field\nother: field\n\n",
  "data: zwölf Boxkämpfer 🥊 你好\n\n",
  "data:\n\n",
  "data: [DONE]\n\n",
].join("");

const EVENTS = [
  '{"a":1}',
  "no space",
  "first line\nsecond line\n",
  " two spaces",
  "zwölf Boxkämpfer 🥊 你好",
  "",
  "[DONE]",
];

for (const [name, newline] of [["LF", "\n"], ["CRLF", "\r\n"], ["CR", "\r"]] as const) {
  Deno.test(`createSseParser() finds the same events wherever the bytes are cut, with ${name}`, () => {
    const bytes = encode(SAMPLE.replaceAll("\n", newline));
    for (let cut = 0; cut <= bytes.length; cut++) {
      assert.deepEqual(parse(bytes.subarray(0, cut), bytes.subarray(cut)), EVENTS, `cut at byte ${cut}`);
    }
    assert.deepEqual(parse(...[...bytes].map((byte) => new Uint8Array([byte]))), EVENTS);
  });
}

Deno.test("createSseParser() gives back any events that were written, however they are cut", () => {
  const data = fc.string({ unit: "grapheme" }).map((text) => text.replace(/[\r\n\u{feff}]/gu, " "));
  fc.assert(fc.property(fc.array(data), fc.array(fc.nat(40)), (events, sizes) => {
    const bytes = encode(events.map((event) => `data: ${event}\n\n`).join(""));
    const chunks: Uint8Array[] = [];
    let at = 0;
    for (const size of sizes) {
      chunks.push(bytes.subarray(at, at + size));
      at += size;
    }
    assert.deepEqual(parse(...chunks, bytes.subarray(at)), events);
  }));
});

Deno.test("createSseParser() takes a last event without its blank line", () => {
  assert.deepEqual(parse(encode("data: a\n\ndata: b")), ["a", "b"]);
  assert.deepEqual(parse(encode("data: a\n\ndata: b\n")), ["a", "b"]);
});

Deno.test("createSseParser() leaves out a byte order mark", () => {
  assert.deepEqual(parse(encode("\u{feff}data: a\n\n")), ["a"]);
});

Deno.test("createSseParser() replaces bytes that are not UTF-8", () => {
  assert.deepEqual(parse(encode("data: a"), new Uint8Array([0xff]), encode("b\n\n")), ["a\u{fffd}b"]);
});

Deno.test("createSseParser() refuses an event that never ends", () => {
  const parser = createSseParser(() => {});
  const chunk = encode("x".repeat(1 << 22));
  assert.throws(() => {
    for (let i = 0; i < 20; i++) parser.push(chunk);
  }, RangeError);
});
