/**
 * A program with the real command line and terminal, and a fake Pryx behind them: what tests of a real terminal start. It
 * also stands in for `pryx` in the tests of shell completion.
 */
import { defineCommand } from "../../core/commands/command.ts";
import type { CommandContext } from "../../core/commands/command.ts";
import type { SessionRow, Store } from "../../core/store/store.ts";
import { type CommandIndex, runCli } from "../../repl/cli.ts";
import { createFakePryx, fakeContext, fakeEvent } from "./fake_pryx.ts";

const pryx = createFakePryx();

const approve = defineCommand({
  name: "approve",
  summary: "Ask for an approval",
  input: {
    type: "object",
    properties: {
      elsewhere: { type: "boolean", description: "Answer it from elsewhere when a file appears" },
    },
  },
  examples: [{ line: "pryx approve", note: "asks" }],
  async run({ elsewhere }, ctx) {
    await ctx.pryx();
    const decision = pryx.nextDecision();
    ctx.surface.event(fakeEvent("approval.requested", {
      approval: "ap1",
      call: "c1",
      tool: "shell",
      digest: "00",
      summary: "git push \x1b[31mred",
      judgements: [{ need: { kind: "run", target: "git push" }, verdict: "ask", reason: "runs ask" }],
      expiresAt: "2031-01-01T00:00:00.000Z",
    }));
    if (elsewhere) {
      const data = { approval: "ap1", call: "c1", verdict: "allow", by: "human:http" } as const;
      setTimeout(() => ctx.surface.event(fakeEvent("approval.decided", data)), 300);
      return { data: null, text: `typed: ${await ctx.surface.prompt("Next:")}` };
    }
    const aborted = new Promise<never>((_, reject) => {
      ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason), { once: true });
    });
    const { answer } = await Promise.race([decision, aborted]);
    return { data: null, text: `decided: ${JSON.stringify(answer)}` };
  },
});

const secret = defineCommand({
  name: "secret",
  summary: "Ask for a secret",
  input: { type: "object", properties: {} },
  examples: [{ line: "pryx secret", note: "asks" }],
  async run(_input, ctx) {
    const value = await ctx.surface.prompt("Key:", { secret: true });
    return { data: null, text: `length: ${value.length}` };
  },
});

const wait = defineCommand({
  name: "wait",
  summary: "Wait for an interrupt",
  input: { type: "object", properties: {} },
  examples: [{ line: "pryx wait", note: "until Ctrl-C" }],
  run(_input, ctx) {
    ctx.surface.event(fakeEvent("model.requested", { step: 1, model: "demo/model", reserved: 0 }));
    // Something must keep the program alive, as a connection does in earnest.
    const alive = setInterval(() => {}, 1000);
    return new Promise((_, reject) => {
      ctx.signal.addEventListener("abort", () => {
        clearInterval(alive);
        reject(ctx.signal.reason);
      }, { once: true });
    });
  },
});

const flood = defineCommand({
  name: "flood",
  summary: "Print more than a pipe holds",
  input: { type: "object", properties: {} },
  examples: [{ line: "pryx flood | head", note: "the reader goes early" }],
  run: () => Promise.resolve({ data: null, text: "much\n".repeat(500_000) }),
});

const show = defineCommand({
  name: "sessions show",
  summary: "Show a session",
  input: {
    type: "object",
    properties: {
      session: { type: "string", description: "The session" },
      preset: { type: "string", enum: ["read-only", "workspace"], description: "Policy" },
      model: { type: "string", description: "The model" },
      output: { type: "string", description: "A file" },
      allow: { type: "array", items: { type: "string" }, description: "A need" },
    },
    required: ["session"],
  },
  positionals: ["session"],
  short: { output: "o" },
  examples: [{ line: "pryx sessions show 0abc", note: "one" }],
  run: (input) => Promise.resolve({ data: input, text: JSON.stringify(input) }),
});

const list = defineCommand({
  name: "sessions list",
  summary: "List sessions: all of them",
  input: { type: "object", properties: {} },
  examples: [{ line: "pryx sessions list", note: "all" }],
  run: () => Promise.resolve({ data: [], text: "none" }),
});

const entry = (
  name: string,
  summary: string,
  ...commands: Awaited<ReturnType<CommandIndex[number]["load"]>>
) => ({
  name,
  summary,
  load: () => Promise.resolve(commands),
});

const index: CommandIndex = [
  entry("approve", "Ask for an approval", approve),
  entry("secret", "Ask for a secret", secret),
  entry("wait", "Wait for an interrupt", wait),
  entry("flood", "Print much", flood),
  entry("sessions", "Sessions", list, show),
  {
    name: "completions",
    summary: "Completion scripts",
    load: async () => [(await import("../../repl/completions.ts")).completions],
  },
];

const sessions = [
  { id: "0aaa1", title: "Fix the bug: now" },
  { id: "0aab2", title: "" },
] as SessionRow[];

const parts: Partial<CommandContext> = {
  pryx: () => Promise.resolve(pryx),
  store: () => Promise.resolve({ sessions: () => sessions } as unknown as Store),
  config: () =>
    Promise.resolve({
      model: "demo/small",
      providers: { demo: { name: "demo", contextWindows: { "large:free": 1 }, prices: {} } },
    } as unknown as Awaited<ReturnType<CommandContext["config"]>>),
};

Deno.exit(
  await runCli(Deno.args, {
    index,
    version: "0.0.0",
    context: (_globals, surface, signal) => {
      const context = fakeContext(surface, signal, parts);
      return Object.assign(context, { paths: { ...context.paths, database: Deno.execPath() } });
    },
    stdin: Deno.stdin,
    stdout: Deno.stdout,
    stderr: Deno.stderr,
    env: (name) => Deno.env.get(name),
    columns: () => Deno.consoleSize().columns,
  }),
);
