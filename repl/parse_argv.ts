import type { Command } from "../core/commands/command.ts";
import { AUTOMATION_SUFFIX } from "../core/domain/automation.ts";
import { PryxError } from "../core/domain/error.ts";
import { type Json, type Problem, validate } from "../core/domain/schema.ts";
import { flagsOf, type FlagSpec, GLOBAL_FLAGS } from "./_flags.ts";
import { positionalsOf } from "./command_index.ts";
import { type FlagShape, type Token, tokenize } from "./_tokens.ts";
import { readValue } from "./_values.ts";
import { didYouMean } from "./suggest.ts";

/** What every command may be given beside its own input. Values as typed: whoever uses them checks them. */
export interface GlobalFlags {
  readonly json: boolean;
  readonly debug: boolean;
  readonly quiet: boolean;
  /** False with --no-color or NO_COLOR. */
  readonly color: boolean;
  readonly help: boolean;
  readonly cwd?: string;
  readonly profile?: string;
  /** Set when the command has `model` in its input. */
  readonly model?: string;
}

/** Values by the names of the command's input schema, checked against it. */
export type CommandInput = Readonly<Record<string, Json>>;

/** A command line, read. */
interface ParsedArgv {
  readonly globals: GlobalFlags;
  readonly input: CommandInput;
}

/** The words that a command line begins with. */
interface LeadingWords {
  readonly words: readonly string[];
  /** Global flags that stood between them. */
  readonly flags: readonly string[];
  readonly rest: readonly string[];
}

/**
 * The leading words of a command line, global flags passed over: `--json sessions list -n 3` → `["sessions", "list"]`.
 * Ends at the first flag that is not global, at `--`, and behind the name of an automation: what follows is its own.
 */
export function leadingWords(argv: readonly string[]): LeadingWords {
  const words: string[] = [];
  const flags: string[] = [];
  let at = 0;
  for (; at < argv.length; at++) {
    const item = argv[at] ?? "";
    if (item === "-" || !item.startsWith("-")) {
      words.push(item);
      if (item.endsWith(AUTOMATION_SUFFIX)) {
        at++;
        break;
      }
      continue;
    }
    if (item === "--") break;
    const spec = globalFor(item);
    if (!spec) break;
    flags.push(item);
    const inline = item.startsWith("--") ? item.includes("=") : item.length > 2;
    if (spec.type !== "boolean" && !inline) {
      const value = argv[at + 1];
      if (value !== undefined) flags.push(value);
      at++;
    }
  }
  return { words, flags, rest: argv.slice(at) };
}

/** True for `--json`, `-q`, `--cwd=x`: what may stand before a command's name. */
export function isGlobalFlag(item: string): boolean {
  return globalFor(item) !== undefined;
}

function globalFor(item: string): FlagSpec | undefined {
  const name = item.startsWith("--") ? item.slice(2).split("=", 1)[0] : undefined;
  return GLOBAL_FLAGS.find((spec) => name === undefined ? item[1] === spec.short : name === spec.flag);
}

/** The global flags in `argv`, whatever else stands there: for help, and for errors before a command is known. */
export function globalsOf(argv: readonly string[]): GlobalFlags {
  const values = new Map<string, unknown>();
  const { words, rest } = leadingWords(argv);
  const foreign = words[0] === "run" && words[1]?.endsWith(AUTOMATION_SUFFIX) === true;
  for (const token of tokensOf(foreign ? argv.slice(0, argv.length - rest.length) : argv, GLOBAL_FLAGS)) {
    if (token.kind === "option" && GLOBAL_FLAGS.some((spec) => spec.flag === token.name)) {
      values.set(token.name, token.value ?? true);
    }
  }
  return toGlobals(values);
}

function toGlobals(values: ReadonlyMap<string, unknown>, input: CommandInput = {}): GlobalFlags {
  const text = (key: string) => {
    const value = values.get(key) ?? input[key];
    return typeof value === "string" ? { [key]: value } : {};
  };
  return {
    json: values.get("json") === true,
    debug: values.get("debug") === true,
    quiet: values.get("quiet") === true,
    color: values.get("no-color") !== true,
    help: values.get("help") === true,
    ...text("cwd"),
    ...text("profile"),
    ...text("model"),
  };
}

function tokensOf(argv: readonly string[], specs: readonly FlagSpec[]): readonly Token[] {
  const options: Record<string, FlagShape> = {};
  for (const spec of specs) {
    if (spec.position !== undefined) continue;
    options[spec.flag] = {
      type: spec.type === "boolean" ? "boolean" : "string",
      ...(spec.short === undefined ? {} : { short: spec.short }),
    };
  }
  return tokenize(argv, options);
}

/** A command's own flags before the global ones, which give way where names or letters are the same. */
export function allFlags(command: Command): readonly FlagSpec[] {
  const own = flagsOf(command);
  const taken = new Set(own.filter((spec) => spec.position === undefined).map((spec) => spec.flag));
  const letters = new Set(own.map((spec) => spec.short));
  const globals = GLOBAL_FLAGS.filter((spec) => !taken.has(spec.flag)).map((spec) => {
    if (spec.short === undefined || !letters.has(spec.short)) return spec;
    const { short: _, ...rest } = spec;
    return rest;
  });
  return [...own, ...globals];
}

/**
 * `argv` (without the words of the command's name) as the command's input. Throws a `usage` PryxError that lists every
 * problem found. With --help nothing is checked.
 */
export function parseArgv(command: Command, argv: readonly string[]): ParsedArgv {
  const specs = allFlags(command);
  const problems: string[] = [];
  const hints: string[] = [];
  const given = new Map<string, Json>();
  const globals = new Map<string, unknown>();
  const places: string[] = [];
  const say = (problem: string, hint?: string) => {
    problems.push(problem);
    if (hint !== undefined) hints.push(hint);
  };

  const split = passedThrough(command, argv, specs);
  if (split) given.set(split.name, split.words);
  for (const token of tokensOf(split ? argv.slice(0, split.at) : argv, specs)) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      places.push(token.value);
      continue;
    }
    const negated = token.name.startsWith("no-")
      ? specs.find((spec) => spec.type === "boolean" && `no-${spec.flag}` === token.name)
      : undefined;
    const spec = specs.find((one) => one.position === undefined && one.flag === token.name) ?? negated;
    if (!spec) {
      say(...unknownFlag(token.rawName, command, specs));
      continue;
    }
    const value = readValue(spec, token, negated === spec);
    if ("problem" in value) {
      say(value.problem, value.hint);
      continue;
    }
    const isGlobal = GLOBAL_FLAGS.some((one) => one.flag === spec.flag);
    if (isGlobal) globals.set(spec.flag, value.value);
    if (Object.hasOwn(command.input.properties, spec.key)) {
      const before = given.get(spec.key);
      given.set(spec.key, spec.list ? [...(Array.isArray(before) ? before : []), value.value] : value.value);
    }
  }

  place(positionalsOf(specs), places, given, say);
  const input: CommandInput = { ...defaults(specs), ...Object.fromEntries(given) };
  const parsed = { globals: toGlobals(globals, input), input };
  if (parsed.globals.help) return parsed;
  if (problems.length === 0) {
    for (const problem of validate(command.input, input)) say(...describe(problem, specs));
  }
  if (problems.length > 0) throw usageError(command.name, problems, hints);
  return parsed;
}

/** What belongs to the program that the command runs, and where it begins; undefined when nothing does. */
function passedThrough({ passThrough }: Command, argv: readonly string[], specs: readonly FlagSpec[]) {
  if (!passThrough) return undefined;
  const flags = new Set<string>();
  for (const token of tokensOf(argv, specs)) {
    if (token.kind === "option") flags.add(token.name);
    if (token.kind !== "positional") continue;
    // Only what comes first says what is run: in a sentence a word may look like it.
    if (!passThrough.behind(token.value, flags)) return undefined;
    const at = token.index + 1;
    return { at, name: passThrough.to, words: argv.slice(at) };
  }
  return undefined;
}

function defaults(specs: readonly FlagSpec[]): Record<string, Json> {
  const values: Record<string, Json> = {};
  for (const spec of specs) {
    if (spec.default !== undefined && !spec.list) values[spec.key] = spec.default;
  }
  return values;
}

type Say = (problem: string, hint?: string) => void;

/** Gives positional arguments their names. A list takes all the rest. */
function place(specs: readonly FlagSpec[], words: readonly string[], given: Map<string, Json>, say: Say) {
  let at = 0;
  for (const spec of specs) {
    const mine = spec.list ? words.slice(at) : words.slice(at, at + 1);
    at += mine.length;
    const values: Json[] = [];
    for (const value of mine) {
      const read = readValue(spec, { value, inlineValue: true, rawName: spec.metavar }, false);
      if ("problem" in read) say(read.problem, read.hint);
      else values.push(read.value);
    }
    if (spec.list && mine.length > 0) given.set(spec.key, values);
    else if (values[0] !== undefined) given.set(spec.key, values[0]);
  }
  const extra = words.slice(at);
  if (extra.length === 0) return;
  const last = specs.at(-1);
  const quoted = last?.type === "string" && !last.choices
    ? `If it is one ${last.metavar}, quote it: "${words.slice(specs.length - 1).join(" ")}"`
    : undefined;
  say(`takes ${counted(specs.length)}, not ${words.length}: "${extra[0]}" is too many`, quoted);
}

function counted(count: number): string {
  return count === 0 ? "no arguments" : count === 1 ? "one argument" : `${count} arguments`;
}

function unknownFlag(
  raw: string,
  command: Command,
  specs: readonly FlagSpec[],
): [string, string | undefined] {
  const name = raw.replace(/^-+/, "");
  const position = specs.find((spec) => spec.position !== undefined && spec.flag === name);
  if (position) {
    return [`${raw} is given by place, not as a flag`, `Write: pryx ${command.name} ${position.metavar}`];
  }
  if (/^-\d/.test(raw)) return [`${raw} is not a flag`, `To pass it as it is, write -- before it`];
  const flags = specs.filter((spec) => spec.position === undefined).map((spec) => `--${spec.flag}`);
  return [`${raw} is not a flag it knows`, raw.startsWith("--") ? didYouMean(raw, flags) : undefined];
}

function describe(problem: Problem, specs: readonly FlagSpec[]): [string, string | undefined] {
  const spec = specs.find((one) => one.key === problem.path[0]);
  if (!spec) return [`${problem.path.join(".")} ${problem.message}`, undefined];
  const name = spec.position === undefined ? `--${spec.flag}` : spec.metavar;
  const inner = problem.path.slice(1).filter((part) => typeof part === "string").join(".");
  const typed = /not "(.*)"$/.exec(problem.message)?.[1];
  return [
    `${name}${inner && ` (${inner})`} ${problem.message}`,
    typed !== undefined && spec.choices ? didYouMean(typed, spec.choices) : undefined,
  ];
}

function usageError(name: string, problems: readonly string[], hints: readonly string[]): PryxError {
  const fix = [...new Set(hints), `See: pryx ${name} --help`].join("\n");
  return problems.length === 1
    ? new PryxError("usage", `${name}: ${problems[0]}`, { fix })
    : new PryxError("usage", `${name}:\n${problems.map((one) => `  - ${one}`).join("\n")}`, { fix });
}
