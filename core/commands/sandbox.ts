import { constants } from "node:os";
import { escapeForDisplay } from "../domain/display.ts";
import { parseDuration } from "../domain/duration.ts";
import { EXIT, PryxError } from "../domain/error.ts";
import { PRESETS } from "../domain/policy.ts";
import type { Json } from "../domain/schema.ts";
import type { CappedOutput, ProcessResult, ProcessSpec } from "../sandbox/sandbox.ts";
import { accepted, confinementOf, refuseUnlessKept, shellWords, toAccept } from "./_confinement.ts";
import { confinementData, confinementText, refusalText } from "./_confinement_text.ts";
import { allowFlag } from "./_session_text.ts";
import { type Command, type CommandContext, type CommandResult, defineCommand } from "./command.ts";

/** Bytes kept of each stream: what was refused stands at its end, or near its beginning. */
const MAX_OUTPUT = 1024 * 1024;
/** No limit: the longest that a timer takes, milliseconds. */
const FOREVER = 2 ** 31 - 1;
/** As shells and `env` say it. */
const NOT_FOUND = 127;
const NOT_STARTED = 126;

/** How the command's output goes its way: to the terminal itself, through pryx, or into the result. */
type Passing = "inherit" | "through" | "captured";

const sandbox = defineCommand({
  name: "sandbox",
  summary: "Run any command confined, without an agent",
  description:
    "The command may touch what policy gives a shell command of the agent: the system and your toolchains to read, a temporary folder of its own, the workspace and the network as far as the preset and your rules go. That you typed it is its approval; answers you once gave to the agent do not count. Everything behind -- is the command: pryx sandbox -- npm test. A line for a shell is given to one: pryx sandbox -- sh -c 'make | tail'.\n\nThe exit code is the command's own (128 + n when signal n ended it). Of pryx itself are 2 (wrong flags or settings), 6 (this machine cannot keep what policy closes), 124 (--timeout), 126 (it could not be started), 127 (there is no such program) and 130 (interrupted); standard error says so then. What the sandbox refused is explained on standard error, with the --allow that would open it; on a terminal, where output is not looked through, only with --explain.",
  input: {
    type: "object",
    properties: {
      command: {
        type: "array",
        items: { type: "string" },
        description: "The command and its arguments, after --",
      },
      preset: { type: "string", enum: PRESETS, description: "What is allowed where no rule says otherwise" },
      allow: { type: "array", items: { type: "string" }, description: "Allow kind=target" },
      deny: { type: "array", items: { type: "string" }, description: "Deny kind=target" },
      timeout: { type: "string", description: "End it after this time: 30s, 10m" },
      show: { type: "boolean", description: "Show what it could touch, and run nothing" },
      explain: {
        type: "boolean",
        description: "Look for refusals on a terminal too: the command then has none for its output",
      },
      json: { type: "boolean", description: "Print what came of it, with its output, as JSON at the end" },
    },
  },
  positionals: ["command"],
  complete: { command: "files" },
  examples: [
    {
      line: "pryx sandbox --preset workspace -- npm test",
      note: "Writes here and in its own temporary folder only; no network",
    },
    {
      line: "pryx sandbox --allow net=packages.example.org --preset workspace -- npm ci",
      note: "One host, through the filtering proxy",
    },
    {
      line: "pryx sandbox --allow write=dist -- sh -c 'make && ls dist'",
      note: "A shell line; one folder to write to",
    },
    { line: "pryx sandbox --show -- npm test", note: "What it could touch; runs nothing" },
  ],
  async run(input, outer) {
    const { preset, allow, deny, command = [] } = input;
    const ctx = outer.with({
      ...(preset === undefined ? {} : { preset }),
      ...(allow === undefined ? {} : { allow }),
      ...(deny === undefined ? {} : { deny }),
    });
    const timeoutMs = timeoutOf(input.timeout);
    const [program, ...args] = command;
    if (program === undefined && input.show !== true) {
      throw new PryxError("usage", "There is no command to run", {
        fix: "write it behind --, such as: pryx sandbox -- npm test",
      });
    }
    const confinement = await confinementOf(ctx, command);
    if (program === undefined || input.show === true) {
      return { data: confinementData(confinement), text: escapeForDisplay(confinementText(confinement)) };
    }
    refuseUnlessKept(confinement, await toAccept(ctx, allow, command, confinement));
    const passing = passingOf(input, ctx);
    const result = await start(ctx, {
      argv: [program, ...args],
      cwd: ctx.cwd,
      timeoutMs,
      maxOutputBytes: MAX_OUTPUT,
      signal: ctx.signal,
      envelope: confinement.envelope,
      accepted: accepted(confinement.reach),
      ...await streamsOf(passing, ctx),
    });
    if ("exitCode" in result) return result;
    const exitCode = exitCodeOf(result);
    const { refusals = [] } = result;
    const again = (flags: string) => `pryx sandbox ${typed(input)}${flags} -- ${shellWords(command)}`;
    if (result.timedOut) ctx.surface.note(`pryx: ended it after ${input.timeout}`);
    if (refusals.length > 0) {
      ctx.surface.note(escapeForDisplay(refusalText(refusals, confinement.policy, again)));
    } else if (exitCode !== 0 && passing === "inherit" && !result.timedOut) {
      ctx.surface.note(
        escapeForDisplay(
          `pryx: exit code ${exitCode}. If the sandbox was the reason, this says so: ${again("--explain")}`,
        ),
      );
    }
    const data = passing === "captured" ? resultData(result, exitCode) : { exitCode };
    return { data, exitCode };
  },
});

function timeoutOf(text: string | undefined): number {
  const ms = text === undefined ? FOREVER : parseDuration(text);
  if (ms !== undefined && ms > 0) return Math.min(ms, FOREVER);
  throw new PryxError("usage", `--timeout: "${text}" is not a duration`, {
    fix: "write one such as 30s or 10m",
  });
}

function passingOf(
  input: { readonly json?: boolean; readonly explain?: boolean },
  ctx: CommandContext,
): Passing {
  if (input.json === true || ctx.surface.name !== "cli") return "captured";
  return ctx.surface.attended && Deno.stdout.isTerminal() && input.explain !== true ? "inherit" : "through";
}

async function streamsOf(passing: Passing, ctx: CommandContext): Promise<Partial<ProcessSpec>> {
  if (passing === "inherit") return { stdio: "inherit" };
  if (passing === "through") {
    return {
      stdio: "stdin",
      sink: (bytes, stream) => writeAll(stream === "stdout" ? Deno.stdout : Deno.stderr, bytes),
    };
  }
  const stdin = await ctx.surface.input();
  return stdin === undefined ? {} : { stdin };
}

function writeAll(to: typeof Deno.stdout | typeof Deno.stderr, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += to.writeSync(bytes.subarray(at));
}

/** Runs it; what could not be started is said, with the code that shells use for it. */
async function start(
  ctx: CommandContext,
  spec: ProcessSpec,
): Promise<ProcessResult | CommandResult & { exitCode: number }> {
  try {
    return await (await ctx.sandbox()).run(spec);
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) {
      return { data: null, exitCode: 128 + constants.signals.SIGPIPE };
    }
    if (!(error instanceof PryxError) || (error.code !== "not_found" && error.code !== "io")) throw error;
    const exitCode = error.code === "not_found" ? NOT_FOUND : NOT_STARTED;
    const isLine = spec.argv.length === 1 && /\s/u.test(spec.argv[0]);
    const fix = isLine
      ? `each word is an argument of its own: pryx sandbox -- ${
        spec.argv[0]
      }; or give the line to a shell: pryx sandbox -- sh -c ${shellWords([spec.argv[0]])}`
      : error.fix;
    ctx.surface.note(escapeForDisplay(`pryx: ${error.message}${fix === undefined ? "" : `\n  ${fix}`}`));
    return { data: { exitCode, error: error.toJSON() }, exitCode };
  }
}

function exitCodeOf({ code, signal, timedOut }: ProcessResult): number {
  if (timedOut) return EXIT.timeout;
  if (code !== null) return code;
  const numbers: Readonly<Record<string, number | undefined>> = constants.signals;
  return 128 + (numbers[signal ?? ""] ?? 0);
}

/** The flags that were typed, so that the line can be typed again. */
function typed(
  { preset, allow = [], deny = [], timeout }: {
    readonly preset?: string;
    readonly allow?: readonly string[];
    readonly deny?: readonly string[];
    readonly timeout?: string;
  },
): string {
  const flags = [
    ...(preset === undefined ? [] : [`--preset ${preset}`]),
    ...allow.map((one) => shellWords(["--allow", one])),
    ...deny.map((one) => shellWords(["--deny", one])),
    ...(timeout === undefined ? [] : [`--timeout ${timeout}`]),
  ];
  return flags.map((flag) => `${flag} `).join("");
}

function resultData(result: ProcessResult, exitCode: number): Json {
  const { code, signal, timedOut, refusals = [], stdout, stderr, ms } = result;
  const refused = refusals.map(({ need, evidence }) => ({ need, evidence, flag: allowFlag(need) }));
  return {
    exitCode,
    code,
    signal,
    timedOut,
    ms: Math.round(ms),
    stdout: textOf(stdout),
    stderr: textOf(stderr),
    refused: refused as unknown as Json,
  };
}

function textOf({ head, tail, dropped }: CappedOutput): string {
  const decoder = new TextDecoder();
  // A character may be cut where head and tail meet.
  if (dropped === 0) return decoder.decode(head, { stream: true }) + decoder.decode(tail);
  return `${decoder.decode(head)}\n… ${dropped} bytes left out …\n${decoder.decode(tail)}`;
}

export const commands: readonly Command[] = [sandbox];
