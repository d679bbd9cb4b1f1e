import { isAbsolute, join } from "node:path";
import type { Assignment, HereDoc, Redirect, Redirection, Statement, Word, WordPart } from "unbash";
import type { AndOr, Command, PipelineNode } from "unbash";
import type { Need } from "../domain/need.ts";
import { gitReadings } from "./_git_words.ts";
import { lastName } from "./_run_pattern.ts";
import { quoteWords } from "./_words.ts";
import { hiddenCommand } from "./_wrappers.ts";

/** What the analysis may ask about the machine. */
export interface ShellHost {
  /** Absolute path after symlinks; `~` is the home folder. */
  resolve(path: string): Promise<string>;
  /** The absolute path of what the shell would run; undefined when there is none (a builtin, a missing program). */
  findExecutable(name: string, cwd: string): Promise<string | undefined>;
  /** True for paths in folders that the session may write to. */
  isWritable(path: string): boolean;
}

/**
 * The needs of a command line: a `run` for every simple command in it, `read` and `write` for its redirects, `read`
 * for the folders it changes to. Simple commands may be joined by `&&`, `||`, `;`, newlines and `|`, and their words
 * must be literal (quotes and globs are fine). Anything else becomes a `run` that is `opaque`: it says why, and its
 * target is the text. Where a folder depends on whether an earlier command worked, needs are stated for either.
 * Total: never rejects for what the text is; it does when `host` does.
 */
export async function shellNeeds(
  command: string,
  cwd: string,
  host: ShellHost,
): Promise<readonly Need[]> {
  const problem = unreadable(command);
  if (problem !== undefined) return [opaqueNeed(command, problem)];
  const { parse } = await import("unbash");
  let statements: readonly Statement[];
  try {
    const script = parse(command);
    const error = script.errors?.[0];
    if (error) return [opaqueNeed(command, `it cannot be parsed: ${error.message}`)];
    statements = script.commands;
  } catch (error) {
    return [
      opaqueNeed(command, `it cannot be parsed: ${error instanceof Error ? error.message : String(error)}`),
    ];
  }
  const walk = createWalk(command, host);
  await walk.list(statements, [cwd]);
  return walk.needs();
}

function unreadable(command: string): string | undefined {
  if (command.trim() === "") return "there is no command";
  if (command.length > 100_000) return "it is too long to be analysed";
  // Shells disagree about these, and a terminal does not show them.
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/u.test(command)) return "it holds control characters";
  return undefined;
}

function opaqueNeed(text: string, opaque: string, argv: readonly string[] = []): Need {
  return { kind: "run", target: text, ...(argv.length > 0 ? { argv } : {}), opaque };
}

/** Folders the shell may be in; undefined when that is not known. */
type Folders = readonly string[] | undefined;

/** Where a command leaves the shell, by how it ends. */
interface After {
  readonly done: Folders;
  readonly failed: Folders;
}

/** More places than these are not followed. */
const MAX_FOLDERS = 8;

/** One walk over a command line. Each kind of node has its own method: what is not understood yet goes to `opaque`. */
function createWalk(source: string, host: ShellHost) {
  const found = new Map<string, Need>();
  const add = (need: Need) => found.set(JSON.stringify(need), need);

  const opaque = (node: { pos: number; end: number }, reason: string, argv: readonly string[] = []) => {
    const text = source.slice(node.pos, node.end).trim();
    add(opaqueNeed(text === "" || text.includes("<<") ? source.trim() : text, reason, argv));
  };

  async function list(statements: readonly Statement[], start: Folders): Promise<Folders> {
    let folders = start;
    for (const statement of statements) {
      if (statement.background) {
        opaque(statement, "it goes on in the background");
        continue;
      }
      const after = await node(statement.command, folders);
      folders = either(after.done, after.failed);
    }
    return folders;
  }

  async function node(command: PipelineNode | AndOr, folders: Folders): Promise<After> {
    switch (command.type) {
      case "AndOr":
        return await andOr(command, folders);
      case "Pipeline": {
        const time = command.prefixes.some((prefix) => prefix.type === "Time");
        if (time) opaque(command, "time runs another command");
        // Each part of a pipeline is a shell of its own: a cd in it ends with it.
        for (const part of command.commands) await node(part, folders);
        const alone = command.commands.length === 1 && command.commands[0];
        return alone && isChangeOfFolder(alone) ? same(undefined) : same(folders);
      }
      case "Command":
        return await simple(command, folders);
      default:
        opaque(command, COMPOUND[command.type] ?? `it is a ${command.type}`);
        return same(undefined);
    }
  }

  async function andOr({ commands, operators }: AndOr, start: Folders): Promise<After> {
    let after: After = same(start);
    for (const [index, command] of commands.entries()) {
      const operator = index === 0 ? undefined : operators[index - 1];
      if (operator === undefined) after = await node(command, start);
      else if (operator === "&&") {
        const next = await node(command, after.done);
        after = { done: next.done, failed: either(after.failed, next.failed) };
      } else {
        const next = await node(command, after.failed);
        after = { done: either(after.done, next.done), failed: next.failed };
      }
    }
    return after;
  }

  async function simple(command: Command, folders: Folders): Promise<After> {
    const { prefix, name, args, redirects } = command;
    const problem = prefixProblem(prefix) ?? argumentProblem(args) ??
      redirects.map(redirectProblem).find(Boolean) ??
      (name && wordProblem(name, true));
    const argv = knownWords(name, args);
    if (problem !== undefined) {
      opaque(command, problem, argv);
      return same(argv[0] === undefined || CHANGES_FOLDER.has(argv[0]) ? undefined : folders);
    }
    for (const redirect of redirects) {
      if (redirect.type === "Redirect") await redirected(redirect, folders);
    }
    if (name === undefined) return same(folders);
    const hidden = hiddenCommand(argv);
    if (hidden !== undefined) {
      opaque(command, hidden, argv);
      return same(CHANGES_FOLDER.has(argv[0] ?? "") ? undefined : folders);
    }
    if (name.value === "cd") return await changed(command, args, folders);
    const readings = lastName(argv[0] ?? "") === "git" ? gitReadings(argv) : [argv];
    for (const words of readings) await run(words, folders, command);
    return same(folders);
  }

  async function run(argv: readonly string[], folders: Folders, command: Command): Promise<void> {
    const [first = ""] = argv;
    if (folders === undefined && first.includes("/") && !isAbsolute(first)) {
      return opaque(command, "the folder it runs in is not known", argv);
    }
    for (const folder of folders ?? ["/"]) {
      const executable = await host.findExecutable(first, folder);
      const target = quoteWords(argv);
      if (executable === undefined) add({ kind: "run", target, argv });
      else {
        // Writable is both a link that may be bent and what it leads to.
        const inWritableFolder = host.isWritable(executable) ||
          host.isWritable(await host.resolve(executable));
        add({ kind: "run", target, argv, executable, inWritableFolder });
      }
    }
  }

  async function changed(command: Command, args: Command["args"], folders: Folders): Promise<After> {
    const words = args.filter((one) => one.type === "Word").filter((one) => one.text !== "--");
    const [to] = words;
    if (words.length > 1 || (to && (to.value.startsWith("-") || to.value === "" || hasGlob(to)))) {
      opaque(command, "where cd leads is not known before it runs", ["cd", ...words.map((one) => one.value)]);
      return same(undefined);
    }
    const targets = new Set<string>();
    for (const folder of folders ?? [undefined]) {
      const path = to ? pathIn(to, folder) : "~";
      if (path === undefined) {
        opaque(command, "the folder it starts from is not known");
        return same(undefined);
      }
      targets.add(await host.resolve(path));
    }
    for (const target of targets) add({ kind: "read", target });
    return { done: limited([...targets]), failed: folders };
  }

  async function redirected({ operator, target, pos, end }: Redirect, folders: Folders): Promise<void> {
    if (!target || target.value === "-") return;
    if ((operator === ">&" || operator === "<&") && /^\d+-?$/u.test(target.value)) return;
    const socket = /^\/dev\/(tcp|udp)\/([^/]+)\/([^/]+)$/u.exec(target.value);
    if (socket) return void add({ kind: "net", target: `${socket[2]?.toLowerCase()}:${socket[3]}` });
    if (NEEDLESS.has(target.value)) return;
    for (const folder of folders ?? [undefined]) {
      const path = pathIn(target, folder);
      if (path === undefined) return opaque({ pos, end }, "the folder of the redirect is not known");
      const resolved = await host.resolve(path);
      if (NEEDLESS.has(resolved)) continue;
      if (operator !== "<" && operator !== "<&") add({ kind: "write", target: resolved });
      if (operator === "<" || operator === "<&" || operator === "<>") add({ kind: "read", target: resolved });
    }
  }

  return { list, needs: () => [...found.values()] };
}

const COMPOUND: Readonly<Record<string, string>> = {
  Subshell: "it runs commands in a shell of their own",
  BraceGroup: "it groups commands in braces",
  If: "it has an if",
  For: "it has a loop",
  ArithmeticFor: "it has a loop",
  While: "it has a loop",
  Select: "it has a loop",
  Case: "it has a case",
  Function: "it defines a function",
  Coproc: "it goes on in the background",
  TestCommand: "it has a [[ … ]] test",
  ArithmeticCommand: "it computes with variables",
  Redirected: "it redirects several commands at once",
};

/** Devices that keep nothing and tell nothing. */
const NEEDLESS = new Set(["/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/zero", "/dev/full"]);

/** Words that leave the shell somewhere else, or unsure where, when they are not followed. */
const CHANGES_FOLDER = new Set([
  "cd",
  "pushd",
  "popd",
  "eval",
  "source",
  ".",
  "command",
  "builtin",
  "trap",
  "alias",
]);

function isChangeOfFolder(command: PipelineNode): boolean {
  return command.type !== "Command" || CHANGES_FOLDER.has(command.name?.value ?? "cd");
}

function same(folders: Folders): After {
  return { done: folders, failed: folders };
}

function either(a: Folders, b: Folders): Folders {
  if (a === b) return a;
  return a && b ? limited([...new Set([...a, ...b])]) : undefined;
}

function limited(folders: readonly string[]): Folders {
  return folders.length > MAX_FOLDERS ? undefined : folders;
}

/** A word as a path for `host.resolve`; undefined when it is relative to a folder that is not known. */
function pathIn(word: Word, folder: string | undefined): string | undefined {
  if (word.text === "~" || word.text.startsWith("~/")) return word.value;
  if (isAbsolute(word.value)) return word.value;
  return folder === undefined ? undefined : join(folder, word.value);
}

/** The words up to the first that is not literal: enough for a denial to match. */
function knownWords(name: Word | undefined, args: Command["args"]): string[] {
  const words: string[] = [];
  for (const word of name ? [name, ...args] : []) {
    if (word.type !== "Word" || wordProblem(word) !== undefined) break;
    words.push(word.value);
  }
  return words;
}

function prefixProblem(prefix: Command["prefix"]): string | undefined {
  const assignment = prefix.find((one): one is Assignment => one.type === "Assignment");
  return assignment && `it sets the variable ${assignment.name}`;
}

function argumentProblem(args: Command["args"]): string | undefined {
  for (const argument of args) {
    const problem = argument.type === "Word"
      ? wordProblem(argument)
      : `it sets the variable ${argument.name}`;
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function redirectProblem(redirect: Redirection): string | undefined {
  if (redirect.descriptor?.type === "FileDescriptorVariable") return "it keeps a file open in a variable";
  if (redirect.type === "HereDoc") return hereDocProblem(redirect);
  if (!redirect.target) return "a redirect has no target";
  const problem = wordProblem(redirect.target);
  if (problem !== undefined || redirect.type === "HereString") return problem;
  if (redirect.target.value === "") return "a redirect has no target";
  return hasGlob(redirect.target) ? "a redirect goes to a file that is found while it runs" : undefined;
}

function hereDocProblem({ body, closing, delimiter }: HereDoc): string | undefined {
  if (!closing || !delimiter) return "a here-document is never closed";
  return delimiter.quoted ? undefined : body.parts?.map(partProblem).find(Boolean);
}

function hasGlob(word: Word): boolean {
  return word.parts?.some((part) => part.type === "Glob") ?? false;
}

/** Why a word is not known before it runs; undefined when it is. */
function wordProblem(word: Word, isCommand = false): string | undefined {
  if (isCommand && (word.value === "" || hasGlob(word))) {
    return "which command it runs is not known before it runs";
  }
  // A tilde with more behind it is somebody's home, or a variable.
  if (/^~[^/]/u.test(word.text)) return "it names the home folder of somebody else";
  if (isCommand && word.text.startsWith("~")) return undefined;
  return word.parts?.map(partProblem).find(Boolean);
}

function partProblem(part: WordPart): string | undefined {
  switch (part.type) {
    case "Literal":
    case "SingleQuoted":
      return undefined;
    case "Glob":
      return part.parts?.map(partProblem).find(Boolean);
    case "DoubleQuoted":
      return part.parts.map(partProblem).find(Boolean);
    case "SimpleExpansion":
    case "ParameterExpansion":
      return `it uses the variable ${part.text}`;
    case "CommandExpansion":
      return `it puts in what another command prints: ${part.text}`;
    case "ProcessSubstitution":
      return `it runs another command: ${part.text}`;
    case "ArithmeticExpansion":
      return `it computes ${part.text}`;
    case "BraceExpansion":
      return `it makes several words of ${part.text}`;
    case "ExtendedGlob":
    case "AnsiCQuoted":
    case "LocaleString":
      return `shells read ${part.text} differently`;
  }
}
