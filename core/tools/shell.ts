import { relative } from "node:path";
import { PryxError } from "../domain/error.ts";
import type { Refusal } from "../domain/envelope.ts";
import { formatNeed, type Need } from "../domain/need.ts";
import type { CappedOutput, ProcessResult, ProcessSpec } from "../sandbox/sandbox.ts";
import { networkNeeds } from "./_network_needs.ts";
import { networkedProgram } from "./_networked.ts";
import { plainText } from "./_terminal_text.ts";
import { shorten } from "./_truncate.ts";
import { type WholeOutput, wholeOutput } from "./_whole_output.ts";
import { defineTool, MAX_RESULT_CHARS, type ToolContext, type ToolResult } from "./tool.ts";

const DEFAULT_SECONDS = 120;
const MAX_SECONDS = 600;
/** A command is run again when what the sandbox refused was granted, so many times in all. */
const MAX_ATTEMPTS = 4;
const RAN_AGAIN = "run again with what the sandbox had refused; this is what the last run wrote";
/** Held in memory of the output, bytes: more than is shown. All of it is in a file when it is longer. */
const MAX_HELD_BYTES = 1024 * 1024;
const MAX_WRITTEN_BYTES = 256 * 1024 * 1024;
/** Characters kept for a command that is cancelled: its end says most. */
const MAX_PARTIAL_CHARS = 20_000;
/** Room for the exit code and what else is said after the output. */
const NOTE_CHARS = 200;
/** What is said of a command that a limit of the sandbox ended. */
const LIMITS: Readonly<Record<NonNullable<ProcessResult["limit"]>, string>> = {
  "cpu": "it used more CPU time than a command may",
  "memory": "it took more memory than a command may",
  "processes": "it started more processes than a command may",
  "file size": "it wrote a larger file than a command may",
};
const SHOWN_CHARS = MAX_RESULT_CHARS - NOTE_CHARS;
/** The first that is there. The last one is for systems that keep no shell in /bin. */
const SHELLS = ["/bin/bash", "/bin/sh", "bash"] as const;

export const shell = defineTool({
  name: "shell",
  description:
    "Runs a command line in a shell (bash where there is one) and returns its output, stdout and stderr together, and its " +
    "exit code. Each call is a new shell: nothing but files carries over, so pass cwd instead of using cd. There is no " +
    "terminal and no input: avoid interactive programs. Commands are confined: what policy does not open is closed, the " +
    "network too, and what was refused is said. Temporary files go to $TMPDIR. For a server, redirect its output to a file and end the command " +
    "with &: later commands then reach it on localhost, as long as they need no other host. localhost is that of these commands; the machine's own " +
    "servers are elsewhere. Prefer read_file, grep, glob and edit_file for what they do.",
  parameters: {
    type: "object",
    properties: {
      command: { type: "string", minLength: 1, description: "The command line" },
      cwd: {
        type: "string",
        minLength: 1,
        description: "Folder to run in, absolute or relative to the workspace; the workspace by default",
      },
      timeout: {
        type: "number",
        minimum: 1,
        maximum: MAX_SECONDS,
        default: DEFAULT_SECONDS,
        description: `Seconds until it is stopped; ${DEFAULT_SECONDS} by default, ${MAX_SECONDS} at most`,
      },
      stop_background: {
        type: "boolean",
        description:
          "First ends what earlier commands left running with &: a server, to start it again. Commands cannot: " +
          "kill and pkill see their own processes alone",
      },
    },
    required: ["command"],
  },
  parallel: false,
  rights: "workspace",
  async needs({ command, cwd = "." }, ctx) {
    if (command.trim() === "") throw new PryxError("input_invalid", "The command is empty");
    if (command.includes("\0")) throw new PryxError("input_invalid", "The command has a NUL character in it");
    const folder = await ctx.resolve(cwd);
    const stated = await ctx.shellNeeds(command, folder);
    const needs = [...stated, ...networkNeeds(stated)];
    if (!isOutside(folder, ctx.cwd)) return needs;
    const enter: Need = { kind: "read", target: folder };
    return [...needs, enter];
  },
  title: ({ command }) => command,
  async run({ command, cwd = ".", timeout = DEFAULT_SECONDS, stop_background = false }, ctx) {
    let partial = "";
    const whole = wholeOutput(ctx, "output.txt", SHOWN_CHARS);
    // Cancelled or not: from its start something may have come in.
    const taints = new Set(taintOf(command, {}));
    const spec: Omit<ProcessSpec, "argv"> = {
      cwd: await ctx.resolve(cwd),
      timeoutMs: timeout * 1000,
      maxOutputBytes: MAX_HELD_BYTES,
      killAfterBytes: MAX_WRITTEN_BYTES,
      mergeStderr: true,
      signal: ctx.signal,
      onOutput(text, stream) {
        whole.add(text);
        partial += text;
        if (partial.length > MAX_PARTIAL_CHARS * 2) partial = partial.slice(-MAX_PARTIAL_CHARS);
        ctx.emit(text, stream);
      },
    };
    let result: ProcessResult;
    let refused: string[];
    let attempt = 1;
    const granted = new Set<string>();
    try {
      for (;; attempt++) {
        result = await runInShell(
          command,
          { ...spec, endsBackground: stop_background && attempt === 1 },
          ctx,
        );
        taintOf(command, result).forEach((source) => taints.add(source));
        refused = await openUp(result, ctx, granted);
        if (refused.length > 0 || !result.refusals?.length || attempt === MAX_ATTEMPTS) break;
        spec.onOutput?.("\n[run again, with what it was refused]\n", "stdout");
      }
    } catch (error) {
      whole.discard();
      // What it had done until then is worth knowing: the files it changed stay changed.
      if (!ctx.signal.aborted || partial === "") throw error;
      return {
        text: `${trimEnd(plainText(partial).slice(-MAX_PARTIAL_CHARS))}\n\n[cancelled]`,
        failed: true,
        ...tainting(taints),
      };
    }
    return {
      ...report(result, timeout, whole, attempt === 1 ? refused : [RAN_AGAIN, ...refused]),
      ...tainting(taints),
    };
  },
});

/**
 * Asks for what the sandbox refused a command that failed, so that it can run again with it. Resolves with what is said of
 * refusals that stay: none when all were granted. `granted`: what was before, to which this adds.
 */
async function openUp(
  result: ProcessResult,
  ctx: ToolContext,
  granted: Set<string>,
): Promise<string[]> {
  const { refusals = [], code } = result;
  if (!isWorthAnother(result)) return refusals.map(passedOver);
  const stays: string[] = [];
  for (const { need, evidence } of refusals) {
    // Once something stays closed, the command will not run again: nobody need be asked about the rest.
    if (stays.length > 0) break;
    const name = formatNeed(need);
    if (granted.has(name)) {
      stays.push(`the sandbox refused ${name} although it is allowed (${evidence})`);
      break;
    }
    try {
      const meaning = meaningOf(need);
      await ctx.require(
        need,
        `the sandbox refused it${
          meaning === "" ? "" : `: ${meaning}`
        } (${evidence}). The command failed (exit code ${code}); ` +
          "allowing this runs all of it again, from its beginning",
      );
      granted.add(name);
    } catch (error) {
      if (!(error instanceof PryxError) || error.code !== "denied") throw error;
      const meaning = meaningOf(need);
      stays.push(
        `the sandbox refused ${name}${meaning === "" ? "" : `: ${meaning}`}. ${error.message}`,
      );
    }
  }
  return stays;
}

/** A command that did what it was to do, or ran into a limit, is not run a second time. */
function isWorthAnother({ code, timedOut, outputExceeded, limit }: ProcessResult): boolean {
  return code !== 0 && code !== null && !timedOut && outputExceeded !== true && limit === undefined;
}

function passedOver({ need, evidence }: Refusal): string {
  return `the sandbox refused ${
    formatNeed(need)
  } (${evidence}); the command was not run again, and nobody was asked. ` +
    "If that part matters, run it alone";
}

/** What a need opens, where its target does not say it. */
function meaningOf({ kind, target }: Need): string {
  return kind === "net" ? MEANINGS[target] ?? "" : "";
}

const MEANINGS: Readonly<Record<string, string>> = {
  "*": "every public host, because it did not say which one it wanted",
  "**": "the whole network, this machine's own services too",
  "unix": "Unix sockets, and with them docker, D-Bus and ssh-agent, which have more rights than the command",
};

/** What a command brings in from the network comes from others: it must not be able to steer what carries things out. */
function taintOf(command: string, { connected = [] }: Partial<ProcessResult>): string[] {
  const program = networkedProgram(command);
  return [...connected, ...(program === undefined ? [] : [`the command ${program}`])];
}

function tainting(sources: ReadonlySet<string>): Pick<ToolResult, "taints"> {
  return sources.size === 0 ? {} : { taints: [...sources].join(", ") };
}

async function runInShell(
  command: string,
  spec: Omit<ProcessSpec, "argv">,
  ctx: ToolContext,
): Promise<ProcessResult> {
  let missing: unknown;
  for (const program of SHELLS) {
    try {
      // After `--` a command that begins with a dash is no option of the shell.
      return await ctx.run({ ...spec, argv: [program, "-c", "--", command] });
    } catch (error) {
      if (!(error instanceof PryxError) || error.code !== "not_found") throw error;
      missing ??= error;
    }
  }
  throw missing;
}

function report(
  result: ProcessResult,
  timeout: number,
  whole: WholeOutput,
  about: readonly string[],
): ToolResult {
  const { code, signal, timedOut, outputExceeded, limit, background, ms } = result;
  const output = trimEnd(plainText(textOf(result.stdout) + textOf(result.stderr)));
  const notes: string[] = [];
  if (timedOut) notes.push(`stopped after ${timeout} s, its time limit`);
  else if (outputExceeded) notes.push(`stopped: it wrote more than ${MAX_WRITTEN_BYTES / 1024 / 1024} MB`);
  else if (limit !== undefined) notes.push(`stopped: ${LIMITS[limit]}`);
  else if (signal !== null) notes.push(`killed by ${signal}`);
  else if (code !== 0) notes.push(`exit code ${code}`);
  if (background) notes.push("processes it started still run; they end with pryx, or with stop_background");
  notes.push(...about);
  const failed = timedOut || outputExceeded === true || limit !== undefined || code !== 0;
  const note = notes.length > 0 ? `[${notes.join("; ")}]` : "";
  const kept = whole.end();
  const { text, outputFile } = kept && output.length > SHOWN_CHARS
    ? shorten(output, kept, SHOWN_CHARS)
    : { text: output, outputFile: undefined };
  return {
    text: [text === "" && note === "" ? "[no output]" : text, note].filter((part) => part !== "").join(
      "\n\n",
    ),
    failed,
    exitCode: code,
    ...(outputFile === undefined ? {} : { outputFile }),
    data: { exitCode: code, signal, timedOut, ms: Math.round(ms) },
  };
}

function textOf({ head, tail, dropped }: CappedOutput): string {
  const decoder = new TextDecoder();
  // Where nothing was dropped, a character may lie across the two.
  return decoder.decode(head, { stream: dropped === 0 }) + decoder.decode(tail);
}

function trimEnd(text: string): string {
  return text.replace(/\s+$/, "");
}

function isOutside(folder: string, workspace: string): boolean {
  return /^\.\.([/\\]|$)/.test(relative(workspace, folder)) || /^[A-Za-z]:/.test(relative(workspace, folder));
}
