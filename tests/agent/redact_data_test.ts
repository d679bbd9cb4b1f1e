import assert from "node:assert/strict";
import { join } from "node:path";
import type { ApprovalId } from "../../core/domain/id.ts";
import { redactBytes, redactData } from "../../core/agent/redact_data.ts";
import { defineTool } from "../../core/tools/tool.ts";
import { scriptedProvider } from "../support/scripted_provider.ts";
import { testPryx } from "../support/test_pryx.ts";

const SECRET = "hunter2-secret";
const redact = (text: string) => text.replaceAll(SECRET, "[redacted]");

Deno.test("redactData() takes secrets out of every text, and leaves references as they are", () => {
  const args = { list: [`a ${SECRET}`, 1, null], question: SECRET };
  const data = { args, call: SECRET, opaque: { items: [SECRET] } };
  assert.deepEqual(redactData(data, redact), {
    args: { list: ["a [redacted]", 1, null], question: "[redacted]" },
    call: SECRET,
    opaque: { items: [SECRET] },
  });
});

Deno.test("redactData() gives back the same object when there is nothing to take out", () => {
  const data = { text: "plain", list: [{ a: "b" }] };
  assert.equal(redactData(data, redact), data);
});

Deno.test("redactBytes() keeps what is no text byte for byte", () => {
  const binary = new Uint8Array([0xff, 0xfe, ...new TextEncoder().encode(SECRET)]);
  assert.equal(redactBytes(binary, redact), binary);
  assert.equal(redactBytes(new TextEncoder().encode(`x ${SECRET}`), redact), "x [redacted]");
});

Deno.test("no secret enters an event or a kept output, on whichever way it comes", async () => {
  const leak = defineTool({
    name: "leak",
    description: "Shows a secret in every way a tool can",
    parameters: { type: "object", properties: { with: { type: "string" } }, required: ["with"] },
    needs: () => [],
    title: (args) => `leak ${args.with}`,
    async run(_args, ctx) {
      ctx.emit(`live ${SECRET}`);
      await ctx.keep("out.txt", `kept ${SECRET}`);
      throw new Error(`failed with ${SECRET}`);
    },
  });
  const provider = scriptedProvider([
    { text: `I use ${SECRET}`, calls: [["leak", { with: SECRET }]] },
    { text: `done with ${SECRET}` },
  ]);
  await using test = await testPryx({ provider, tools: [leak], redact });
  const live: unknown[] = [];
  using _listening = test.pryx.listen((event) => {
    if (event.type !== "message.delta") live.push(event);
  });
  const end = await test.run(`my key is ${SECRET}`);
  assert.equal(end.data.status, "done");
  assert.ok(!JSON.stringify([...test.store.events(end.session)]).includes(SECRET));
  assert.ok(!JSON.stringify(live).includes(SECRET));
  const outputs = join(test.folder, "state", "outputs", end.session);
  const [kept] = await Array.fromAsync(Deno.readDir(outputs));
  assert.equal(await Deno.readTextFile(join(outputs, kept?.name ?? "")), "kept [redacted]");
});

Deno.test("no secret enters the audit log or a stored approval", async () => {
  const call = { calls: [["shell", { command: `curl -H 'x: ${SECRET}' example.org` }]] as const };
  const provider = scriptedProvider([call, { text: "ok" }]);
  await using test = await testPryx({ provider, redact });
  let stored: string | undefined;
  using _answering = test.pryx.listen((event) => {
    if (event.type !== "approval.requested") return;
    stored = test.store.approval(event.data.approval as ApprovalId)?.summary;
    const answer = {
      verdict: "deny",
      duration: { kind: "once" },
      scope: "workspace",
      by: "human:test",
    } as const;
    void test.pryx.decide(event.data.approval as ApprovalId, answer);
  });
  const end = await test.run("go", { attended: true });
  assert.equal(test.events(end.session, "approval.decided").length, 1);
  assert.match(stored ?? "", /curl -H 'x: \[redacted\]'/);
  assert.ok(!JSON.stringify([...test.store.auditEntries()]).includes(SECRET));
});
