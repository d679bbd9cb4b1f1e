import assert from "node:assert/strict";
import { createGuest, here } from "./_guest.ts";

Deno.test("on registers what keeps a file resident, and refuses what could not be answered", () => {
  const { api: { on }, registered } = createGuest();
  on.schedule(" 30  9 * * mon-fri ", () => {});
  on.schedule("*/5 0-6,12 1 jan,12 0", () => {});
  on.webhook("deploy", () => {});
  on.message("ops", () => {});
  assert.deepEqual(here(registered.triggers), [
    { kind: "schedule", name: "30 9 * * mon-fri" },
    { kind: "schedule", name: "*/5 0-6,12 1 jan,12 0" },
    { kind: "webhook", name: "deploy" },
    { kind: "message", name: "ops" },
  ]);
  for (
    const cron of [
      "",
      "* * * *",
      "60 * * * *",
      "* 24 * * *",
      "* * 0 * *",
      "*/0 * * * *",
      "5-1 * * * *",
      "x * * * *",
      "* * * foo *",
    ]
  ) {
    assert.throws(() => on.schedule(cron, () => {}), { message: /is no schedule/ }, cron);
  }
  assert.throws(() => on.webhook("deploy", () => {}), { message: /is there already/ });
  assert.throws(() => on.webhook("../x", () => {}), { name: "TypeError" });
  assert.throws(() => on.message("x", 1 as unknown as () => void), { name: "TypeError" });
});

Deno.test("a webhook gets a request, and what it returns becomes an answer", async () => {
  let result: unknown;
  const { api: { on }, answer } = createGuest();
  on.webhook("w", (request) => {
    assert.deepEqual([request.name, request.method, request.headers["x-a"], request.query.q], [
      "w",
      "PUT",
      "1",
      "2",
    ]);
    assert.deepEqual(here(request.json()), { a: 1 });
    return result;
  });
  const data = { method: "PUT", headers: { "x-a": "1" }, query: { q: "2" }, body: '{"a":1}' };
  const JSON_TYPE = { "content-type": "application/json" };
  const cases: readonly [unknown, unknown][] = [
    [undefined, { status: 204, headers: {}, body: "" }],
    ["hi", { status: 200, headers: { "content-type": "text/plain; charset=utf-8" }, body: "hi" }],
    [{ a: 1 }, { status: 200, headers: JSON_TYPE, body: '{"a":1}' }],
    [null, { status: 200, headers: JSON_TYPE, body: "null" }],
    [[1], { status: 200, headers: JSON_TYPE, body: "[1]" }],
    [{ status: 201, body: { a: 1 }, headers: { "X-B": 2 } }, {
      status: 201,
      headers: { "x-b": "2", ...JSON_TYPE },
      body: '{"a":1}',
    }],
    [{ status: 302, headers: { Location: "/x" } }, { status: 302, headers: { location: "/x" }, body: "" }],
    [{ status: 200, total: 1 }, { status: 200, headers: JSON_TYPE, body: '{"status":200,"total":1}' }],
    [{ status: 1 }, { status: 200, headers: JSON_TYPE, body: '{"status":1}' }],
  ];
  for (const [returned, expected] of cases) {
    result = returned;
    assert.deepEqual(here(await answer("trigger", { kind: "webhook", name: "w", data })), expected);
  }
  result = 10n;
  await assert.rejects(answer("trigger", { kind: "webhook", name: "w", data }), { name: "TypeError" });
  await assert.rejects(answer("trigger", { kind: "webhook", name: "x", data }), { code: "not_found" });
});

Deno.test("a message can be replied to where it came from", async () => {
  const { api: { on, channels }, asked, answer } = createGuest();
  on.message("ops", async (message) => {
    assert.deepEqual([message.channel, message.from, message.text], ["ops", "ann", "hello"]);
    await message.reply("hi");
  });
  await answer("trigger", {
    kind: "message",
    name: "ops",
    data: { from: "ann", text: "hello", thread: "t" },
  });
  await channels.send("ops", "plain");
  await channels.send("ops", { text: "x", to: "bob" });
  assert.deepEqual(asked.map(({ params }) => params), [
    { channel: "ops", text: "hi", to: "ann", thread: "t" },
    { channel: "ops", text: "plain" },
    { channel: "ops", text: "x", to: "bob" },
  ]);
});

Deno.test("a schedule runs its function, and mcp asks its server", async () => {
  const { api: { on, mcp }, asked, answer } = createGuest(({ method }) =>
    method === "mcp.tools" ? [{ name: "t" }] : 1
  );
  let ran = 0;
  on.schedule("* * * * *", () => ++ran);
  assert.equal(await answer("trigger", { kind: "schedule", name: "* * * * *", data: null }), null);
  assert.equal(ran, 1);
  assert.deepEqual(here(await mcp("files").tools()), [{ name: "t" }]);
  assert.equal(await mcp("files").call("t", { a: 1 }), 1);
  assert.deepEqual(asked[1]?.params, { server: "files", tool: "t", args: { a: 1 } });
});
