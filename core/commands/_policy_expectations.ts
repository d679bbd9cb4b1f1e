import { escapeForDisplay } from "../domain/display.ts";
import { EXIT, PryxError } from "../domain/error.ts";
import type { Origin, Rule, RuleExample, Verdict } from "../domain/policy.ts";
import type { PolicyView } from "../policy/policy.ts";
import { needOf, ORIGINS, WHAT_IF, whatIf } from "./_policy_text.ts";
import { type CommandContext, defineCommand } from "./command.ts";

/** `policy test`: the expectations it is given, and the examples that rules have beside them. */
export const testPolicy = defineCommand({
  name: "policy test",
  summary: "Check that policy decides as expected, and every rule's examples",
  description:
    "Each expectation is a verdict and what it is about: 'deny read=.env', 'ask shell git push', 'allow run=git log'. A file has one a line; # begins a comment. The examples of every rule in force (match, not_match) are checked too, each by its rule alone. Exits 1 when anything is decided otherwise.",
  input: {
    type: "object",
    properties: {
      expectations: {
        type: "array",
        items: { type: "string" },
        description: "VERDICT kind=target or VERDICT shell COMMAND",
      },
      file: { type: "string", description: "File of expectations; - for standard input" },
      origin: { type: "string", enum: ORIGINS, description: "Who would ask", default: "model" },
      ...WHAT_IF,
    },
  },
  positionals: ["expectations"],
  short: { file: "f" },
  examples: [
    { line: "pryx policy test", note: "The examples that stand beside your rules" },
    { line: "pryx policy test 'deny read=.env' 'ask shell git push'", note: "Two expectations" },
    {
      line: "pryx policy test --file .pryx/policy.test --preset workspace",
      note: "In continuous integration",
    },
  ],
  async run(input, outer) {
    const ctx = whatIf(outer, input);
    const lines = [
      ...input.expectations ?? [],
      ...(input.file === undefined ? [] : (await readExpectations(input.file, ctx)).split(/\r?\n/u)),
    ].map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
    const examples = (await ctx.config()).rules.flatMap((rule) =>
      (rule.examples ?? []).map((example) => ({ rule, example }))
    );
    if (lines.length + examples.length === 0) {
      throw new PryxError("usage", "There is nothing to test: no expectation, and no rule has an example", {
        fix:
          `pryx policy test 'deny read=.env'; or write examples beside a rule: {"rule": "run=git log", "match": ["git log -3"]}`,
      });
    }
    const view = await ctx.policy();
    const results = [];
    for (const line of lines) results.push(await check(line, view, input.origin ?? "model"));
    const tried = [];
    for (const { rule, example } of examples) tried.push(await tryExample(rule, example, view));
    const passed = results.filter((one) => one.expected === one.actual).length +
      tried.filter((one) => one.expected === one.matches).length;
    const all = results.length + tried.length;
    const text = [
      ...results.map(expectationLine),
      ...tried.map(exampleLine),
      "",
      `${passed} of ${all} as expected`,
    ];
    return {
      data: { passed, failed: all - passed, results, examples: tried },
      text: escapeForDisplay(text.join("\n")),
      exitCode: passed < all ? EXIT.error : EXIT.done,
    };
  },
});

async function readExpectations(file: string, ctx: CommandContext): Promise<string> {
  if (file === "-") return new TextDecoder().decode(await ctx.surface.input() ?? new Uint8Array());
  const { resolve } = await import("node:path");
  try {
    return await Deno.readTextFile(resolve(ctx.cwd, file));
  } catch (error) {
    throw new PryxError("usage", `Cannot read the expectations in "${file}"`, {
      cause: error,
      fix: "name a file that is there, or - for standard input",
    });
  }
}

async function check(line: string, view: PolicyView, origin: Origin) {
  const [, expected, about = ""] = /^(allow|ask|deny)\s+(.+)$/u.exec(line) ?? [];
  if (!isVerdict(expected)) {
    throw new PryxError("usage", `"${line}" is no expectation`, {
      fix: "write allow, ask or deny, then kind=target or shell COMMAND",
    });
  }
  const command = /^shell\s+(.+)$/u.exec(about)?.[1];
  const needs = await view.needsOf(command === undefined ? { need: needOf(about) } : { shell: command });
  const decision = await view.explain(needs, origin);
  const reasons = decision.judgements.filter((one) => one.verdict === decision.verdict).map((one) =>
    one.reason
  );
  return { line, expected, actual: decision.verdict, reasons };
}

function expectationLine({ line, expected, actual, reasons }: Awaited<ReturnType<typeof check>>): string {
  return expected === actual ? `ok    ${line}` : `WRONG ${line}\n      is ${actual}: ${reasons.join("; ")}`;
}

async function tryExample(rule: Rule, example: RuleExample, view: PolicyView) {
  return {
    rule: `${rule.verdict} ${rule.kind}=${rule.pattern}`,
    example: example.text,
    source: example.source,
    expected: example.matches,
    matches: await view.covers(rule, example.text),
  };
}

function exampleLine(
  { rule, example, source, expected, matches }: Awaited<ReturnType<typeof tryExample>>,
): string {
  const wanted = expected ? "matches" : "does not match";
  if (expected === matches) return `ok    ${rule}  ${wanted}  ${example}`;
  return `WRONG ${rule}  ${
    matches ? "matches" : "does not match"
  }  ${example}\n      ${source} says that it ${wanted}`;
}

function isVerdict(text: string | undefined): text is Verdict {
  return text === "allow" || text === "ask" || text === "deny";
}
