import type { CappedOutput, ProcessResult, ProcessSpec } from "../sandbox/sandbox.ts";
import {
  commandNeeds,
  type CommandOutcome,
  DEFAULT_SECONDS,
  LIMITS,
  MAX_SECONDS,
  runCommand,
  tainting,
} from "./_command.ts";
import { plainText } from "./_terminal_text.ts";
import { shorten } from "./_truncate.ts";
import { type WholeOutput, wholeOutput } from "./_whole_output.ts";
import { defineTool, MAX_RESULT_CHARS, type ToolResult } from "./tool.ts";

const RAN_AGAIN = "run again with what the sandbox had refused; this is what the last run wrote";
/** Held in memory of the output, bytes: more than is shown. All of it is in a file when it is longer. */
const MAX_HELD_BYTES = 1024 * 1024;
const MAX_WRITTEN_BYTES = 256 * 1024 * 1024;
/** Characters kept for a command that is cancelled: its end says most. */
const MAX_PARTIAL_CHARS = 20_000;
/** Room for the exit code and what else is said after the output. */
const NOTE_CHARS = 200;
const SHOWN_CHARS = MAX_RESULT_CHARS - NOTE_CHARS;

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
  needs: commandNeeds,
  title: ({ command }) => command,
  async run({ command, cwd = ".", timeout = DEFAULT_SECONDS, stop_background = false }, ctx) {
    let partial = "";
    const whole = wholeOutput(ctx, "output.txt", SHOWN_CHARS);
    const taints = new Set<string>();
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
    let outcome: CommandOutcome;
    try {
      outcome = await runCommand(command, spec, ctx, {
        endsBackground: stop_background,
        onAgain: () => spec.onOutput?.("\n[run again, with what it was refused]\n", "stdout"),
        taints,
      });
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
    const { result, refused, attempts } = outcome;
    return {
      ...report(result, timeout, whole, attempts === 1 ? refused : [RAN_AGAIN, ...refused]),
      ...tainting(taints),
    };
  },
});

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
