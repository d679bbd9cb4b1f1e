import assert from "node:assert/strict";
import { compactionPoint, fitResults } from "../../core/agent/compact.ts";
import type { SessionId } from "../../core/domain/id.ts";
import { emptySession } from "../../core/domain/session.ts";
import type { ModelRequest } from "../../core/providers/provider.ts";
import { scriptedProvider, transcript } from "../support/scripted_provider.ts";
import { testPryx } from "../support/test_pryx.ts";

const LONG = "x".repeat(14_000);
const isSummary = (request: ModelRequest) => request.tools.length === 0;

Deno.test("an empty summary does not replace the conversation", async () => {
  const provider = scriptedProvider([
    { text: `one ${LONG}` },
    { text: `two ${LONG}` },
    (request) => ({ text: isSummary(request) ? "  \n" : "no summary was asked for" }),
    { text: "three" },
  ]);
  await using test = await testPryx({ provider, contextWindow: 24_000 });
  const { session } = await test.run(`first ${LONG}`);
  await test.run("second", { session });
  const end = await test.run("third", { session });
  assert.equal(end.data.text, "three");
  assert.equal(test.events(session, "compaction").length, 0);
  assert.match(transcript(provider.requests[3]?.messages ?? [])[0] ?? "", /^user:first/);
});

Deno.test("what is too large to be kept, with nothing before it, is not summarised at every step", async () => {
  // One result alone fills the window: a summary of the rest would make no room.
  const calls = (n: number) => ({ calls: [["read_file", { path: "big.txt", offset: n }]] as const });
  const provider = scriptedProvider([calls(1), calls(200), { text: "done" }]);
  await using test = await testPryx({ provider, contextWindow: 10_000 });
  await Deno.writeTextFile(`${test.workspace}/big.txt`, `${"y".repeat(79)}\n`.repeat(300));
  const end = await test.run("read it");
  assert.equal(end.data.text, "done");
  assert.equal(provider.requests.filter(isSummary).length, 0);
});

Deno.test("input that comes while the conversation is compacted is seen at the next step", async () => {
  const provider = scriptedProvider([
    { text: `one ${LONG}` },
    { text: `two ${LONG}` },
    {
      text: "SUMMARY",
      during: async () => {
        await test.pryx.submit({ text: "and this", session, surface: "test", attended: false });
      },
    },
    { text: "three" },
  ]);
  await using test = await testPryx({ provider, contextWindow: 24_000 });
  const { session } = await test.run(`first ${LONG}`);
  await test.run("second", { session });
  await test.run("third", { session });
  assert.deepEqual(transcript(provider.requests[3]?.messages ?? []).slice(-2), [
    "user:third",
    "user:and this",
  ]);
});

Deno.test("a cancel while the conversation is compacted leaves it as it was", async () => {
  const provider = scriptedProvider([
    { text: `one ${LONG}` },
    { text: `two ${LONG}` },
    {
      text: "SUMM",
      during: ({ signal }) => {
        void test.pryx.cancel(session, "Interrupted");
        return Promise.reject(signal.reason);
      },
    },
    { text: "SUMMARY" },
    { text: "four" },
  ]);
  await using test = await testPryx({ provider, contextWindow: 24_000 });
  const { session } = await test.run(`first ${LONG}`);
  await test.run("second", { session });
  const cut = await test.run("third", { session });
  assert.equal(cut.data.status, "cancelled");
  assert.equal(test.events(session, "compaction").length, 0);
  const end = await test.run("fourth", { session });
  assert.equal(end.data.text, "four");
  assert.deepEqual(transcript(provider.requests[4]?.messages ?? []).slice(-2), ["user:third", "user:fourth"]);
});

Deno.test("a summary costs no more than the rest of the budget", async () => {
  const provider = scriptedProvider([
    { text: `one ${LONG}` },
    { text: `two ${LONG}` },
    { text: "SUMMARY" },
    { text: "three" },
  ]);
  await using test = await testPryx({ provider, contextWindow: 24_000, price: 0.0001 });
  const { session } = await test.run(`first ${LONG}`);
  await test.run("second", { session });
  await test.run("third", { session, limits: { cost: 3 } });
  const summary = provider.requests[2];
  assert.ok(summary && isSummary(summary));
  assert.ok((summary.maxOutputTokens ?? Infinity) < 30_000);
});

Deno.test("fitResults() cuts large results from the oldest on, until the rest fits", () => {
  const result = (call: string, length: number) =>
    ({ role: "tool", call, name: "read_file", text: `<${"z".repeat(length)}>` }) as const;
  const messages = [result("a", 20_000), result("b", 20_000), result("c", 20_000), result("d", 100)];
  const fitted = fitResults(messages, 13_000);
  assert.equal(fitResults(messages, 100_000), messages);
  assert.deepEqual(fitted.map((message) => message.text.length < 20_000), [true, false, false, true]);
  assert.match(fitted[0]?.text ?? "", /^<z+\n\[… \d+ characters left out.*\]\nz+>$/);
  assert.equal(fitted[3], messages[3]);
});

Deno.test("one result that is larger than a small model's window is shown cut, and kept whole", async () => {
  const provider = scriptedProvider([
    { calls: [["read_file", { path: "big.txt" }]] },
    { text: "done" },
  ]);
  await using test = await testPryx({ provider, contextWindow: 8_000 });
  await Deno.writeTextFile(`${test.workspace}/big.txt`, `${"y".repeat(79)}\n`.repeat(300));
  const end = await test.run("read it");
  assert.equal(end.data.text, "done");
  const shown = provider.requests[1]?.messages.at(-1)?.text ?? "";
  assert.ok(shown.length < 8_000, `${shown.length}`);
  assert.ok((test.events(end.session, "tool.finished")[0]?.data.text.length ?? 0) > 20_000);
});

Deno.test("compactionPoint() keeps as many of the last turns as fit, from a person's word on", () => {
  const state = emptySession("s" as SessionId);
  // Each turn is 212 tokens; what is kept may fill 30% of the window.
  for (let turn = 1; turn <= 9; turn++) {
    const text = "x".repeat(360);
    state.messages.push({ seq: turn * 10, message: { role: "user", text } });
    state.messages.push({ seq: turn * 10 + 1, message: { role: "assistant", text, calls: [] } });
  }
  assert.equal(compactionPoint(state, 212 / 0.3 + 1), 90);
  assert.equal(compactionPoint(state, 3 * 212 / 0.3 + 1), 70);
  assert.equal(compactionPoint(state, 1), 91, "the last message is kept, however small the window");
});

Deno.test("compactionPoint() never parts a result from its call", () => {
  const state = emptySession("s" as SessionId);
  const call = { id: "c", name: "read_file", args: "{}" };
  state.messages.push({ seq: 1, message: { role: "user", text: "go" } });
  for (const seq of [2, 4, 6]) {
    state.messages.push({ seq, message: { role: "assistant", text: "", calls: [call] } });
    state.messages.push({
      seq: seq + 1,
      message: { role: "tool", call: "c", name: "read_file", text: "x".repeat(360) },
    });
  }
  for (const window of [1, 500, 1_000, 100_000]) {
    const point = compactionPoint(state, window);
    assert.ok(point !== null && point % 2 === 0, `${window}: ${point}`);
  }
});
