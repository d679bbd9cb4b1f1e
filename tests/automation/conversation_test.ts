import assert from "node:assert/strict";
import { AutomationError, type CellCall, converse } from "../../core/automation/conversation.ts";
import { PryxError } from "../../core/domain/error.ts";
import {
  type FromCell,
  MAX_PENDING,
  MAX_UNREAD,
  type ToCell,
  WIRE_VERSION,
} from "../../core/automation/wire.ts";
import { createFakeCell, DONE, READY } from "./_fake_cell.ts";

/** A conversation with a fake cell. `answer`: what its calls come to; default: their own parameters. */
function talk(answer: (call: CellCall) => Promise<unknown> = ({ params }) => Promise.resolve(params)) {
  const fake = createFakeCell();
  const said: string[] = [];
  const conversation = converse({
    cell: fake.cell,
    name: "job.pryx.ts",
    answer,
    say: (to, text) => void said.push(`${to}: ${text}`),
  });
  return { fake, said, conversation };
}

const call = (id: number, params: unknown = null, method = "echo"): FromCell => ({
  t: "call",
  id,
  method,
  params,
});
const replyTo = (id: number) => (message: ToCell) => message.t === "reply" && message.id === id;

Deno.test("converse() answers calls, passes on what is said, and loads what it is given", async () => {
  const { fake, said, conversation } = talk();
  fake.say(READY);
  assert.deepEqual(await conversation.ready, { permissions: true, seccomp: true });
  conversation.load({ modules: [], entry: "job.pryx.ts", args: ["a"], workspace: "/w", cwd: "/w" });
  assert.deepEqual(fake.told[0], {
    t: "load",
    modules: [],
    entry: "job.pryx.ts",
    args: ["a"],
    workspace: "/w",
    cwd: "/w",
  });
  fake.say({ t: "say", to: "stdout", text: "out" }, call(1, { a: 1 }), {
    t: "say",
    to: "stderr",
    text: "err",
  });
  assert.deepEqual(await fake.hears(replyTo(1)), { t: "reply", id: 1, ok: true, value: { a: 1 } });
  fake.say(DONE);
  assert.deepEqual(await conversation.loaded, { triggers: [], tests: [] });
  assert.deepEqual(said, ["stdout: out", "stderr: err"]);
  assert.equal(fake.killed, false);
});

Deno.test("converse() tells an automation what became of its call, with code and fix and nothing of the host", async () => {
  const { fake } = talk(({ params }) =>
    Promise.reject(
      params === null
        ? new PryxError("denied", "No", { fix: "ask", cause: new Error("inner") })
        : new TypeError("a bug"),
    )
  );
  fake.say(READY, call(1), call(2, "bug"));
  assert.deepEqual(await fake.hears(replyTo(1)), {
    t: "reply",
    id: 1,
    ok: false,
    error: { name: "PryxError", message: "No", code: "denied", fix: "ask" },
  });
  const bug = await fake.hears(replyTo(2));
  assert.ok(bug.t === "reply" && !bug.ok);
  assert.deepEqual([bug.error.code, bug.error.stack], ["internal", undefined]);
});

const NONSENSE: readonly (readonly [what: string, line: string])[] = [
  ["no JSON", "hello"],
  ["nothing", ""],
  ["a cut line", '{"t":"say","to":"stdout"'],
  ["a list", "[]"],
  ["null", "null"],
  ["no type", "{}"],
  ["an unknown type", '{"t":"boom"}'],
  ["a type from the prototype", '{"t":"toString"}'],
  ["a type that is no text", '{"t":["say"]}'],
  ["a stream that is not there", '{"t":"say","to":"stdin","text":"x"}'],
  ["text that is none", '{"t":"say","to":"stdout","text":{"toString":1}}'],
  ["a number that is none", '{"t":"call","id":"1","method":"echo","params":null}'],
  ["a number below zero", '{"t":"call","id":-1,"method":"echo","params":null}'],
  ["a number with a fraction", '{"t":"call","id":1.5,"method":"echo","params":null}'],
  ["more than belongs there", '{"t":"cancel","id":1,"and":"more"}'],
  ["a call without a method", '{"t":"call","id":1,"params":null}'],
  ["a failure without a message", '{"t":"failed","error":{"name":"Error"}}'],
  [
    "a registered trigger of no kind",
    '{"t":"done","registered":{"triggers":[{"kind":"x","name":"y"}],"tests":[]}}',
  ],
  ["done with nothing registered", '{"t":"done"}'],
  ["a reply that is both", '{"t":"reply","id":1,"ok":true,"error":{"name":"E","message":"m"}}'],
  ["a reply that is neither", '{"t":"reply","id":1,"ok":false}'],
  ["a reply to nothing", '{"t":"reply","id":1,"ok":true,"value":null}'],
  ["another version", `{"t":"ready","v":${WIRE_VERSION + 1},"seal":{"permissions":true,"seccomp":true}}`],
];

for (const [what, line] of NONSENSE) {
  Deno.test(`converse() stops a cell that says ${what}`, async () => {
    const { fake, conversation } = talk(() => new Promise(() => {}));
    fake.say(READY, call(7), line, DONE);
    const error = await conversation.loaded.then(() => undefined, (reason) => reason);
    assert.ok(error instanceof PryxError);
    assert.equal(error.code, "internal");
    assert.match(error.message, /^job\.pryx\.ts was stopped: .*which makes no sense$/u);
    assert.ok(error.message.length < 300);
    assert.equal(fake.killed, true);
    await assert.rejects(conversation.gone, error);
  });
}

Deno.test("converse() stops a cell that uses a number twice at once, and takes one that is free again", async () => {
  const again = talk();
  again.fake.say(READY, call(1, "a"));
  await again.fake.hears(replyTo(1));
  again.fake.say(call(1, "b"));
  await again.fake.hears((message) => replyTo(1)(message) && "value" in message && message.value === "b");

  const twice = talk(() => new Promise(() => {}));
  twice.fake.say(READY, call(1), call(1));
  await assert.rejects(twice.conversation.gone, /used the number 1 for two calls at once/);
});

Deno.test("converse() keeps an automation that floods it waiting, and loses none of its calls", async () => {
  const open: (() => void)[] = [];
  const { fake, conversation } = talk(({ params }) =>
    new Promise((resolve) => open.push(() => resolve(params)))
  );
  fake.say(READY, ...Array.from({ length: MAX_PENDING + 100 }, (_, index) => call(index, index)), DONE);
  await conversation.ready;
  // The one that found no room was read from the pipe, and nothing behind it.
  while (fake.taken < MAX_PENDING + 2) await Promise.resolve();
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  assert.equal(fake.taken, MAX_PENDING + 2);
  assert.equal(open.length, MAX_PENDING);
  for (let at = 0; at < MAX_PENDING + 100; at++) {
    while (open[at] === undefined) await Promise.resolve();
    open[at]?.();
  }
  await conversation.loaded;
  await conversation.idle();
  const answered = fake.told.flatMap((message) => message.t === "reply" && message.ok ? [message.value] : []);
  assert.deepEqual(answered, Array.from({ length: MAX_PENDING + 100 }, (_, index) => index));
});

Deno.test("idle() resolves although the automation calls for more than there is room for while it waits", async () => {
  const open: (() => void)[] = [];
  const { fake, conversation } = talk(() => new Promise((resolve) => open.push(() => resolve(null))));
  fake.say(READY, call(0), DONE);
  await conversation.loaded;
  const idle = conversation.idle();
  fake.say(...Array.from({ length: MAX_PENDING + 5 }, (_, index) => call(index + 1)));
  while (fake.taken < MAX_PENDING + 3) await Promise.resolve();
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  for (let at = 0; at < MAX_PENDING + 6; at++) {
    while (open[at] === undefined) await Promise.resolve();
    open[at]?.();
  }
  await idle;
});

Deno.test("converse() sees that a cell is gone although there is no room for its next call", async () => {
  const { fake, conversation } = talk(() => new Promise(() => {}));
  fake.say(READY, ...Array.from({ length: MAX_PENDING + 1 }, (_, index) => call(index)));
  await conversation.ready;
  while (fake.taken < MAX_PENDING + 2) await Promise.resolve();
  fake.die({ code: null, signal: "SIGKILL" });
  await assert.rejects(conversation.gone, /The process of job\.pryx\.ts ended \(SIGKILL\)/);
});

Deno.test("a call that nobody waits for is told so, and sends nothing any more", async () => {
  const calls: CellCall[] = [];
  const { fake } = talk((one) => {
    calls.push(one);
    return new Promise((_, reject) => one.signal.addEventListener("abort", () => reject(one.signal.reason)));
  });
  fake.say(READY, call(1), { t: "cancel", id: 99 });
  const first = await new Promise<CellCall>((resolve) => {
    const look = () => calls[0] ? resolve(calls[0]) : queueMicrotask(look);
    look();
  });
  first.event("a piece");
  fake.say({ t: "cancel", id: 1 });
  const reply = await fake.hears(replyTo(1));
  assert.ok(reply.t === "reply" && !reply.ok && reply.error.code === "cancelled");
  first.event("too late");
  assert.deepEqual(fake.told.filter(({ t }) => t === "event"), [{ t: "event", id: 1, value: "a piece" }]);
});

Deno.test("the host's own calls are answered by their number, whatever else is said", async () => {
  const { fake, conversation } = talk();
  fake.say(READY);
  const first = conversation.call("test", { name: "a" });
  const second = conversation.call("test", { name: "b" });
  fake.say(
    {
      t: "reply",
      id: 2,
      ok: false,
      error: { name: "TypeError", message: "no", code: "made_up", stack: "x\n    at f (job.pryx.ts:1:2)" },
    },
    { t: "reply", id: 1, ok: true, value: null },
  );
  assert.equal(await first, null);
  const error = await second.then(() => undefined, (reason) => reason);
  assert.ok(error instanceof AutomationError);
  assert.deepEqual([error.code, error.thrown, error.frames], ["tool_failed", "TypeError", [
    "    at f (job.pryx.ts:1:2)",
  ]]);
  // An answer counts once.
  fake.say({ t: "reply", id: 1, ok: true, value: null });
  await assert.rejects(conversation.gone, /answered what nobody asked/);
});

Deno.test("what an automation says of its end counts once", async () => {
  const twice = talk();
  twice.fake.say(READY, DONE, { t: "done", registered: { triggers: [], tests: ["forged"] } }, call(1));
  await twice.fake.hears(replyTo(1));
  assert.deepEqual(await twice.conversation.loaded, { triggers: [], tests: [] });

  const failed = talk();
  failed.fake.say(READY, { t: "failed", error: { name: "Error", message: "first" } }, DONE, call(1));
  await failed.fake.hears(replyTo(1));
  await assert.rejects(failed.conversation.loaded, /first/);
});

for (
  const [phase, said] of [
    ["before it is ready", []],
    ["before it has run", [READY]],
    ["after it has run", [READY, DONE]],
  ] as const
) {
  Deno.test(`converse() rejects everything that waits when the cell dies ${phase}`, async () => {
    let signal: AbortSignal | undefined;
    const { fake, conversation } = talk((one) => {
      signal = one.signal;
      return new Promise(() => {});
    });
    fake.say(...said);
    if (said.length > 0) fake.say(call(1));
    const called = conversation.call("test", { name: "a" });
    called.catch(() => {});
    fake.die({ code: 1, stderr: "Error: x\nlast words\n" });
    const why = /The process of job\.pryx\.ts ended \(exit code 1: last words\)/;
    await assert.rejects(conversation.gone, why);
    await assert.rejects(called, why);
    if (said.length === 0) await assert.rejects(conversation.ready, why);
    if (said.length < 2) await assert.rejects(conversation.loaded, why);
    assert.equal(signal?.aborted, said.length > 0 ? true : undefined);
    await conversation.idle();
    // Whoever calls it later is told at once.
    await assert.rejects(conversation.call("test", { name: "b" }), why);
  });
}

Deno.test("converse() says which limit ended a cell", async () => {
  for (
    const [end, why] of [
      [{ code: null, signal: "SIGKILL", limit: "memory" }, /took more memory than an automation may/],
      [{ code: 134, stderr: "Fatal JavaScript out of memory: x" }, /took more memory/],
      [{ code: null, signal: "SIGXCPU", limit: "cpu" }, /used more CPU time/],
    ] as const
  ) {
    const { fake, conversation } = talk();
    fake.say(READY);
    fake.die(end);
    await assert.rejects(conversation.gone, why);
  }
  const long = talk();
  long.fake.break(new PryxError("output_invalid", "A line was too long"));
  await assert.rejects(long.conversation.ready, { code: "output_invalid" });
  assert.equal(long.fake.killed, true);
});

Deno.test("converse() stops an automation that asks and does not listen, before its answers fill the memory", async () => {
  const fake = createFakeCell();
  const stuck = Promise.withResolvers<void>();
  const big = "x".repeat(MAX_UNREAD / 8);
  const conversation = converse({
    cell: { ...fake.cell, send: () => stuck.promise },
    name: "job.pryx.ts",
    answer: () => Promise.resolve(big),
    say: () => {},
  });
  fake.say(READY, ...Array.from({ length: 9 }, (_, id) => call(id)));
  await assert.rejects(conversation.gone, {
    code: "tool_failed",
    message: /does not take what it has asked for/,
  });
  assert.equal(fake.killed, true);
  stuck.resolve();
});

Deno.test("converse() acts on nothing that a cell said before it was stopped", async () => {
  const { fake, said, conversation } = talk();
  fake.say(READY, "nonsense", { t: "say", to: "stdout", text: "late" }, call(1));
  await assert.rejects(conversation.gone, { code: "internal" });
  assert.deepEqual(said, []);
  assert.equal(fake.told.length, 0);
});
