import assert from "node:assert/strict";
import { join } from "node:path";
import type { AutomationEnd, AutomationRun } from "../../core/automation/automation.ts";
import { runAutomation } from "../../core/automation/run_automation.ts";
import type { FromCell } from "../../core/automation/wire.ts";
import type { Permissions } from "../../core/domain/automation.ts";
import { PryxError } from "../../core/domain/error.ts";
import type { PolicyView } from "../../core/policy/policy.ts";
import { createSandbox } from "../../core/sandbox/create_sandbox.ts";
import type { Cell } from "../../core/sandbox/sandbox.ts";
import { scriptedProvider } from "../support/scripted_provider.ts";
import { type TestPryx, testPryx } from "../support/test_pryx.ts";
import { createFakeCell, DONE, type FakeCell, READY } from "./_fake_cell.ts";

interface Stage extends Omit<TestPryx, "run"> {
  readonly fake: FakeCell;
  run(more?: Partial<AutomationRun> & { permissions?: Permissions; test?: boolean }): Promise<AutomationEnd>;
}

/** The host of an automation over the real core, with a cell that says what the test says. */
async function stage(cell?: () => Promise<Cell>): Promise<Stage> {
  const test = await testPryx({ provider: scriptedProvider([]), preset: "read-only" });
  const fake = createFakeCell();
  const real = createSandbox({ home: test.folder, env: {}, scopes: [test.workspace] });
  return {
    ...test,
    fake,
    run: ({ permissions = {}, test: tests = false, ...more } = {}) =>
      runAutomation({
        graph: {
          file: join(test.workspace, "job.pryx.ts"),
          root: test.workspace,
          entry: "job.pryx.ts",
          modules: [],
          hash: "d".repeat(64),
          permissions,
          test: tests,
        },
        args: [],
        cwd: test.workspace,
        surface: "test",
        attended: false,
        show: () => {},
        input: () => Promise.resolve("body"),
        answers: {},
        signal: new AbortController().signal,
        ...more,
      }, {
        pryx: () => Promise.resolve(test.pryx),
        store: () => Promise.resolve(test.store),
        sandbox: () => Promise.resolve({ ...real, cell: cell ?? (() => Promise.resolve(fake.cell)) }),
        // Nobody is there, so nobody is asked: it is not looked at.
        policy: () => Promise.resolve({} as PolicyView),
        toolNames: () => Promise.resolve([]),
        variable: () => undefined,
        secretMark: (name) => name,
        secret: () => Promise.reject(new Error("there is none")),
        now: () => new Date(),
        recording: () => Promise.resolve(undefined),
      }),
    async [Symbol.asyncDispose]() {
      await real[Symbol.asyncDispose]();
      await test[Symbol.asyncDispose]();
    },
  };
}

/** The stored end of the run. */
function storedEnd(test: Stage, { session }: AutomationEnd) {
  const all = test.events(session, "turn.ended");
  assert.equal(all.length, 1);
  return all[0]?.data;
}

const call = (id: number, method: string, params: unknown): FromCell => ({ t: "call", id, method, params });

Deno.test("runAutomation() ends with what the automation says, and keeps what it printed", async () => {
  await using test = await stage();
  test.fake.say(READY, { t: "say", to: "stdout", text: "a\n" }, { t: "say", to: "stderr", text: "b\n" }, {
    t: "say",
    to: "stdout",
    text: "c\n",
  }, DONE);
  const end = await test.run();
  assert.deepEqual([end.status, end.exitCode, end.error], ["done", 0, undefined]);
  assert.equal(storedEnd(test, end)?.text, "a\nc\n");
  assert.equal(test.fake.killed, true);
});

Deno.test("runAutomation() waits for what the automation asked for and did not await", async () => {
  await using test = await stage();
  test.fake.say(READY, call(1, "state.set", { key: "a", value: "1" }), call(2, "timer", { ms: 20 }), DONE);
  const end = await test.run();
  assert.equal(end.exitCode, 0);
  assert.equal(test.store.automationState(`${test.workspace}\0job.pryx.ts`).get("a"), "1");
  assert.ok(test.fake.told.some((message) => message.t === "reply" && message.id === 2));
});

for (
  const [when, said] of [
    ["before it was ready", []],
    ["before it had run", [READY]],
    ["while a call is under way", [READY, call(1, "timer", { ms: 60_000 })]],
    ["when it had said that it was done and something is still under way", [
      READY,
      call(1, "timer", { ms: 60_000 }),
      DONE,
    ]],
  ] as const
) {
  Deno.test(`runAutomation() fails when the cell dies ${when}`, async () => {
    await using test = await stage();
    test.fake.say(...said);
    const running = test.run();
    if (said.length > 0) await test.fake.hears(({ t }) => t === "load");
    test.fake.die({ code: null, signal: "SIGSEGV" });
    const end = await running;
    assert.deepEqual([end.status, end.exitCode], ["failed", 1]);
    assert.match(end.error?.message ?? "", /The process of job\.pryx\.ts ended \(SIGSEGV\)/);
    assert.equal(storedEnd(test, end)?.status, "failed");
  });
}

Deno.test("runAutomation() ends with its time limit when the cell never answers", async () => {
  for (const said of [[], [READY], [READY, call(1, "timer", { ms: 60_000 }), DONE]]) {
    await using test = await stage();
    test.fake.say(...said);
    const end = await test.run({ limits: { timeoutMs: 30 } });
    assert.deepEqual([end.exitCode, end.error?.code], [124, "timeout"]);
    assert.equal(test.fake.killed, true);
    assert.equal(storedEnd(test, end)?.status, "failed");
  }
});

Deno.test("runAutomation() tells the automation that it is to end, and ends 130 whatever that does", async () => {
  await using test = await stage();
  test.fake.say(READY);
  const stop = new AbortController();
  const running = test.run({ signal: stop.signal });
  await test.fake.hears(({ t }) => t === "load");
  stop.abort(new PryxError("cancelled", "Interrupted by SIGINT"));
  await test.fake.hears(({ t }) => t === "abort");
  test.fake.say({ t: "say", to: "stdout", text: "closing\n" }, DONE);
  const end = await running;
  assert.deepEqual([end.status, end.exitCode], ["cancelled", 130]);
  assert.equal(storedEnd(test, end)?.text, "closing\n");
});

Deno.test("runAutomation() does not begin when it is already to end", async () => {
  await using test = await stage();
  await assert.rejects(test.run({ signal: AbortSignal.abort(new PryxError("cancelled", "No")) }), {
    code: "cancelled",
  });
  assert.deepEqual(test.store.sessions(), []);
});

Deno.test("runAutomation() fails with 6 where there is no cell to run in, and says so in the session", async () => {
  await using test = await stage(() => Promise.reject(new PryxError("sandbox", "No cell here")));
  const end = await test.run();
  assert.deepEqual([end.status, end.exitCode, end.error?.message], ["failed", 6, "No cell here"]);
  assert.equal(storedEnd(test, end)?.error?.code, "sandbox");
});

Deno.test("runAutomation() stops a cell that talks nonsense, and lets it do no more", async () => {
  await using test = await stage();
  test.fake.say(READY, "garbage", call(1, "state.set", { key: "a", value: "1" }));
  const end = await test.run();
  assert.deepEqual([end.status, end.exitCode, end.error?.code], ["failed", 1, "internal"]);
  assert.equal(test.store.automationState(`${test.workspace}\0job.pryx.ts`).get("a"), undefined);
});

Deno.test("what an automation throws is told with its class and its own lines, its code decides the exit code", async () => {
  const thrown = async (error: Extract<FromCell, { t: "failed" }>["error"]) => {
    await using test = await stage();
    test.fake.say(READY, { t: "failed", error });
    const end = await test.run();
    assert.deepEqual(storedEnd(test, end)?.error, end.error);
    return [end.exitCode, end.error?.code, end.error?.message];
  };
  const stack = "TypeError: no\n    at f (job.pryx.ts:3:7)\n    at job.pryx.ts:9:1";
  assert.deepEqual(await thrown({ name: "TypeError", message: "no", stack }), [
    1,
    "tool_failed",
    "job.pryx.ts failed: TypeError: no\n    at f (job.pryx.ts:3:7)\n    at job.pryx.ts:9:1",
  ]);
  assert.deepEqual(await thrown({ name: "PryxError", message: "no", code: "denied" }), [
    3,
    "denied",
    "job.pryx.ts failed: no",
  ]);
  assert.deepEqual((await thrown({ name: "PryxError", message: "no", code: "budget" }))[0], 4);
  assert.deepEqual((await thrown({ name: "PryxError", message: "no", code: "made_up" }))[0], 1);
  assert.deepEqual((await thrown({ name: "Error", message: "no", code: "toString" }))[0], 1);
});

Deno.test("exit() ends a run with its code, whatever else is under way; a need without a person makes a 0 a 3", async () => {
  for (const code of [0, 7]) {
    await using test = await stage();
    test.fake.say(
      READY,
      call(1, "timer", { ms: 60_000 }),
      { t: "say", to: "stdout", text: "last\n" },
      call(2, "exit", { code }),
    );
    const end = await test.run();
    assert.deepEqual([end.status, end.exitCode], ["done", code]);
    assert.equal(storedEnd(test, end)?.text, "last\n");
  }
  for (const [code, expected] of [[0, 3], [7, 7]] as const) {
    await using test = await stage();
    test.fake.say(READY, call(1, "env", { name: "HOME" }));
    const running = test.run({ permissions: { env: ["HOME"] } });
    await test.fake.hears((message) => message.t === "reply" && message.id === 1);
    test.fake.say(call(2, "exit", { code }));
    const end = await running;
    assert.equal(end.exitCode, expected);
    assert.deepEqual(storedEnd(test, end)?.unapproved, ["env=HOME"]);
  }
});

Deno.test("runAutomation() keeps the end of what an automation prints without end", async () => {
  await using test = await stage();
  const line = `${"x".repeat(1023)}\n`;
  for (let n = 0; n < 200; n++) test.fake.say({ t: "say", to: "stdout", text: line });
  test.fake.say(READY, { t: "say", to: "stdout", text: "the end\n" }, DONE);
  const end = await test.run();
  const text = storedEnd(test, end)?.text ?? "";
  assert.ok(text.endsWith("x\nthe end\n"));
  assert.equal(text.length, 64 * 1024);
});

Deno.test("a trigger is delivered when the file has run, and a file that only waits needs pryx serve", async () => {
  const registered = { triggers: [{ kind: "webhook", name: "push" }], tests: [] } as const;
  await using test = await stage();
  test.fake.say(READY, { t: "done", registered });
  const running = test.run({ trigger: { kind: "webhook", name: "push", headers: { "x-a": "b" } } });
  const delivered = await test.fake.hears(({ t }) => t === "call");
  assert.ok(delivered.t === "call");
  assert.deepEqual(delivered.params, {
    kind: "webhook",
    name: "push",
    data: {
      name: "push",
      method: "POST",
      headers: { "content-type": "text/plain", "x-a": "b" },
      query: {},
      body: "body",
    },
  });
  test.fake.say({ t: "reply", id: delivered.id, ok: true, value: { status: 200 } });
  const end = await running;
  assert.deepEqual([end.exitCode, storedEnd(test, end)?.text], [0, '{"status":200}\n']);

  for (
    const [trigger, code] of [[undefined, "needs_serve"], [
      { kind: "webhook", name: "gone" },
      "usage",
    ]] as const
  ) {
    await using other = await stage();
    other.fake.say(READY, { t: "done", registered });
    const failed = await other.run(trigger === undefined ? {} : { trigger });
    assert.deepEqual([failed.exitCode, failed.error?.code], [2, code]);
  }
});
