import { basename, dirname, join } from "node:path";
import type { ReplayEnd } from "../automation/automation.ts";
import { aroundDifference } from "../domain/difference.ts";
import { PryxError } from "../domain/error.ts";
import { linkSource } from "./_run_automation.ts";
import type { CommandContext } from "./command.ts";
import type { TestFile, TestOutcome } from "./test.ts";

/**
 * Replays one recording of the automation beside it: a test of its own. None where the recording is of an agent's run, or
 * its name is not wanted.
 */
export async function runCassette(file: TestFile, outer: CommandContext): Promise<TestOutcome[]> {
  const { path, shown, update } = file;
  if (!file.wanted(shown)) return [];
  const started = performance.now();
  const recorded = await (await outer.automations()).recorded(path);
  if (!recorded) return [];
  const source = join(dirname(path), basename(recorded.file));
  if (!await isFile(source)) {
    throw new PryxError("not_found", `${shown} is a recording of ${recorded.file}, which is not beside it`, {
      fix: `keep it beside its automation, or remove it`,
    });
  }
  // What the recording answers takes no right, so none of the flags matters.
  const { graph, ctx } = await linkSource({ file: source }, {}, outer);
  const end = await (await ctx.automations()).replay({
    graph,
    cassette: path,
    show() {},
    update,
    signal: outer.signal,
  });
  outer.signal.throwIfAborted();
  const ms = Math.round(performance.now() - started);
  const error = problemOf(end, update);
  const status = error !== undefined ? "failed" : isAsRecorded(end) ? "passed" : "updated";
  return [{ file: shown, name: shown, status, ms, ...(error === undefined ? {} : { error }) }];
}

function isAsRecorded({ printed, recorded, changed }: ReplayEnd): boolean {
  return printed.stdout === recorded.stdout && printed.stderr === recorded.stderr && !changed;
}

function problemOf(end: ReplayEnd, update: boolean): string | undefined {
  const { error, exitCode, printed, recorded } = end;
  if (error?.code === "replay_differs" || exitCode !== recorded.exitCode) {
    const why = error ? [error.message, error.fix ?? ""].filter((part) => part !== "").join("\n") : "";
    return exitCode === recorded.exitCode || error?.code === "replay_differs"
      ? why
      : `It ended with exit code ${exitCode}, and was recorded with ${recorded.exitCode}\n${why}`.trimEnd();
  }
  if (update) return undefined;
  for (const stream of ["stdout", "stderr"] as const) {
    if (printed[stream] !== recorded[stream]) {
      return outputDifference(stream, recorded[stream], printed[stream]);
    }
  }
  return undefined;
}

function outputDifference(stream: string, before: string, now: string): string {
  const [was, is] = [before.split("\n"), now.split("\n")];
  const at = was.findIndex((line, index) => line !== is[index]);
  const line = at < 0 ? was.length : at;
  const show = (lines: readonly string[]) => line < lines.length ? JSON.stringify(lines[line]) : "nothing";
  const [a, b] = aroundDifference(show(was), show(is));
  const name = stream === "stdout" ? "standard output" : "standard error";
  return `It prints something else (line ${line + 1} of ${name})\n  - recorded: ${a}\n  + now:      ${b}\n` +
    "if that is right, keep it with: pryx test --update";
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
