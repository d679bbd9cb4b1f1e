import { normalPath, type Place } from "./_path_pattern.ts";
import { areKnown, splitWords, UNKNOWN, wordMatches, wordMayMatch, type WordPattern } from "./_words.ts";

/** A `run` pattern: an executable and the words that must follow it. */
export interface RunPattern {
  /** Bare name of the executable; absent for `*` and absolute paths. */
  readonly name?: string;
  readonly path?: string;
  matches(command: RunSubject): boolean;
}

/**
 * A command as a `run` pattern sees it; `executable` is the absolute path of its program, when it was
 * found.
 */
export interface RunSubject {
  readonly argv: readonly string[];
  readonly executable: string | undefined;
  readonly inWritableFolder: boolean;
}

/**
 * Compiles `git log` (any command that begins with these words), `=git log` (these words and no more) or `*` (any).
 * An executable with a slash is a path, taken from the workspace when relative; a bare name is looked up on PATH.
 * `broad` (deny, ask) matches a name wherever the executable stands; an allow only outside folders that may be
 * written to. Of words that are not known before it runs, an allow covers none: they may stand only behind the words
 * of its pattern; a deny or ask covers whatever they may become. Returns what is wrong, as text.
 */
export function compileRun(pattern: string, place: Place, broad: boolean): RunPattern | string {
  if (pattern.trim() === "*") return { matches: () => true };
  const exact = pattern.startsWith("=");
  const split = splitWords(exact ? pattern.slice(1) : pattern);
  if (typeof split === "string") return split;
  const [first, ...rest] = split;
  if (first === undefined || first.text === "") return "it names no command";
  if (first.text === undefined) {
    return "the command itself cannot have a wildcard (only * alone, for every command)";
  }
  const open = !exact && isStar(rest.at(-1));
  const words = open ? rest.slice(0, -1) : rest;
  const covers = (argv: readonly string[]) =>
    (exact ? argv.length === words.length + 1 : argv.length > words.length) &&
    words.every((word, index) => wordMatches(word, argv[index + 1] ?? ""));
  const matchesRest = (argv: readonly string[]) =>
    areKnown(exact ? argv : argv.slice(0, words.length + 1))
      ? covers(argv)
      : broad && mayCover(words, argv.slice(1), exact);
  const path = pathOf(first.text, place);
  if (path !== undefined) {
    return {
      path,
      matches: ({ argv, executable }) =>
        (executable === path || (broad && argv[0] === path)) && matchesRest(argv),
    };
  }
  const name = first.text;
  const named = broad ? namedBroadly : namedStrictly;
  return { name, matches: (command) => named(name, command) && matchesRest(command.argv) };
}

/** Whether words of which some are not known may be the pattern's. */
function mayCover(words: readonly WordPattern[], args: readonly string[], exact: boolean): boolean {
  for (const [index, word] of words.entries()) {
    const arg = args[index];
    if (arg === undefined) return false;
    if (arg.includes(UNKNOWN + UNKNOWN)) return true;
    if (!wordMayMatch(word, arg)) return false;
  }
  return !exact || args.length === words.length || args.some((arg) => arg.includes(UNKNOWN + UNKNOWN));
}

function namedBroadly(name: string, { argv, executable }: RunSubject): boolean {
  return lastName(argv[0] ?? "") === name || (executable !== undefined && lastName(executable) === name);
}

/** A path that merely ends in the name could be a link to anything, unless what stands there has that name as well. */
function namedStrictly(name: string, { argv, executable, inWritableFolder }: RunSubject): boolean {
  if (inWritableFolder) return false;
  const written = argv[0] ?? "";
  if (!/[\\/]/u.test(written)) return written === name;
  return normalPath(written) !== undefined && lastName(written) === name &&
    executable !== undefined && lastName(executable) === name;
}

function pathOf(text: string, place: Place): string | undefined {
  if (text.startsWith("~/")) return normalPath(`${place.home}/${text.slice(2)}`);
  if (!/[\\/]/u.test(text)) return undefined;
  return normalPath(text) ?? normalPath(`${place.workspace}/${text}`);
}

function isStar(word: WordPattern | undefined): boolean {
  return word !== undefined && word.pieces.length > 1 && word.pieces.every((piece) => piece === "");
}

/** What stands after the last slash or backslash. */
export function lastName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}
