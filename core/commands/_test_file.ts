import { TEST_SUFFIX } from "../domain/automation.ts";
import type { PryxEvent } from "../domain/event.ts";
import { linkSource } from "./_run_automation.ts";
import type { CommandContext } from "./command.ts";
import type { TestFile, TestOutcome } from "./test.ts";

/** Characters of what a file printed that are shown when one of its tests failed: the last. */
const MAX_PRINTED = 4_000;

/** Runs the tests of one file. What it prints is shown with its first failure. */
export async function runTestFile(file: TestFile, outer: CommandContext): Promise<TestOutcome[]> {
  const { shown, wanted } = file;
  const { graph, ctx } = await linkSource({ file: file.path }, file.overrides, outer);
  const { limits } = await ctx.config();
  const outcomes: TestOutcome[] = [];
  let printed = "";
  let registered = 0;
  let last = performance.now();
  const add = (name: string, error: string | undefined) => {
    const ms = Math.round(performance.now() - last);
    last = performance.now();
    outcomes.push({
      file: shown,
      name,
      status: error === undefined ? "passed" : "failed",
      ms,
      ...(error === undefined ? {} : { error: withPrinted(error, printed) }),
    });
    printed = "";
  };
  const end = await (await ctx.automations()).run({
    graph,
    args: [],
    cwd: outer.cwd,
    surface: outer.surface.name,
    attended: false,
    limits,
    show(event) {
      printed = `${printed}${textOf(event)}`.slice(-MAX_PRINTED);
    },
    input: () => Promise.resolve(""),
    answers: {},
    tests: {
      wanted(name) {
        registered++;
        return wanted(name);
      },
      ended({ name, error }) {
        add(name, error && [error.message, ...error.frames].join("\n"));
      },
    },
    signal: outer.signal,
  });
  outer.signal.throwIfAborted();
  if (end.error) {
    const { message, fix } = end.error;
    add(shown, fix === undefined ? message : `${message}\n${fix}`);
  } else if (registered === 0) {
    add(shown, `It registers no test: import { test } from "pryx" in a file *${TEST_SUFFIX}`);
  }
  return outcomes;
}

function textOf(event: PryxEvent): string {
  if (event.type === "output") return event.data.text;
  return event.type === "log" ? `${event.data.level}: ${event.data.text}\n` : "";
}

function withPrinted(error: string, printed: string): string {
  const text = printed.trimEnd();
  return text === "" ? error : `${error}\nIt printed:\n${text.replace(/^/gmu, "  ")}`;
}
