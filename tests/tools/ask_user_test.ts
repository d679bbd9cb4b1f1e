import assert from "node:assert/strict";
import { askUser } from "../../core/tools/ask_user.ts";
import { createToolContext } from "../support/tool_context.ts";

Deno.test("ask_user puts the question with its options and gives the answer back", async () => {
  await using at = await createToolContext({ answer: "blue" });
  const result = await at.call(askUser, { question: "Which?", options: ["red", "blue", "red"] });
  assert.equal(result.text, "blue");
  assert.deepEqual(at.asked, [{ question: "Which?", options: ["red", "blue"] }]);
  assert.deepEqual(await at.needs(askUser, { question: "Which?" }), []);
  assert.equal(askUser.parallel, false);
});

Deno.test("ask_user is denied where nobody is there", async () => {
  await using at = await createToolContext();
  await assert.rejects(at.call(askUser, { question: "Which?" }), { code: "denied" });
});
