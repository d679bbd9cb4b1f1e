import type { Command, CommandContext, CommandSurface } from "../core/commands/command.ts";
import type { FlagSpec } from "./_flags.ts";
import type { CliDeps } from "./cli.ts";
import { positionalsOf, resolveCommand } from "./command_index.ts";
import { sourceOf, valuesFrom } from "./completion_values.ts";
import { allFlags, globalsOf, leadingWords } from "./parse_argv.ts";

/** A word to offer, and what it means. */
export interface Value {
  readonly value: string;
  readonly note?: string;
}

/** What the shell is told at the tab key. */
export interface Completion {
  /** What could stand for the last word; all begin with what was typed of it. */
  readonly values: readonly Value[];
  /** What the shell should offer beside them. */
  readonly more: "" | "files" | "folders";
}

const NOTHING: Completion = { values: [], more: "" };

/** What could stand for the last of `words`. Loads no more than the module of the first word. */
export async function complete(
  words: readonly string[],
  deps: CliDeps,
  signal: AbortSignal,
): Promise<Completion> {
  const typed = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const { words: names, flags, rest: others } = leadingWords(before);
  const rest = [...flags, ...others];
  if (names.length === 0 || (names.length === 1 && names[0] === "help")) {
    if (typed.startsWith("-") || walk(before, allFlags(ROOT)).waiting) {
      return await completeArgument(ROOT, before, typed, deps, signal);
    }
    return startingWith(typed, deps.index.map(({ name, summary }) => ({ value: name, note: summary })));
  }
  const found = await resolveCommand(deps.index, names);
  if (found.kind === "group") return startingWith(typed, nextWords(found.commands, names));
  if (found.kind === "unknown") return NOTHING;
  const { command } = found;
  const own = await completeArgument(command, [...names.slice(found.words), ...rest], typed, deps, signal);
  // `pryx trust` may be a command and the first word of others.
  if (rest.length > 0 || names.length > found.words) return own;
  const siblings = await deps.index.find((one) => one.name === names[0])?.load() ?? [];
  const below = startingWith(typed, nextWords(siblings, names));
  return { values: [...below.values, ...own.values], more: own.more };
}

/** `pryx` itself: global flags and --version. */
const ROOT: Command = {
  name: "",
  summary: "",
  input: { type: "object", properties: { version: { type: "boolean", description: "Print the version" } } },
  examples: [],
  run: () => Promise.resolve({ data: null }),
};

function nextWords(commands: readonly Command[], names: readonly string[]): Value[] {
  const prefix = `${names.join(" ")} `;
  const seen = new Map<string, string>();
  for (const { name, summary } of commands) {
    const next = name.startsWith(prefix) ? name.slice(prefix.length).split(" ")[0] : undefined;
    if (next) seen.set(next, summary);
  }
  return [...seen].map(([value, note]) => ({ value, note }));
}

async function completeArgument(
  command: Command,
  before: readonly string[],
  typed: string,
  deps: CliDeps,
  signal: AbortSignal,
): Promise<Completion> {
  const specs = allFlags(command);
  const { waiting, places, ended } = walk(before, specs);
  if (waiting) return await valuesOf(waiting, command, typed, "", deps, signal);
  if (!ended && typed.startsWith("--") && typed.includes("=")) {
    const [name = "", ...rest] = typed.split("=");
    const spec = specs.find((one) => `--${one.flag}` === name);
    return spec ? await valuesOf(spec, command, rest.join("="), `${name}=`, deps, signal) : NOTHING;
  }
  if (!ended && typed.startsWith("-")) return startingWith(typed, flagValues(specs));
  const positions = positionalsOf(specs);
  const last = positions.at(-1);
  const spec = positions[places] ?? (last?.list ? last : undefined);
  return spec ? await valuesOf(spec, command, typed, "", deps, signal) : NOTHING;
}

/** Where the words before the cursor leave off: at a flag that waits for its value, or after so many arguments. */
function walk(before: readonly string[], specs: readonly FlagSpec[]) {
  let places = 0;
  let waiting: FlagSpec | undefined;
  let ended = false;
  for (const word of before) {
    if (waiting) waiting = undefined;
    else if (ended || word === "-" || !word.startsWith("-")) places++;
    else if (word === "--") ended = true;
    else {
      const letter = word.startsWith("--") ? undefined : word.at(-1);
      const spec = specs.find((one) =>
        letter === undefined ? `--${one.flag}` === word : one.short === letter
      );
      if (spec && spec.type !== "boolean" && spec.position === undefined) waiting = spec;
    }
  }
  return { waiting, places, ended };
}

function flagValues(specs: readonly FlagSpec[]): Value[] {
  return specs.filter((spec) => spec.position === undefined).map((spec) => ({
    value: spec.type === "boolean" && spec.default === true ? `--no-${spec.flag}` : `--${spec.flag}`,
    note: spec.description,
  }));
}

async function valuesOf(
  spec: FlagSpec,
  command: Command,
  typed: string,
  prefix: string,
  deps: CliDeps,
  signal: AbortSignal,
): Promise<Completion> {
  const add = (values: readonly Value[]) =>
    startingWith(
      prefix + typed,
      values.map(({ value, note }) => ({ value: prefix + value, ...(note ? { note } : {}) })),
    );
  if (spec.choices) return add(spec.choices.map((value) => ({ value })));
  if (spec.type === "boolean") return add([{ value: "true" }, { value: "false" }]);
  const source = sourceOf(spec, command);
  if (source === "files" || source === "folders") return { values: [], more: prefix === "" ? source : "" };
  if (source === "commands") {
    return add(
      deps.index.map(({ name, summary }) => ({ value: name, note: summary })),
    );
  }
  if (source === "none") return NOTHING;
  const context: CommandContext = deps.context(globalsOf([]), silentSurface, signal);
  return add(await valuesFrom(source, context));
}

function startingWith(typed: string, values: readonly Value[]): Completion {
  return { values: values.filter(({ value }) => value.startsWith(typed)), more: "" };
}

/** Completion shows nothing and asks nobody. */
const silentSurface: CommandSurface = {
  name: "cli",
  attended: false,
  event() {},
  note() {},
  input: () => Promise.resolve(undefined),
  prompt: () => Promise.reject(new Error("nobody is asked during completion")),
  confirm: () => Promise.resolve(false),
};
