import assert from "node:assert/strict";
import { builtPryx } from "../support/built_pryx.ts";
import { runExample, withExamples } from "./_project.ts";

const opened = '{"action":"opened","repository":{"full_name":"ann/tea"}}';
const webhook = { flags: ["--trigger", "webhook/repository"] };

Deno.test("webhook_responder counts from one run to the next, and reports once", async () => {
  await using pryx = await builtPryx();
  await withExamples(pryx);
  for (const total of [1, 2]) {
    const { code, stdout, stderr } = await runExample(pryx, "webhook_responder", [], {
      ...webhook,
      stdin: opened,
    });
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(JSON.parse(stdout).body ?? stdout), {
      repository: "ann/tea",
      total,
      byAction: { opened: total },
    });
  }
  const schedule = { flags: ["--trigger", "schedule"] };
  const report = await runExample(pryx, "webhook_responder", [], schedule);
  assert.deepEqual(JSON.parse(report.stdout), { "ann/tea": { total: 2, byAction: { opened: 2 } } });
  assert.deepEqual(JSON.parse((await runExample(pryx, "webhook_responder", [], schedule)).stdout), {});
});

Deno.test("webhook_responder refuses what is not signed, and what is no delivery", async () => {
  await using pryx = await builtPryx();
  await withExamples(pryx);
  const env = { WEBHOOK_KEY: "a key" };
  const unsigned = await runExample(pryx, "webhook_responder", [], { ...webhook, stdin: opened, env });
  assert.equal(JSON.parse(unsigned.stdout).status, 401, unsigned.stderr);
  const empty = await runExample(pryx, "webhook_responder", [], { ...webhook, stdin: "{}" });
  assert.equal(JSON.parse(empty.stdout).status, 400);
  const noise = await runExample(pryx, "webhook_responder", [], { ...webhook, stdin: "x" });
  assert.equal(noise.code, 2, noise.stderr);
  const waiting = await runExample(pryx, "webhook_responder");
  assert.equal(waiting.code, 2);
  assert.match(waiting.stderr, /needs `pryx serve`/);
});
