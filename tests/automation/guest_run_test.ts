import assert from "node:assert/strict";
import type { Guest } from "../../core/automation/guest/guest.ts";
import type { FromCell } from "../../core/automation/wire.ts";
import { createGuest, runGuest, type TestGuest } from "./_guest.ts";

/** The raw API: calls of the host, and functions for it. */
const raw = (guest: Guest) => ({
  call: guest.call,
  handle: guest.handle,
  signal: guest.signal,
  registered: guest.registered,
  PryxError: guest.PryxError,
});

function answering(answer: (message: FromCell & { t: "call" }, guest: TestGuest) => void): TestGuest {
  const guest = createGuest(raw);
  guest.answer = (message) => {
    if (message.t === "call") queueMicrotask(() => answer(message, guest));
  };
  return guest;
}

function reply(guest: TestGuest, id: number, value?: unknown): void {
  guest.entry.receive(JSON.stringify({ t: "reply", id, ok: true, value }));
}

Deno.test("modules run in order, cycles see what is there, JSON is its default export", async () => {
  const guest = createGuest();
  guest.load({
    "data.json": '{"n": 3, "__proto__": 1, "__esModule": true}',
    "b.ts": `exports.early = 1; console.log("b"); exports.ofA = () => require("./a.ts").value;`,
    "a.ts": `const b = require("./b.ts"); exports.value = b.early + 1; await null; console.log("a");`,
    "job.pryx.ts":
      `console.log(require("./a.ts").value, require("./b.ts").ofA(), require("./data.json").default.n);`,
  });
  assert.equal((await guest.over).t, "done");
  assert.equal(guest.text(), "b\na\n2 2 3\n");
});

Deno.test("what is thrown names the user's lines and nothing else", async () => {
  const guest = createGuest();
  guest.load({
    "lib.ts": `exports.fail = async () => {\n  await null;\n  throw new TypeError("bad");\n};`,
    "job.pryx.ts": `const { fail } = require("./lib.ts");\nawait fail();`,
  });
  const end = await guest.over;
  assert.deepEqual(end, {
    t: "failed",
    error: {
      name: "TypeError",
      message: "bad",
      stack: "TypeError: bad\n    at exports.fail (lib.ts:3:9)\n    at async job.pryx.ts:2:1",
    },
  });
});

Deno.test("the first line of a module has its own columns", async () => {
  const guest = createGuest();
  guest.load("null.x");
  const end = await guest.over;
  assert.match(end.t === "failed" ? end.error.stack ?? "" : "", /at job\.pryx\.ts:1:6$/);
});

Deno.test("code that cannot be compiled fails with the module's id", async () => {
  const guest = createGuest();
  guest.load("let = ;");
  const end = await guest.over;
  assert.match(end.t === "failed" ? end.error.message : "", /^Cannot compile job\.pryx\.ts: /);
});

Deno.test("an import that was not linked is refused", async () => {
  await assert.rejects(runGuest(`require("./other.ts")`), /Cannot import "\.\/other\.ts" in job\.pryx\.ts/);
});

Deno.test("a call is answered, gives its pieces, and rejects with code, fix, data and the caller's line", async () => {
  const guest = answering(({ id, method }) => {
    if (method === "env") return reply(guest, id, "value");
    guest.entry.receive(JSON.stringify({ t: "event", id, value: "piece" }));
    const error = { name: "PryxError", message: "no", code: "denied", fix: "ask", data: { exitCode: 2 } };
    guest.entry.receive(JSON.stringify({ t: "reply", id, ok: false, error }));
  });
  guest.load(`const { call, PryxError } = require("pryx");
console.log(await call("env", { name: "A" }));
try {
  await call("tool", { name: "sh", args: {} }, { on: (event) => console.log(event) });
} catch (error) { console.log(error instanceof PryxError, error.code, error.fix, error.data, error.stack) }`);
  assert.equal((await guest.over).t, "done");
  assert.equal(
    guest.text(),
    "value\npiece\ntrue denied ask { exitCode: 2 } PryxError: no\n    at job.pryx.ts:4:9\n",
  );
});

Deno.test("an aborted call is cancelled and rejects with the reason", async () => {
  const guest = createGuest(raw);
  guest.load(`const { call } = require("pryx"); const controller = new AbortController();
    const waiting = call("stdin", null, { signal: controller.signal });
    controller.abort("enough"); console.log(await waiting.catch((reason) => reason));
    console.log(await call("stdin", null, { signal: controller.signal }).catch((reason) => reason));`);
  assert.equal((await guest.over).t, "done");
  assert.equal(guest.text(), "enough\nenough\n");
  assert.deepEqual(guest.said.filter(({ t }) => t === "call" || t === "cancel"), [
    { t: "call", id: 1, method: "stdin", params: null },
    { t: "cancel", id: 1 },
  ]);
});

Deno.test("the host's calls are answered; what they throw is an answer too", async () => {
  const guest = createGuest(raw);
  guest.load(`const { handle, registered } = require("pryx"); registered.tests.push("a");
    handle("tool", async ({ args }) => ({ got: args })); handle("test", () => { throw new RangeError("no") });
    handle("trigger", () => ({ then(resolve) { resolve(7) } }));`);
  assert.deepEqual(await guest.over, { t: "done", registered: { triggers: [], tests: ["a"] } });
  const answers: FromCell[] = [];
  const all = new Promise<void>((resolve) =>
    guest.answer = (message) => answers.push(message) === 4 && resolve()
  );
  const calls = [["tool", { name: "t", args: [1] }], ["test", {}], ["trigger", {}], ["nothing", {}]] as const;
  calls.forEach(([name, params], id) => guest.entry.receive(JSON.stringify({ t: "call", id, name, params })));
  await all;
  const byId = answers.map((answer) => answer.t === "reply" ? answer : assert.fail()).sort((a, b) =>
    a.id - b.id
  );
  assert.deepEqual(byId[0], { t: "reply", id: 0, ok: true, value: { got: [1] } });
  assert.equal(byId[1]?.ok === false && byId[1].error.name, "RangeError");
  assert.deepEqual(byId[2], { t: "reply", id: 2, ok: true, value: 7 });
  assert.equal(byId[3]?.ok === false && byId[3].error.code, "not_found");
});

Deno.test("it is done when no timer and no call is left", async () => {
  const guest = answering(({ id }) => reply(guest, id, null));
  guest.load(`const { call } = require("pryx");
    setTimeout(() => call("stdin", null).then(() => setTimeout(() => console.log("last"), 1)), 1); AbortSignal.timeout(1e6);`);
  assert.equal((await guest.over).t, "done");
  assert.equal(guest.text(), "last\n");
});

Deno.test("an automation that waits for nothing fails", async () => {
  await assert.rejects(runGuest("await new Promise(() => {})"), /waits for something that never comes/);
});

Deno.test("what a timer or a listener throws, and a rejection that nobody handles, ends it once", async () => {
  for (
    const code of [
      `setTimeout(() => { throw new Error("x") }, 1); setTimeout(() => { throw new Error("y") }, 1);`,
      `const t = new EventTarget(); t.addEventListener("a", () => { throw new Error("x") }); t.dispatchEvent(new Event("a"));`,
      `queueMicrotask(() => { throw new Error("x") });`,
    ]
  ) {
    const guest = createGuest();
    guest.load(code);
    const end = await guest.over;
    assert.equal(end.t === "failed" && end.error.message, "x", code);
  }
  const guest = createGuest();
  guest.load("");
  guest.entry.rejected(Object.create({
    get message() {
      throw 1;
    },
  }));
  const end = await guest.over;
  assert.equal(end.t === "failed" && end.error.name, "Error");
});

Deno.test("abort settles the automation's signal with its reason", async () => {
  const guest = answering(() => guest.entry.receive(JSON.stringify({ t: "abort", reason: "Interrupted" })));
  guest.load(`const { call, signal } = require("pryx");
    console.log(await call("stdin", null, { signal }).catch((error) => [error.code, error.message, signal.aborted]));`);
  assert.equal((await guest.over).t, "done");
  assert.equal(guest.text(), "[ 'cancelled', 'Interrupted', true ]\n");
});

const FIXED = { now: Date.UTC(2024, 0, 2, 3, 4, 5), seed: "seed" };

Deno.test("with a fixed clock time and chance come from the load message alone", async () => {
  const code =
    `console.log(Date.now(), new Date().toISOString(), new Date(5).getTime(), new Date() instanceof Date,
      new (class extends Date {})().getTime(), typeof Date(), new Intl.DateTimeFormat("en", { timeZone: "UTC" }).format());
    console.log(performance.now(), performance.timeOrigin, Math.random(), crypto.randomUUID(), new Event("x").timeStamp);
    console.log(crypto.getRandomValues(new Uint8Array(5)), new Date().constructor === Date, Date.name, Date.length);`;
  const [first, second, other] = await Promise.all([
    runGuest(code, { fixed: FIXED }),
    runGuest(code, { fixed: FIXED }),
    runGuest(code, { fixed: { ...FIXED, seed: "another" } }),
  ]);
  assert.equal(first, second);
  assert.notEqual(first, other);
  assert.match(
    first,
    new RegExp(
      `^${FIXED.now} 2024-01-02T03:04:05.000Z 5 true ${FIXED.now} string 1/2/2024\n0 ${FIXED.now} 0\\.\\d+ `,
    ),
  );
});

Deno.test("with a fixed clock timers are calls, and time goes on by messages", async () => {
  const asked: unknown[] = [];
  const guest = answering(({ id, method, params }) => {
    asked.push([method, params]);
    const message = { t: "reply", id, ok: true, value: null, now: FIXED.now + 500 };
    guest.entry.receive(JSON.stringify(message));
  });
  guest.load(
    `setTimeout(() => console.log(Date.now(), performance.now()), 200); const no = setTimeout(() => {}, 7); clearTimeout(no);`,
    { fixed: FIXED },
  );
  assert.equal((await guest.over).t, "done");
  assert.equal(guest.text(), `${FIXED.now + 500} 500\n`);
  assert.deepEqual(asked, [["timer", { ms: 200 }], ["timer", { ms: 7 }]]);
});

Deno.test("a shell evaluates over a scope that stays, keeps the last result, and completes without running getters", async () => {
  const guest = createGuest((guest: Guest) => ({ fs: { read: guest.call } }));
  const answers: FromCell[] = [];
  let next = () => {};
  guest.answer = (message) => {
    answers.push(message);
    next();
  };
  guest.entry.start(JSON.stringify({ entry: "", args: [], workspace: "/" }));
  const ask = async (name: string, params: unknown) => {
    const said = new Promise<void>((resolve) => next = resolve);
    guest.entry.receive(JSON.stringify({ t: "call", id: 1, name, params }));
    await said;
    const answer = answers.at(-1);
    return answer?.t !== "reply" ? undefined : answer.ok ? answer.value : answer.error;
  };
  assert.deepEqual(await ask("evaluate", { code: "$scope.x = 1; return await ({ a: [x] })" }), {
    text: "{ a: [ 1 ] }",
    type: "object",
  });
  assert.deepEqual(await ask("evaluate", { code: "return _.a[0] + x" }), { text: "2", type: "number" });
  assert.deepEqual(await ask("evaluate", { code: `return typeof $require("pryx", "fs").fs.read` }), {
    text: "'function'",
    type: "string",
  });
  assert.match(JSON.stringify(await ask("evaluate", { code: "return (" })), /SyntaxError/);
  assert.match(JSON.stringify(await ask("evaluate", { code: "null.x" })), /TypeError/);
  await ask("evaluate", {
    code: "$scope.o = { get bomb() { globalThis.ran = true; return {} }, inner: { leaf: 1 } }",
  });
  assert.deepEqual(await ask("complete", { path: ["o", "inner"] }), ["leaf"]);
  assert.deepEqual(await ask("complete", { path: ["o", "bomb"] }), []);
  assert.deepEqual(await ask("evaluate", { code: "return typeof ran" }), {
    text: "'undefined'",
    type: "string",
  });
  assert.deepEqual(await ask("complete", { path: ["fs"] }), ["read"]);
  const names = await ask("complete", { path: [] }) as string[];
  assert.ok(names.includes("fs") && names.includes("console") && names.includes("x"));
  assert.ok((await ask("complete", { path: ["x"] }) as string[]).includes("toFixed"));
});
