import assert from "node:assert/strict";
import { join } from "node:path";
import { createAutomations } from "../../core/automation/create_automations.ts";
import type { Verdict } from "../../core/domain/policy.ts";
import { project } from "./_project.ts";

const FILES = {
  "job.pryx.ts": `import { a } from "./a.ts"; export const b = a;`,
  "a.ts": "export const a = 1;",
};

/** Links the file under a policy that says this of files, by name. */
async function linked(verdicts: Readonly<Record<string, Verdict>>) {
  await using here = await project(FILES);
  const policy = {
    explain: ([need]: readonly { readonly target: string }[]) =>
      Promise.resolve({
        verdict: verdicts[need?.target.split("/").at(-1) ?? ""] ?? "allow",
        judgements: [{ reason: "as it was told" }],
      }),
  };
  const automations = createAutomations(
    {
      cacheFolder: join(here.outer, "cache"),
      patternProblem: () => undefined,
      policy: () => Promise.resolve(policy),
    } as unknown as Parameters<typeof createAutomations>[0],
  );
  return await automations.link({ file: join(here.root, "job.pryx.ts") });
}

Deno.test("link() reads the file that a person named, also where policy would ask, and never what it denies", async () => {
  assert.ok("graph" in await linked({ "job.pryx.ts": "ask" }));
  await assert.rejects(linked({ "job.pryx.ts": "deny" }), { code: "denied", message: /as it was told/ });
});

Deno.test("link() reads no import that policy would have to ask about", async () => {
  assert.ok("graph" in await linked({}));
  for (const verdict of ["ask", "deny"] as const) {
    await assert.rejects(linked({ "a.ts": verdict }), { code: "denied", message: /may not import .*a\.ts/ });
  }
});
