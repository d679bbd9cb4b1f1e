import assert from "node:assert/strict";
import { join } from "node:path";
import type { Message } from "../../core/domain/message.ts";
import { emptySession } from "../../core/domain/session.ts";
import type { ApprovalId, SessionId } from "../../core/domain/id.ts";
import { repairs } from "../../core/agent/repairs.ts";
import { defineTool } from "../../core/tools/tool.ts";
import { scriptedProvider } from "../support/scripted_provider.ts";
import { testPryx } from "../support/test_pryx.ts";

const here = { surface: "test", attended: false } as const;

Deno.test("calls that a cancelled turn never reached are answered, and do not run", async () => {
  const started = Promise.withResolvers<void>();
  const ran: number[] = [];
  const alone = defineTool({
    name: "alone",
    description: "Waits until it is cancelled, then ends as if nothing had happened",
    parameters: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] },
    parallel: false,
    needs: () => [],
    title: ({ n }) => `alone ${n}`,
    async run({ n }, { signal }) {
      ran.push(n);
      started.resolve();
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return { text: `ended ${n}` };
    },
  });
  const provider = scriptedProvider([
    { calls: [["alone", { n: 1 }], ["alone", { n: 2 }], ["write_file", { path: "a.txt", content: "x" }]] },
    { text: "going on" },
  ]);
  await using test = await testPryx({ provider, tools: [alone], preset: "workspace" });
  const { session, turn } = await test.pryx.submit({ text: "go", workspace: test.workspace, ...here });
  await started.promise;
  await test.pryx.cancel(session, "Interrupted");
  assert.equal((await test.pryx.ended(session, turn)).data.status, "cancelled");
  assert.deepEqual(ran, [1]);
  await test.run("go on", { session });
  const shown = provider.requests[1]?.messages ?? [];
  const answered = shown.filter((message) => message.role === "tool").map((message) => message.call);
  assert.deepEqual(answered, ["call_1", "call_2", "call_3"]);
});

Deno.test("a call that was cancelled while it was decided does not run", async () => {
  const provider = scriptedProvider([{ calls: [["write_file", { path: "a.txt", content: "x" }]] }]);
  await using test = await testPryx({ provider, preset: "workspace" });
  let cancelled: Promise<void> | undefined;
  using _listening = test.pryx.listen((event) => {
    if (event.type === "decision") cancelled = test.pryx.cancel(event.session, "Interrupted");
  });
  const end = await test.run("go");
  await cancelled;
  assert.equal(end.data.status, "cancelled");
  assert.equal(test.events(end.session, "tool.finished")[0]?.data.status, "cancelled");
  await assert.rejects(Deno.stat(join(test.workspace, "a.txt")), Deno.errors.NotFound);
});

Deno.test("a surface that throws neither stops the work nor doubles an event", async () => {
  const provider = scriptedProvider([{ calls: [["list_dir", { path: "." }]] }, { text: "ok" }]);
  await using test = await testPryx({ provider });
  using _broken = test.pryx.listen((event) => {
    if (event.type === "tool.finished") throw new Error("the screen is gone");
  });
  const end = await test.run("go");
  assert.equal(end.data.status, "done");
  assert.equal(test.events(end.session, "tool.finished").length, 1);
});

Deno.test("a session whose input could not be stored is free again", async () => {
  const provider = scriptedProvider([{ text: "ok" }, { text: "ok" }]);
  await using test = await testPryx({ provider });
  const { session } = await test.run("go");
  const { append } = test.store;
  test.store.append = (id, drafts, options) => {
    if (drafts.some(({ type }) => type === "input")) throw new Error("the disk is full");
    return append(id, drafts, options);
  };
  await assert.rejects(test.run("more", { session }), /the disk is full/);
  test.store.append = append;
  assert.equal((await test.run("more", { session })).data.status, "done");
});

Deno.test("calls without a result are answered even when their turn has an end", () => {
  const state = emptySession("s" as SessionId);
  const calls = [{ id: "c1", name: "shell", args: "{}" }];
  state.messages.push({ seq: 4, message: { role: "assistant", text: "", calls } });
  const drafts = repairs(state, "");
  assert.deepEqual(drafts.map(({ type }) => type), ["tool.finished"]);
});

Deno.test("approvals that a dead process waited for are closed when its session is opened", async () => {
  const provider = scriptedProvider([{ text: "going on" }]);
  await using test = await testPryx({ provider });
  const { newApproval } = await import("../../core/policy/approvals.ts");
  const session = "dead" as SessionId;
  {
    using _lease = test.store.lease(session);
    const turn = "t1" as never;
    test.store.append(session, [
      { type: "session.created", turn: null, data: { workspace: test.workspace, profile: "default" } },
      { type: "input", turn, data: { text: "go", principal: "human", surface: "cli" } },
      { type: "turn.started", turn, data: { model: "p/m", preset: "workspace" } },
    ]);
  }
  const call = "c1" as never;
  test.store.putApproval(newApproval({
    ...{ session, call, tool: "shell", digest: "d", summary: "s", judgements: [] },
    now: new Date(),
    ttlMs: 86_400_000,
  }));
  await test.run("go on", { session });
  assert.deepEqual(test.store.openApprovals(), []);
});

Deno.test("a session that another process deleted is not gone on with from memory", async () => {
  const provider = scriptedProvider([{ text: "one" }]);
  await using test = await testPryx({ provider });
  const { session } = await test.run("go");
  test.store.deleteSession(session);
  await assert.rejects(test.run("more", { session }), { code: "not_found" });
});

Deno.test("pryx that shuts down ends what runs, and takes nothing more", async () => {
  const started = Promise.withResolvers<void>();
  const provider = scriptedProvider([{
    text: "half",
    during: ({ signal }) => {
      started.resolve();
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
  }]);
  await using test = await testPryx({ provider });
  const { session } = await test.pryx.submit({ text: "go", workspace: test.workspace, ...here });
  await started.promise;
  const closing = test.pryx[Symbol.asyncDispose]();
  await assert.rejects(test.run("more", { session }), { code: "cancelled" });
  await closing;
  assert.equal(test.events(session, "turn.ended")[0]?.data.status, "cancelled");
});

/** Every call of an assistant's message is followed by exactly its results, in order, before anything else. */
function assertWellFormed(messages: readonly Message[], about: string): void {
  for (const [at, message] of messages.entries()) {
    if (message.role !== "assistant") continue;
    const results = messages.slice(at + 1, at + 1 + message.calls.length);
    const answered = results.map((one) => one.role === "tool" ? one.call : one.role);
    assert.deepEqual(answered, message.calls.map(({ id }) => id), about);
  }
  const tools = messages.filter(({ role }) => role === "tool").length;
  const calls = messages.reduce((sum, one) => sum + (one.role === "assistant" ? one.calls.length : 0), 0);
  assert.equal(tools, calls, about);
}

Deno.test("a turn that is cancelled at any of its events can be gone on with", async () => {
  const script = () =>
    [
      {
        text: "working",
        calls: [
          ["list_dir", { path: "." }],
          ["write_file", { path: "b.txt", content: "b" }],
          ["shell", { command: "echo one" }],
          ["fly", {}],
        ],
      },
      { text: "more", calls: [["shell", { command: "echo two" }]] },
      { text: "done" },
    ] as const;
  let reached = Infinity;
  for (let cancelAt = 1; cancelAt <= reached; cancelAt++) {
    let answered = false;
    const provider = scriptedProvider([]);
    const steps = script();
    await using test = await testPryx({
      provider: {
        ...provider,
        complete(request, options) {
          const asked = request.messages.filter(({ role }) => role === "assistant").length;
          if (answered) assertWellFormed(request.messages, `cancelled at event ${cancelAt}`);
          return scriptedProvider([answered ? { text: "going on" } : steps[asked] ?? { text: "done" }])
            .complete(request, options);
        },
      },
      preset: "workspace",
      allow: ["run=echo one"],
    });
    let events = 0;
    using _listening = test.pryx.listen((event) => {
      if (answered) return;
      if (++events === cancelAt) void test.pryx.cancel(event.session, "Interrupted");
      if (event.type === "approval.requested") {
        const allow = {
          verdict: "allow",
          duration: { kind: "once" },
          scope: "workspace",
          by: "human:test",
        } as const;
        void test.pryx.decide(event.data.approval as ApprovalId, allow);
      }
    });
    const end = await test.run("go", { attended: true });
    if (events < cancelAt) reached = 0;
    answered = true;
    const next = await test.run("go on", { session: end.session });
    assert.equal(next.data.text, "going on", `cancelled at event ${cancelAt}`);
    assert.deepEqual(test.store.openApprovals(), [], `cancelled at event ${cancelAt}`);
  }
});

Deno.test("a session that was cut off after any of its events can be gone on with", async () => {
  const steps = [
    { calls: [["list_dir", { path: "." }], ["write_file", { path: "b.txt", content: "b" }], ["fly", {}]] },
    { text: "more", calls: [["list_dir", { path: ".." }]] },
    { text: "done" },
  ] as const;
  const provider = scriptedProvider([...steps, ...Array.from({ length: 60 }, () => ({ text: "going on" }))]);
  await using test = await testPryx({ provider, preset: "workspace" });
  const { session, seq } = await test.run("go");
  for (let at = 1; at <= seq; at++) {
    const copy = `copy-${at}` as SessionId;
    test.store.fork(session, copy, at);
    const end = await test.run("go on", { session: copy });
    assert.equal(end.data.text, "going on", `cut off after event ${at}`);
    const messages = provider.requests.at(-1)?.messages ?? [];
    assertWellFormed(messages, `cut off after event ${at}`);
    assert.equal(messages.at(-1)?.text, "go on");
    assert.equal(messages.filter(({ text }) => text === "go").length, at > 1 ? 1 : 0);
  }
});
