import assert from "node:assert/strict";
import { commands } from "../../core/commands/eval.ts";
import type { Automations, Evaluated, EvaluatorRequest } from "../../core/automation/automation.ts";
import type { ErrorJson, Pryx, Unanswered } from "../../core/api.ts";
import type { Overrides } from "../../core/commands/command.ts";
import type { Config } from "../../core/config/config.ts";
import type { SessionId } from "../../core/domain/id.ts";
import { fakeContext, fakeSurface } from "../support/fake_pryx.ts";

interface Told {
  readonly inputs: string[];
  readonly printed: string[];
  readonly overrides: Overrides[];
  request?: EvaluatorRequest;
  closed?: { readonly error: ErrorJson | undefined };
}

const NOTHING: Unanswered = { unapproved: [], personOnly: [] };

/** Runs the command over an evaluator that answers by script: `answers` by what was typed. */
async function run(
  input: { readonly expressions?: string[]; readonly answer?: string[]; readonly allow?: string[] },
  answers: Readonly<Record<string, Evaluated>>,
  { stdin, unanswered = NOTHING }: { readonly stdin?: string; readonly unanswered?: Unanswered } = {},
) {
  const told: Told = { inputs: [], printed: [], overrides: [] };
  const close = (error?: ErrorJson) => {
    told.closed ??= { error };
    return Promise.resolve();
  };
  const automations = {
    rootOf: () => Promise.resolve("/root"),
    evaluator(request: EvaluatorRequest) {
      told.request = request;
      return Promise.resolve({
        session: "session" as SessionId,
        evaluate(text: string) {
          told.inputs.push(text);
          return Promise.resolve(answers[text] ?? { kind: "value", text: "undefined", type: "undefined" });
        },
        complete: () => Promise.resolve([]),
        print: (text: string) => void told.printed.push(text),
        unanswered: () => unanswered,
        close,
        [Symbol.asyncDispose]: () => close(),
      });
    },
  } as unknown as Automations;
  const surface = fakeSurface({
    input: () => Promise.resolve(stdin === undefined ? undefined : new TextEncoder().encode(stdin)),
  });
  const context = fakeContext(surface, new AbortController().signal, {
    cwd: "/root/folder",
    automations: () => Promise.resolve(automations),
    config: () => Promise.resolve({ limits: {} } as Config),
    pryx: () => Promise.resolve({} as Pryx),
  });
  const outer = {
    ...context,
    with(overrides: Overrides) {
      told.overrides.push(overrides);
      return context;
    },
  };
  const [command] = commands;
  assert.ok(command);
  return { ...await command.run(input, outer), told };
}

const two: Evaluated = { kind: "value", text: "2", type: "number" };
const failure: Evaluated = {
  kind: "error",
  name: "TypeError",
  error: { code: "tool_failed", message: "no" },
  text: "TypeError: no\n    at >1:1",
};

Deno.test("eval evaluates its arguments in order and prints what is not undefined", async () => {
  const { told, data, exitCode } = await run(
    { expressions: ["let a = 1", "a + 1"], allow: ["read=."], answer: ["sure=yes"] },
    { "a + 1": two },
  );
  assert.deepEqual(told.inputs, ["let a = 1", "a + 1"]);
  assert.deepEqual(told.printed, ["2\n"]);
  assert.deepEqual(told.overrides, [{ allow: ["read=."], cwd: "/root" }]);
  assert.equal(told.request?.mandate, undefined);
  assert.deepEqual([told.request?.workspace, told.request?.cwd], ["/root", "/root/folder"]);
  assert.deepEqual({ ...told.request?.answers }, { sure: "yes" });
  assert.equal(exitCode, 0);
  assert.deepEqual((data as { results: unknown }).results, [
    { text: "undefined", type: "undefined" },
    { text: "2", type: "number" },
  ]);
  assert.deepEqual(told.closed, { error: undefined });
});

Deno.test("eval joins lines of standard input until they are complete", async () => {
  const open: Evaluated = { kind: "incomplete" };
  const { told, exitCode } = await run({}, {
    "f(": open,

    "f(\n1)": two,
    "": { kind: "empty" },
  }, {
    stdin: "f(\r\n1)\n\nx\n",
  });
  assert.deepEqual(told.inputs, ["f(", "f(\n1)", "", "x"]);
  assert.equal(exitCode, 0);
  const unfinished = await run({ expressions: ["-"] }, { "f(": open }, { stdin: "f(\n" });
  assert.equal(unfinished.exitCode, 2);
  assert.match(unfinished.told.closed?.error?.message ?? "", /still open/);
});

Deno.test("eval ends with the first error, and with its exit code", async () => {
  const { told, exitCode, data } = await run({ expressions: ["bad", "never"] }, { bad: failure });
  assert.deepEqual(told.inputs, ["bad"]);
  assert.equal(exitCode, 1);
  assert.deepEqual(told.closed?.error, { code: "tool_failed", message: "TypeError: no\n    at >1:1" });
  assert.match(JSON.stringify(data), /"name":"TypeError"/);
  const left = await run({ expressions: ["exit(7)", "never"] }, { "exit(7)": { kind: "exit", code: 7 } });
  assert.deepEqual([left.exitCode, left.told.inputs.length], [7, 1]);
});

Deno.test("eval ends 3 when something had to ask and nobody was there", async () => {
  const unanswered = { unapproved: ["write=/a"], personOnly: [] };
  const { exitCode, data } = await run({ expressions: ["x"] }, {}, { unanswered });
  assert.equal(exitCode, 3);
  assert.deepEqual((data as { unapproved: unknown }).unapproved, ["write=/a"]);
});

Deno.test("eval says what to do when there is nothing to evaluate", async () => {
  await assert.rejects(run({}, {}), { code: "usage" });
  await assert.rejects(run({ expressions: ["1"], answer: ["x"] }, {}), { code: "usage" });
});
