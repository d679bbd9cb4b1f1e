import type { Command } from "unbash";
import type { Analysis, Reading, Scope } from "./_shell_context.ts";
import { newScope } from "./_shell_lookup.ts";
import { redirect } from "./_shell_redirects.ts";
import {
  type After,
  ANYTHING,
  type Arg,
  either,
  isKnownText,
  isNumber,
  MAX_ALTERNATIVES,
  same,
  type State,
  withVariable,
} from "./_shell_values.ts";
import { isNumeric, variableProblem } from "./_shell_variables.ts";
import { assignedValue, expand } from "./_shell_words.ts";
import { UNKNOWN } from "./_words.ts";

/** A simple command: its words, redirects and assignments, and then whatever it runs. */
export async function simple(
  command: Command,
  state: State,
  reading: Reading,
  analysis: Analysis,
): Promise<After> {
  const scope = newScope(state, reading, analysis);
  const ways = await linesOf(command, scope);
  let input: string | null | undefined;
  for (const one of command.redirects) {
    const given = await redirect(one, scope);
    if (given !== undefined) input = given;
  }
  const runsNothing = ways.every((args) => args.length === 0);
  const assigned = await assign(command, scope, !runsNothing);
  const text = textOf(command, reading);
  const [first = []] = ways;
  for (const problem of scope.problems) analysis.opaque(text, problem, first);
  let after: After | undefined;
  for (const args of ways) {
    const next = args.length === 0 ? same(assigned) : afterLine(
      command,
      await analysis.line(
        {
          args,
          text,
          reading,
          input: input ?? undefined,
          external: false,
          redirected: command.redirects.length > 0 || command.prefix.length > 0,
        },
        // What stands before a builtin or a function may hold during it and stay.
        assigned === scope.state ? scope.state : either(scope.state, assigned),
      ),
      scope.state,
    );
    after = after ? { done: either(after.done, next.done), failed: either(after.failed, next.failed) } : next;
  }
  return after ?? same(assigned);
}

/** What stood before a command holds for it alone, and a redirect that fails leaves it out. */
function afterLine(command: Command, { done, failed }: After, before: State): After {
  const skipped = command.redirects.length > 0 ? either(failed, before) : failed;
  return { done: afterPrefix(command, done), failed: afterPrefix(command, skipped) };
}

/** A function may have set what was set for it: whether that stays is not followed. */
function afterPrefix({ prefix }: Command, end: State): State {
  let next = end;
  for (const one of prefix) {
    if (one.type === "Assignment" && end.variables.has(one.name)) {
      next = withVariable(next, one.name, ANYTHING);
    }
  }
  return next;
}

function textOf(command: Command, { source }: Reading): string {
  const text = source.slice(command.pos, command.end).trim();
  return text === "" || text.includes("<<") ? source.trim() : text;
}

/** The ways a command line may turn out, by the ways of its words. */
async function linesOf(command: Command, scope: Scope): Promise<readonly (readonly Arg[])[]> {
  let ways: (readonly Arg[])[] = [[]];
  const extend = (choices: readonly (readonly Arg[])[], source: string) => {
    if (ways.length * choices.length > MAX_ALTERNATIVES * 2) {
      const many = choices.some((choice) => choice.length !== 1 || choice.some((arg) => arg.many));
      ways = ways.map((way) => [...way, { text: UNKNOWN, many, source }]);
    } else ways = choices.flatMap((choice) => ways.map((way) => [...way, ...choice]));
  };
  const words = command.name ? [command.name, ...command.args] : command.args;
  const plain: Arg[] = [];
  for (const word of words) {
    if (word.type === "Word" && word.parts === undefined && !/[~(]/u.test(word.text)) {
      plain.push({ text: word.value, many: false, source: word.text });
      continue;
    }
    if (plain.length > 0) extend([plain.splice(0)], "");
    if (word.type === "Word") extend(await expand(word, scope), word.text);
    else {
      const value = await assignedValue(word, scope);
      const name = `${word.name}${word.index ? `[${word.index.text}]` : ""}${word.append ? "+" : ""}=`;
      const texts = "texts" in value ? value.texts : [UNKNOWN];
      extend(texts.map((text) => [{ text: name + text, many: false, source: word.text }]), word.text);
    }
  }
  if (plain.length > 0) extend([plain], "");
  return ways;
}

/** The state after the assignments of a command. */
async function assign(command: Command, scope: Scope, exported: boolean): Promise<State> {
  let state = scope.state;
  const inner: Scope = {
    ...scope,
    get state() {
      return state;
    },
    set state(next) {
      state = next;
    },
  };
  const reads = command.name?.text === "read" && !state.functions.has("read") && !state.lost;
  for (const one of command.prefix) {
    if (one.type !== "Assignment") continue;
    const value = await assignedValue(one, inner);
    // `IFS= read` is how a line is read whole: nothing else sees it.
    if (one.name === "IFS" && exported && reads) continue;
    const isCount = isNumeric(one.name) && "texts" in value && value.texts.every(isNumber);
    const problem = isCount ? undefined : variableProblem(one.name, exported);
    if (one.index || one.value.type === "ArrayValue") scope.analysis.arrays.add(one.name);
    if (problem !== undefined) scope.problems.push(problem);
    if (scope.reading.posix && (one.index || one.value.type === "ArrayValue")) {
      scope.problems.push(`shells read ${one.text} differently`);
    }
    state = withVariable(state, one.name, one.name === "IFS" || !isFollowed(value) ? ANYTHING : value);
  }
  return state;
}

function isFollowed(value: Awaited<ReturnType<typeof assignedValue>>): boolean {
  return "words" in value ||
    value.texts.every((text) => text.length < 4096 && (isKnownText(text) || text.length > 0));
}
