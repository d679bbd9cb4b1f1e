import { isAbsolute, join } from "node:path";
import { words } from "../domain/words.ts";
import { readsVariables } from "./_shell_test.ts";
import type { Analysis, Line } from "./_shell_context.ts";
import { program } from "./_shell_line.ts";
import {
  type After,
  ANY_NUMBER,
  ANYTHING,
  type Arg,
  eitherFolders,
  type Folders,
  isKnown,
  isNumber,
  limitFolders,
  mayBeOption,
  same,
  type State,
  withVariable,
} from "./_shell_values.ts";
import { isFixed, isName, isNumeric, variableProblem } from "./_shell_variables.ts";
import { UNKNOWN } from "./_words.ts";

type Builtin = (line: Line, state: State, analysis: Analysis) => Promise<After> | After;

/** What the shell itself does, without running anything. Those that run text, or bend what follows, ask. */
export const BUILTINS: Readonly<Record<string, Builtin>> = {
  ...all(": times umask ulimit disown fg bg dirs", quiet),
  ...all("break continue return", leaves),
  ...all("export declare typeset local readonly", declares),
  ...all("read mapfile readarray", reads),
  ...all("test [", tests),
  ...all("cd pushd", changes),
  ...all("command builtin", passes),
  exit: ends,
  wait: waits,
  jobs: (line, state, analysis) => asksUnless(/^(?:-[lnprs]+|%[\w%+-]*|[0-9]+)$/u, line, state, analysis),
  getopts: options,
  printf: prints,
  let: computes,
  unset: unsets,
  set: sets,
  shift: shifts,
  shopt: (line, state, analysis) => asksUnless(SHOPT, line, state, analysis),
  hash: (line, state, analysis) => asksUnless(/^-[rl]$/u, line, state, analysis),
  type: (line, state, analysis) => asksUnless(/^[\w./+-]+$/u, line, state, analysis),
  trap: traps,
  popd: returns,
  exec: replaces,
  eval: asks("it runs text that is put together while it runs"),
  chdir: asks("shells read it differently"),
  ...all("source .", asks("it runs what is in a file, in the shell itself")),
  ...all("alias unalias enable", asks("it changes what later commands mean")),
  ...all(
    "bind complete compgen compopt history fc caller help suspend logout",
    asks("it is made for a terminal, and may run other commands"),
  ),
};

function all(names: string, builtin: Builtin): Record<string, Builtin> {
  return Object.fromEntries(words(names).map((name) => [name, builtin]));
}

const WHICH = "which variable it sets is not known before it runs";
const HOW_READ = "it changes how later commands are read";

const SHOPT = /^(?:-[suqp]+|nullglob|failglob|dotglob|globstar|nocaseglob|nocasematch|inherit_errexit)$/u;

function asks(reason: string): Builtin {
  return (line, state, analysis) => refused(line, state, analysis, reason);
}

/** Left to a person; what is known of the shell is not, where it may have changed. */
function refused(line: Line, state: State, analysis: Analysis, reason: string): After {
  analysis.opaque(line.text, `${line.args[0]?.text}: ${reason}`, line.args);
  return same({
    ...state,
    folders: undefined,
    before: undefined,
    stack: undefined,
    lost: true,
    variables: new Map(),
  });
}

function asksUnless(harmless: RegExp, line: Line, state: State, analysis: Analysis): After {
  const isHarmless = line.args.slice(1).every((arg) => isKnown(arg) && harmless.test(arg.text));
  return isHarmless ? same(state) : refused(line, state, analysis, HOW_READ);
}

function quiet(_line: Line, state: State): After {
  return same(state);
}

/** Says what setting a variable bends. `exported`: programs get it in any case. */
function noteSet(name: string, line: Line, analysis: Analysis, exported: boolean): void {
  const problem = variableProblem(name, exported);
  if (problem !== undefined) analysis.opaque(line.text, problem, line.args);
}

/** `wait -p NAME` sets a variable. */
function waits(line: Line, state: State, analysis: Analysis): After {
  const odd = line.args.slice(1).some((arg) =>
    isKnown(arg) ? /^-[a-z]*p/u.test(arg.text) : arg.many || mayBeOption(arg)
  );
  return odd ? refused(line, state, analysis, "it sets a variable that is not known") : same(state);
}

function leaves(_line: Line, state: State, analysis: Analysis): After {
  analysis.leave(state);
  return same(state);
}

/** Where the shell ends for certain, nothing of what was known goes on. */
function ends(line: Line, state: State): After {
  const [, code] = line.args;
  // `exit --help` only prints.
  const isPlain = code === undefined || isNumber(code.text) || !(code.many || mayBeOption(code));
  const isCertain = line.args.length <= 2 && isPlain && !line.redirected;
  return same(isCertain ? { ...state, dead: true } : state);
}

/** `export NAME=VALUE …` and its like. */
function declares(line: Line, state: State, analysis: Analysis): After {
  const [name, ...args] = line.args;
  let next = state;
  // `-p` and `-f` set nothing, `-g` another variable, `-A` perhaps nothing; outside of functions `local` fails.
  const sets = !args.some((arg) => /^[-+]/u.test(arg.text) && !/^-[xr]+$/u.test(arg.text)) &&
    (name?.text !== "local" || analysis.inFunction);
  const arrays = args.some((arg) => /^[-+][a-zA-Z]*[aA]/u.test(arg.text));
  for (const arg of args) {
    const [, variable, append, , value] = /^([A-Za-z_]\w*)(\+)?(=([\s\S]*))?$/u.exec(arg.text) ?? [];
    const option = /^[-+]([a-zA-Z]+)$/u.exec(arg.text)?.[1];
    if (arg.many || (variable === undefined && option === undefined && arg.text !== "--")) {
      return refused(line, state, analysis, WHICH);
    }
    if (option !== undefined && /[inluc]/u.test(option)) {
      return refused(line, state, analysis, "it changes what setting a variable means");
    }
    if (option?.includes("f") && name?.text === "export") {
      return refused(line, state, analysis, "it gives functions to other shells");
    }
    if (option?.includes("r")) args.forEach((one) => freeze(one, analysis));
    if (variable === undefined) continue;
    noteSet(variable, line, analysis, true);
    if (name?.text === "readonly") freeze(arg, analysis);
    if (arrays) analysis.arrays.add(variable);
    if (analysis.inFunction && name?.text !== "export" && name?.text !== "readonly") {
      analysis.locals.add(variable);
    }
    if (
      value !== undefined && mayBeList(value, arrays || isFixed(variable) || analysis.arrays.has(variable))
    ) {
      return refused(line, state, analysis, "what it sets may be read as a list, with commands in it");
    }
    if (value !== undefined || name?.text !== "export") {
      const known = value !== undefined && !append && sets;
      next = withVariable(next, variable, known ? { texts: [value] } : ANYTHING);
    }
  }
  return same(next);
}

/** `declare NAME='(…)'` expands what stands in the brackets, where the name is an array. */
function mayBeList(value: string, isArray: boolean): boolean {
  return value.startsWith("(") || (isArray && value.startsWith(UNKNOWN));
}

function freeze({ text }: Arg, analysis: Analysis): void {
  const name = /^[A-Za-z_]\w*/u.exec(text)?.[0];
  if (name !== undefined) analysis.frozen.add(name);
}

/** `read`, `mapfile`: what they are given is not known. */
function reads(line: Line, state: State, analysis: Analysis): After {
  const isRead = line.args[0]?.text === "read";
  // `mapfile -C` runs a command for what it reads.
  const valued = isRead ? /^-[rse]*[dinNptu]$/u : /^-t?[dnOsu]$/u;
  const plain = isRead ? /^-(?:[rse]+|[rse]*a|[rse]*[dinNptu].+)$/su : /^-(?:t|t?[dnOsu].+)$/su;
  let next = withVariable(withVariable(state, "REPLY", ANYTHING), "MAPFILE", ANYTHING);
  for (let i = 1; i < line.args.length; i++) {
    const arg = line.args[i];
    if (!arg) break;
    if (valued.test(arg.text)) {
      if (line.args[++i]?.many) return refused(line, state, analysis, "which variable it sets is not known");
      continue;
    }
    if (plain.test(arg.text)) continue;
    if (!isKnown(arg) || !isName(arg.text)) {
      return refused(line, state, analysis, WHICH);
    }
    noteSet(arg.text, line, analysis, false);
    analysis.arrays.add(arg.text);
    next = withVariable(next, arg.text, ANYTHING);
  }
  return same(next);
}

function options(line: Line, state: State, analysis: Analysis): After {
  const name = line.args[2];
  if (
    line.args[1]?.many || !name || !isKnown(name) || !isName(name.text) || variableProblem(name.text, false)
  ) {
    return refused(line, state, analysis, WHICH);
  }
  return same(withVariable(state, name.text, ANYTHING));
}

async function prints(line: Line, state: State, analysis: Analysis): Promise<After> {
  const [, first, name] = line.args;
  if (
    first?.many ||
    (first && first.text.startsWith("-v") &&
      (first.text !== "-v" || !name || !isKnown(name) || !isName(name.text)))
  ) {
    return refused(line, state, analysis, WHICH);
  }
  if (first && !isKnown(first) && mayBeOption(first)) {
    // As an option it could set a variable by a computed name.
    return refused(line, state, analysis, "its first word may be an option");
  }
  if (first?.text !== "-v" || !name) {
    await program(line, state, analysis);
    return same(state);
  }
  noteSet(name.text, line, analysis, false);
  return same(withVariable(state, name.text, ANYTHING));
}

function computes(line: Line, state: State, analysis: Analysis): After {
  let next = state;
  for (const arg of line.args.slice(1)) {
    const [, name, operator] = /^([A-Za-z_]\w*)(\+\+|--|[-+*]?=)-?[0-9]*$/u.exec(arg.text) ?? [];
    const value = name === undefined ? undefined : next.variables.get(name);
    const isSafe = value
      ? "texts" in value && value.texts.every(isNumber)
      : !state.lost && (name === undefined || !isFixed(name) || isNumeric(name));
    if (
      !isKnown(arg) || name === undefined || variableProblem(name, false) || (operator !== "=" && !isSafe)
    ) {
      return refused(line, state, analysis, "it computes with what may be more than a number");
    }
    next = withVariable(next, name, ANY_NUMBER);
  }
  return same(next);
}

function unsets(line: Line, state: State, analysis: Analysis): After {
  let next = state;
  const functions = new Map(state.functions);
  for (const arg of line.args.slice(1)) {
    if (/^-[vf]$/u.test(arg.text)) continue;
    if (!isKnown(arg) || !/^[A-Za-z_][\w-]*$/u.test(arg.text)) {
      return refused(line, state, analysis, "which variable it takes away is not known before it runs");
    }
    const bodies = functions.get(arg.text);
    if (bodies) functions.set(arg.text, [...new Set([...bodies, undefined])]);
    if (!isName(arg.text)) continue;
    noteSet(arg.text, line, analysis, false);
    next = withVariable(next, arg.text, ANYTHING);
  }
  return same({ ...next, functions });
}

const HARMLESS = /^(?:pipefail|errexit|nounset|xtrace|noglob|noclobber|errtrace|verbose)$/u;

function sets(line: Line, state: State, analysis: Analysis): After {
  const args = line.args.slice(1);
  for (let index = 0; index < args.length; index++) {
    const arg = args[index];
    if (!arg) break;
    if (arg.text === "--") return same({ ...state, positional: args.slice(index + 1) });
    if (!isKnown(arg)) return refused(line, state, analysis, HOW_READ);
    if (/^[-+][euxvfCEb]*o$/u.test(arg.text)) {
      const option = args[++index];
      if (option === undefined || (isKnown(option) && HARMLESS.test(option.text))) continue;
      return refused(line, state, analysis, HOW_READ);
    }
    if (/^[-+][euxvfCEb]+$/u.test(arg.text)) continue;
    if (/^[-+]/u.test(arg.text)) {
      return refused(line, state, analysis, HOW_READ);
    }
    return same({ ...state, positional: args.slice(index) });
  }
  return same(state);
}

function shifts(line: Line, state: State): After {
  const [, count] = line.args;
  const by = count === undefined ? 1 : /^[0-9]{1,4}$/u.test(count.text) ? Number(count.text) : undefined;
  const { positional } = state;
  const isPlain = by !== undefined && positional && positional.length >= by && line.args.length <= 2 &&
    positional.slice(0, by).every((arg) => !arg.many);
  return same({ ...state, positional: isPlain ? positional.slice(by) : undefined });
}

async function tests(line: Line, state: State, analysis: Analysis): Promise<After> {
  if (readsVariables(line.args)) {
    return refused(line, state, analysis, "it may look for a variable by a computed name");
  }
  await program(line, state, analysis);
  return same(state);
}

function traps(line: Line, state: State, analysis: Analysis): After {
  const [, action] = line.args;
  const isHarmless = line.args.every(isKnown) &&
    (action === undefined || /^(?:|-|-[lp])$/u.test(action.text));
  return isHarmless ? same(state) : refused(line, state, analysis, "it runs text later");
}

/** `cd`, `pushd`. */
async function changes(line: Line, state: State, analysis: Analysis): Promise<After> {
  const isPush = line.args[0]?.text === "pushd";
  const args = line.args.slice(1).filter((arg, index) => !(index === 0 && /^(?:--|-L)$/u.test(arg.text)));
  const [to] = args;
  const unknown = (reason: string) => {
    analysis.opaque(line.text, reason, line.args);
    const folders = undefined;
    return same({ ...state, folders, before: undefined, stack: isPush ? undefined : state.stack });
  };
  const notKnown = `where ${line.args[0]?.text} leads is not known before it runs`;
  if (
    args.length > 1 || (to && (!isKnown(to) || to.text === "" || /^[-+]./u.test(to.text))) || (isPush && !to)
  ) {
    return unknown(notKnown);
  }
  let targets: string[] = [];
  if (to?.text === "-") {
    if (!state.before) return unknown(notKnown);
    targets = [...state.before];
  } else {
    for (const folder of state.folders ?? [undefined]) {
      const path = to ? to.text : "~";
      const home = path === "~" || path.startsWith("~/") ? await homeOf(to, analysis) : undefined;
      if (home !== undefined) targets.push(join(home, path.slice(1)));
      else if (isAbsolute(path)) targets.push(join(path));
      else if (folder === undefined) return unknown("the folder it starts from is not known");
      else targets.push(join(folder, path));
    }
  }
  // No system has longer paths.
  if (targets.some((path) => path.length > 4096)) return unknown(notKnown);
  const folders = limitFolders([
    ...new Set(targets.map((path) => path.length > 1 ? path.replace(/\/$/u, "") : path)),
  ]);
  for (const folder of folders ?? []) {
    analysis.add({ kind: "read", target: await analysis.host.resolve(folder), enter: true });
  }
  const stack = isPush ? state.stack && [...state.stack, state.folders] : state.stack;
  return { done: { ...state, folders, before: state.folders, stack }, failed: state };
}

async function homeOf(to: Arg | undefined, analysis: Analysis): Promise<string | undefined> {
  if (to && !to.source.startsWith("~")) return undefined;
  return await analysis.host.resolve("~");
}

function returns(line: Line, state: State, analysis: Analysis): After {
  if (line.args.length > 1 || !state.stack) {
    analysis.opaque(line.text, "where popd leads is not known before it runs", line.args);
    return same({ ...state, folders: undefined, stack: undefined });
  }
  if (state.stack.length === 0) return same(state);
  const folders: Folders = state.stack.at(-1);
  const done = { ...state, folders, before: state.folders, stack: state.stack.slice(0, -1) };
  return { done, failed: { ...state, folders: eitherFolders(state.folders, state.folders) } };
}

/** `command NAME …`, `builtin NAME …`. */
async function passes(line: Line, state: State, analysis: Analysis): Promise<After> {
  const [, next, ...rest] = line.args;
  if (next === undefined) return same(state);
  if (line.args[0]?.text === "command" && /^-[vV]$/u.test(next.text) && !rest.some((arg) => arg.many)) {
    return same(state);
  }
  const args = /^(?:--|-p)$/u.test(next.text) && line.args[0]?.text === "command" ? rest : [next, ...rest];
  const [first] = args;
  if (!first || !isKnown(first) || first.text.startsWith("-")) {
    return refused(line, state, analysis, "which command it runs is not known");
  }
  return await analysis.line({ ...line, args, bare: true }, state);
}

/** `exec NAME …`; without a command it is about redirects alone. */
async function replaces(line: Line, state: State, analysis: Analysis): Promise<After> {
  const args = line.args.slice(line.args[1]?.text === "--" ? 2 : 1);
  const [first] = args;
  if (!first) return same(state);
  if (!isKnown(first) || first.text.startsWith("-")) {
    return refused(line, state, analysis, "which program replaces the shell is not known");
  }
  await analysis.line({ ...line, args, external: true }, state);
  return same(state);
}
