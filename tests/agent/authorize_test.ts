import assert from "node:assert/strict";
import { join } from "node:path";
import type { ApprovalId, GrantId } from "../../core/domain/id.ts";
import type { ApprovalAnswer, Grant } from "../../core/domain/policy.ts";
import { defineTool } from "../../core/tools/tool.ts";
import { scriptedProvider } from "../support/scripted_provider.ts";
import { testPryx } from "../support/test_pryx.ts";
import { heldTest } from "../support/kernel_layers.ts";

const ALLOW_ONCE: ApprovalAnswer = {
  verdict: "allow",
  duration: { kind: "once" },
  scope: "workspace",
  by: "human:test",
};

const write = (path: string, content = "new\n") => ({ calls: [["write_file", { path, content }]] as const });

Deno.test("an ask without anybody to answer is a denial, and the turn says what would have allowed it", async () => {
  const provider = scriptedProvider([write("a.txt"), { text: "could not" }]);
  await using test = await testPryx({ provider });
  const end = await test.run("go");
  assert.equal(end.data.status, "done");
  assert.deepEqual(end.data.unapproved.length, 1);
  assert.match(end.data.unapproved[0] ?? "", /^write=.*a\.txt$/);
  const [decision] = test.events(end.session, "decision");
  assert.equal(decision?.data.verdict, "ask");
  assert.equal(decision?.data.unapproved, true);
  await assert.rejects(Deno.stat(join(test.workspace, "a.txt")), Deno.errors.NotFound);
  const told = provider.requests[1]?.messages.at(-1);
  assert.match(told?.text ?? "", /Denied/);
});

Deno.test("a rule's denial is told to the model, and is not an ask that nobody answered", async () => {
  const provider = scriptedProvider([write("a.txt"), { text: "ok" }]);
  await using test = await testPryx({ provider, preset: "workspace", deny: ["write=*.txt"] });
  const end = await test.run("go");
  assert.deepEqual(end.data.unapproved, []);
  assert.equal(test.events(end.session, "tool.finished")[0]?.data.status, "denied");
});

Deno.test("a secret file stays closed in every preset, and its content never reaches the model", async () => {
  const provider = scriptedProvider([{ calls: [["read_file", { path: ".env" }]] }, { text: "ok" }]);
  await using test = await testPryx({ provider, preset: "workspace" });
  await Deno.writeTextFile(join(test.workspace, ".env"), "TOKEN=hunter2\n");
  const end = await test.run("go");
  assert.equal(test.events(end.session, "tool.finished")[0]?.data.status, "denied");
  assert.ok(!JSON.stringify(provider.requests).includes("hunter2"));
});

Deno.test("an approval once lets one call through, and the next asks again", async () => {
  const provider = scriptedProvider([write("a.txt"), write("b.txt"), { text: "ok" }]);
  await using test = await testPryx({ provider });
  const answered = answerEach(test, [ALLOW_ONCE, { ...ALLOW_ONCE, verdict: "deny", note: "not that one" }]);
  const end = await test.run("go", { attended: true });
  assert.equal(answered.count, 2);
  assert.equal(await Deno.readTextFile(join(test.workspace, "a.txt")), "new\n");
  await assert.rejects(Deno.stat(join(test.workspace, "b.txt")), Deno.errors.NotFound);
  assert.match(test.events(end.session, "tool.finished")[1]?.data.text ?? "", /not that one/);
  assert.deepEqual(end.data.unapproved, []);
  assert.equal(test.store.grants({ now: new Date().toISOString(), all: true }).length, 0);
});

Deno.test("an approval for the session becomes a grant, and later calls of the same kind do not ask", async () => {
  const provider = scriptedProvider([write("a.txt"), write("a.txt", "newer\n"), { text: "ok" }]);
  await using test = await testPryx({ provider });
  const answered = answerEach(test, [{ ...ALLOW_ONCE, duration: { kind: "session" } }]);
  const end = await test.run("go", { attended: true });
  assert.equal(answered.count, 1);
  assert.equal(await Deno.readTextFile(join(test.workspace, "a.txt")), "newer\n");
  const [decided] = test.events(end.session, "approval.decided");
  assert.ok(decided?.data.grant);
  const [grant] = test.store.grants({ now: new Date().toISOString() });
  assert.equal(grant?.id, decided?.data.grant);
  assert.equal(grant?.uses, 1);
});

heldTest("an answer to what can be answered only once makes no grant for the rest of it either", async () => {
  const run = (command: string) => ({ calls: [["shell", { command }]] as const });
  const provider = scriptedProvider([run("ls; eval ls"), run("ls"), { text: "ok" }]);
  await using test = await testPryx({ provider });
  const session = { ...ALLOW_ONCE, duration: { kind: "session" } } as const;
  const answered = answerEach(test, [session, { ...session, verdict: "deny" }]);
  await test.run("go", { attended: true });
  assert.equal(answered.count, 2);
  assert.equal(test.store.grants({ now: new Date().toISOString(), all: true }).length, 0);
});

Deno.test("the first valid answer wins, and a later one is refused", async () => {
  const provider = scriptedProvider([write("a.txt"), { text: "ok" }]);
  await using test = await testPryx({ provider });
  const asked = test.next("approval.requested");
  const running = test.run("go", { attended: true });
  const id = (await asked).data.approval as ApprovalId;
  assert.equal(await test.pryx.decide(id, ALLOW_ONCE), true);
  assert.equal(await test.pryx.decide(id, { ...ALLOW_ONCE, verdict: "deny" }), false);
  assert.equal((await running).data.status, "done");
  assert.equal(await Deno.readTextFile(join(test.workspace, "a.txt")), "new\n");
});

Deno.test("another process may answer an approval", async () => {
  const provider = scriptedProvider([write("a.txt"), { text: "ok" }]);
  await using test = await testPryx({ provider });
  await using other = await testPryx({ provider: scriptedProvider([]), folder: test.folder });
  const asked = test.next("approval.requested");
  const running = test.run("go", { attended: true });
  const id = (await asked).data.approval as ApprovalId;
  assert.equal(await other.pryx.decide(id, ALLOW_ONCE), true);
  assert.equal((await running).data.status, "done");
  assert.equal(await Deno.readTextFile(join(test.workspace, "a.txt")), "new\n");
});

Deno.test("an approval that nobody answers in time is a denial that is reported", async () => {
  const provider = scriptedProvider([write("a.txt"), { text: "ok" }]);
  await using test = await testPryx({ provider, limits: { approvalTimeoutMs: 30 } });
  const end = await test.run("go");
  assert.equal(test.events(end.session, "approval.decided")[0]?.data.by, "expired");
  assert.equal(end.data.unapproved.length, 1);
});

for (
  const [where, command, cwd] of [["the workspace", "sh job.sh"], [
    "another folder",
    "sh job.sh",
    "sub",
  ]] as const
) {
  Deno.test(`a script in ${where} that changes between approval and run is not run`, async () => {
    const args = { command, ...(cwd ? { cwd } : {}) };
    const provider = scriptedProvider([{ calls: [["shell", args]] }, { text: "ok" }]);
    await using test = await testPryx({ provider });
    const folder = join(test.workspace, cwd ?? ".");
    await Deno.mkdir(folder, { recursive: true });
    const script = join(folder, "job.sh");
    await Deno.writeTextFile(script, "echo harmless\n");
    const listening = test.pryx.listen((event) => {
      if (event.type !== "approval.requested") return;
      Deno.writeTextFileSync(script, "touch stolen\n");
      void test.pryx.decide(event.data.approval as ApprovalId, ALLOW_ONCE);
    });
    const end = await test.run("go", { attended: true });
    listening[Symbol.dispose]();
    const [finished] = test.events(end.session, "tool.finished");
    assert.equal(finished?.data.status, "failed");
    assert.match(finished?.data.text ?? "", /changed after it was approved/);
    await assert.rejects(Deno.stat(join(folder, "stolen")), Deno.errors.NotFound);
  });
}

for (
  const [command, file] of [
    ["npm test", "package.json"],
    ["make all", "Makefile"],
    ["just", "justfile"],
    ["deno task x", "deno.json"],
    ["bash < job.sh", "job.sh"],
    ["source ./job.sh", "job.sh"],
    ["make --file=other.mk", "other.mk"],
    ["make -fother.mk", "other.mk"],
  ] as const
) {
  Deno.test(`${command} is not run when ${file} changes between approval and run`, async () => {
    const { finished } = await changedWhileAsked({ command }, (workspace) => join(workspace, file));
    assert.equal(finished?.status, "failed");
    assert.match(finished?.text ?? "", /changed after it was approved/);
  });
}

Deno.test("a command is not run when its folder becomes a link between approval and run", async () => {
  const outside = await Deno.makeTempDir({ prefix: "pryx-outside-" });
  try {
    for (const args of [{ command: "touch stolen", cwd: "sub" }, { command: "touch x > sub/stolen" }]) {
      const { finished } = await changedWhileAsked(args, async (workspace) => {
        await Deno.mkdir(join(workspace, "sub"));
        return () => {
          Deno.removeSync(join(workspace, "sub"));
          Deno.symlinkSync(outside, join(workspace, "sub"));
        };
      });
      assert.match(finished?.text ?? "", /changed after it was approved/);
      assert.deepEqual([...Deno.readDirSync(outside)], []);
    }
  } finally {
    await Deno.remove(outside, { recursive: true });
  }
});

/** Runs a command that asks; while it does, a file (written before) or what is returned changes. It is then allowed. */
async function changedWhileAsked(
  args: { readonly command: string; readonly cwd?: string },
  prepare: (workspace: string) => string | Promise<() => void>,
) {
  const provider = scriptedProvider([{ calls: [["shell", args]] }, { text: "ok" }]);
  await using test = await testPryx({ provider });
  const prepared = await prepare(test.workspace);
  if (typeof prepared === "string") await Deno.writeTextFile(prepared, "one\n");
  const change = typeof prepared === "string" ? () => Deno.writeTextFileSync(prepared, "two\n") : prepared;
  const listening = test.pryx.listen((event) => {
    if (event.type !== "approval.requested") return;
    change();
    void test.pryx.decide(event.data.approval as ApprovalId, ALLOW_ONCE);
  });
  const end = await test.run("go", { attended: true });
  listening[Symbol.dispose]();
  return { finished: test.events(end.session, "tool.finished")[0]?.data };
}

Deno.test("require() in the middle of a call is decided like any other need", async () => {
  const curious = defineTool({
    name: "curious",
    description: "Wants more than it said",
    parameters: { type: "object", properties: {} },
    needs: () => [],
    title: () => "curious",
    async run(_args, ctx) {
      await ctx.require({ kind: "net", target: "example.org:443" });
      return { text: "got it" };
    },
  });
  const provider = scriptedProvider([{ calls: [["curious", {}]] }, { text: "ok" }]);
  await using test = await testPryx({ provider, tools: [curious] });
  const end = await test.run("go");
  assert.equal(test.events(end.session, "tool.finished")[0]?.data.status, "denied");
  assert.match(end.data.unapproved[0] ?? "", /^net=example\.org/);

  await using allowed = await testPryx({
    provider: scriptedProvider([{ calls: [["curious", {}]] }, { text: "ok" }]),
    tools: [curious],
    allow: ["net=example.org"],
  });
  const other = await allowed.run("go");
  assert.equal(allowed.events(other.session, "tool.finished")[0]?.data.text, "got it");
});

Deno.test("a question waits for a person; without one the call is told so", async () => {
  const ask = { calls: [["ask_user", { question: "Red or blue?", options: ["red", "blue"] }]] as const };
  const provider = scriptedProvider([ask, { text: "ok" }]);
  await using test = await testPryx({ provider });
  const listening = test.pryx.listen((event) => {
    if (event.type === "question.asked") void test.pryx.answer(event.data.question, "blue", "human:test");
  });
  const end = await test.run("go", { attended: true });
  listening[Symbol.dispose]();
  assert.match(test.events(end.session, "tool.finished")[0]?.data.text ?? "", /blue/);

  await using alone = await testPryx({ provider: scriptedProvider([ask, { text: "ok" }]) });
  const unanswered = await alone.run("go");
  assert.match(alone.events(unanswered.session, "tool.finished")[0]?.data.text ?? "", /Nobody is there/);
});

Deno.test("decisions, approvals and grants are in the audit log, which stays verifiable", async () => {
  const provider = scriptedProvider([write("a.txt"), { text: "ok" }]);
  await using test = await testPryx({ provider });
  answerEach(test, [{ ...ALLOW_ONCE, duration: { kind: "forever" } }]);
  const end = await test.run("go", { attended: true });
  const kinds = [...test.store.auditEntries()].map((entry) => entry.kind);
  for (const kind of ["decision", "grant", "approval"]) assert.ok(kinds.includes(kind), kind);
  test.store.deleteSession(end.session);
  assert.equal(test.store.verifyAudit().ok, true);
  assert.equal([...test.store.auditEntries()].length, kinds.length);
});

Deno.test("what came from outside makes later requests to the network ask again, until the session is told otherwise", async () => {
  const outside = defineTool({
    name: "outside",
    description: "Brings content from outside",
    parameters: { type: "object", properties: {} },
    needs: () => [],
    title: () => "outside",
    run: () => Promise.resolve({ text: "a page", taints: "https://example.org/" }),
  });
  const provider = scriptedProvider([
    { calls: [["two", { n: 1 }]] },
    { calls: [["outside", {}]] },
    { calls: [["two", { n: 2 }]] },
    { text: "ok" },
    { calls: [["two", { n: 3 }]] },
    { text: "ok" },
  ]);
  await using test = await testPryx({ provider, tools: [twoNeeds, outside], allow: ["net=*"] });
  const first = await test.run("go");
  // The taint is the session's, not the turn's, and comes back from the store.
  await using again = await testPryx({
    provider,
    tools: [twoNeeds, outside],
    allow: ["net=*"],
    folder: test.folder,
  });
  await again.run("and again", { session: first.session });
  const verdicts = test.events(first.session, "decision").map(({ data }) => data.verdict);
  assert.deepEqual(verdicts, ["allow", "allow", "ask", "ask"]);
});

const twoNeeds = defineTool({
  name: "two",
  description: "Needs two things",
  parameters: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] },
  needs: () => [{ kind: "net", target: "one.example:443" }, { kind: "net", target: "two.example:443" }],
  title: ({ n }) => `two ${n}`,
  run: () => Promise.resolve({ text: "done" }),
});

function limitedGrant(id: string, pattern: string, usesLeft: number): Grant {
  return {
    id: id as GrantId,
    needs: [{ kind: "net", pattern }],
    scope: "host",
    duration: { kind: "forever" },
    usesLeft,
    uses: 0,
    untrusted: false,
    createdAt: new Date().toISOString(),
    by: "human:test",
  };
}

Deno.test("a grant that covers a part of an approved action is used with it", async () => {
  const provider = scriptedProvider([{ calls: [["two", { n: 1 }]] }, { text: "ok" }]);
  await using test = await testPryx({ provider, tools: [twoNeeds] });
  test.store.putGrant(limitedGrant("g1", "one.example", 1));
  const answered = answerEach(test, [ALLOW_ONCE]);
  await test.run("go", { attended: true });
  assert.equal(answered.count, 1);
  assert.deepEqual(test.store.grants({ now: new Date().toISOString() }), []);
});

Deno.test("a grant is counted once a call, and not for a call that the loop guard stops", async () => {
  const call = { calls: [["two", { n: 1 }]] as const };
  const provider = scriptedProvider([call, call, call, { text: "ok" }]);
  await using test = await testPryx({ provider, tools: [twoNeeds] });
  test.store.putGrant(limitedGrant("g1", "one.example", 9));
  test.store.putGrant(limitedGrant("g2", "two.example", 9));
  const { useGrant } = test.store;
  let lost = false;
  // Another process uses up the second grant at the last moment, once.
  test.store.useGrant = (id, now) => id === "g2" && !lost ? !(lost = true) : useGrant(id, now);
  const end = await test.run("go");
  const [g1] = test.store.grants({ now: new Date().toISOString() });
  assert.deepEqual(test.events(end.session, "decision").map(({ data }) => data.verdict), [
    "ask",
    "allow",
    "ask",
  ]);
  assert.equal(g1?.uses, 2);
});

Deno.test("a person's own call that cannot begin is material to the model, not an answer to a call it never made", async () => {
  const broken = defineTool({
    name: "broken",
    description: "Has no title",
    parameters: { type: "object", properties: {} },
    needs: () => [],
    title: () => {
      throw new Error("no title");
    },
    run: () => Promise.resolve({ text: "never" }),
  });
  const provider = scriptedProvider([{ text: "ok" }]);
  await using test = await testPryx({ provider, tools: [broken] });
  const { session } = await test.pryx.callTool({
    ...{ tool: "broken", args: {}, origin: "human", surface: "test", attended: false },
    workspace: test.workspace,
  });
  await test.run("and?", { session });
  const roles = provider.requests[0]?.messages.map(({ role }) => role);
  assert.deepEqual(roles?.filter((role) => role === "tool"), []);
});

/** Answers approvals in order, and counts them. */
function answerEach(test: Awaited<ReturnType<typeof testPryx>>, answers: readonly ApprovalAnswer[]) {
  const state = { count: 0 };
  test.pryx.listen((event) => {
    if (event.type !== "approval.requested") return;
    const answer = answers[state.count++];
    if (answer) void test.pryx.decide(event.data.approval as ApprovalId, answer);
  });
  return state;
}

Deno.test("an approval for the session also releases calls that already wait for the same", async () => {
  const both = {
    calls: [["write_file", { path: "a.txt", content: "1\n" }], ["write_file", {
      path: "a.txt",
      content: "2\n",
    }]] as const,
  };
  await using test = await testPryx({ provider: scriptedProvider([both, { text: "ok" }]) });
  const asked: string[] = [];
  test.pryx.listen((event) => {
    if (event.type !== "approval.requested") return;
    asked.push(event.data.approval);
    if (asked.length === 2) {
      void test.pryx.decide(asked[0] as ApprovalId, { ...ALLOW_ONCE, duration: { kind: "session" } });
    }
  });
  const end = await test.run("go", { attended: true });
  assert.deepEqual(test.events(end.session, "tool.finished").map((one) => one.data.status), ["done", "done"]);
  const decided = test.events(end.session, "approval.decided");
  assert.deepEqual(decided.map((one) => one.data.by).sort(), ["grant", "human:test"]);
  assert.equal(await test.pryx.decide(asked[1] as ApprovalId, ALLOW_ONCE), false);
});

Deno.test("a person's own denied call is told why, without advice to a model", async () => {
  await using test = await testPryx({ provider: scriptedProvider([]) });
  const outcome = await test.pryx.callTool({
    tool: "write_file",
    args: { path: "a.txt", content: "x" },
    origin: "human",
    workspace: test.workspace,
    surface: "test",
    attended: false,
  });
  assert.equal(outcome.status, "denied");
  assert.ok(!outcome.text.includes("Go on without it"), outcome.text);
  assert.match(outcome.unapproved[0] ?? "", /^write=/);
});

heldTest("a command that names a closed file asks, although a rule allows the command", async () => {
  const shell = (command: string) => ({ calls: [["shell", { command }]] as const });
  const provider = scriptedProvider([
    shell("cat .env"),
    shell("cat notes.txt"),
    shell("echo .env"),
    shell("grep --file=.env notes.txt"),
    { text: "ok" },
  ]);
  await using test = await testPryx({ provider, allow: ["run=cat", "run=echo", "run=grep"] });
  await Deno.writeTextFile(join(test.workspace, ".env"), "TOKEN=hunter2\n");
  await Deno.writeTextFile(join(test.workspace, "notes.txt"), "hello\n");
  const end = await test.run("go");
  assert.deepEqual(
    test.events(end.session, "tool.finished").map((one) => one.data.status),
    ["denied", "done", "done", "denied"],
  );
  assert.match(end.data.personOnly?.[0] ?? "", /cat \.env.*it names \.env/);
  assert.match(end.data.personOnly?.[1] ?? "", /grep .*it names --file=\.env/);
  assert.ok(!JSON.stringify(provider.requests).includes("hunter2"));
});
