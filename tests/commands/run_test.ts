import assert from "node:assert/strict";
import { isAutomation } from "../../core/commands/_run_automation.ts";
import { commands } from "../../core/commands/run.ts";

const [run] = commands;

async function refused(input: Record<string, unknown>, message: RegExp): Promise<void> {
  await assert.rejects(async () => await run?.run(input as never, { cwd: "/nowhere" } as never), {
    code: "usage",
    message,
  });
}

Deno.test("run refuses flags that would do nothing", async () => {
  for (
    const [flag, value] of [
      ["frozen", true],
      ["allowLocked", true],
      ["lock", "x.lock"],
      ["answer", ["a=b"]],
      ["trigger", "schedule"],
    ] as const
  ) {
    await refused({ prompt: ["do it"], [flag]: value }, /is for automations, and none is named/);
  }
  for (
    const [flag, value] of [
      ["continue", true],
      ["resume", "x"],
      ["outputSchema", "x.json"],
      ["output", "x"],
      ["key", "k"],
    ] as const
  ) {
    await refused(
      { prompt: ["job.pryx.ts"], [flag]: value },
      /is for jobs of the agent, and this is an auto/,
    );
  }
  await refused({ prompt: ["job.pryx.ts"], lock: "x.lock" }, /--lock alone does nothing/);
});

Deno.test("run does not drop what stands behind a sentence that ends like an automation", async () => {
  await refused({ prompt: ["explain job.pryx.ts"], args: ["--model", "a/b"] }, /--model a\/b is not for an/);
});

Deno.test("isAutomation() takes a sentence for one only where there is such a file", async () => {
  const folder = await Deno.makeTempDir();
  try {
    assert.equal(isAutomation({ prompt: ["job.pryx.ts"] }, folder), true);
    assert.equal(isAutomation({ prompt: ["explain job.pryx.ts"] }, folder), false);
    assert.equal(isAutomation({ prompt: ["explain", "job.pryx.ts"] }, folder), false);
    await Deno.writeTextFile(`${folder}/my job.pryx.ts`, "");
    assert.equal(isAutomation({ prompt: ["my job.pryx.ts"] }, folder), true);
    assert.equal(isAutomation({ ts: true }, folder), true);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
