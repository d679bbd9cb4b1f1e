import type { Command, Example } from "../core/commands/command.ts";
import { EXIT } from "../core/domain/error.ts";
import { flagsOf, type FlagSpec, GLOBAL_FLAGS } from "./_flags.ts";
import { type CommandEntry, type CommandIndex, positionalsOf, usageLine } from "./command_index.ts";
import { allFlags } from "./parse_argv.ts";
import type { Style } from "./style.ts";

/** How help is laid out. */
interface HelpOptions {
  readonly style: Style;
  /** Characters a line may have. */
  readonly width: number;
}

const ROOT_EXAMPLES: readonly Example[] = [
  { line: "pryx tour", note: "See it work, without a key or a network" },
  { line: 'pryx run "find the failing test and fix it"', note: "Let the agent work in this folder" },
  { line: 'git diff | pryx run "review this"', note: "Piped text is context" },
  { line: 'pryx run --continue "now the docs"', note: "Go on with the last session" },
  { line: "pryx why", note: "Explain the last failure" },
];

/** `pryx --help`. Loads no command. */
export function renderRootHelp(index: CommandIndex, { style, width }: HelpOptions): string {
  const examples = ROOT_EXAMPLES.filter(({ line }) => {
    const word = /pryx (\S+)/.exec(line)?.[1];
    return index.some((entry) => entry.name === word);
  });
  return sections(style, [
    ["", ["pryx: an agent shell that asks before it acts", "", "Usage: pryx COMMAND [arguments] [flags]"]],
    ["Commands", table(index.map((entry) => [entry.name, entry.summary]), width)],
    ["Flags of every command", flagTable(GLOBAL_FLAGS, width, { key: "version", text: "Print the version" })],
    ["Examples", exampleLines(examples, style, width)],
    ["Exit codes", wrap(exitCodes(), width - 2).map((line) => `  ${line}`)],
    ["", ["More about a command: pryx COMMAND --help"]],
  ]);
}

function exitCodes(): string {
  return Object.entries(EXIT).map(([name, code]) => `${code} ${name}`).join(", ");
}

/** `pryx sessions --help`. */
export function renderGroupHelp(
  entry: CommandEntry,
  commands: readonly Command[],
  { style, width }: HelpOptions,
): string {
  const examples = commands.flatMap((command) => command.examples.slice(0, 1));
  return sections(style, [
    ["", [`${entry.summary}`, "", `Usage: pryx ${entry.name} COMMAND [arguments] [flags]`]],
    ["Commands", table(commands.map((one) => [one.name, one.summary]), width)],
    ["Examples", exampleLines(examples, style, width)],
    ["", [`More about one: pryx ${commands[0]?.name ?? entry.name} --help`]],
  ]);
}

/** `pryx sessions list --help`. `others`: further commands that begin with its name. */
export function renderCommandHelp(
  command: Command,
  others: readonly Command[],
  { style, width }: HelpOptions,
): string {
  const specs = flagsOf(command);
  const own = new Set(specs.map((spec) => spec.flag));
  const all = allFlags(command);
  const globals = all.filter((spec) => !own.has(spec.flag));
  const text = command.description ?? "";
  const places = positionalsOf(specs);
  return sections(style, [
    ["", [
      command.summary,
      ...(text ? ["", ...wrap(text, width)] : []),
      "",
      `Usage: ${usageLine(command, specs)}`,
    ]],
    ["Arguments", table(places.map((spec) => [spec.metavar, describe(spec)]), width)],
    ["Flags", flagTable(specs.filter((spec) => spec.position === undefined), width)],
    ["Flags of every command", flagTable(globals, width)],
    ["More commands", table(others.map((one) => [one.name, one.summary]), width)],
    ["Examples", exampleLines(command.examples, style, width)],
  ]);
}

type Section = readonly [title: string, lines: readonly string[]];

function sections(style: Style, parts: readonly Section[]): string {
  const shown = parts.filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => (title ? [style.bold(`${title}:`), ...lines] : lines).join("\n"));
  return `${shown.join("\n\n")}\n`;
}

function flagTable(
  specs: readonly FlagSpec[],
  width: number,
  extra?: { key: string; text: string },
): string[] {
  const rows: [string, string][] = specs.map((spec) => [flagName(spec), describe(spec)]);
  if (extra) rows.push([`    --${extra.key}`, extra.text]);
  return table(rows, width);
}

/** `-o, --output FILE`; a switch that is on is shown as what turns it off. */
function flagName(spec: FlagSpec): string {
  const short = spec.short === undefined ? "    " : `-${spec.short}, `;
  const name = spec.type === "boolean" && spec.default === true ? `no-${spec.flag}` : spec.flag;
  return `${short}--${name}${spec.metavar && ` ${spec.metavar}`}`;
}

function describe(spec: FlagSpec): string {
  const notes: string[] = [];
  if (spec.choices) notes.push(`one of ${spec.choices.join(", ")}`);
  if (spec.default !== undefined && typeof spec.default !== "boolean") notes.push(`default ${spec.default}`);
  if (spec.list && spec.position === undefined) notes.push("may be repeated");
  if (spec.required && spec.position === undefined) notes.push("required");
  const off = spec.type === "boolean" && spec.default === true;
  const text = off ? `Turn off: ${spec.description}` : spec.description;
  return notes.length === 0 ? text : `${text}${text && " "}(${notes.join("; ")})`;
}

function exampleLines(examples: readonly Example[], style: Style, width: number): string[] {
  return examples.flatMap(({ line, note }) => [
    `  ${line}`,
    ...wrap(note, width - 6).map((one) => `      ${style.dim(one)}`),
  ]);
}

/** Two columns; the second is wrapped under itself. */
function table(rows: readonly (readonly [string, string])[], width: number): string[] {
  const left = Math.min(32, Math.max(0, ...rows.map(([name]) => name.length)));
  return rows.flatMap(([name, text]) => {
    const lines = wrap(text, Math.max(24, width - left - 4));
    const head = name.length > left ? [`  ${name}`] : [];
    const first = head.length > 0 ? "" : name;
    const body = (lines.length === 0 ? [""] : lines)
      .map((line, at) => `  ${(at === 0 ? first : "").padEnd(left)}  ${line}`.trimEnd());
    return [...head, ...body];
  });
}

function wrap(text: string, width: number): string[] {
  if (text === "") return [];
  return text.split("\n").flatMap((paragraph) => {
    const lines: string[] = [];
    let line = "";
    for (const word of paragraph.split(" ")) {
      if (line !== "" && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else line = line === "" ? word : `${line} ${word}`;
    }
    return [...lines, line];
  });
}
