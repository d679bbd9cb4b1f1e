import assert from "node:assert/strict";
import type { SessionId, TurnId } from "../../core/domain/id.ts";
import { defineTool } from "../../core/tools/tool.ts";
import { scriptedProvider, transcript } from "../support/scripted_provider.ts";
import { testPryx } from "../support/test_pryx.ts";

const here = { surface: "test", attended: false } as const;

/** A tool that says when it has started, and is done when it is released, whatever is cancelled. */
function slowTool(text: string) {
  const started = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const slow = defineTool({
    name: "slow",
    description: "Waits",
    parameters: { type: "object", properties: {} },
    needs: () => [],
    title: () => "slow",
    async run() {
      started.resolve();
      await release.promise;
      return { text };
    },
  });
  return { slow, started, release };
}

const SCHEMA = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };

for (const outputSchema of [undefined, SCHEMA]) {
  const how = outputSchema ? "that is checked against a schema" : "of plain text";
  Deno.test(`input is answered at whatever moment it comes after an answer ${how}`, async () => {
    // One more promise tick each time, from the answer's arrival to well after the turn's end.
    for (let ticks = 0; ticks < 24; ticks++) {
      const provider = scriptedProvider(Array.from({ length: 2 }, () => ({ text: '{"n":1}' })));
      await using test = await testPryx({ provider });
      const submitted = Promise.withResolvers<{ session: SessionId; turn: TurnId }>();
      using _listening = test.pryx.listen(async (event) => {
        if (event.type !== "message" || provider.requests.length > 1) return;
        for (let tick = 0; tick < ticks; tick++) await null;
        submitted.resolve(test.pryx.submit({ text: "more", session: event.session, ...here }));
      });
      await test.run("go", outputSchema ? { outputSchema } : {});
      const { session, turn } = await submitted.promise;
      await test.pryx.ended(session, turn);
      assert.equal(transcript(provider.requests[1]?.messages ?? []).at(-1), "user:more", `${ticks} ticks`);
    }
  });
}

Deno.test("input after a cancel starts a new turn once the old one has ended", async () => {
  const { slow, started, release } = slowTool("stopped");
  const provider = scriptedProvider([{ calls: [["slow", {}]] }, { text: "new answer" }]);
  await using test = await testPryx({ provider, tools: [slow] });
  const first = await test.pryx.submit({ text: "go", workspace: test.workspace, ...here });
  await started.promise;
  const cancelled = test.pryx.cancel(first.session, "Interrupted");
  const next = test.pryx.submit({ text: "do this instead", session: first.session, ...here });
  release.resolve();
  await cancelled;
  const second = await next;
  assert.notEqual(second.turn, first.turn);
  const end = await test.pryx.ended(first.session, second.turn);
  assert.equal(end.data.text, "new answer");
  assert.deepEqual(transcript(provider.requests[1]?.messages ?? []), [
    "user:go",
    "assistant:[slow]",
    "tool:stopped",
    "user:do this instead",
  ]);
});

Deno.test("a cancel in the very tick of the input stops the turn before it asks the model", async () => {
  const provider = scriptedProvider([]);
  await using test = await testPryx({ provider });
  let cancelled: Promise<void> | undefined;
  using _listening = test.pryx.listen((event) => {
    if (event.type === "input") cancelled = test.pryx.cancel(event.session, "Never mind");
  });
  const end = await test.run("go");
  await cancelled;
  assert.equal(end.data.status, "cancelled");
  assert.equal(provider.requests.length, 0);
});

Deno.test("input during a person's own tool call waits for it", async () => {
  const { slow, started, release } = slowTool("found it");
  const provider = scriptedProvider([{ text: "one" }, { text: "two" }]);
  await using test = await testPryx({ provider, tools: [slow] });
  const { session } = await test.run("go");
  const call = test.pryx.callTool({
    tool: "slow",
    args: {},
    origin: "human",
    workspace: test.workspace,
    session,
    ...here,
  });
  await started.promise;
  const asked = test.run("what was that?", { session });
  release.resolve();
  assert.equal((await call).status, "done");
  assert.equal((await asked).data.text, "two");
  assert.match(transcript(provider.requests[1]?.messages ?? []).join("\n"), /found it/);
});

Deno.test("a person's own tool call can be cancelled like a turn", async () => {
  const started = Promise.withResolvers<void>();
  const wait = defineTool({
    name: "wait",
    description: "Waits until it is cancelled",
    parameters: { type: "object", properties: {} },
    needs: () => [],
    title: () => "wait",
    run(_args, { signal }) {
      started.resolve();
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
  });
  await using test = await testPryx({ provider: scriptedProvider([{ text: "ok" }]), tools: [wait] });
  const { session } = await test.run("go");
  const call = test.pryx.callTool({
    tool: "wait",
    args: {},
    origin: "human",
    workspace: test.workspace,
    session,
    ...here,
  });
  await started.promise;
  await test.pryx.cancel(session, "Interrupted");
  assert.equal((await call).status, "cancelled");
});

Deno.test("the end of a person's own call can be asked for in the tick in which it ends", async () => {
  await using test = await testPryx({ provider: scriptedProvider([]) });
  const asked = Promise.withResolvers<{ data: { status: string } }>();
  using _listening = test.pryx.listen((event) => {
    if (event.type === "turn.ended") asked.resolve(test.pryx.ended(event.session, event.turn as TurnId));
  });
  const call = { tool: "list_dir", args: { path: "." }, origin: "human", workspace: test.workspace } as const;
  await test.pryx.callTool({ ...call, ...here });
  assert.equal((await asked.promise).data.status, "done");
});
