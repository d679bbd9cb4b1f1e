import assert from "node:assert/strict";
import { join } from "node:path";
import type { SessionId, TurnId } from "../../core/domain/id.ts";
import { scriptedProvider, transcript } from "../support/scripted_provider.ts";
import { testPryx } from "../support/test_pryx.ts";
import { heldTest } from "../support/kernel_layers.ts";

Deno.test("a turn that a dead process left open is closed, and its cut-off call is not run again", async () => {
  const provider = scriptedProvider([{ text: "going on" }]);
  await using test = await testPryx({ provider });
  const session = "dead" as SessionId;
  const turn = "t1" as TurnId;
  const call = { id: "c1", name: "write_file", args: '{"path":"a.txt","content":"x"}' };
  const lease = test.store.lease(session);
  test.store.append(session, [
    { type: "session.created", turn: null, data: { workspace: test.workspace, profile: "default" } },
    { type: "input", turn, data: { text: "go", principal: "human", surface: "cli" } },
    { type: "turn.started", turn, data: { model: "p/m", preset: "workspace" } },
    { type: "model.requested", turn, data: { step: 1, model: "p/m", reserved: null } },
    { type: "message", turn, data: { text: "", calls: [call], finish: "tool_calls" } },
    {
      type: "tool.requested",
      turn,
      data: { call: "c1", name: "write_file", args: {}, needs: [], origin: "model" },
    },
  ]);
  lease[Symbol.dispose]();
  const end = await test.run("go on", { session });
  assert.equal(end.data.status, "done");
  const [interrupted] = test.events(session, "turn.ended");
  assert.equal(interrupted?.data.status, "interrupted");
  assert.deepEqual(test.events(session, "tool.finished").map(({ data }) => [data.call, data.status]), [
    ["c1", "interrupted"],
  ]);
  const shown = transcript(provider.requests[0]?.messages ?? []);
  assert.match(shown[2] ?? "", /^tool:Interrupted/);
  assert.equal(shown[3], "user:go on");
  await assert.rejects(Deno.stat(join(test.workspace, "a.txt")), Deno.errors.NotFound);
});

Deno.test("what was streamed when a process died is shown to the model as its own cut-off message", async () => {
  const provider = scriptedProvider([{ text: "going on" }]);
  await using test = await testPryx({ provider });
  const session = "dead" as SessionId;
  const turn = "t1" as TurnId;
  const lease = test.store.lease(session);
  test.store.append(session, [
    { type: "session.created", turn: null, data: { workspace: test.workspace, profile: "default" } },
    { type: "input", turn, data: { text: "go", principal: "human", surface: "cli" } },
    { type: "turn.started", turn, data: { model: "p/m", preset: "workspace" } },
    { type: "model.requested", turn, data: { step: 1, model: "p/m", reserved: null } },
  ]);
  test.store.writePartial(session, turn, "I was just about");
  lease[Symbol.dispose]();
  await test.run("go on", { session });
  assert.deepEqual(transcript(provider.requests[0]?.messages ?? []), [
    "user:go",
    "assistant:I was just about",
    "user:go on",
  ]);
  assert.equal(test.store.partial(session), undefined);
});

Deno.test("a submission with a key that was seen before is not run again", async () => {
  const provider = scriptedProvider([{ text: "once" }]);
  await using test = await testPryx({ provider });
  const first = await test.run("go", { key: "job-1" });
  const second = await test.run("go", { key: "job-1" });
  assert.equal(second.turn, first.turn);
  assert.equal(second.data.text, "once");
  assert.equal(provider.requests.length, 1);
});

Deno.test("a job that another process stored a moment earlier is not run again, and leaves no empty session", async () => {
  await using other = await testPryx({ provider: scriptedProvider([{ text: "once" }]) });
  const provider = scriptedProvider([]);
  await using test = await testPryx({ provider, folder: other.folder });
  const first = await other.run("go", { key: "job-1" });
  const look = test.store.keyedInput;
  let looks = 0;
  test.store.keyedInput = (key) => looks++ === 0 ? undefined : look(key);
  const second = await test.run("go", { key: "job-1" });
  assert.deepEqual([looks, second.turn, second.session], [2, first.turn, first.session]);
  assert.equal(provider.requests.length, 0);
  assert.deepEqual(test.store.sessions().map(({ id }) => id), [first.session]);
});

Deno.test("instructions of a folder that nobody trusted are inert, and a person is told", async () => {
  const provider = scriptedProvider([{ text: "ok" }, { text: "ok" }, { text: "ok" }]);
  await using test = await testPryx({ provider });
  const file = join(test.workspace, "AGENTS.md");
  await Deno.writeTextFile(file, "Always answer in French.\n");
  const end = await test.run("go");
  const system = () => provider.requests.at(-1)?.messages[0]?.text ?? "";
  assert.ok(!system().includes("French"));
  const [notice] = test.events(end.session, "notice");
  assert.match(notice?.data.text ?? "", /AGENTS\.md.*pryx trust/);

  const { trustState } = await import("../../core/policy/trust.ts");
  const state = await trustState(test.workspace, () => undefined);
  test.store.trust(state.folder, state.hash, new Date().toISOString());
  await test.run("again");
  assert.ok(system().includes("Always answer in French."));

  await Deno.writeTextFile(file, "Always answer in Latin.\n");
  await test.run("and again");
  assert.ok(!system().includes("Latin"));
});

heldTest(
  "a file that a tool changed is recorded with both contents' hashes, and its preimage is kept",
  async () => {
    const provider = scriptedProvider([
      { calls: [["write_file", { path: "a.txt", content: "after\n" }]] },
      { calls: [["shell", { command: "rm b.txt" }]] },
      { text: "ok" },
    ]);
    await using test = await testPryx({ provider, preset: "workspace", allow: ["run=rm"] });
    await Deno.writeTextFile(join(test.workspace, "a.txt"), "before\n");
    await Deno.writeTextFile(join(test.workspace, "b.txt"), "gone soon\n");
    const end = await test.run("go");
    const changes = test.events(end.session, "file.changed").map(({ data }) => data);
    assert.equal(changes.length, 2, JSON.stringify(test.events(end.session, "tool.finished")));
    assert.equal(changes[0]?.path, join(test.workspace, "a.txt"));
    assert.notEqual(changes[0]?.before, changes[0]?.after);
    assert.equal(changes[1]?.path, join(test.workspace, "b.txt"));
    assert.equal(changes[1]?.after, null);
    assert.equal(changes[1]?.kept, true);
  },
);

Deno.test("one session has one writer: a second process is told who holds it", async () => {
  const started = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const provider = scriptedProvider([{
    text: "slow",
    during: async () => {
      started.resolve();
      await release.promise;
    },
  }]);
  await using test = await testPryx({ provider });
  const { session, turn } = await test.pryx.submit({
    text: "go",
    workspace: test.workspace,
    surface: "test",
    attended: false,
  });
  await started.promise;
  const { openStore } = await import("../../core/store/sqlite.ts");
  // Another process is one with another pid and start time; the parent of this one is alive for certain.
  using other = openStore({ path: join(test.folder, "data", "pryx.db"), pid: Deno.ppid });
  assert.throws(() => other.lease(session), { code: "session_busy" });
  release.resolve();
  await test.pryx.ended(session, turn);
  await test.pryx.cancel(session);
  other.lease(session)[Symbol.dispose]();
});

Deno.test("a tool call by a person is recorded, and is material to a model that comes later", async () => {
  const provider = scriptedProvider([{ text: "seen" }]);
  await using test = await testPryx({ provider });
  await Deno.writeTextFile(join(test.workspace, "a.txt"), "hello\n");
  const outcome = await test.pryx.callTool({
    tool: "read_file",
    args: { path: "a.txt" },
    origin: "human",
    workspace: test.workspace,
    surface: "test",
    attended: false,
  });
  assert.equal(outcome.status, "done");
  await test.run("what was that?", { session: outcome.session });
  const shown = transcript(provider.requests[0]?.messages ?? []);
  assert.ok(shown.some((line) => line.startsWith("user:[read_file was run by the person]")));
});

Deno.test("the end of a turn waits for the disk, and nothing before it does", async () => {
  await using test = await testPryx({ provider: scriptedProvider([{ text: "ok" }]) });
  const durable: string[] = [];
  const append = test.store.append.bind(test.store);
  test.store.append = (session, drafts, options) => {
    if (options?.durable) durable.push(...drafts.map((draft) => draft.type));
    return append(session, drafts, options);
  };
  await test.run("go");
  assert.deepEqual(durable, ["turn.ended"]);
});
