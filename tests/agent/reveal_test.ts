import assert from "node:assert/strict";
import { concealResponse, revealRequest } from "../../core/agent/reveal.ts";
import { secretMark } from "../../core/domain/secret_mark.ts";

const NONCE = "0123456789abcdef".repeat(2);
const values: Readonly<Record<string, string>> = { one: "aab-value-1", two: "aab-value-12" };
const revealer = { reveal: ({ name }: { name: string }) => Promise.resolve(values[name]) };

Deno.test("revealRequest() fills in decided secrets, asks once for each, and leaves bytes alone", async () => {
  const [one, two] = [secretMark("one", NONCE), secretMark("two", NONCE)];
  const bytes = new TextEncoder().encode(one);
  const { request, values: used } = await revealRequest(
    { headers: { a: `${one} ${two}`, b: "plain" }, body: bytes },
    revealer,
    () => true,
  );
  assert.deepEqual(request, { headers: { a: "aab-value-1 aab-value-12", b: "plain" }, body: bytes });
  assert.deepEqual(used, ["aab-value-1", "aab-value-12"]);
  const none = { headers: { a: one } };
  assert.deepEqual(await revealRequest(none, undefined, () => true), { request: none, values: [] });
  await assert.rejects(revealRequest(none, revealer, (name) => name !== "one"), { code: "denied" });
});

Deno.test("concealResponse() takes values out however the body is cut, and holds back nothing else", async () => {
  const text = "x aab-value-1 aaab-value-12, aab-value- aab-value-1";
  for (let size = 1; size < 15; size++) {
    const pieces = text.match(new RegExp(`.{1,${size}}`, "gu")) ?? [];
    const body = ReadableStream.from(pieces).pipeThrough(new TextEncoderStream());
    const answer = concealResponse(
      new Response(body, { headers: { "content-length": "51" } }),
      Object.values(values),
    );
    assert.equal(await answer.text(), "x [redacted] a[redacted], aab-value- [redacted]", `pieces of ${size}`);
    assert.equal(answer.headers.get("content-length"), null);
  }
});

Deno.test("concealResponse() passes on a piece before the next one comes", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const reader = concealResponse(new Response(readable), ["aab-value-1"]).body?.getReader();
  const writer = writable.getWriter();
  const written = writer.write(new TextEncoder().encode("data: first\n\n"));
  const { value } = await reader?.read() ?? {};
  assert.equal(new TextDecoder().decode(value), "data: first\n\n");
  await written;
  await Promise.all([writer.close(), reader?.cancel()]);
});
