import assert from "node:assert/strict";
import { join } from "node:path";
import { PryxError } from "../../core/domain/error.ts";
import { defineTool } from "../../core/tools/tool.ts";
import { scriptedProvider, transcript } from "../support/scripted_provider.ts";
import { testPryx } from "../support/test_pryx.ts";

Deno.test("a turn answers, adds up usage, and ends done", async () => {
  const provider = scriptedProvider([{ text: "hello" }]);
  await using test = await testPryx({ provider, price: 0.001 });
  const end = await test.run("hi");
  assert.equal(end.data.status, "done");
  assert.equal(end.data.text, "hello");
  assert.equal(end.data.usage.input, 100);
  assert.ok(Math.abs((end.data.cost ?? 0) - 0.12) < 1e-9);
  assert.deepEqual(transcript(provider.requests[0]?.messages ?? []), ["user:hi"]);
  assert.equal(test.store.session(end.session)?.status, "done");
});

Deno.test("a turn shows the model what its calls returned, in the next step", async () => {
  const provider = scriptedProvider([
    { text: "looking", calls: [["read_file", { path: "a.txt" }], ["read_file", { path: "b.txt" }]] },
    { text: "done" },
  ]);
  await using test = await testPryx({ provider });
  await Deno.writeTextFile(join(test.workspace, "a.txt"), "content of a\n");
  const end = await test.run("read both");
  assert.equal(end.data.status, "done");
  const shown = provider.requests[1]?.messages ?? [];
  assert.equal(shown.length, 5);
  assert.match(transcript(shown)[1] ?? "", /^assistant:looking\[read_file,read_file\]$/);
  const results = shown.filter((message) => message.role === "tool");
  assert.ok(results.some((message) => message.call === "call_1" && message.text.includes("content of a")));
  assert.ok(results.some((message) => message.call === "call_2" && message.text.includes("b.txt")));
  assert.deepEqual(test.events(end.session, "tool.finished").map((one) => one.data.status).sort(), [
    "done",
    "failed",
  ]);
});

Deno.test("calls of one step run side by side", async () => {
  const both = Promise.withResolvers<void>();
  let running = 0;
  const meet = defineTool({
    name: "meet",
    description: "Ends when two of it run",
    parameters: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] },
    needs: () => [],
    title: ({ n }) => `meet ${n}`,
    async run() {
      if (++running === 2) both.resolve();
      await both.promise;
      return { text: "met" };
    },
  });
  const provider = scriptedProvider([{ calls: [["meet", { n: 1 }], ["meet", { n: 2 }]] }, { text: "ok" }]);
  await using test = await testPryx({ provider, tools: [meet] });
  assert.equal((await test.run("go")).data.status, "done");
});

Deno.test("input during a turn is seen at the next step, after the results of this one", async () => {
  const provider = scriptedProvider([{ calls: [["wait", {}]] }, { text: "ok" }]);
  const started = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const wait = waitingTool(started, release.promise);
  await using test = await testPryx({ provider, tools: [wait] });
  const first = await test.pryx.submit({
    text: "go",
    workspace: test.workspace,
    surface: "test",
    attended: false,
  });
  await started.promise;
  const second = await test.pryx.submit({
    text: "also this",
    session: first.session,
    surface: "test",
    attended: false,
  });
  assert.equal(second.turn, first.turn);
  release.resolve();
  await test.pryx.ended(first.session, first.turn);
  assert.deepEqual(transcript(provider.requests[1]?.messages ?? []), [
    "user:go",
    "assistant:[wait]",
    "tool:waited",
    "user:also this",
  ]);
  assert.equal(test.events(first.session, "turn.ended").length, 1);
});

Deno.test("input during the last message of a turn gets an answer in the same turn", async () => {
  let session: string | undefined;
  const provider = scriptedProvider([
    {
      text: "first",
      during: async () => {
        await test.pryx.submit({ text: "more", session: session as never, surface: "test", attended: false });
      },
    },
    { text: "second" },
  ]);
  await using test = await testPryx({ provider });
  const listening = test.pryx.listen((event) => session ??= event.session);
  const end = await test.run("go");
  listening[Symbol.dispose]();
  assert.equal(end.data.text, "second");
  assert.deepEqual(transcript(provider.requests[1]?.messages ?? []), [
    "user:go",
    "assistant:first",
    "user:more",
  ]);
});

Deno.test("a cancelled turn keeps what was streamed, and can be continued", async () => {
  const provider = scriptedProvider([
    {
      text: "half an ans",
      during: (options) =>
        new Promise((_, reject) =>
          options.signal.addEventListener("abort", () => reject(options.signal.reason))
        ),
    },
    { text: "whole" },
  ]);
  await using test = await testPryx({ provider });
  const streaming = test.next("message.delta");
  const { session, turn } = await test.pryx.submit({
    text: "go",
    workspace: test.workspace,
    surface: "test",
    attended: false,
  });
  await streaming;
  await test.pryx.cancel(session, "Interrupted");
  const end = await test.pryx.ended(session, turn);
  assert.equal(end.data.status, "cancelled");
  assert.equal(end.data.error?.code, "cancelled");
  const [message] = test.events(session, "message");
  assert.equal(message?.data.text, "half an ans");
  assert.equal(message?.data.finish, "cut");
  await test.run("go on", { session });
  assert.deepEqual(transcript(provider.requests[1]?.messages ?? []), [
    "user:go",
    "assistant:half an ans",
    "user:go on",
  ]);
});

Deno.test("a call that is cancelled while it runs is finished as cancelled", async () => {
  const provider = scriptedProvider([{ calls: [["wait", {}]] }]);
  const started = Promise.withResolvers<void>();
  const wait = waitingTool(started, new Promise(() => {}));
  await using test = await testPryx({ provider, tools: [wait] });
  const { session, turn } = await test.pryx.submit({
    text: "go",
    workspace: test.workspace,
    surface: "test",
    attended: false,
  });
  await started.promise;
  await test.pryx.cancel(session);
  assert.equal((await test.pryx.ended(session, turn)).data.status, "cancelled");
  assert.equal(test.events(session, "tool.finished")[0]?.data.status, "cancelled");
});

Deno.test("a turn ends with max_turns when the model never stops", async () => {
  const provider = scriptedProvider(
    Array.from({ length: 3 }, (_, n) => ({ calls: [["list_dir", { path: `${n}` }]] as const })),
  );
  await using test = await testPryx({ provider });
  const end = await test.run("go", { limits: { turns: 3 } });
  assert.equal(end.data.error?.code, "max_turns");
  assert.equal(provider.requests.length, 3);
});

Deno.test("a turn ends with timeout when its time is over", async () => {
  const started = Promise.withResolvers<void>();
  const provider = scriptedProvider([{ calls: [["wait", {}]] }]);
  await using test = await testPryx({ provider, tools: [waitingTool(started, new Promise(() => {}))] });
  const end = await test.run("go", { limits: { timeoutMs: 50 } });
  assert.equal(end.data.error?.code, "timeout");
  assert.equal(end.data.status, "failed");
});

Deno.test("a cost limit caps the answer at what is left, and stops before it is passed", async () => {
  const provider = scriptedProvider([
    { calls: [["list_dir", { path: "." }]], usage: { input: 3_000, output: 2_000, cached: 0, reasoning: 0 } },
  ]);
  await using test = await testPryx({ provider, price: 0.0001 });
  const end = await test.run("go", { limits: { cost: 0.6 } });
  assert.equal(end.data.error?.code, "budget");
  assert.ok((provider.requests[0]?.maxOutputTokens ?? Infinity) < 6_000);
  assert.ok((end.data.cost ?? 0) <= 0.6);
});

Deno.test("a cost limit refuses a model without a known price", async () => {
  const provider = scriptedProvider([]);
  await using test = await testPryx({ provider });
  const end = await test.run("go", { limits: { cost: 1 } });
  assert.equal(end.data.error?.code, "unpriced_model");
});

Deno.test("the same call for the third time in a row asks, whatever allows it", async () => {
  const again = { calls: [["list_dir", { path: "." }]] as const };
  const provider = scriptedProvider([again, again, again, { text: "giving up" }]);
  await using test = await testPryx({ provider });
  const end = await test.run("go");
  assert.equal(end.data.status, "done");
  const verdicts = test.events(end.session, "decision").map((one) => one.data.verdict);
  assert.deepEqual(verdicts, ["allow", "allow", "ask"]);
  // Nobody was there to look at it, and no flag would have let it through: the run ends 3.
  assert.match(end.data.personOnly?.[0] ?? "", /list_dir: the model makes this same call 3 times in a row/);
  assert.equal(test.events(end.session, "tool.finished").at(-1)?.data.status, "denied");
});

Deno.test("a provider that breaks off in mid-stream fails the turn, and the session goes on", async () => {
  const provider = scriptedProvider([
    { text: "begun", error: new PryxError("provider_interrupted", "The answer broke off") },
    { text: "again" },
  ]);
  await using test = await testPryx({ provider });
  const end = await test.run("go");
  assert.equal(end.data.status, "failed");
  assert.equal(end.data.error?.code, "provider_interrupted");
  assert.equal(end.data.text, "begun");
  const next = await test.run("go on", { session: end.session });
  assert.equal(next.data.text, "again");
  assert.deepEqual(transcript(provider.requests[1]?.messages ?? []), [
    "user:go",
    "assistant:begun",
    "user:go on",
  ]);
});

Deno.test("a tool that does not exist, and arguments that do not fit, are told to the model", async () => {
  const provider = scriptedProvider([
    { calls: [["fly", {}], ["read_file", { file: "x" }], ["read_file", "{not json"]] },
    { text: "ok" },
  ]);
  await using test = await testPryx({ provider });
  const end = await test.run("go");
  const texts = test.events(end.session, "tool.finished").map((one) => one.data.text);
  assert.match(texts[0] ?? "", /no tool "fly".*read_file/);
  assert.match(texts[1] ?? "", /path is missing/);
  assert.match(texts[2] ?? "", /not JSON/);
  assert.equal(test.events(end.session, "tool.requested").length, 3);
});

Deno.test("an answer that does not fit the output schema is mended once", async () => {
  const outputSchema = { type: "object", properties: { n: { type: "number" } }, required: ["n"] };
  const mended = scriptedProvider([{ text: "n is 3" }, { text: '```json\n{"n": 3}\n```' }]);
  await using test = await testPryx({ provider: mended });
  const end = await test.run("go", { outputSchema });
  assert.equal(end.data.status, "done");
  assert.deepEqual(JSON.parse(end.data.text), { n: 3 });

  const stubborn = scriptedProvider([{ text: "no" }, { text: '{"n": "three"}' }]);
  await using other = await testPryx({ provider: stubborn });
  const failed = await other.run("go", { outputSchema });
  assert.equal(failed.data.error?.code, "output_invalid");
});

Deno.test("a long conversation is compacted before the limit, and its last turns stay as they were", async () => {
  const long = "x".repeat(14_000);
  const provider = scriptedProvider([
    { text: `one ${long}` },
    { text: `two ${long}` },
    (request) => ({ text: request.tools.length === 0 ? "SUMMARY of it all" : "no summary was asked for" }),
    { text: "three" },
  ]);
  await using test = await testPryx({ provider, contextWindow: 24_000 });
  const { session } = await test.run(`first ${long}`);
  await test.run("second", { session });
  const end = await test.run("third", { session });
  assert.equal(end.data.text, "three");
  const [compaction] = test.events(session, "compaction");
  assert.ok(compaction);
  assert.ok(compaction.data.tokensAfter < compaction.data.tokensBefore);
  const shown = transcript(provider.requests[3]?.messages ?? []);
  assert.match(shown[0] ?? "", /SUMMARY of it all/);
  assert.equal(shown.at(-1), "user:third");
  assert.ok(shown.some((line) => line.startsWith("assistant:two")));
  assert.ok(!shown.some((line) => line.startsWith("user:first")));
});

Deno.test("an answer that a limit cut off is told to be cut off", async () => {
  const provider = scriptedProvider([{ text: "half of", finish: "length" }]);
  await using test = await testPryx({ provider });
  const end = await test.run("go");
  assert.equal(end.data.text, "half of");
  assert.match(test.events(end.session, "notice")[0]?.data.text ?? "", /not whole/);
});

Deno.test("what streamed as reasoning only, before the provider broke off, is counted as spent", async () => {
  const provider = scriptedProvider([{
    during: ({ onDelta }) => onDelta("hmm ".repeat(90), "reasoning"),
    error: new PryxError("provider_interrupted", "The answer broke off"),
  }]);
  await using test = await testPryx({ provider, price: 0.001 });
  const end = await test.run("go");
  assert.equal(end.data.status, "failed");
  assert.equal(end.data.usage.output, 100);
  assert.deepEqual(test.events(end.session, "message"), []);
});

Deno.test("secrets do not enter events", async () => {
  const provider = scriptedProvider([{ calls: [["read_file", { path: "notes.txt" }]] }, { text: "ok" }]);
  await using test = await testPryx({
    provider,
    redact: (text) => text.replaceAll("hunter2-secret", "[redacted]"),
  });
  await Deno.writeTextFile(join(test.workspace, "notes.txt"), "the key is hunter2-secret\n");
  const end = await test.run("go");
  const all = JSON.stringify([...test.store.events(end.session)]);
  assert.ok(all.includes("[redacted]"));
  assert.ok(!all.includes("hunter2-secret"));
});

function waitingTool(started: PromiseWithResolvers<void>, until: Promise<void>) {
  return defineTool({
    name: "wait",
    description: "Waits",
    parameters: { type: "object", properties: {} },
    needs: () => [],
    title: () => "wait",
    async run(_args, ctx) {
      started.resolve();
      await Promise.race([
        until,
        new Promise((_, reject) =>
          ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason), { once: true })
        ),
      ]);
      return { text: "waited" };
    },
  });
}
