import { words } from "../domain/words.ts";
import { type Arg, isKnown, mayBeOption } from "./_shell_values.ts";

/** Options before git's command that take the next word, or `=VALUE`. */
const WITH_VALUE = new Set(words("-C --git-dir --work-tree --namespace --super-prefix --attr-source"));

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
  "for-each-repo": /^/u,
  "remote-ext": /^/u,
  "hook": /^run$/u,
  "instaweb": /^/u,
  "send-email": /^/u,
  "difftool": /^/u,
  "mergetool": /^/u,
  "grep": /^-[a-zA-Z]*O/u,
  "rebase": /^-[a-zA-Z]*x/u,
  "clone": /^-[a-zA-Z]*[cu]|^--config$|^--config=/u,
};

/** Options of a command whose next word is theirs, whatever it is. */
const VALUES: Readonly<Record<string, RegExp>> = {
  "commit": /^-[aqsvn]*[mF]$|^--(?:message|file|author|date)$/u,
  "tag": /^-[as]*[mF]$|^--(?:message|file)$/u,
  "merge": /^-[qn]*m$/u,
  "checkout": /^-[bB]$/u,
  "switch": /^-[cC]$/u,
  "log": /^--(?:grep|author|since|until|after|before)$/u,
};

/** Commands without an option that runs or writes something, so that a word may be any of them. */
const PLAIN = new Set(words("add rm mv status restore check-ignore symbolic-ref merge-base ls-files"));

interface GitWords {
  readonly before: readonly Arg[];
  readonly command: readonly Arg[];
}

function split(args: readonly Arg[]): GitWords {
  let at = 1;
  while (at < args.length && args[at]?.text.startsWith("-")) {
    at += WITH_VALUE.has(args[at]?.text ?? "") ? 2 : 1;
  }
  return { before: args.slice(1, at), command: args.slice(at) };
}

/** Why `git …` runs or writes something that its command does not say; undefined when it does not. */
export function gitProblem(argv: readonly Arg[]): string | undefined {
  const { before, command: [name, ...args] } = split(argv);
  const command = name?.text ?? "";
  const bending = before.find(({ text }) =>
    BENDING.some((one) => text === one || text.startsWith(`${one}=`))
  );
  if (bending !== undefined) return `git ${bending.text} changes which programs git runs`;
  const open = before.find((arg) => arg.many || (!isKnown(arg) && arg.text.startsWith("-")));
  if (open || (name && !isKnown(name))) {
    return `which command of git it is, is not known: ${(open ?? name)?.source}`;
  }
  // As in `-c`: what git reads there is a configuration.
  if (before.some((arg) => arg.text.startsWith("-c"))) return "git -c changes which programs git runs";
  const runner = Object.hasOwn(RUNNERS, command) ? RUNNERS[command] : undefined;
  if (runner && (args.length === 0 ? [{ text: "" }] : args).some(({ text }) => runner.test(text))) {
    return `git ${command} may run another command`;
  }
  const values = Object.hasOwn(VALUES, command) ? VALUES[command] : undefined;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (!arg || (isKnown(arg) && arg.text === "--")) break;
    if (!isKnown(arg) && !PLAIN.has(command) && mayBeOption(arg)) {
      const isAttached = /^--?[A-Za-z][\w-]*=/u.test(arg.text) && !arg.many;
      if (!isAttached) return `git may take ${arg.source} for an option that runs something`;
    }
    if (isKnown(arg) && values?.test(arg.text) && args[i + 1] && !args[i + 1]?.many) {
      i++;
      continue;
    }
    const [option = ""] = arg.text.split("=", 1);
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
export function gitReadings(argv: readonly Arg[]): readonly (readonly Arg[])[] {
  const { before, command } = split(argv);
  const plain = [...argv.slice(0, 1), ...command];
  if (before.length === 0 || command.length === 0) return [argv];
  return before.every(({ text }) => HARMLESS.has(text)) ? [plain] : [argv, plain];
}
