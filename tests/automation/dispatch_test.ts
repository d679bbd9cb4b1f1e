import assert from "node:assert/strict";
import { join } from "node:path";
import type { ProgramTurn } from "../../core/api.ts";
import type { AgentDesk } from "../../core/automation/_ask.ts";
import { METHOD_SCHEMAS } from "../../core/automation/_method_schemas.ts";
import { createQuestions } from "../../core/automation/_questions.ts";
import { createDispatch } from "../../core/automation/dispatch.ts";
import type { MethodName } from "../../core/automation/methods.ts";
import { PryxError } from "../../core/domain/error.ts";
import { NO_USAGE } from "../../core/domain/message.ts";
import type { Need } from "../../core/domain/need.ts";
import { createSandbox } from "../../core/sandbox/create_sandbox.ts";
import { scriptedProvider } from "../support/scripted_provider.ts";
import { type TestPryx, testPryx, type TestPryxOptions } from "../support/test_pryx.ts";

interface Desk extends TestPryx {
  readonly turn: ProgramTurn;
  readonly asked: unknown[];
  readonly exits: number[];
  /** What was shown as printed. */
  readonly said: readonly string[];
  readonly events: TestPryx["events"];
  /** Calls a method as a cell would. */
  ask(
    method: string,
    params: unknown,
    more?: { signal?: AbortSignal; event?: (value: unknown) => void },
  ): Promise<unknown>;
}

/** Every method over a real turn, real tools and a real store; the agent answers with what it was asked. */
async function desk(
  declared: readonly string[],
  options: Partial<TestPryxOptions> = {},
): Promise<Desk> {
  const test = await testPryx({ provider: scriptedProvider([]), preset: "dangerously-full", ...options });
  const needs = declared.map((text) => {
    const [kind = "", pattern = ""] = text.split("=");
    return { kind: kind as Need["kind"], pattern };
  });
  const turn = await test.pryx.openTurn({
    graph: {
      file: join(test.workspace, "job.pryx.ts"),
      root: test.workspace,
      entry: "job.pryx.ts",
      modules: [],
      hash: "c".repeat(64),
      permissions: {},
      test: false,
    },
    args: [],
    mandate: { automation: "job.pryx.ts", graph: "c".repeat(64), needs },
    workspace: test.workspace,
    surface: "test",
    attended: false,
  });
  const sandbox = createSandbox({ home: test.folder, env: {}, scopes: [test.workspace] });
  const asked: unknown[] = [];
  const exits: number[] = [];
  const said: string[] = [];
  const agent: AgentDesk = {
    ask: (params) => {
      asked.push(params);
      return Promise.resolve({ text: "answer", session: "s", cost: 0, usage: { input: 1, output: 2 } });
    },
    spent: { usage: NO_USAGE, cost: 0 },
    unanswered: { unapproved: [], personOnly: [] },
  };
  const dispatch = createDispatch({
    turn,
    agent,
    questions: createQuestions(turn, { given: "yes" }),
    say(to, text) {
      said.push(`${to}: ${text}`);
      turn.say(to, text);
    },
    state: test.store.automationState("test"),
    sandbox,
    workspace: test.workspace,
    toolNames: () => Promise.resolve(["read_file"]),
    input: () => Promise.resolve("piped in"),
    variable: (name) => name === "SET" ? "value" : undefined,
    secretMark: (name) => `mark of ${name}`,
    secret: (name) =>
      name === "hook" ? Promise.resolve("key") : Promise.reject(new PryxError("secret_missing", "No")),
    exit: (code) => void exits.push(code),
  });
  return {
    ...test,
    turn,
    asked,
    exits,
    said,
    ask: (method, params, { signal = new AbortController().signal, event = () => {} } = {}) =>
      dispatch({ method, params, signal, event }),
    async [Symbol.asyncDispose]() {
      await turn.end({ status: "done", text: "" });
      await sandbox[Symbol.asyncDispose]();
      await test[Symbol.asyncDispose]();
    },
  };
}

/** What each method must not be given. A method that is missing here fails the test. */
const WRONG: Readonly<Record<MethodName, readonly unknown[]>> = {
  tool: [null, {}, { name: "sh" }, { name: "", args: {} }, { name: "sh", args: [] }, {
    name: "sh",
    args: {},
    show: 1,
  }, {
    name: "sh",
    args: {},
    origin: "human",
  }],
  tools: ["all", 1],
  ask: [
    null,
    {},
    { prompt: "" },
    { prompt: 1 },
    { prompt: "x", budget: -1 },
    { prompt: "x", budget: "1" },
    {
      prompt: "x",
      preset: "dangerously-full",
    },
    { prompt: "x", maxTurns: 0 },
    { prompt: "x", timeoutMs: 1.5 },
    { prompt: "x", tools: "read_file" },
    {
      prompt: "x",
      functions: [{ name: "f" }],
    },
    { prompt: "x", mandate: {} },
    { prompt: "x", attended: true },
  ],
  "state.get": [null, {}, { key: 1 }, { key: "a", owner: "another" }],
  "state.set": [null, { key: "a" }, { key: "a", value: {} }],
  "state.delete": [null, { key: null }],
  "state.keys": [null, {}, { prefix: 1 }],
  "state.swap": [{ key: "a", value: "b" }, { key: "a", before: 1, value: "b" }],
  question: [null, { name: "a", kind: "password", text: "?" }, { name: "", kind: "confirm", text: "?" }, {
    name: "a",
    kind: "select",
    text: "?",
    choices: [1],
  }],
  progress: ["x", { done: 1 }, { label: "x", done: "1" }],
  markdown: [null, { text: 1 }],
  log: [null, { level: "fatal", text: "x" }, { level: "info" }],
  secret: [null, {}, { name: "" }],
  hmac: [{ name: "hook", text: "x" }, { name: "hook", text: "x", algorithm: "MD5" }],
  env: [null, { name: "" }],
  stdin: [1],
  temp: [null, { prefix: "../up" }, { prefix: "a b" }, { prefix: "x".repeat(41) }],
  watch: [null, {}],
  "mcp.tools": [null, { server: "" }],
  "mcp.call": [{ server: "a", tool: "b" }, { server: "a", tool: "b", args: 1 }],
  "channel.send": [{ channel: "a" }, { channel: "", text: "x" }],
  timer: [null, { ms: -1 }, { ms: "1" }],
  exit: [null, { code: -1 }, { code: 256 }, { code: 0.5 }, { code: "0" }],
};

Deno.test("createDispatch() refuses wrong parameters of every method, and says what is wrong with them", async () => {
  await using test = await desk([]);
  assert.deepEqual(Object.keys(WRONG).sort(), Object.keys(METHOD_SCHEMAS).sort());
  for (const [method, wrong] of Object.entries(WRONG)) {
    for (const params of wrong) {
      await assert.rejects(test.ask(method, params), (error) => {
        assert.ok(error instanceof PryxError, `${method} ${JSON.stringify(params)}`);
        assert.equal(error.code, "input_invalid", `${method} ${JSON.stringify(params)}: ${error.message}`);
        assert.ok(error.message.startsWith(`${method}: `), error.message);
        return true;
      }, `${method} took ${JSON.stringify(params)}`);
    }
  }
  assert.deepEqual([test.asked, test.exits], [[], []]);
});

Deno.test("createDispatch() knows no method but its own", async () => {
  await using test = await desk([]);
  for (const method of ["", "boom", "toString", "__proto__", "constructor", "hasOwnProperty", "tool "]) {
    await assert.rejects(test.ask(method, null), {
      code: "input_invalid",
      message: `There is no method "${method}"`,
    });
  }
});

Deno.test("createDispatch() runs tools within the manifest, and says which line is missing in it", async () => {
  await using test = await desk(["write=out", "run=echo"]);
  const wrote = await test.ask("tool", { name: "fs_write", args: { path: "out/a.txt", text: "x" } }).catch((
    error,
  ) => error);
  assert.ok(!(wrote instanceof Error), String(wrote));
  await assert.rejects(
    test.ask("tool", { name: "fs_write", args: { path: "b.txt", text: "x" } }),
    { code: "denied", message: /job\.pryx\.ts does not declare it in its permissions/ },
  );
  await assert.rejects(test.ask("tool", { name: "no_such_tool", args: {} }), /no_such_tool/);
  const pieces: unknown[] = [];
  const ran = await test.ask("tool", { name: "sh", args: { command: "echo hi" }, stream: true }, {
    event: (piece) => void pieces.push(piece),
  }) as { exitCode: number };
  assert.equal(ran.exitCode, 0);
  assert.deepEqual(pieces, [{ stream: "stdout", text: "hi\n" }]);
});

Deno.test("a call that nobody waits for any more stops its command", async () => {
  await using test = await desk(["run=sleep"]);
  const stop = new AbortController();
  const running = test.ask("tool", { name: "sh", args: { command: "sleep 60" } }, { signal: stop.signal });
  await test.next("tool.requested");
  stop.abort(new PryxError("cancelled", "Nobody waits for it any more"));
  await assert.rejects(running, { code: "cancelled" });
});

Deno.test("what is no tool's is decided by its need: secrets, their signatures, variables", async () => {
  await using test = await desk(["use=secret/hook", "env=SET"]);
  assert.equal(await test.ask("secret", { name: "hook" }), "mark of hook");
  await assert.rejects(test.ask("secret", { name: "other" }), { code: "denied" });
  const message = { text: "what do ya want for nothing?", algorithm: "SHA-256" };
  assert.match(String(await test.ask("hmac", { name: "hook", ...message })), /^[0-9a-f]{64}$/);
  await assert.rejects(test.ask("hmac", { name: "other", ...message }), { code: "denied" });
  assert.equal(await test.ask("env", { name: "SET" }), "value");
  await assert.rejects(test.ask("env", { name: "HOME" }), { code: "denied" });
});

Deno.test("a need that policy would ask about is denied without a person, and the flag that allows it is named", async () => {
  await using test = await desk(["env=SET", "use=agent"], { preset: "read-only" });
  await assert.rejects(test.ask("env", { name: "SET" }), {
    code: "denied",
    fix: "allow it with: --allow env=SET",
  });
  assert.deepEqual(test.turn.unanswered().unapproved, ["env=SET"]);
});

Deno.test("state is kept text by key, and swapped only where it is as it was", async () => {
  await using test = await desk([]);
  assert.equal(await test.ask("state.get", { key: "a" }), null);
  assert.equal(await test.ask("state.swap", { key: "a", before: null, value: "1" }), true);
  assert.equal(await test.ask("state.swap", { key: "a", before: null, value: "2" }), false);
  assert.equal(await test.ask("state.swap", { key: "a", before: "1", value: "2" }), true);
  assert.equal(await test.ask("state.set", { key: "b", value: "" }), null);
  assert.deepEqual(await test.ask("state.keys", { prefix: "" }), ["a", "b"]);
  assert.equal(await test.ask("state.get", { key: "a" }), "2");
  assert.equal(await test.ask("state.delete", { key: "a" }), true);
  assert.equal(await test.ask("state.delete", { key: "a" }), false);
  await assert.rejects(test.ask("state.set", { key: "", value: "x" }), { code: "input_invalid" });
  await assert.rejects(test.ask("state.set", { key: "k", value: "x".repeat(1_000_001) }), {
    code: "input_invalid",
  });
});

Deno.test("what a method shows becomes events of the session, secrets taken out", async () => {
  await using test = await desk([], { redact: (text) => text.replaceAll("sk-1234", "[secret]") });
  const shown: string[] = [];
  using _listening = test.pryx.listen((event) => {
    if (event.type === "output") shown.push(`${event.data.stream}: ${event.data.text}`);
  });
  await test.ask("markdown", { text: "# Title sk-1234" });
  await test.ask("log", { level: "warn", text: "careful sk-1234", data: { key: "sk-1234" } });
  await test.ask("progress", { label: "half", done: 1, total: 2 });
  await test.ask("progress", null);
  assert.deepEqual(shown, ["stdout: # Title [secret]\n"]);
  assert.equal(test.said.length, 1);
  const [log] = test.events(test.turn.session, "log");
  assert.deepEqual([log?.data.level, log?.data.text], ["warn", "careful [secret]"]);
  assert.ok(!JSON.stringify([...test.store.events(test.turn.session)]).includes("sk-1234"));
});

Deno.test("standard input, folders, tools, timers and the agent are given as they are asked for", async () => {
  await using test = await desk([]);
  assert.equal(await test.ask("stdin", null), "piped in");
  assert.deepEqual(await test.ask("tools", null), ["read_file"]);
  const folder = String(await test.ask("temp", { prefix: "x" }));
  assert.ok((await Deno.stat(folder)).isDirectory);
  assert.equal(await test.ask("timer", { ms: 1 }), null);
  const stop = new AbortController();
  const late = test.ask("timer", { ms: 1e9 }, { signal: stop.signal });
  stop.abort(new Error("enough"));
  await assert.rejects(late, /enough/);
  await test.ask("ask", { prompt: "why?", preset: "read-only" });
  assert.deepEqual(test.asked, [{ prompt: "why?", preset: "read-only" }]);
});

Deno.test("what needs pryx serve says so", async () => {
  await using test = await desk(["use=mcp/a/b", "use=channel/c"]);
  for (
    const [method, params] of [
      ["mcp.tools", { server: "a" }],
      ["mcp.call", { server: "a", tool: "b", args: {} }],
      ["channel.send", { channel: "c", text: "hi" }],
    ] as const
  ) {
    await assert.rejects(test.ask(method, params), { code: "needs_serve", message: /needs `pryx serve`/ });
  }
});

Deno.test("exit ends the run with its code, and is never answered", async () => {
  await using test = await desk([]);
  let answered = false;
  void test.ask("exit", { code: 7 }).then(() => answered = true);
  while (test.exits.length === 0) await Promise.resolve();
  await test.ask("state.get", { key: "a" });
  assert.deepEqual([test.exits, answered], [[7], false]);
});

Deno.test("watch tells of changes until nobody waits for it, and only where reading is declared", async () => {
  await using test = await desk(["read=in"]);
  await Deno.mkdir(join(test.workspace, "in"));
  const stop = new AbortController();
  const seen = Promise.withResolvers<unknown>();
  const watching = test.ask("watch", { path: "in" }, { signal: stop.signal, event: seen.resolve });
  await test.next("tool.finished");
  // A change that came before the watch began is not seen: it is made again until it is.
  const timer = setInterval(() => Deno.writeTextFileSync(join(test.workspace, "in/a.txt"), "x"), 20);
  try {
    const change = await seen.promise as { path: string };
    assert.equal(change.path, "in/a.txt");
  } finally {
    clearInterval(timer);
  }
  stop.abort();
  assert.equal(await watching, null);
  await assert.rejects(test.ask("watch", { path: "none" }), { code: "denied" });
  await assert.rejects(test.ask("watch", { path: "in/none" }), { code: "not_found" });
  // Who may not read there is not told whether something is there.
  await assert.rejects(test.ask("watch", { path: "." }), { code: "denied" });
});

Deno.test("what a command writes is shown to people only when it was asked to be", async () => {
  await using test = await desk(["run=echo"]);
  const shown: string[] = [];
  using _listening = test.pryx.listen((event) => {
    if (event.type === "tool.output") shown.push(event.data.text);
  });
  await test.ask("tool", { name: "sh", args: { command: "echo quiet" } });
  assert.deepEqual(shown, []);
  await test.ask("tool", { name: "sh", args: { command: "echo loud" }, show: true });
  assert.equal(shown.join(""), "loud\n");
});
