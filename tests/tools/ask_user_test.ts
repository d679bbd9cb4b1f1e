import assert from "node:assert/strict";
import { askUser } from "../../core/tools/ask_user.ts";
import { createBench } from "./_context.ts";

Deno.test("ask_user puts the question with its options and gives the answer back", async () => {
  await using bench = await createBench({ answer: "blue" });
  const result = await bench.call(askUser, { question: "Which?", options: ["red", "blue", "red"] });
  assert.equal(result.text, "blue");
  assert.deepEqual(bench.asked, [{ question: "Which?", options: ["red", "blue"] }]);
  assert.deepEqual(await bench.needs(askUser, { question: "Which?" }), []);
  assert.equal(askUser.parallel, false);
});

Deno.test("ask_user is denied where nobody is there", async () => {
  await using bench = await createBench();
  await assert.rejects(bench.call(askUser, { question: "Which?" }), { code: "denied" });
});
