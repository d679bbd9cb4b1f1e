/** Options before git's command that take the next word, or `=VALUE`. */
const WITH_VALUE = new Set([
  "-C",
  "--git-dir",
  "--work-tree",
  "--namespace",
  "--super-prefix",
  "--attr-source",
]);

/** Options before git's command that change nothing about what it does. */
const HARMLESS = new Set(["--no-pager", "-P", "--no-optional-locks", "--no-lazy-fetch", "--no-advice"]);

/** Options before the command by which git runs other programs, or does not run its own. */
const BENDING = ["-c", "--config-env", "--exec-path"];

/** Long options of some command that run a program. Git takes any beginning of one that is not ambiguous. */
const RUNS = ["--upload-pack", "--receive-pack", "--exec", "--extcmd", "--open-files-in-pager", "--template"];

/** Commands whose next words are a command line, or that run what settings name. */
const RUNNERS: Readonly<Record<string, RegExp>> = {
  "bisect": /^run$/u,
  "submodule": /^foreach$/u,
  "filter-branch": /^/u,
  "difftool": /^/u,
  "mergetool": /^/u,
  "grep": /^-[a-zA-Z]*O/u,
  "rebase": /^-[a-zA-Z]*x/u,
  "clone": /^-[a-zA-Z]*[cu]|^--config$|^--config=/u,
};

interface GitWords {
  readonly before: readonly string[];
  readonly command: readonly string[];
}

function split(argv: readonly string[]): GitWords {
  let at = 1;
  while (at < argv.length && argv[at]?.startsWith("-")) at += WITH_VALUE.has(argv[at] ?? "") ? 2 : 1;
  return { before: argv.slice(1, at), command: argv.slice(at) };
}

/** Why `git …` runs or writes something that its command does not say; undefined when it does not. */
export function gitProblem(argv: readonly string[]): string | undefined {
  const { before, command: [command = "", ...args] } = split(argv);
  const bending = before.find((word) => BENDING.some((one) => word === one || word.startsWith(`${one}=`)));
  if (bending !== undefined) return `git ${bending} changes which programs git runs`;
  const runner = RUNNERS[command];
  if (
    Object.hasOwn(RUNNERS, command) && runner &&
    (args.length === 0 ? [""] : args).some((arg) => runner.test(arg))
  ) {
    return `git ${command} may run another command`;
  }
  for (const arg of args) {
    if (arg === "--") break;
    const [option = ""] = arg.split("=", 1);
    if (option.length > 2 && RUNS.some((one) => one.startsWith(option))) {
      return `git ${option} may run another command`;
    }
    if (option.length > 3 && "--output".startsWith(option)) return `git ${option} writes a file`;
  }
  return undefined;
}

/**
 * The ways to read `git …`, each to be judged: as it stands, and without the options before the command, so that
 * `git -C x push` is also `git push`. What changes nothing is left out.
 */
export function gitReadings(argv: readonly string[]): readonly (readonly string[])[] {
  const { before, command } = split(argv);
  const plain = [...argv.slice(0, 1), ...command];
  if (before.length === 0 || command.length === 0) return [argv];
  return before.every((word) => HARMLESS.has(word)) ? [plain] : [argv, plain];
}
