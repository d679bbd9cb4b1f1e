import assert from "node:assert/strict";
import { join } from "node:path";
import type { ProgramRequest, ProgramTurn } from "../../core/api.ts";
import type { NeedKind } from "../../core/domain/need.ts";
import { PROGRAM_TOOLS } from "../../core/builtins.ts";
import type { PryxError } from "../../core/domain/error.ts";
import { type GrantId, newId } from "../../core/domain/id.ts";
import type { Grant } from "../../core/domain/policy.ts";
import { foldSession } from "../../core/domain/session.ts";
import { defineTool } from "../../core/tools/tool.ts";
import { scriptedProvider } from "../support/scripted_provider.ts";
import { type TestPryx, testPryx, type TestPryxOptions } from "../support/test_pryx.ts";

const GRAPH = "b".repeat(64);

async function open(
  options: Partial<TestPryxOptions>,
  permissions: Partial<Record<NeedKind, readonly string[]>>,
  more: Partial<ProgramRequest> = {},
): Promise<TestPryx & { turn: ProgramTurn }> {
  const test = await testPryx({ provider: scriptedProvider([]), ...options });
  const needs = Object.entries(permissions).flatMap(([kind, patterns]) =>
    patterns.map((pattern) => ({ kind: kind as NeedKind, pattern }))
  );
  const turn = await test.pryx.openTurn({
    graph: {
      file: join(test.workspace, "job.pryx.ts"),
      root: test.workspace,
      entry: "job.pryx.ts",
      modules: [],
      hash: GRAPH,
      permissions,
      test: false,
    },
    args: ["--dry-run"],
    mandate: { automation: "job.pryx.ts", graph: GRAPH, needs },
    workspace: test.workspace,
    surface: "test",
    attended: false,
    ...more,
  });
  return Object.assign(test, { turn });
}

Deno.test("openTurn() runs calls under policy and within the mandate, and records all of it as one turn", async () => {
  await using test = await open({ preset: "workspace" }, { read: ["in"], write: ["out"] });
  const { turn, workspace } = test;
  await Deno.mkdir(join(workspace, "in"));
  await Deno.writeTextFile(join(workspace, "in/a.txt"), "hello\n");
  const read = await turn.call({ tool: "read_file", args: { path: "in/a.txt" } });
  assert.equal(read.status, "done");
  const wrote = await turn.call({ tool: "write_file", args: { path: "out/b.txt", content: "x" } });
  assert.equal(wrote.status, "done");
  const denied = await turn.call({ tool: "write_file", args: { path: "c.txt", content: "x" } });
  assert.equal(denied.status, "denied");
  assert.match(denied.text, /job\.pryx\.ts does not declare it in its permissions/);
  assert.doesNotMatch(denied.text, /go on without it/);
  await turn.end({ status: "done", text: "printed" });

  const state = foldSession(turn.session, test.store.events(turn.session));
  assert.equal(state.turns, 1);
  assert.equal(state.title, "job.pryx.ts --dry-run");
  assert.equal(state.lastTurn?.end.status, "done");
  assert.equal(state.lastTurn?.end.text, "printed");
  const [started] = test.events(turn.session, "turn.started");
  assert.equal(started?.data.automation?.graph, GRAPH);
  assert.equal(test.events(turn.session, "input")[0]?.data.principal, "automation:job.pryx.ts");
  assert.deepEqual(test.events(turn.session, "tool.finished").map(({ data }) => data.status), [
    "done",
    "done",
    "denied",
  ]);
});

Deno.test("openTurn() gathers the needs that nobody could approve", async () => {
  await using test = await open({}, { write: ["."], use: ["agent"] });
  const asked = await test.turn.call({ tool: "write_file", args: { path: "a.txt", content: "x" } });
  assert.equal(asked.status, "denied");
  const agent = await test.turn.call({ tool: "require", args: { need: "use=agent" } });
  assert.equal(agent.status, "denied");
  await test.turn.end({
    status: "done",
    text: "",
    unanswered: { unapproved: ["net=example.org"], personOnly: [] },
  });
  const [end] = test.events(test.turn.session, "turn.ended");
  assert.deepEqual(end?.data.unapproved, ["write=.", "use=agent", "net=example.org"]);
});

Deno.test("openTurn() runs calls side by side, and stops what still runs at its end", async () => {
  await using test = await open({ preset: "dangerously-full" }, { run: ["*"], read: ["."] });
  const slow = test.turn.call({ tool: "shell", args: { command: "sleep 60" } });
  const quick = await test.turn.call({ tool: "shell", args: { command: "echo hi" } });
  assert.equal(quick.text, "hi");
  const began = performance.now();
  await test.turn.end({ status: "done", text: "" });
  assert.equal((await slow).status, "cancelled");
  assert.ok(performance.now() - began < 20_000);
  // Events of the call stand before the turn's end.
  const types = [...test.store.events(test.turn.session)].map(({ type }) => type);
  assert.equal(types.at(-1), "turn.ended");
});

Deno.test("openTurn() ends with its time limit", async () => {
  await using test = await open({ preset: "dangerously-full", limits: { timeoutMs: 50 } }, { run: ["*"] });
  const outcome = await test.turn.call({ tool: "shell", args: { command: "sleep 60" } });
  assert.equal(outcome.status, "cancelled");
  assert.equal((test.turn.signal.reason as PryxError).code, "timeout");
  await test.turn.end({ status: "failed", text: "" });
});

Deno.test("openTurn() is cancelled like any other turn", async () => {
  await using test = await open({ preset: "dangerously-full" }, { run: ["*"] });
  const call = test.turn.call({ tool: "shell", args: { command: "sleep 60" } });
  const cancelled = test.pryx.cancel(test.turn.session, "Enough");
  assert.equal((await call).status, "cancelled");
  await test.turn.end({ status: "cancelled", text: "" });
  await cancelled;
});

Deno.test("openTurn() does not hold pryx up when nobody ends the turn", async () => {
  const test = await open({}, {});
  const { store, turn } = test;
  const read = () => [...store.events(turn.session)].at(-1);
  const ended = test.next("turn.ended");
  await test[Symbol.asyncDispose]();
  assert.equal((await ended).data.status, "interrupted");
  assert.throws(read);
});

Deno.test("a program's turn that is disposed of before its end was interrupted", async () => {
  await using test = await open({}, {});
  await test.turn[Symbol.asyncDispose]();
  assert.equal(test.events(test.turn.session, "turn.ended")[0]?.data.status, "interrupted");
  // The session is free again.
  using _lease = test.store.lease(test.turn.session);
});

Deno.test("a program's own code is not held back by what it fetched; an agent that it asks is", async () => {
  await using test = await testPryx({ provider: scriptedProvider([{ text: "ok" }]), preset: "workspace" });
  const end = await test.run("summarise", { taints: ["https://evil.example/"] });
  assert.deepEqual(
    foldSession(end.session, test.store.events(end.session)).taint.map(({ source }) => source),
    [
      "https://evil.example/",
    ],
  );
});

Deno.test("submit() holds an agent to the mandate of the automation that asks", async () => {
  const provider = scriptedProvider([
    {
      calls: [["write_file", { path: "a.txt", content: "x" }], ["read_file", { path: "in.txt" }]],
    },
    { text: "done" },
  ]);
  await using test = await testPryx({ provider, preset: "dangerously-full" });
  await Deno.writeTextFile(join(test.workspace, "in.txt"), "hello");
  const mandate = {
    automation: "job.pryx.ts",
    graph: GRAPH,
    needs: [{ kind: "read", pattern: "." }],
  } as const;
  const end = await test.run("write it", { mandate });
  const outcomes = test.events(end.session, "tool.finished").map(({ data }) => [data.name, data.status]);
  assert.deepEqual(outcomes.sort(), [["read_file", "done"], ["write_file", "denied"]]);
});

Deno.test("submit() gives the agent the caller's functions, with checked arguments, and only the tools that were named", async () => {
  const provider = scriptedProvider([
    {
      calls: [["add", { a: 1, b: "x" }], ["add", { a: 1, b: 2 }], ["shell", { command: "id" }]],
    },
    { text: "3" },
  ]);
  await using test = await testPryx({ provider, preset: "dangerously-full" });
  const seen: unknown[] = [];
  const number = { type: "number" } as const;
  const end = await test.run("add", {
    tools: ["read_file"],
    functions: [{
      name: "add",
      description: "Adds",
      parameters: { type: "object", properties: { a: number, b: number }, required: ["a", "b"] },
      call: (args) => {
        seen.push(args);
        return Promise.resolve("3");
      },
    }],
  });
  assert.equal(end.data.status, "done");
  assert.deepEqual(seen, [{ a: 1, b: 2 }]);
  const outcomes = test.events(end.session, "tool.finished").map(({ data }) => [data.name, data.status]);
  assert.deepEqual(outcomes.sort(), [["add", "done"], ["add", "failed"], ["shell", "failed"]]);
});

Deno.test("a program's turn ends once, and nothing of it comes behind its end", async () => {
  await using test = await open({ preset: "dangerously-full" }, { run: ["*"] });
  const { turn } = test;
  const live: string[] = [];
  using _listening = test.pryx.listen(({ type }) => void live.push(type));
  const slow = turn.call({ tool: "shell", args: { command: "sleep 60" } });
  const first = turn.end({ status: "done", text: "the first" });
  turn.say("stdout", "late");
  turn.log("info", "late");
  turn.progress({ label: "late" });
  await assert.rejects(turn.call({ tool: "read_file", args: { path: "a" } }), { code: "cancelled" });
  await assert.rejects(turn.ask("Late?"), { code: "cancelled" });
  await turn.end({ status: "failed", text: "the second" });
  // Whoever ends it once more waits as long.
  const [end, ...more] = test.events(turn.session, "turn.ended");
  assert.equal(end?.data.text, "the first");
  assert.deepEqual(more, []);
  await first;
  await slow;
  assert.equal([...test.store.events(turn.session)].at(-1)?.type, "turn.ended");
  assert.deepEqual(live.filter((type) => ["output", "log", "progress"].includes(type)), []);
});

Deno.test("a program's turn names each source of what came in once", async () => {
  const tainted = defineTool({
    name: "tainted",
    description: "Brings something in",
    parameters: { type: "object", properties: {} },
    needs: () => [],
    title: () => "tainted",
    run: () => Promise.resolve({ text: "", taints: "https://a.example/" }),
  });
  await using test = await open({ tools: [tainted] }, {});
  for (let count = 0; count < 3; count++) await test.turn.call({ tool: "tainted", args: {} });
  assert.deepEqual(test.turn.taints(), ["https://a.example/"]);
  await test.turn.end({ status: "done", text: "" });
});

Deno.test("what was granted to one automation holds for no other code, and for no agent that another asks", async () => {
  const granted: Grant = {
    id: newId<GrantId>(),
    needs: [{ kind: "write", pattern: "." }],
    scope: "workspace",
    duration: { kind: "forever" },
    uses: 0,
    untrusted: false,
    graph: GRAPH,
    automation: "job.pryx.ts",
    createdAt: "2026-01-01T00:00:00.000Z",
    by: "human:test",
  };
  const args = { path: "a.txt", content: "x" };
  await using test = await open({}, { write: ["."] });
  test.store.putGrant({ ...granted, workspace: test.workspace });
  assert.equal((await test.turn.call({ tool: "write_file", args })).status, "done");
  await test.turn.end({ status: "done", text: "" });

  const other = { automation: "job.pryx.ts", graph: "f".repeat(64), needs: granted.needs };
  await using turn = await test.pryx.openTurn({
    graph: {
      file: join(test.workspace, "job.pryx.ts"),
      root: test.workspace,
      entry: "job.pryx.ts",
      modules: [],
      hash: other.graph,
      permissions: {},
      test: false,
    },
    args: [],
    mandate: other,
    workspace: test.workspace,
    surface: "test",
    attended: false,
  });
  assert.equal((await turn.call({ tool: "write_file", args })).status, "denied");
  await turn.end({ status: "done", text: "" });

  const byHand = await test.pryx.callTool({
    tool: "write_file",
    args,
    origin: "human",
    workspace: test.workspace,
    surface: "test",
    attended: false,
  });
  assert.equal(byHand.status, "denied");
});

Deno.test("taint does not hold back a program's own code, which was there before", async () => {
  const tainted = defineTool({
    name: "tainted",
    description: "Brings something in",
    parameters: { type: "object", properties: {} },
    needs: () => [],
    title: () => "tainted",
    run: () => Promise.resolve({ text: "", taints: "https://a.example/" }),
  });
  await using test = await open({ tools: [tainted], allow: ["net=*"] }, { net: ["*"] });
  await test.turn.call({ tool: "tainted", args: {} });
  assert.equal((await test.turn.call({ tool: "require", args: { need: "net=b.example" } })).status, "done");
  await test.turn.end({ status: "done", text: "" });
});

Deno.test("submit() gives no agent the tools that only programs have", async () => {
  const provider = scriptedProvider([{ calls: [["require", { need: "use=agent" }]] }, { text: "ok" }]);
  await using test = await testPryx({ provider, preset: "dangerously-full" });
  const end = await test.run("go");
  const offered = provider.requests[0]?.tools.map(({ name }) => name) ?? [];
  assert.ok(offered.includes("read_file"));
  for (const { name } of PROGRAM_TOOLS) assert.ok(!offered.includes(name), name);
  assert.match(test.events(end.session, "tool.finished")[0]?.data.text ?? "", /There is no tool "require"/);
});

Deno.test("submit() puts a function of the caller in the place of a tool of its name", async () => {
  const provider = scriptedProvider([{ calls: [["fetch", {}]] }, { text: "ok" }]);
  await using test = await testPryx({ provider, preset: "dangerously-full" });
  const end = await test.run("go", {
    functions: [{
      name: "fetch",
      description: "Fetches from the caller's own store",
      parameters: { type: "object", properties: {} },
      call: () => Promise.resolve("from the store"),
    }],
  });
  assert.equal(provider.requests[0]?.tools.filter(({ name }) => name === "fetch").length, 1);
  assert.equal(test.events(end.session, "tool.finished")[0]?.data.text, "from the store");
});
