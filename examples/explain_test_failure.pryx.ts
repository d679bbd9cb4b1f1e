#!/usr/bin/env -S pryx run
/**
 * Runs the tests; when they fail, has the agent read the output and the source, and says why, with file and line.
 *
 *     pryx run explain_test_failure.pryx.ts                        # finds out how this project is tested
 *     pryx run explain_test_failure.pryx.ts -- npm test -- --grep login
 *
 * Ends 0 when the tests pass, and 1 when they do not.
 *
 * To learn from it: the manifest lists the commands that may be run, by their first words, and a command of another kind is
 * denied whatever is typed; the agent gets tools that read, and none that could mend the tests by changing them.
 */
import { agent, args, exit, fs, log, type Permissions, PryxError, sh } from "pryx";

export const permissions = {
  read: ["."],
  // What tests leave behind while they run; add what yours need.
  write: ["target/**", "coverage/**", "node_modules/.cache/**"],
  run: [
    "npm test",
    "deno test",
    "deno task test",
    "cargo test",
    "go test",
    "pytest",
    "make test",
    "sh test.sh",
  ],
  use: ["agent"],
} satisfies Permissions;

/** Where a project says how it is tested, and how that is. */
const USUAL: readonly (readonly [file: string, pattern: RegExp, command: readonly string[]])[] = [
  ["deno.json", /"test"\s*:/, ["deno", "task", "test"]],
  ["deno.json", /./, ["deno", "test"]],
  ["package.json", /"test"\s*:/, ["npm", "test"]],
  ["Cargo.toml", /./, ["cargo", "test"]],
  ["go.mod", /./, ["go", "test", "./..."]],
  ["pyproject.toml", /./, ["pytest"]],
  ["Makefile", /^test:/m, ["make", "test"]],
];
/** What went wrong stands at the end. */
const MAX_OUTPUT = 30_000;

const { positional, timeout } = args.declare({
  description: "Runs the tests, and explains why they fail.",
  positional: ["[command...]"],
  flags: { timeout: { type: "string", default: "10m", description: "How long the tests may take" } },
});
const command = positional.length > 0 ? positional : await usualCommand();

const result = await sh`${command}`.timeout(timeout).result();
if (result.ok) {
  log.info(`${command.join(" ")} passed in ${(result.ms / 1_000).toFixed(1)} s`);
} else {
  const { summary, failures } = await explain(`${result.stdout}\n${result.stderr}`.trim().slice(-MAX_OUTPUT));
  console.log(`${summary}\n`);
  for (const { test, file, line, cause, fix } of failures) {
    console.log(`${await placeOf(file, line)}: ${test}\n  why: ${cause}\n  fix: ${fix}\n`);
  }
  log.error(`${command.join(" ")} ended with exit code ${result.code}`);
  exit(1);
}

async function explain(output: string) {
  return await agent.ask(
    `\`${
      command.join(" ")
    }\` failed. Find out why: read the tests that failed and the code that they test, not only the ` +
      "output. For each failure name the line that is wrong (not the one that noticed it), the cause, and the smallest change " +
      "that would mend it. Failures with the same cause are one.",
    {
      context: output,
      tools: ["read_file", "grep", "glob", "list_dir"],
      preset: "read-only",
      maxTurns: 20,
      schema: {
        type: "object",
        properties: {
          summary: { type: "string", description: "Two sentences at most" },
          failures: {
            type: "array",
            items: {
              type: "object",
              properties: {
                test: { type: "string", description: "Name of the test" },
                file: { type: "string", description: "Path from the root of the project" },
                line: { type: "integer" },
                cause: { type: "string" },
                fix: { type: "string" },
              },
              required: ["test", "file", "line", "cause", "fix"],
            },
          },
        },
        required: ["summary", "failures"],
      },
    },
  );
}

/** `file:line`, with a word of warning where there is no such line. */
async function placeOf(file: string, line: number): Promise<string> {
  const found = await fs.stat(file);
  const lines = found?.kind === "file" ? (await fs.read(file)).split("\n").length : 0;
  return line >= 1 && line <= lines ? `${file}:${line}` : `${file}:${line} (there is no such line)`;
}

async function usualCommand(): Promise<readonly string[]> {
  for (const [file, pattern, words] of USUAL) {
    if (await fs.exists(file) && pattern.test(await fs.read(file))) return words;
  }
  throw new PryxError("Cannot tell how this project is tested", {
    code: "input_invalid",
    fix: "say it: explain_test_failure.pryx.ts -- npm test",
  });
}
