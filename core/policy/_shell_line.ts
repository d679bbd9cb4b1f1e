import { isAbsolute } from "node:path";
import { gitReadings } from "./_git_words.ts";
import { lastName } from "./_run_pattern.ts";
import { BUILTINS } from "./_shell_builtins.ts";
import type { Analysis, Line } from "./_shell_context.ts";
import { hiddenCommand } from "./_hidden.ts";
import {
  type After,
  type Arg,
  argvOf,
  isKnown,
  newShell,
  render,
  same,
  type State,
} from "./_shell_values.ts";
import { type Inner, unwrap } from "./_wrappers.ts";

/** A command line whose first word is no function: a builtin, or a program and what that program runs. */
export async function runLine(line: Line, state: State, analysis: Analysis): Promise<After> {
  const [name] = line.args;
  if (name === undefined) return same(state);
  if (!isKnown(name) || name.text === "") {
    analysis.opaque(line.text, "which command it runs is not known before it runs", line.args);
    return same(state);
  }
  const builtin = Object.hasOwn(BUILTINS, name.text) ? BUILTINS[name.text] : undefined;
  if (builtin && !line.external) return await builtin(line, state, analysis);
  await program(line, state, analysis);
  return same(state);
}

/** States what running a program needs, and what runs behind it. */
export async function program(line: Line, state: State, analysis: Analysis): Promise<void> {
  const { args, text } = line;
  const reasons: string[] = [];
  const hidden = hiddenCommand(args);
  if (hidden !== undefined) reasons.push(hidden);
  const inners = hidden === undefined || isWrapped(args) ? unwrap(args, line.input) : [];
  for (const inner of inners) {
    if (inner.kind === "asks") reasons.push(inner.reason);
  }
  if (reasons.length > 0) { for (const reason of new Set(reasons)) analysis.opaque(text, reason, args); }
  else {
    const known = lastName(args[0]?.text ?? "") === "git" ? gitReadings(args) : [args];
    const wrapper = inners.length === 1 && inners[0]?.kind === "line" &&
      PLAIN_WRAPPERS.has(args[0]?.text ?? "");
    for (const words of known) await run(words, line, state, analysis, wrapper);
  }
  for (const inner of inners) await behind(inner, line, state, analysis);
}

/** `sudo` asks in any case, and what it runs is judged beside it. */
function isWrapped(args: readonly Arg[]): boolean {
  return /^(?:sudo|doas|find)$/u.test(lastName(args[0]?.text ?? ""));
}

async function behind(inner: Inner, line: Line, state: State, analysis: Analysis): Promise<void> {
  const { reading } = line;
  switch (inner.kind) {
    case "asks":
      return;
    case "write":
      for (const folder of isAbsolute(inner.path) ? ["/"] : state.folders ?? []) {
        analysis.add({
          kind: "write",
          target: await analysis.host.resolve(
            isAbsolute(inner.path) ? inner.path : `${folder}/${inner.path}`,
          ),
        });
      }
      if (!state.folders && !isAbsolute(inner.path)) {
        analysis.opaque(line.text, "the folder it runs in is not known", line.args);
      }
      return;
    case "line": {
      const from = inner.elsewhere ? { ...state, folders: undefined } : state;
      // A shell, or a program that runs one, may be behind it: it gets what this one gets.
      const next: Line = {
        args: inner.args,
        text: render(inner.args),
        reading,
        input: line.input,
        external: true,
      };
      if (reading.depth > 40) return analysis.opaque(next.text, "it is nested too deeply", inner.args);
      return void await analysis.line({ ...next, reading: { ...reading, depth: reading.depth + 1 } }, from);
    }
    case "text": {
      const shell = newShell(inner.elsewhere ? undefined : state.folders, inner.positional, true);
      return await analysis.text(inner.text, shell, {
        source: inner.text,
        posix: inner.posix,
        depth: reading.depth + 1,
      });
    }
  }
}

/** These change when a command runs and how long, not what it does. By their bare names: a path could lead anywhere. */
const PLAIN_WRAPPERS = new Set(["timeout", "time", "nice", "ionice", "nohup", "stdbuf", "env", "xargs"]);

async function run(
  args: readonly Arg[],
  line: Line,
  state: State,
  analysis: Analysis,
  wrapper: boolean,
): Promise<void> {
  const { host } = analysis;
  const argv = argvOf(args);
  const [first = ""] = argv;
  if (state.folders === undefined && first.includes("/") && !isAbsolute(first)) {
    return analysis.opaque(line.text, "the folder it runs in is not known", args);
  }
  const target = render(args);
  const folders = first.includes("/") && !isAbsolute(first) ? state.folders ?? [] : ["/"];
  for (const folder of folders) {
    const executable = await host.findExecutable(first, folder);
    if (executable === undefined) analysis.add({ kind: "run", target, argv });
    else {
      // Writable is both a link that may be bent and what it leads to.
      const inWritableFolder = host.isWritable(executable) || host.isWritable(await host.resolve(executable));
      const plain = wrapper && !inWritableFolder ? { wrapper } : {};
      analysis.add({ kind: "run", target, argv, executable, inWritableFolder, ...plain });
    }
  }
}
