import type { Command } from "../core/commands/command.ts";
import { defineCommand } from "../core/commands/command.ts";
import { completionScript, SHELLS } from "./_completion_scripts.ts";
import type { CliDeps } from "./cli.ts";
import { complete, type Completion } from "./complete_words.ts";
import { createTerminalOutput } from "./terminal_output.ts";

/** A slow disk must not freeze somebody's shell. */
const LIMIT_MS = 1500;

/** `pryx completions SHELL`. */
export const completions: Command = defineCommand({
  name: "completions",
  summary: "Print the completion script of a shell",
  description:
    "Prints a script that makes a shell complete pryx's commands, flags and values, among them the ids of " +
    "sessions and the names of models. It asks pryx itself, so it needs no renewal when pryx is updated.",
  input: {
    type: "object",
    properties: { shell: { type: "string", enum: SHELLS, description: "The shell" } },
    required: ["shell"],
  },
  positionals: ["shell"],
  examples: [
    { line: 'eval "$(pryx completions bash)"', note: "In ~/.bashrc" },
    { line: 'eval "$(pryx completions zsh)"', note: "In ~/.zshrc, after compinit" },
    { line: "pryx completions fish > ~/.config/fish/completions/pryx.fish", note: "Once" },
    { line: "pryx completions powershell | Out-String | Invoke-Expression", note: "In $PROFILE" },
  ],
  run({ shell }) {
    const script = completionScript(shell);
    return Promise.resolve({ data: { shell, script }, text: script });
  },
});

/**
 * `pryx __complete -- WORDS…`, what the scripts call: the words after `pryx` up to the cursor, the last one unfinished (maybe
 * empty). Prints a value and, after a tab, its description per line, then a line `:files`, `:folders` or `:` that says
 * what else the shell should offer. Never fails and never says anything on standard error: it runs at every Tab.
 */
export async function runComplete(argv: readonly string[], deps: CliDeps): Promise<number> {
  let result: Completion = { values: [], more: "" };
  try {
    result = await complete(argv[0] === "--" ? argv.slice(1) : argv, deps, AbortSignal.timeout(LIMIT_MS));
  } catch {
    // A completion that cannot be made is an empty one.
  }
  const lines = result.values.map(({ value, note }) => `${oneLine(value)}\t${oneLine(note ?? "")}`);
  const output = createTerminalOutput(deps);
  output.out(`${[...lines, `:${result.more}`].join("\n")}\n`);
  output.flush();
  return 0;
}

function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex -- descriptions hold titles of sessions, which may hold anything
  return text.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ").trim();
}
