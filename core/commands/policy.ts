import { escapeForDisplay } from "../domain/display.ts";
import { PryxError } from "../domain/error.ts";
import { formatNeed, type Need } from "../domain/need.ts";
import { type Decision, LAYERS, type Rule } from "../domain/policy.ts";
import type { Json } from "../domain/schema.ts";
import type { SandboxLayer } from "../sandbox/sandbox.ts";
import { parseJsonArguments } from "./_json_arguments.ts";
import { replayPolicy } from "./_policy_replay.ts";
import { testPolicy } from "./_policy_expectations.ts";
import { needOf, ORIGINS, ruleLine, WHAT_IF, whatIf } from "./_policy_text.ts";
import { type Command, type CommandContext, defineCommand } from "./command.ts";

const show = defineCommand({
  name: "policy show",
  summary: "Show the rules in force here, strongest first",
  description:
    "Layers, strongest first: managed, flags, environment, local project, project, profile, user, preset. A deny of any layer is final; between ask and allow the strongest layer that matches decides.",
  input: {
    type: "object",
    properties: {
      ...WHAT_IF,
      all: { type: "boolean", description: "List every secret file of the preset, not their number" },
    },
  },
  examples: [
    { line: "pryx policy show", note: "The preset, every rule, and the layers of the sandbox" },
    { line: "pryx policy show --preset workspace", note: "What another preset would allow" },
  ],
  async run(input, outer) {
    const ctx = whatIf(outer, input);
    const [view, layers] = await Promise.all([ctx.policy(), sandboxLayers(ctx)]);
    const { policy } = view;
    const trust = await view.trust();
    const data = {
      preset: policy.preset,
      ...(policy.summary === undefined ? {} : { summary: policy.summary }),
      workspace: policy.workspace,
      ...(policy.defaults ? { defaults: policy.defaults } : {}),
      rules: policy.rules,
      sandbox: layers,
      trust,
    };
    const text = [
      `Preset     ${policy.preset}${policy.summary === undefined ? "" : `: ${policy.summary}`}`,
      `Workspace  ${policy.workspace}`,
      `Trust      ${trustLine(trust.files.length, trust.trusted)}`,
      "",
      ...ruleLines(policy.rules, input.all === true),
      ...(policy.defaults
        ? [
          "",
          "Where no rule matches",
          ...Object.entries(policy.defaults).map(([kind, v]) => `  ${v.padEnd(5)} ${kind}`),
        ]
        : []),
      "",
      "Sandbox",
      ...layers.map((layer) => `  ${layer.active ? "on " : "off"} ${layer.name}: ${layer.detail}`),
    ].join("\n");
    return { data: data as unknown as Json, text: escapeForDisplay(text) };
  },
});

function trustLine(files: number, trusted: boolean): string {
  if (files === 0) return "no instructions here";
  return trusted
    ? `the instructions here are trusted (${count(files, "file")})`
    : `the instructions here are inert (${count(files, "file")}; look and decide with: pryx trust)`;
}

async function sandboxLayers(ctx: CommandContext): Promise<readonly SandboxLayer[]> {
  return await (await ctx.sandbox()).layers();
}

function ruleLines(rules: readonly Rule[], all: boolean): string[] {
  const lines: string[] = [];
  for (const layer of LAYERS) {
    const here = rules.filter((rule) => rule.layer === layer);
    if (here.length === 0) continue;
    lines.push(`Layer ${layer}`);
    const secrets = all ? [] : here.filter((rule) => rule.guard === "secret");
    for (const rule of here) if (!secrets.includes(rule)) lines.push(`  ${ruleLine(rule)}`);
    for (const [reason, amount] of countBy(secrets.map((rule) => rule.reason ?? "secret files"))) {
      lines.push(`  deny  ${count(amount, "pattern")}: ${reason} (--all lists them)`);
    }
  }
  return lines;
}

function countBy(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}

const explain = defineCommand({
  name: "policy explain",
  summary: "Say what would be decided, by which rule, and which others matched",
  description:
    "Judges needs (kind=target), a command line, or a tool call. Nothing is run and nothing is asked.",
  input: {
    type: "object",
    properties: {
      needs: { type: "array", items: { type: "string" }, description: "kind=target; paths start here" },
      shell: { type: "string", description: "A command line" },
      tool: { type: "string", description: "Name of a tool" },
      args: { type: "string", description: "JSON object of its arguments" },
      origin: { type: "string", enum: ORIGINS, description: "Who would ask", default: "model" },
      ...WHAT_IF,
    },
  },
  positionals: ["needs"],
  examples: [
    { line: "pryx policy explain read=.env net=example.org", note: "Two needs" },
    { line: "pryx policy explain --shell 'git log | head > out.txt'", note: "Every part of a command line" },
    { line: `pryx policy explain --tool read_file --args '{"path":".env"}'`, note: "A tool call" },
  ],
  async run(input, outer) {
    const view = await whatIf(outer, input).policy();
    const needs: Need[] = [];
    for (const text of input.needs ?? []) needs.push(...await view.needsOf({ need: needOf(text) }));
    const origin = input.origin ?? "model";
    let may: readonly string[] = [];
    if (input.shell !== undefined) {
      const stated = await view.needsOf({ shell: input.shell });
      const confined = await view.confine(stated, origin);
      needs.push(...stated, ...confined.reach);
      may = confined.may;
    }
    if (input.tool !== undefined) {
      needs.push(...await view.needsOf({ tool: input.tool, args: parseJsonArguments(input.args ?? "") }));
    } else if (input.args !== undefined) {
      throw new PryxError("usage", "--args goes with --tool", {
        fix: "pryx policy explain --tool NAME --args JSON",
      });
    } else if (needs.length === 0 && input.shell === undefined) {
      throw new PryxError("usage", "There is nothing to explain", {
        fix: "name a need (read=FILE, net=HOST, run=COMMAND), or use --shell or --tool",
      });
    }
    const decision = await view.explain(needs, origin);
    const allowed = may.length === 0 ? [] : ["", "Once allowed, it may", ...may.map((line) => `  ${line}`)];
    return {
      data: decisionData(decision, may),
      text: escapeForDisplay([decisionText(decision), ...allowed].join("\n")),
    };
  },
});

function decisionData({ verdict, judgements }: Decision, may: readonly string[]): Json {
  return { verdict, judgements, ...(may.length === 0 ? {} : { may }) } as unknown as Json;
}

function decisionText({ verdict, judgements }: Decision): string {
  if (judgements.length === 0) return "allow: it needs nothing";
  const lines = judgements.flatMap((one) => [
    `${one.verdict.padEnd(5)} ${formatNeed(one.need)}`,
    `      ${one.reason}`,
    ...(one.need.reach === undefined || one.reason.includes(one.need.reach)
      ? []
      : [`      not wanted, but within its reach here: ${one.need.reach}`]),
    ...(one.onceOnly ? ["      only a person can allow it, once"] : []),
    ...one.matched.filter((rule) => rule !== one.rule).map((rule) => `      also matched: ${ruleLine(rule)}`),
  ]);
  return judgements.length === 1 ? lines.join("\n") : [...lines, "", `together: ${verdict}`].join("\n");
}

export const commands: readonly Command[] = [show, explain, testPolicy, replayPolicy];
