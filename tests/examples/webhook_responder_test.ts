import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { type BuiltPryx, builtPryx } from "../support/built_pryx.ts";
import { runExample, withExamples } from "./_project.ts";

const KEY = "between you and the host";

/** A machine that has the secret. */
async function withSecret(pryx: BuiltPryx): Promise<void> {
  await withExamples(pryx);
  const set = await pryx.run(["secrets", "set", "webhook", "--store", "file"], { stdin: KEY });
  assert.equal(set.code, 0, set.stderr);
}

/** Delivers a body, signed as its sender would sign it. */
function deliver(
  pryx: BuiltPryx,
  body: string,
  signature = createHmac("sha256", KEY).update(body).digest("hex"),
) {
  const flags = [
    "--trigger",
    "webhook/repository",
    "--trigger-header",
    `x-hub-signature-256=sha256=${signature}`,
  ];
  return runExample(pryx, "webhook_responder", [], { flags, stdin: body });
}

Deno.test("webhook_responder counts from one run to the next, and reports once", async () => {
  await using pryx = await builtPryx();
  await withSecret(pryx);
  for (const total of [1, 2]) {
    const { code, stdout, stderr } = await deliver(
      pryx,
      '{"action":"opened","repository":{"full_name":"ann/tea"}}',
    );
    assert.equal(code, 0, stderr);
    const { status, body } = JSON.parse(stdout);
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(body), { repository: "ann/tea", total, byAction: { opened: total } });
  }
  const schedule = { flags: ["--trigger", "schedule"] };
  const report = await runExample(pryx, "webhook_responder", [], schedule);
  assert.deepEqual(JSON.parse(report.stdout), { "ann/tea": { total: 2, byAction: { opened: 2 } } });
  assert.deepEqual(JSON.parse((await runExample(pryx, "webhook_responder", [], schedule)).stdout), {});
});

Deno.test("webhook_responder refuses what is not signed, and what is no delivery", async () => {
  await using pryx = await builtPryx();
  await withSecret(pryx);
  const forged = await deliver(pryx, '{"repository":{"full_name":"ann/tea"}}', "0".repeat(64));
  assert.equal(JSON.parse(forged.stdout).status, 401, forged.stderr);
  const unsigned = await runExample(pryx, "webhook_responder", [], {
    flags: ["--trigger", "webhook/repository"],
    stdin: "{}",
  });
  assert.equal(JSON.parse(unsigned.stdout).status, 401, unsigned.stderr);
  assert.equal(JSON.parse((await deliver(pryx, "{}")).stdout).status, 400);
  assert.equal((await deliver(pryx, "x")).code, 2);
  assert.ok(!forged.stdout.includes(KEY) && !forged.stderr.includes(KEY));
});

Deno.test("webhook_responder waits for pryx serve, and says so", async () => {
  await using pryx = await builtPryx();
  await withExamples(pryx);
  const waiting = await runExample(pryx, "webhook_responder");
  assert.equal(waiting.code, 2);
  assert.match(waiting.stderr, /needs `pryx serve`/);
});
