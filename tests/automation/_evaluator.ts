import { fileURLToPath } from "node:url";
import type { Evaluated, EvaluationFailure, EvaluatorRequest } from "../../core/automation/automation.ts";
import { openEvaluator } from "../../core/automation/evaluator.ts";
import { scriptedProvider } from "../support/scripted_provider.ts";
import { testPryx, type TestPryxOptions } from "../support/test_pryx.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** A prompt in a real cell, over the real core. */
export async function testEvaluator(
  options: Partial<TestPryxOptions> = {},
  request: Partial<EvaluatorRequest> = {},
) {
  const self = [Deno.execPath(), "run", "-A", "--quiet", MAIN] as const;
  const test = await testPryx({ provider: scriptedProvider([]), self, ...options });
  const parts = {
    pryx: () => Promise.resolve(test.pryx),
    store: () => Promise.resolve(test.store),
    sandbox: () => Promise.resolve(test.sandbox),
    toolNames: () => Promise.resolve(["read_file"]),
    variable: () => undefined,
    secretMark: (name: string) => name,
    secret: () => Promise.resolve(""),
  };
  const said: string[] = [];
  let wake = () => {};
  const evaluator = await openEvaluator({
    name: "shell",
    workspace: test.workspace,
    cwd: test.workspace,
    surface: "test",
    attended: false,
    input: () => Promise.resolve("piped"),
    answers: {},
    say(to, text) {
      said.push(`${to}: ${text}`);
      wake();
    },
    ...request,
  }, parts);
  return {
    ...test,
    evaluator,
    said,
    /** Evaluates, and interrupts it as soon as it has said something. */
    async interrupt(text: string): Promise<EvaluationFailure> {
      const controller = new AbortController();
      wake = () => controller.abort(new Error("Interrupted"));
      const ended = await evaluator.evaluate(text, { signal: controller.signal });
      wake = () => {};
      if (ended.kind !== "error") throw new Error(`it was not interrupted: ${ended.kind}`);
      return ended;
    },
    /** The text of a value, or of a failure. */
    async see(text: string): Promise<string> {
      return shown(await evaluator.evaluate(text));
    },
    async [Symbol.asyncDispose]() {
      await evaluator[Symbol.asyncDispose]();
      await test[Symbol.asyncDispose]();
    },
  };
}

export function shown(evaluated: Evaluated): string {
  return "text" in evaluated ? evaluated.text : evaluated.kind;
}
