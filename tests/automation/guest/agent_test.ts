import assert from "node:assert/strict";
import { type Asked, createGuest, here } from "./_guest.ts";

const value = (over: Record<string, unknown> = {}) => ({
  text: "fine",
  session: "s1",
  cost: null,
  usage: { input: 1, output: 2 },
  ...over,
});
const SCHEMA = { type: "object", properties: { a: { type: "number" } }, required: ["a"] } as const;

Deno.test("agent.ask() gives the answer, or what fits the schema", async () => {
  const { api: { agent }, asked } = createGuest(({ params }) =>
    value(params.schema ? { json: { a: 1 } } : {})
  );
  assert.deepEqual(here(await agent.ask("How is it?")), value());
  const typed = await agent.ask("Count", {
    schema: SCHEMA,
    model: "p/m",
    budget: 0.5,
    maxTurns: 3,
    timeout: "5m",
    preset: "read-only",
    context: "c",
    tools: [],
  });
  assert.equal(typed.a, 1);
  assert.deepEqual(asked.map(({ params }) => params), [{ prompt: "How is it?" }, {
    prompt: "Count",
    schema: SCHEMA,
    model: "p/m",
    budget: 0.5,
    maxTurns: 3,
    timeoutMs: 300_000,
    preset: "read-only",
    context: "c",
    tools: [],
  }]);
});

Deno.test("agent.ask() refuses options that mean nothing", async () => {
  const { api: { agent }, asked } = createGuest();
  // deno-lint-ignore no-explicit-any -- wrong on purpose
  const ask = (prompt: any, options?: any) => () => agent.ask(prompt, options);
  for (
    const wrong of [
      ask(" "),
      ask(1),
      ask("x", { budget: 0 }),
      ask("x", { maxTurns: 1.5 }),
      ask("x", { preset: "all" }),
      ask("x", { schema: "string" }),
      ask("x", { tools: [{ name: "made_up" }] }),
    ]
  ) await assert.rejects(wrong, { name: "TypeError" });
  assert.equal(asked.length, 0);
});

Deno.test("agent.session() asks one question after another, in one session", async () => {
  const open: (() => void)[] = [];
  let begun = 0;
  const { api: { agent }, asked } = createGuest(({ params }: Asked) => {
    begun++;
    return new Promise((resolve, reject) => {
      open.push(() => params.prompt === "bad" ? reject(new Error("bad")) : resolve(value({ session: "s9" })));
    });
  });
  const session = agent.session({ model: "p/m", tools: ["read_file"] });
  assert.equal(session.id, undefined);
  const first = session.ask("one");
  const bad = session.ask("bad");
  const third = session.ask("three", { model: "p/n" });
  const ends = async (work: Promise<unknown>) => {
    open.shift()?.();
    await work.catch(() => {});
  };
  for (const [index, question] of [first, bad, third].entries()) {
    // All that is ready to run has run: no other question is there.
    await new Promise((resolve) => setTimeout(resolve));
    assert.equal(begun, index + 1);
    await ends(question);
  }
  await assert.rejects(bad, { message: "bad" });
  assert.equal(session.id, "s9");
  assert.deepEqual(asked.map(({ params }) => params), [
    { prompt: "one", model: "p/m", tools: ["read_file"] },
    { prompt: "bad", model: "p/m", tools: ["read_file"], session: "s9" },
    { prompt: "three", model: "p/n", tools: ["read_file"], session: "s9" },
  ]);
});

Deno.test("agent.stream() gives pieces, keeps its place in a session, and stops when it is left", async () => {
  let cancelled = false;
  const { api: { agent }, asked } = createGuest(({ params, emit, signal }: Asked) => {
    if (!params.stream) return value();
    emit("a");
    emit("b");
    if (params.prompt !== "long") return value({ text: "ab" });
    return new Promise((_, reject) => {
      signal?.addEventListener("abort", () => {
        cancelled = true;
        reject(new Error("cancelled"));
      });
    });
  });
  const session = agent.session();
  const pieces: string[] = [];
  for await (const piece of session.stream("one")) pieces.push(piece);
  assert.deepEqual(pieces, ["a", "b"]);
  for await (const piece of session.stream("long")) {
    assert.equal(piece, "a");
    break;
  }
  await session.ask("after");
  assert.equal(cancelled, true);
  assert.deepEqual(asked.map(({ params }) => [params.prompt, params.session]), [
    ["one", undefined],
    ["long", "s1"],
    ["after", "s1"],
  ]);
  const plain = createGuest(() => value());
  const whole: string[] = [];
  for await (const piece of plain.api.agent.stream("x")) whole.push(piece);
  assert.deepEqual(whole, ["fine"]);
});

Deno.test("defineTool() makes functions that the host calls, each its own whatever its name", async () => {
  const { api: { agent, defineTool }, asked, answer } = createGuest(() => value());
  const make = (run: (args: unknown) => unknown) =>
    defineTool({
      name: "report",
      description: "Reports",
      parameters: { type: "object", properties: {} },
      run,
    });
  const one = make((args) => ({ got: args }));
  const two = make(() => "two");
  const failing = make(() => {
    throw new Error("no luck");
  });
  const silent = make(() => undefined);
  await agent.ask("x", { tools: ["read_file", one] });
  const params = asked[0]?.params;
  assert.deepEqual(params.tools, ["read_file"]);
  assert.deepEqual(params.functions, [{
    id: "report#1",
    name: "report",
    description: "Reports",
    parameters: { type: "object", properties: {} },
  }]);
  const call = (id?: string) =>
    answer("tool", { name: "report", args: { a: 1 }, ...(id === undefined ? {} : { id }) });
  assert.deepEqual(here(await call("report#1")), { got: { a: 1 } });
  assert.equal(await call("report#2"), "two");
  assert.equal(await call("report#4"), null);
  assert.equal(await call(), null);
  await assert.rejects(call("report#3"), { message: "no luck" });
  await assert.rejects(answer("tool", { name: "other", args: {} }), { code: "not_found" });
  await assert.rejects(() => agent.ask("x", { tools: [one, two] }), { message: /Two tools/ });
  assert.equal(failing.name + silent.name, "reportreport");
});

Deno.test("defineTool() refuses what a model could not call", () => {
  const { api: { defineTool } } = createGuest();
  const good = { name: "a", description: "d", parameters: { type: "object" }, run: () => 1 };
  const cyclic: Record<string, unknown> = { type: "object" };
  cyclic.self = cyclic;
  for (
    const wrong of [
      { name: "A" },
      { name: "1a" },
      { description: " " },
      { parameters: { type: "string" } },
      { parameters: cyclic },
      { run: undefined as unknown as () => number },
    ]
  ) assert.throws(() => defineTool({ ...good, ...wrong }), { name: "TypeError" });
});

Deno.test("tools.call() gives what a tool said", async () => {
  const { api: { tools }, asked } = createGuest(({ method }) =>
    method === "tools" ? ["read_file"] : { text: "said", data: {} }
  );
  assert.deepEqual(here(await tools.list()), ["read_file"]);
  assert.equal(await tools.call("read_file", { path: "a", limit: undefined }), "said");
  assert.deepEqual(asked[1]?.params, { name: "read_file", args: { path: "a" } });
});
