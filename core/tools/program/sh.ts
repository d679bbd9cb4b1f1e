import { PryxError } from "../../domain/error.ts";
import type { CappedOutput, ProcessResult } from "../../sandbox/sandbox.ts";
import { bytesOf, contentOf, MAX_BYTES } from "../_bytes.ts";
import { commandNeeds, DEFAULT_SECONDS, LIMITS, MAX_SECONDS, runCommand, tainting } from "../_command.ts";
import { recordBounded } from "../_record.ts";
import { formatSize } from "../_text.ts";
import { defineTool } from "../tool.ts";

const MAX_STDERR_BYTES = 4 * 1024 * 1024;

/**
 * A command line for a program: both streams apart and whole, as they were written. Data: `{code, signal, timedOut, stdout,
 * stderr, ms}` with `stdoutBase64` in the place of a stdout that is no UTF-8 text (or with `bytes`), `limit` (`cpu`, `memory`,
 * …) when one ended it, and `refused`: what the sandbox refused and nobody allowed. An exit code is a result like others.
 */
export const sh = defineTool({
  name: "sh",
  description: "Runs a command line in a shell and gives back what it wrote, stdout and stderr apart",
  parameters: {
    type: "object",
    properties: {
      command: { type: "string", minLength: 1, description: "The command line" },
      cwd: { type: "string", minLength: 1, description: "Folder to run in; the workspace by default" },
      stdin: { type: "string", description: "What it reads on standard input" },
      stdinBase64: { type: "string", description: "The same, as bytes" },
      timeout: { type: "number", minimum: 0.001, maximum: MAX_SECONDS, default: DEFAULT_SECONDS },
      pipefail: { type: "boolean", description: "A pipeline fails with any of its commands (bash only)" },
      bytes: { type: "boolean", description: "stdout as base64, whatever it is" },
    },
    required: ["command"],
  },
  rights: "workspace",
  needs: commandNeeds,
  title: ({ command }) => command,
  record: recordBounded,
  async run({ command, cwd = ".", timeout = DEFAULT_SECONDS, pipefail, bytes, ...input }, ctx) {
    const stdin = bytesOf({ text: input.stdin, base64: input.stdinBase64 }, "The standard input");
    const taints = new Set<string>();
    const tooMuch = new AbortController();
    let stderrBytes = 0;
    const spec = {
      cwd: await ctx.resolve(cwd),
      ...(stdin === undefined ? {} : { stdin }),
      timeoutMs: Math.ceil(timeout * 1000),
      // A program runs many commands in a row: those that are held alike share what was made ready for the first.
      reuse: "sh",
      // Of each stream two halves are kept: neither loses a byte before it is too long.
      maxOutputBytes: MAX_BYTES,
      killAfterBytes: MAX_BYTES + MAX_STDERR_BYTES,
      signal: AbortSignal.any([ctx.signal, tooMuch.signal]),
      onOutput: ctx.emit,
      sink(piece: Uint8Array, stream: "stdout" | "stderr") {
        if (stream === "stderr") stderrBytes += piece.length;
        if (stderrBytes > MAX_STDERR_BYTES) tooMuch.abort(exceeded("standard error", MAX_STDERR_BYTES));
      },
    };
    const { result, refused } = await runCommand(command, spec, ctx, {
      pipefail,
      onAgain() {
        stderrBytes = 0;
        ctx.emit(RUN_AGAIN, "progress");
      },
      taints,
    });
    if (result.outputExceeded || result.stdout.dropped > 0) throw exceeded("standard output", MAX_BYTES);
    const stdout = whole(result.stdout);
    const content = contentOf(stdout, bytes);
    return {
      text: describe(result, stdout.length, refused),
      exitCode: result.code,
      ...tainting(taints),
      data: {
        code: result.code,
        signal: result.signal,
        timedOut: result.timedOut,
        stdout: "text" in content ? content.text : "",
        ...("base64" in content ? { stdoutBase64: content.base64 } : {}),
        stderr: new TextDecoder("utf-8", { ignoreBOM: true }).decode(whole(result.stderr)),
        ...(result.limit === undefined ? {} : { limit: result.limit }),
        ...(refused.length > 0 ? { refused: [...refused] } : {}),
        ms: Math.round(result.ms),
      },
    };
  },
});

/** Said in progress when what was written so far will be written again. */
const RUN_AGAIN = "[run again, with what it was refused]\n";

function exceeded(stream: string, limit: number): PryxError {
  return new PryxError(
    "tool_failed",
    `The command was stopped: it wrote more than ${formatSize(limit)} to ${stream}`,
    { fix: "Send its output to a file, and read that" },
  );
}

function whole({ head, tail }: CappedOutput): Uint8Array {
  if (tail.length === 0) return head;
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}

/** What happened, for the log. */
function describe(result: ProcessResult, length: number, refused: readonly string[]): string {
  const { code, signal, timedOut, limit, background, ms } = result;
  const end = timedOut
    ? "stopped at its time limit"
    : limit !== undefined
    ? `stopped: ${LIMITS[limit]}`
    : signal !== null
    ? `killed by ${signal}`
    : `exit code ${code}`;
  const still = background ? ["processes it started still run"] : [];
  return [`${end} after ${Math.round(ms)} ms`, `${formatSize(length)} of output`, ...still, ...refused].join(
    "; ",
  );
}
