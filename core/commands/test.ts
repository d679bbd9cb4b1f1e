import { relative, resolve } from "node:path";
import { AUTOMATION_SUFFIX, CASSETTE_SUFFIX, TEST_SUFFIX } from "../domain/automation.ts";
import { escapeForDisplay } from "../domain/display.ts";
import { EXIT, PryxError, toPryxError } from "../domain/error.ts";
import { PRESETS } from "../domain/policy.ts";
import type { Json } from "../domain/schema.ts";
import { runCassette } from "./_test_cassette.ts";
import { runTestFile } from "./_test_file.ts";
import { type Command, type CommandContext, defineCommand, type Overrides } from "./command.ts";
import { count } from "./_session_text.ts";

/** How one test ended. */
export interface TestOutcome {
  /** Path from the folder the command is about. */
  readonly file: string;
  readonly name: string;
  /** `updated`: what it showed was another, and the recording was written anew. */
  readonly status: "passed" | "failed" | "updated";
  readonly ms: number;
  /** Why it failed: a few lines. */
  readonly error?: string;
}

/** What tests of one file work with. */
export interface TestFile {
  /** Absolute. */
  readonly path: string;
  /** As outcomes name it. */
  readonly shown: string;
  readonly overrides: Overrides;
  wanted(name: string): boolean;
  readonly update: boolean;
}

/** Files under test at a time. */
const AT_ONCE = 2;

export const commands: readonly Command[] = [defineCommand({
  name: "test",
  summary: "Run tests of automations, and replay their recordings",
  description:
    `Runs *${TEST_SUFFIX} files, each in a process of its own: what they register with test() runs one after another, with what their \
permissions declare and policy allows. Nobody is asked anything: allow with flags.

Recordings that lie beside their automation (release${CASSETTE_SUFFIX}, release.empty${CASSETTE_SUFFIX} beside release${AUTOMATION_SUFFIX}; made with pryx run \
--record) are replayed, without a key or a network: what the automation asks for, what it prints and its exit code must be as recorded. \
--update keeps what it prints now. Without a path: all of the folder, except what ignore files name. Exits 1 when a test fails.`,
  input: {
    type: "object",
    properties: {
      paths: {
        type: "array",
        items: { type: "string" },
        description: "Files of tests, recordings, or folders with some; this folder by default",
      },
      filter: { type: "string", description: "Only tests, and recordings, with this text in their names" },
      update: { type: "boolean", description: "Keep what automations print now as what they should print" },
      profile: { type: "string", description: "Profile of the config to use" },
      preset: { type: "string", enum: PRESETS, description: "What is allowed where no rule says otherwise" },
      allow: { type: "array", items: { type: "string" }, description: "Allow kind=target" },
      deny: { type: "array", items: { type: "string" }, description: "Deny kind=target; final" },
      timeout: { type: "string", description: "Time for one file at most: 90s, 10m" },
      replayModel: { type: "string", description: "Take the model's answers from this recording" },
    },
  },
  positionals: ["paths"],
  complete: { paths: "files" },
  examples: [
    { line: "pryx test", note: "Everything below this folder" },
    { line: "pryx test release.test.pryx.ts --allow run=git", note: "One file, whose tests run git" },
    { line: "pryx test --update", note: "What recorded automations print has changed, and is right" },
    { line: "pryx test --json | jq '.tests[] | select(.status == \"failed\")'", note: "For programs" },
  ],
  async run(input, ctx) {
    const started = performance.now();
    const { filter, update = false } = input;
    const overrides: Overrides = {
      ...pick(input, ["profile", "preset", "allow", "deny", "timeout"]),
      ...(input.replayModel === undefined ? {} : { replayModel: resolve(ctx.cwd, input.replayModel) }),
    };
    const wanted = (name: string) => filter === undefined || name.includes(filter);
    const files = await filesOf(input.paths ?? [], ctx);
    const outcomes: TestOutcome[][] = files.map(() => []);
    await atOnce(files, async (path, index) => {
      ctx.signal.throwIfAborted();
      const shown = relative(ctx.cwd, path) || path;
      const ended = await outcomesOf({ path, shown, overrides, wanted, update }, ctx);
      outcomes[index] = ended;
      if (ended.length > 0) ctx.surface.note(escapeForDisplay(fileLine(shown, ended)));
    });
    const tests = outcomes.flat();
    if (tests.length === 0) {
      throw new PryxError(
        "usage",
        filter === undefined ? "There is no test here" : `No test is named like "${filter}"`,
        {
          fix: filter === undefined
            ? `write one in a file *${TEST_SUFFIX}, or record a run: pryx run --record job${CASSETTE_SUFFIX} job${AUTOMATION_SUFFIX}`
            : "leave out --filter to see what is there",
        },
      );
    }
    const failed = tests.filter(({ status }) => status === "failed");
    const ms = Math.round(performance.now() - started);
    const data = {
      ok: failed.length === 0,
      passed: tests.length - failed.length,
      failed: failed.length,
      ms,
      tests,
    };
    return {
      data: data as unknown as Json,
      text: escapeForDisplay([...failed.map(failureText), summary(tests, files.length, ms)].join("\n\n")),
      exitCode: failed.length === 0 ? EXIT.done : EXIT.error,
    };
  },
})];

/** A file that cannot be run is a failed test. */
async function outcomesOf(file: TestFile, ctx: CommandContext): Promise<TestOutcome[]> {
  const started = performance.now();
  try {
    return file.path.endsWith(CASSETTE_SUFFIX) ? await runCassette(file, ctx) : await runTestFile(file, ctx);
  } catch (thrown) {
    ctx.signal.throwIfAborted();
    const { message, fix } = toPryxError(thrown);
    const error = fix === undefined ? message : `${message}\n${fix}`;
    const ms = Math.round(performance.now() - started);
    return [{ file: file.shown, name: file.shown, status: "failed", ms, error }];
  }
}

async function filesOf(paths: readonly string[], ctx: CommandContext): Promise<string[]> {
  const automations = await ctx.automations();
  const found = new Set<string>();
  for (const path of paths.length === 0 ? ["."] : paths) {
    const full = await Deno.realPath(resolve(ctx.cwd, path)).catch((cause) => {
      throw new PryxError("usage", `There is no file or folder ${path}`, { fix: "check the path", cause });
    });
    if ((await Deno.stat(full)).isDirectory) {
      for (const suffix of [TEST_SUFFIX, CASSETTE_SUFFIX]) {
        for (const file of await automations.find(full, suffix)) found.add(file);
      }
    } else if (full.endsWith(TEST_SUFFIX) || full.endsWith(CASSETTE_SUFFIX)) found.add(full);
    else {
      throw new PryxError("usage", `${path} is no test`, {
        fix: `name a file *${TEST_SUFFIX} or *${CASSETTE_SUFFIX}, or a folder with some`,
      });
    }
  }
  return [...found].sort();
}

/** The first failure that is no test's ends it all: the rest is not begun. */
async function atOnce<T>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const left = items.entries();
  const worker = async () => {
    for (const [index, item] of left) await work(item, index);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function fileLine(shown: string, outcomes: readonly TestOutcome[]): string {
  const failed = outcomes.filter(({ status }) => status === "failed").length;
  const updated = outcomes.filter(({ status }) => status === "updated").length;
  const parts = [
    `${outcomes.length - failed - updated} passed`,
    ...(updated > 0 ? [`${updated} updated`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ];
  return `${failed > 0 ? "✗" : "✓"} ${shown}  ${parts.join(", ")}`;
}

function failureText({ file, name, error = "" }: TestOutcome): string {
  const title = file === name ? file : `${file}: ${name}`;
  return `FAILED  ${title}\n${error.replace(/^/gmu, "  ")}`;
}

function summary(tests: readonly TestOutcome[], files: number, ms: number): string {
  const failed = tests.filter(({ status }) => status === "failed").length;
  const updated = tests.filter(({ status }) => status === "updated").length;
  return [
    `${tests.length - failed} passed`,
    `${failed} failed`,
    ...(updated > 0 ? [`${updated} updated`] : []),
  ].join(", ") + ` (${count(files, "file")}, ${(ms / 1000).toFixed(1)} s)`;
}

function pick<T extends object, K extends keyof T>(value: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(
    keys.filter((key) => value[key] !== undefined).map((key) => [key, value[key]]),
  ) as Pick<T, K>;
}
