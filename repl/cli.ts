import type { Command, CommandContext, CommandResult, CommandSurface } from "../core/commands/command.ts";
import { AUTOMATION_SUFFIX } from "../core/domain/automation.ts";
import { EXIT, PryxError, toPryxError } from "../core/domain/error.ts";
import { type CommandIndex, resolveCommand } from "./command_index.ts";
import { renderError } from "./error_text.ts";
import { shellQuote } from "./format.ts";
import { createInterrupts, type Interrupts, type SignalSource } from "./interrupts.ts";
import {
  type CommandInput,
  type GlobalFlags,
  globalsOf,
  isGlobalFlag,
  leadingWords,
  parseArgv,
} from "./parse_argv.ts";
import { sanitize } from "./sanitize.ts";
import { createStyle, type Style, wantsColor } from "./style.ts";
import { didYouMean } from "./suggest.ts";
import { columnsOf, type TerminalIo } from "./terminal_io.ts";
import { createTerminalOutput } from "./terminal_output.ts";
import { createTerminalSurface, type TerminalSurface } from "./terminal_surface.ts";

export type { CommandEntry, CommandIndex } from "./command_index.ts";
export type { CommandInput, GlobalFlags } from "./parse_argv.ts";

/** All that the command line needs of the world. */
export interface CliDeps extends TerminalIo {
  readonly index: CommandIndex;
  readonly version: string;
  /** Makes what a command works with; called once the command line is known to be right. */
  readonly context: (globals: GlobalFlags, surface: CommandSurface, signal: AbortSignal) => CommandContext;
  /** Where signals come from. Default: `Deno`. */
  readonly signals?: SignalSource;
  /** Ends the process at once, on the second interrupt. Default: `Deno.exit`. */
  readonly exit?: (code: number) => void;
}

/**
 * Runs one command line to its end and returns the exit code. Never throws: every failure becomes a message on standard
 * error, and with --json also `{"error": {code, message, fix}}` on standard output.
 */
export async function runCli(argv: readonly string[], deps: CliDeps): Promise<number> {
  if (argv[0] === "__complete") {
    const { runComplete } = await import("./completions.ts");
    return await runComplete(argv.slice(1), deps);
  }
  const globals = globalsOf(argv);
  try {
    return await dispatch(argv, globals, deps);
  } catch (error) {
    return fail(toPryxError(error), globals, deps);
  }
}

async function dispatch(argv: readonly string[], globals: GlobalFlags, deps: CliDeps): Promise<number> {
  const { words: typed, flags, rest } = leadingWords(argv);
  const help = typed[0] === "help";
  const words = help ? typed.slice(1) : typed;
  if (words.length === 0) return await bare([...flags, ...rest], help || globals.help, globals, deps);

  const found = await resolveCommand(deps.index, words);
  if (found.kind === "unknown") throw unknownWord(found);
  if (found.kind === "group") return await groupHelp(found.entry.name, help || globals.help, globals, deps);
  if (help) return await commandHelp(found.command, globals, deps);
  const parsed = parseArgv(found.command, [...flags, ...words.slice(found.words), ...rest]);
  if (parsed.globals.help) return await commandHelp(found.command, globals, deps);
  return await runCommand(found.command, parsed.input, parsed.globals, deps);
}

/** `pryx` with flags only. */
async function bare(
  rest: readonly string[],
  help: boolean,
  globals: GlobalFlags,
  deps: CliDeps,
): Promise<number> {
  if (rest.some((one) => one === "--version" || one === "-V" || one === "-v")) {
    const text = globals.json ? JSON.stringify({ version: deps.version }) : `pryx ${deps.version}`;
    return print(`${text}\n`, deps);
  }
  const unknown = rest.find((one) => one.startsWith("-") && !isGlobalFlag(one));
  if (unknown !== undefined && !help) {
    const hint = didYouMean(unknown, ["--version", "--help", "--json"]);
    throw new PryxError("usage", `pryx has no flag ${unknown}`, {
      fix: [hint, SEE_HELP].filter(Boolean).join("\n"),
    });
  }
  const { renderRootHelp } = await import("./help.ts");
  return print(renderRootHelp(deps.index, helpOptions(globals, deps)), deps);
}

const SEE_HELP = "See: pryx --help";

async function groupHelp(name: string, asked: boolean, globals: GlobalFlags, deps: CliDeps): Promise<number> {
  const entry = deps.index.find((one) => one.name === name);
  if (!entry) return EXIT.usage;
  const { renderGroupHelp } = await import("./help.ts");
  const commands = await entry.load();
  if (asked) return print(renderGroupHelp(entry, commands, helpOptions(globals, deps)), deps);
  const width = Math.max(...commands.map((one) => one.name.length));
  throw new PryxError("usage", `pryx ${name} needs one more word`, {
    fix: [
      ...commands.map((one) => `pryx ${one.name.padEnd(width)}  ${one.summary}`),
      `See: pryx ${name} --help`,
    ].join(
      "\n",
    ),
  });
}

async function commandHelp(command: Command, globals: GlobalFlags, deps: CliDeps): Promise<number> {
  const { renderCommandHelp } = await import("./help.ts");
  const first = command.name.split(" ")[0];
  const siblings = await deps.index.find((one) => one.name === first)?.load() ?? [];
  const below = siblings.filter((one) => one.name.startsWith(`${command.name} `));
  return print(renderCommandHelp(command, below, helpOptions(globals, deps)), deps);
}

function helpOptions(globals: GlobalFlags, deps: CliDeps) {
  const style = createStyle(wantsColor(deps.stdout.isTerminal(), globals.color, deps.env));
  return { style, width: Math.min(100, columnsOf(deps)) };
}

function unknownWord(found: { word: string; parent?: string; candidates: readonly string[] }): PryxError {
  const prefix = found.parent === undefined ? "pryx" : `pryx ${found.parent}`;
  const near = didYouMean(found.word, found.candidates);
  const run = found.parent !== undefined
    ? undefined
    : found.word.endsWith(AUTOMATION_SUFFIX)
    ? `To run it: pryx run ${shellQuote(found.word)}`
    : /\s/.test(found.word)
    ? `To give it to the agent: pryx run "${found.word}"`
    : undefined;
  const known = `Known: ${found.candidates.join(", ")}`;
  return new PryxError("usage", `${prefix} has no command "${found.word}"`, {
    fix: [run, near, known, `See: ${prefix} --help`].filter((one) => one !== undefined).join("\n"),
  });
}

async function runCommand(
  command: Command,
  input: CommandInput,
  globals: GlobalFlags,
  deps: CliDeps,
): Promise<number> {
  using interrupts = listen(deps);
  let readerGone = false;
  await using surface = createTerminalSurface({
    io: deps,
    json: globals.json,
    events: command.streams ?? false,
    quiet: globals.quiet,
    color: globals.color,
    signal: interrupts.signal,
    interrupt: (reason) => {
      readerGone ||= reason === "closed";
      interrupts.stop(reason === "closed" ? "The reader of the output has gone" : "Interrupted");
    },
  });
  try {
    const context = deps.context(globals, surface, interrupts.signal);
    const result = await command.run(input, attaching(context, surface));
    show(result, command, globals, deps, surface);
    if (surface.output.failure !== undefined) {
      throw new PryxError("io", `Cannot write to standard output: ${surface.output.failure}`, {
        fix: "Make room, or write somewhere else; what the agent answered is kept: pryx sessions show",
      });
    }
    return result.exitCode ?? EXIT.done;
  } catch (error) {
    surface.output.flush();
    const known = interrupts.signal.aborted && !(error instanceof PryxError)
      ? toPryxError(interrupts.signal.reason)
      : toPryxError(error);
    if (readerGone) return known.exitCode;
    return report(known, globals, deps, surface);
  }
}

/** `context`, whose Pryx (and that of every context made from it) is where the surface answers approvals. */
function attaching(context: CommandContext, surface: TerminalSurface): CommandContext {
  return Object.assign(
    Object.create(context),
    {
      async pryx() {
        const pryx = await context.pryx();
        surface.attach(pryx);
        return pryx;
      },
      with: (overrides) => attaching(context.with(overrides), surface),
    } satisfies Partial<CommandContext>,
  );
}

function listen(deps: CliDeps): Interrupts {
  const restore = () => {
    try {
      if (deps.stdin.isTerminal()) deps.stdin.setRaw(false);
    } catch {
      // The terminal has gone; there is nothing to put back.
    }
  };
  return createInterrupts(deps.signals ?? Deno, {
    first: (name) => {
      if (name === "SIGINT" && deps.stderr.isTerminal()) {
        createTerminalOutput(deps).direct("\r\x1b[2KStopping… (again: stop at once)\n");
      }
    },
    exit: (code) => {
      restore();
      (deps.exit ?? Deno.exit)(code);
    },
  });
}

/** The result of a command: JSON for programs, text for people. On a terminal nothing in it can act on the terminal. */
function show(
  result: CommandResult,
  command: Command,
  globals: GlobalFlags,
  deps: CliDeps,
  surface: TerminalSurface,
): void {
  if (globals.json) {
    // A command that streams may also have nothing to stream: then its text is the answer, and so is its data.
    if (!command.streams || result.text !== undefined) surface.output.out(`${JSON.stringify(result.data)}\n`);
  } else if (result.text !== undefined && result.text !== "") {
    const text = deps.stdout.isTerminal() ? sanitize(result.text) : result.text;
    surface.output.out(text.endsWith("\n") ? text : `${text}\n`);
  }
  surface.output.flush();
}

/** A failure before there was a surface. */
function fail(error: PryxError, globals: GlobalFlags, deps: CliDeps): number {
  const output = createTerminalOutput(deps);
  const code = write(error, globals, output, errorStyle(globals, deps), false);
  output.flush();
  return code;
}

function report(error: PryxError, globals: GlobalFlags, deps: CliDeps, surface: TerminalSurface): number {
  const style = errorStyle(globals, deps);
  return write(error, globals, surface.output, style, surface.hasShown(error.message));
}

function write(
  error: PryxError,
  globals: GlobalFlags,
  output: { out(text: string): void; err(text: string): void },
  style: Style,
  shown: boolean,
): number {
  if (globals.json && !shown) output.out(`${JSON.stringify({ error: error.toJSON() })}\n`);
  if (!shown || globals.debug || globals.json) output.err(renderError(error, style, globals.debug));
  return error.exitCode;
}

function errorStyle(globals: GlobalFlags, deps: CliDeps): Style {
  return createStyle(wantsColor(deps.stderr.isTerminal(), globals.color, deps.env));
}

function print(text: string, deps: CliDeps): number {
  // Not `using`: the bundler's minifier drops it from a variable that only the next statement uses.
  const output = createTerminalOutput(deps);
  output.out(text);
  output.flush();
  return EXIT.done;
}
