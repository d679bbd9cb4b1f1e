import assert from "node:assert/strict";
import { commands } from "../../core/commands/types.ts";
import { fakeContext, fakeSurface } from "../support/fake_pryx.ts";
import { testAutomations } from "./_automations.ts";

async function types(input: { readonly globals?: boolean }): Promise<string> {
  const [command] = commands;
  assert.ok(command);
  await using automations = testAutomations("/");
  const context = fakeContext(fakeSurface(), new AbortController().signal, {
    automations: () => Promise.resolve(automations),
  });
  const { text = "", data } = await command.run({ ...input }, context);
  const { declarations } = data as { declarations: string };
  assert.equal(declarations, `${text}\n`);
  return declarations;
}

Deno.test("types prints the declarations of the module, as they stand in the tree", async () => {
  assert.equal(await types({}), await Deno.readTextFile("core/automation/api.d.ts"));
});

Deno.test("types --globals prints what needs no import", async () => {
  assert.match(await types({ globals: true }), /^declare var console: Console;$/m);
});
