import type { ErrorJson, Unanswered } from "../api.ts";
import type { Evaluated, EvaluationFailure, Evaluator } from "../automation/automation.ts";
import { ERROR_CODES, EXIT, PryxError } from "../domain/error.ts";
import { PRESETS } from "../domain/policy.ts";
import type { Json } from "../domain/schema.ts";
import { readAnswers } from "./_run_automation.ts";
import { type Command, type CommandContext, type CommandResult, defineCommand } from "./command.ts";

export const commands: readonly Command[] = [defineCommand({
  name: "eval",
  summary: "Evaluate TypeScript with the automation API",
  description:
    `Each argument is evaluated after those before it, in one state: what was declared stays, _ is the last value, and await \
works everywhere. Without an argument, or with -, standard input is read line by line; an input that is not complete goes on in the \
next line. All of the automation API is there without an import (pryx types). Values go to standard output as people read them; \
nothing is printed for undefined. The first error ends it.

The code runs where automations run: in a process without any rights. There is no manifest: you typed it, so what it may do is \
what policy allows, and --allow says more. What would ask a person is denied when nobody is there (exit 3), and the flags that \
would have allowed it are named. Do not evaluate what somebody else wrote: make it a .pryx.ts file with permissions.`,
  input: {
    type: "object",
    properties: {
      expressions: {
        type: "array",
        items: { type: "string" },
        description: "What to evaluate, or - to read it from standard input",
      },
      preset: { type: "string", enum: PRESETS, description: "What is allowed where no rule says otherwise" },
      allow: {
        type: "array",
        items: { type: "string" },
        description: "Allow kind=target, as in run='git log' or write=docs/**",
      },
      deny: { type: "array", items: { type: "string" }, description: "Deny kind=target; final" },
      maxCost: { type: "number", minimum: 0, description: "US dollars at most, of agents that are asked" },
      timeout: { type: "string", description: "Time at most, for all of it: 90s, 10m, 1h" },
      approvalTimeout: {
        type: "string",
        description: "How long approvals wait for another surface when nobody is here",
      },
      answer: { type: "array", items: { type: "string" }, description: "Answer a question: NAME=VALUE" },
    },
  },
  positionals: ["expressions"],
  complete: { expressions: "none" },
  examples: [
    { line: `pryx eval 'await fs.list(".")'`, note: "What is in this folder" },
    {
      line: `pryx eval 'const log = await sh\`git log --oneline\`.lines()' log.length --allow run='git log'`,
      note: "Two inputs, one state",
    },
    { line: "pryx eval --json 'workspace' < /dev/null", note: "For programs" },
  ],
  async run({ expressions = [], answer = [], ...overrides }, outer) {
    const root = await (await outer.automations()).rootOf({ text: "", folder: outer.cwd });
    const ctx = outer.with({ ...overrides, cwd: root });
    const fromInput = expressions.length === 0 || (expressions.length === 1 && expressions[0] === "-");
    const inputs = fromInput ? await typedLines(ctx) : expressions;
    const config = await ctx.config();
    // Where the surface answers what asks.
    await ctx.pryx();
    let printed = "";
    await using evaluator = await (await ctx.automations()).evaluator({
      name: "eval",
      title: inputs.join(" ").slice(0, 200),
      workspace: root,
      cwd: outer.cwd,
      surface: ctx.surface.name,
      attended: ctx.surface.attended,
      limits: config.limits,
      input: fromInput ? () => Promise.resolve("") : () => pipedText(ctx),
      answers: readAnswers(answer),
      show: (event) => ctx.surface.event(event),
      say(to, text) {
        if (to === "stdout") printed += text;
      },
    });
    const results = await evaluateAll(inputs, fromInput, evaluator, ctx.signal);
    return await finish(results, printed, evaluator);
  },
})];

async function typedLines(ctx: CommandContext): Promise<readonly string[]> {
  const text = await pipedText(ctx);
  if (text === "") {
    throw new PryxError("usage", "There is nothing to evaluate", {
      fix: `say what: pryx eval 'await fs.list(".")', or pipe it in: … | pryx eval`,
    });
  }
  return text.replace(/\r?\n$/u, "").split(/\r?\n/u);
}

async function pipedText({ surface }: CommandContext): Promise<string> {
  return new TextDecoder().decode(await surface.input());
}

/** Until one fails. `joined`: an input may go on in the next one. */
async function evaluateAll(
  inputs: readonly string[],
  joined: boolean,
  evaluator: Evaluator,
  signal: AbortSignal,
): Promise<Evaluated[]> {
  const results: Evaluated[] = [];
  let open = "";
  for (const [index, input] of inputs.entries()) {
    const text = open + input;
    const result = await evaluator.evaluate(text, { signal });
    if (result.kind === "incomplete") {
      if (joined && index < inputs.length - 1) {
        open = `${text}\n`;
        continue;
      }
      results.push(unfinished());
      break;
    }
    open = "";
    if (result.kind === "empty") continue;
    results.push(result);
    if (result.kind !== "value") break;
    if (result.type !== "undefined") evaluator.print(`${result.text}\n`);
  }
  return results;
}

function unfinished(): Evaluated {
  const message = "The input ends where something is still open: a bracket, a template, a function";
  const error = new PryxError("input_invalid", message);
  return { kind: "error", name: "SyntaxError", error: error.toJSON(), text: `SyntaxError: ${message}` };
}

/** Ends the session as the last input did. */
async function finish(
  results: readonly Evaluated[],
  printed: string,
  evaluator: Evaluator,
): Promise<CommandResult> {
  const last = results.at(-1);
  const asked = evaluator.unanswered();
  const failed = last?.kind === "error" ? last : undefined;
  await evaluator.close(failed && errorOf(failed, isAny(asked)));
  const data = { session: evaluator.session, results: results.map(shown), printed, ...asked };
  const exitCode = failed
    ? ERROR_CODES[failed.error.code]
    : last?.kind === "exit"
    ? last.code
    : isAny(asked)
    ? EXIT.denied
    : EXIT.done;
  return { data: data as unknown as Json, exitCode };
}

/** `flagsFollow`: what flags would have allowed is said once, of all that was stopped. */
function errorOf({ error: { code, fix }, text }: EvaluationFailure, flagsFollow: boolean): ErrorJson {
  const hint = fix === undefined || (code === "denied" && flagsFollow) ? {} : { fix };
  return { code, message: text, ...hint };
}

function shown(result: Evaluated): Json {
  switch (result.kind) {
    case "value":
      return { text: result.text, type: result.type };
    case "error":
      return { error: { ...result.error, name: result.name, text: result.text } };
    case "exit":
      return { exit: result.code };
    default:
      return null;
  }
}

function isAny({ unapproved, personOnly }: Unanswered): boolean {
  return unapproved.length + personOnly.length > 0;
}
