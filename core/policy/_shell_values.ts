import type { Function as FunctionNode } from "unbash";
import { quoteWords, UNKNOWN } from "./_words.ts";

/**
 * Texts as far as they are known before anything runs. {@link UNKNOWN} stands for any text, {@link NUMBER} for a whole
 * number; neither can be typed.
 */
export type Text = string;

/** A whole number, which one is not known. */
export const NUMBER = "\u0001";

/** One word of a command, after expansion. */
export interface Arg {
  readonly text: Text;
  /** It may become no word, or several; each of them has the form of `text`. */
  readonly many: boolean;
  /** As a person wrote it. */
  readonly source: string;
}

/** What a variable may hold: one of a few texts, or the elements of an array. */
export type Value = { readonly texts: readonly Text[] } | { readonly words: readonly Arg[] };

/** Folders the shell may be in, absolute, by the way it went there; undefined when that is not known. */
export type Folders = readonly string[] | undefined;

/** What is known of a shell at one point of a script. */
export interface State {
  readonly folders: Folders;
  /** Where `cd -` leads. */
  readonly before: Folders;
  /** Of pushd, the newest last; undefined when it is not known. */
  readonly stack: readonly Folders[] | undefined;
  readonly variables: ReadonlyMap<string, Value>;
  /** Variables that are not among `variables` may have been set to anything. */
  readonly lost: boolean;
  readonly positional: readonly Arg[] | undefined;
  /** Bodies that a name may have; undefined among them: perhaps none. */
  readonly functions: ReadonlyMap<string, readonly (FunctionNode | undefined)[]>;
  /** Nothing gets here: the shell has ended. */
  readonly dead: boolean;
}

/** How a command leaves the shell, by how it ends. */
export interface After {
  readonly done: State;
  readonly failed: State;
}

/** More alternatives than these are not followed. */
export const MAX_ALTERNATIVES = 8;
/** More variables than these are not followed at once. */
const MAX_VARIABLES = 100;

export const ANYTHING: Value = { texts: [UNKNOWN] };
export const ANY_NUMBER: Value = { texts: [NUMBER] };

const NO_VARIABLES: ReadonlyMap<string, Value> = new Map();
const NO_FUNCTIONS: State["functions"] = new Map();

/** A shell that has just started. */
export function newShell(folders: Folders, positional: State["positional"], lost: boolean): State {
  return {
    folders,
    before: undefined,
    stack: [],
    variables: NO_VARIABLES,
    lost,
    positional,
    functions: NO_FUNCTIONS,
    dead: false,
  };
}

/** The same shell when nothing is known of what happened in it, but for the functions there may be. */
export function anyShell(functions: State["functions"]): State {
  return {
    ...newShell(undefined, undefined, true),
    stack: undefined,
    functions: new Map([...functions].map(([name, bodies]) => [name, [...new Set([...bodies, undefined])]])),
  };
}

export function isKnown({ text, many }: Arg): boolean {
  return !many && isKnownText(text);
}

export function isKnownText(text: Text): boolean {
  return !text.includes(UNKNOWN) && !text.includes(NUMBER);
}

export function isNumber(text: Text): boolean {
  return text === NUMBER || /^-?[0-9]+$/u.test(text);
}

/** Whether it, or a word that it becomes, may begin with a dash: a program may take it for an option. */
export function mayBeOption({ text }: Arg): boolean {
  return text.startsWith("-") || text.startsWith(UNKNOWN) || (text.startsWith(NUMBER) && text !== NUMBER);
}

export function word(text: string): Arg {
  return { text, many: false, source: text };
}

/** Words as the `argv` of a need: {@link UNKNOWN} for what is not known, twice for what may be several words. */
export function argvOf(args: readonly Arg[]): string[] {
  return args.map(({ text, many }) => {
    const shown = text.replaceAll(NUMBER, UNKNOWN);
    return many ? shown.replace(UNKNOWN, UNKNOWN + UNKNOWN) : shown;
  });
}

/** The command line for people: what is known quoted where it must be, the rest as it was written. */
export function render(args: readonly Arg[]): string {
  return args.map((arg, index) => {
    if (!isKnown(arg)) return arg.source;
    // Behind a first word, so that only a first word is treated as one.
    return index === 0 ? quoteWords([arg.text]) : quoteWords(["x", arg.text]).slice(2);
  }).join(" ");
}

export function same(state: State): After {
  return { done: state, failed: state };
}

/** What holds whichever of the two it was. */
export function either(a: State, b: State): State {
  if (a === b || b.dead) return a;
  if (a.dead) return b;
  return {
    folders: eitherFolders(a.folders, b.folders),
    before: eitherFolders(a.before, b.before),
    stack: a.stack === b.stack || JSON.stringify(a.stack) === JSON.stringify(b.stack) ? a.stack : undefined,
    variables: eitherVariables(a, b),
    lost: a.lost || b.lost,
    positional: a.positional === b.positional || JSON.stringify(a.positional) === JSON.stringify(b.positional)
      ? a.positional
      : undefined,
    functions: eitherFunctions(a.functions, b.functions),
    dead: false,
  };
}

export function eitherFolders(a: Folders, b: Folders): Folders {
  if (a === b) return a;
  if (a === undefined || b === undefined) return undefined;
  return limitFolders([...new Set([...a, ...b])]);
}

export function limitFolders(folders: readonly string[]): Folders {
  return folders.length > MAX_ALTERNATIVES ? undefined : folders;
}

function eitherVariables(a: State, b: State): State["variables"] {
  if (a.variables === b.variables) return a.variables;
  const out = new Map<string, Value>();
  for (const name of new Set([...a.variables.keys(), ...b.variables.keys()])) {
    const [one, other] = [a.variables.get(name), b.variables.get(name)];
    out.set(name, one && other ? eitherValue(one, other) : ANYTHING);
  }
  return out;
}

export function eitherValue(a: Value, b: Value): Value {
  if (a === b) return a;
  if ("texts" in a && "texts" in b) return oneOf([...a.texts, ...b.texts]);
  return JSON.stringify(a) === JSON.stringify(b) ? a : ANYTHING;
}

/** One of these texts; less is known when they are too many. */
export function oneOf(texts: readonly Text[]): Value {
  const different = [...new Set(texts)];
  if (different.includes(UNKNOWN)) return ANYTHING;
  if (different.length <= MAX_ALTERNATIVES) return { texts: different };
  return different.every(isNumber) ? ANY_NUMBER : ANYTHING;
}

function eitherFunctions(a: State["functions"], b: State["functions"]): State["functions"] {
  if (a === b) return a;
  const out = new Map<string, readonly (FunctionNode | undefined)[]>();
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    out.set(name, [...new Set([...a.get(name) ?? [undefined], ...b.get(name) ?? [undefined]])]);
  }
  return out;
}

/** Whether nothing more is known in `a` than in both: a loop need not be gone through again. */
export function isSame(a: State, b: State): boolean {
  return a === b || (
    JSON.stringify([a.folders, a.before, a.stack, a.lost, a.positional, a.dead]) ===
      JSON.stringify([b.folders, b.before, b.stack, b.lost, b.positional, b.dead]) &&
    (a.variables === b.variables ||
      JSON.stringify([...a.variables].sort(byName)) === JSON.stringify([...b.variables].sort(byName))) &&
    isSameFunctions(a.functions, b.functions)
  );
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isSameFunctions(a: State["functions"], b: State["functions"]): boolean {
  return a === b || (a.size === b.size && [...a].every(([name, bodies]) => {
    const others = new Set(b.get(name));
    return others.size === bodies.length && bodies.every((body) => others.has(body));
  }));
}

export function withVariable(state: State, name: string, value: Value): State {
  if (state.variables.get(name) === value) return state;
  const full = state.variables.size >= MAX_VARIABLES && !state.variables.has(name);
  const variables = new Map(full ? [] : state.variables);
  // What splits words stays known to have changed.
  if (full && state.variables.has("IFS")) variables.set("IFS", ANYTHING);
  variables.set(name, value);
  return { ...state, variables, lost: state.lost || full };
}
