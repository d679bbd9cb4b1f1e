import assert from "node:assert/strict";
import { createBudget } from "../../core/agent/budget.ts";
import type { ModelCatalog } from "../../core/providers/provider.ts";

/** A tenth of a cent a token, in and out. */
const catalog = {
  info: () => Promise.resolve(undefined),
  cost: (_provider, _model, { input, output }) => Promise.resolve((input + output) / 1000),
} satisfies ModelCatalog;

const usage = (input: number, output: number) => ({ input, output, cached: 0, reasoning: 0 });

Deno.test("reserve() holds what a call may spend, so that calls side by side do not spend the limit twice", async () => {
  const budget = createBudget(catalog, 1);
  const first = await budget.reserve("p", "m", 100);
  assert.deepEqual([first.reserved, first.maxOutputTokens], [1, 900]);
  await assert.rejects(budget.reserve("p", "m", 100), { code: "budget" });
  assert.equal(await first.settle(usage(100, 100)), 0.2);
  const second = await budget.reserve("p", "m", 100);
  assert.equal(second.maxOutputTokens, 700);
  second.release();
  second.release();
  assert.equal(budget.spent, 0.2);
  assert.equal((await budget.reserve("p", "m", 100)).maxOutputTokens, 700);
});
