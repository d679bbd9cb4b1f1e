import { escapeForDisplay } from "../domain/display.ts";
import { EXIT, PryxError } from "../domain/error.ts";
import { formatNeed, type Need, parseNeed } from "../domain/need.ts";
import { type Decision, LAYERS, type Origin, PRESETS, type Rule, type Verdict } from "../domain/policy.ts";
import type { Json } from "../domain/schema.ts";
import type { PolicyView } from "../policy/policy.ts";
import type { SandboxLayer } from "../sandbox/sandbox.ts";
import { parseJsonArguments } from "./_json_arguments.ts";
import { type Command, type CommandContext, defineCommand } from "./command.ts";

const ORIGINS = ["model", "automation", "mcp", "human", "channel"] as const satisfies readonly Origin[];

/** Flags that set policy for one run; also for looking at what they would change. */
const WHAT_IF = {
  preset: { type: "string", enum: PRESETS, description: "As if this preset were set" },
  allow: { type: "array", items: { type: "string" }, description: "As if kind=target were allowed" },
  deny: { type: "array", items: { type: "string" }, description: "As if kind=target were denied" },
} as const;

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

function ruleLine(rule: Rule): string {
  const notes = [rule.source, rule.reason, rule.untrusted ? "under taint too" : undefined].filter(Boolean);
  return `${rule.verdict.padEnd(5)} ${rule.kind}=${rule.pattern}  (${notes.join("; ")})`;
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
    if (input.shell !== undefined) needs.push(...await view.needsOf({ shell: input.shell }));
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
    const decision = await view.explain(needs, input.origin ?? "model");
    return { data: decisionData(decision), text: escapeForDisplay(decisionText(decision)) };
  },
});

function decisionData({ verdict, judgements }: Decision): Json {
  return { verdict, judgements } as unknown as Json;
}

function decisionText({ verdict, judgements }: Decision): string {
  if (judgements.length === 0) return "allow: it needs nothing";
  const lines = judgements.flatMap((one) => [
    `${one.verdict.padEnd(5)} ${formatNeed(one.need)}`,
    `      ${one.reason}`,
    ...(one.onceOnly ? ["      only a person can allow it, once"] : []),
    ...one.matched.filter((rule) => rule !== one.rule).map((rule) => `      also matched: ${ruleLine(rule)}`),
  ]);
  return judgements.length === 1 ? lines.join("\n") : [...lines, "", `together: ${verdict}`].join("\n");
}

const test = defineCommand({
  name: "policy test",
  summary: "Check that policy decides as expected",
  description:
    "Each expectation is a verdict and what it is about: 'deny read=.env', 'ask shell git push', 'allow run=git log'. A file has one a line; # begins a comment. Exits 1 when any is decided otherwise.",
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
    if (lines.length === 0) {
      throw new PryxError("usage", "There is nothing to test", { fix: "pryx policy test 'deny read=.env'" });
    }
    const view = await ctx.policy();
    const results = [];
    for (const line of lines) results.push(await check(line, view, input.origin ?? "model"));
    const failed = results.filter((one) => one.expected !== one.actual);
    const text = [
      ...results.map((one) =>
        one.expected === one.actual
          ? `ok    ${one.line}`
          : `WRONG ${one.line}\n      is ${one.actual}: ${one.reasons.join("; ")}`
      ),
      "",
      `${results.length - failed.length} of ${results.length} as expected`,
    ].join("\n");
    return {
      data: { passed: results.length - failed.length, failed: failed.length, results },
      text: escapeForDisplay(text),
      exitCode: failed.length > 0 ? EXIT.error : EXIT.done,
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

function isVerdict(text: string | undefined): text is Verdict {
  return text === "allow" || text === "ask" || text === "deny";
}

function needOf(text: string): Need {
  const need = parseNeed(text);
  if (typeof need === "string") {
    throw new PryxError("usage", need, { fix: "for example read=src/a.ts, net=example.org" });
  }
  return need;
}

function whatIf(
  ctx: CommandContext,
  { preset, allow, deny }: {
    readonly preset?: (typeof PRESETS)[number];
    readonly allow?: readonly string[];
    readonly deny?: readonly string[];
  },
): CommandContext {
  if (preset === undefined && allow === undefined && deny === undefined) return ctx;
  return ctx.with({
    ...(preset === undefined ? {} : { preset }),
    ...(allow === undefined ? {} : { allow }),
    ...(deny === undefined ? {} : { deny }),
  });
}

export const commands: readonly Command[] = [show, explain, test];
