import assert from "node:assert/strict";
import { checkOutput } from "../../core/agent/check_output.ts";
import { createSandbox } from "../../core/sandbox/create_sandbox.ts";
import { SELF } from "../automation/_cell.ts";

const NAMED = {
  type: "object",
  properties: { name: { type: "string", pattern: "^[a-z]+$" } },
  required: ["name"],
} as const;

async function check(schema: Readonly<Record<string, unknown>>, answer: string) {
  const home = await Deno.makeTempDir({ prefix: "pryx check " });
  const sandbox = createSandbox({ home, env: { PATH: Deno.env.get("PATH") ?? "" }, self: SELF });
  try {
    return await checkOutput(schema, answer, { run: sandbox.run, signal: new AbortController().signal });
  } finally {
    await sandbox[Symbol.asyncDispose]();
    await Deno.remove(home, { recursive: true });
  }
}

/** Where no pattern is, no process is started. */
const here = {
  run: () => Promise.reject(new Error("a process was started")),
  signal: new AbortController().signal,
};

Deno.test("checkOutput() takes the JSON out of an answer, and says what does not fit", async () => {
  const schema = { type: "object", properties: { n: { type: "number" } }, required: ["n"] };
  assert.deepEqual(await checkOutput(schema, 'Here it is:\n```json\n{"n": 1}\n```', here), {
    json: '{"n": 1}',
  });
  assert.deepEqual(await checkOutput(schema, "no", here), { problems: "it is not JSON" });
  const wrong = await checkOutput(schema, '{"n": "x"}', here);
  assert.match("problems" in wrong ? wrong.problems : "", /^n: /);
});

Deno.test("checkOutput() tries patterns in a process of its own, with the same result", async () => {
  assert.deepEqual(await check(NAMED, '{"name": "ann"}'), { json: '{"name": "ann"}' });
  const wrong = await check(NAMED, '{"name": "Ann 1"}');
  assert.match("problems" in wrong ? wrong.problems : "", /^name: /);
});

Deno.test("checkOutput() ends a pattern that never ends, and holds nobody up meanwhile", async () => {
  const schema = { type: "string", pattern: "^(a+)+$" };
  let ticks = 0;
  const timer = setInterval(() => ticks++, 50);
  try {
    await assert.rejects(check(schema, JSON.stringify(`${"a".repeat(64)}!`)), {
      code: "input_invalid",
      message: /takes longer than 5 s/,
    });
  } finally {
    clearInterval(timer);
  }
  assert.ok(ticks > 20, `${ticks} ticks in five seconds`);
});

Deno.test("checkOutput() says what is wrong with a schema itself", async () => {
  await assert.rejects(check({ type: "string", pattern: "(" }, '"x"'), { code: "input_invalid" });
});
