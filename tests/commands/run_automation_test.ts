import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import type { AutomationEnd, AutomationRun } from "../../core/automation/automation.ts";
import type { Config } from "../../core/config/config.ts";
import type { CommandContext, CommandResult, Overrides } from "../../core/commands/command.ts";
import { commands } from "../../core/commands/run.ts";
import type { Json } from "../../core/domain/schema.ts";
import type { SessionId } from "../../core/domain/id.ts";
import { fakeContext, fakeSurface } from "../support/fake_pryx.ts";
import { testAutomations } from "./_automations.ts";

const JOB = `export const permissions = { write: ["out"], net: ["a.org"] };\nconsole.log(1);\n`;

/** `pryx run` over real files, with automations that are linked and not run: what would have run is in `runs`. */
async function project(files: Readonly<Record<string, string>>, end: Partial<AutomationEnd> = {}) {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "pryx run " }));
  await Deno.mkdir(join(root, ".git"));
  for (const [path, text] of Object.entries(files)) {
    await Deno.mkdir(dirname(join(root, path)), { recursive: true });
    await Deno.writeTextFile(join(root, path), text);
  }
  const runs: AutomationRun[] = [];
  const overrides: Overrides[] = [];
  const automations = testAutomations(root);
  return {
    root,
    runs,
    overrides,
    automations,
    async run(input: Readonly<Record<string, Json>>, cwd = root, piped?: string): Promise<CommandResult> {
      const [command] = commands;
      assert.ok(command);
      const surface = {
        ...fakeSurface(),
        input: () => Promise.resolve(piped === undefined ? undefined : new TextEncoder().encode(piped)),
      };
      const context: CommandContext = fakeContext(surface, new AbortController().signal, {
        cwd,
        config: () => Promise.resolve({ limits: { turns: 7 } } as unknown as Config),
        with(changed) {
          overrides.push(changed);
          return context;
        },
        automations: () =>
          Promise.resolve({
            ...automations,
            run(one) {
              runs.push(one);
              return Promise.resolve({ session: "s" as SessionId, status: "done", exitCode: 0, ...end });
            },
          }),
      });
      return await command.run({ ...input }, context);
    },
    async [Symbol.asyncDispose]() {
      await automations[Symbol.asyncDispose]();
      await Deno.remove(root, { recursive: true });
    },
  };
}

Deno.test("run hands an automation its arguments, answers and limits, and gives its exit code back", async () => {
  await using at = await project({ "jobs/a.pryx.ts": JOB }, { status: "failed", exitCode: 7 });
  const { exitCode, data, text } = await at.run({
    prompt: ["a.pryx.ts"],
    args: ["--x", "y"],
    answer: ["who=me", "eq=a=b", "none="],
    allow: ["net=a.org"],
    maxCost: 2,
  }, join(at.root, "jobs"));
  assert.deepEqual([exitCode, text], [7, undefined]);
  assert.deepEqual(data, { session: "s", status: "failed", exitCode: 7, error: null });
  const [run] = at.runs;
  assert.ok(run);
  assert.deepEqual([run.graph.entry, run.graph.root, run.cwd], [
    "jobs/a.pryx.ts",
    at.root,
    join(at.root, "jobs"),
  ]);
  assert.deepEqual([run.args, { ...run.answers }, run.limits], [
    ["--x", "y"],
    { who: "me", eq: "a=b", none: "" },
    { turns: 7 },
  ]);
  assert.equal(run.trigger, undefined);
  // The flags hold for the project that the file is in.
  assert.deepEqual(at.overrides[0], { allow: ["net=a.org"], maxCost: 2, cwd: at.root });
});

Deno.test("run reads standard input for an automation when it asks, and never twice", async () => {
  await using at = await project({ "a.pryx.ts": JOB });
  await at.run({ prompt: ["a.pryx.ts"] }, at.root, "piped");
  assert.deepEqual([await at.runs[0]?.input(), await at.runs[0]?.input()], ["piped", "piped"]);
  await at.run({ prompt: ["a.pryx.ts"] });
  assert.equal(await at.runs[1]?.input(), "");
});

Deno.test("run --ts takes the automation from standard input, which is then used up, or from a file of any name", async () => {
  await using at = await project({ "plain.ts": "console.log(2);\n" });
  await at.run({ prompt: ["-"], ts: true, args: ["a"] }, at.root, "console.log(1);");
  await at.run({ ts: true }, at.root, "console.log(1);");
  for (const run of at.runs) assert.deepEqual([run.graph.file, await run.input()], ["<stdin>", ""]);
  await at.run({ prompt: ["plain.ts"], ts: true }, at.root, "piped");
  assert.deepEqual([at.runs[2]?.graph.entry, await at.runs[2]?.input()], ["plain.ts", "piped"]);
  await assert.rejects(at.run({ ts: true }), { code: "usage", message: /no automation on standard input/ });
});

Deno.test("run refuses what is no automation, and says why in one place", async () => {
  await using at = await project({
    "bad.pryx.ts": "const = 1;\n",
    "two.pryx.ts": 'import a from "npm:a";\nimport b from "npm:b";\na(b);\n',
    "plain.ts": "",
  });
  await assert.rejects(at.run({ prompt: ["bad.pryx.ts"] }), {
    code: "input_invalid",
    message: /^Cannot run bad\.pryx\.ts\n {2}bad\.pryx\.ts:1:7: error: /,
  });
  await assert.rejects(at.run({ prompt: ["two.pryx.ts"] }), {
    message: /: 2 problems\n.*:1:\d+: [^]*\n.*:2:\d+: /,
  });
  await assert.rejects(at.run({ prompt: ["gone.pryx.ts"] }), {
    code: "usage",
    message: "There is no file gone.pryx.ts",
    fix: "check the path",
  });
  await assert.rejects(at.run({ prompt: ["baad.pryx.ts"] }), {
    code: "usage",
    fix: "did you mean bad.pryx.ts?",
  });
  await assert.rejects(at.run({ prompt: ["plain.ts"] }), {
    code: "usage",
    message: /names end in \.pryx\.ts/,
    fix: /pryx run --ts plain\.ts/,
  });
  assert.deepEqual(at.runs, []);
});

Deno.test("run reads events and headers for resident automations, and refuses what is none", async () => {
  await using at = await project({ "a.pryx.ts": JOB });
  const run = async (trigger: string, ...triggerHeader: string[]) => {
    await at.run({ prompt: ["a.pryx.ts"], trigger, triggerHeader });
    return at.runs.at(-1)?.trigger;
  };
  assert.deepEqual(await run("webhook/a/b", "X-Event=push", "accept: text/plain", "empty="), {
    kind: "webhook",
    name: "a/b",
    headers: { "x-event": "push", accept: "text/plain", empty: "" },
  });
  assert.deepEqual(await run("schedule"), { kind: "schedule", name: "", headers: {} });
  assert.deepEqual(await run("message/chat"), { kind: "message", name: "chat", headers: {} });
  for (const trigger of ["", "webhook", "webhook/", "schedule/x", "boom/x"]) {
    await assert.rejects(run(trigger), { code: "usage" }, trigger);
  }
  await assert.rejects(run("schedule", "no header"), { code: "usage" });
  await assert.rejects(at.run({ prompt: ["a.pryx.ts"], answer: ["=x"] }), { code: "usage" });
});

Deno.test("run --frozen and --allow-locked go by the lock: of the project, or the one that is named", async () => {
  await using at = await project({ "a.pryx.ts": JOB });
  const frozen = (more = {}) => at.run({ prompt: ["a.pryx.ts"], frozen: true, ...more });
  await assert.rejects(frozen(), { code: "lock_drift", message: /not locked yet/ });
  await assert.rejects(at.run({ prompt: ["a.pryx.ts"], allowLocked: true }), { code: "usage" });
  const allowed = { prompt: ["a.pryx.ts"], allowLocked: true, lock: "pryx.lock" };
  await assert.rejects(at.run(allowed), { code: "lock_drift" });
  await at.run({ prompt: ["a.pryx.ts"] });
  const [{ graph } = { graph: undefined }] = at.runs;
  assert.ok(graph?.permissions);
  const entry = { graph: graph.hash, permissions: graph.permissions, api: 1 };
  const lock = (file: string) => ({ file: join(at.root, file), entries: new Map([["a.pryx.ts", entry]]) });
  await at.automations.writeLock(lock("base.lock"));
  await assert.rejects(frozen(), { code: "lock_drift" });
  await frozen({ lock: "base.lock" });
  await at.automations.writeLock(lock("pryx.lock"));
  await frozen();
  assert.ok(at.overrides.every(({ allow }) => allow === undefined), "a lock grants nothing");
  await at.run({ ...allowed, allow: ["env=A"] });
  assert.deepEqual(at.overrides.at(-1)?.allow?.toSorted(), ["env=A", "net=a.org", "write=out"]);
});
