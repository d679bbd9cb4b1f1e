import { gitProblem } from "./_git_words.ts";
import { lastName } from "./_run_pattern.ts";

const SHELLS = new Set([
  "sh",
  "bash",
  "dash",
  "zsh",
  "ksh",
  "mksh",
  "ash",
  "fish",
  "csh",
  "tcsh",
  "rbash",
  "pwsh",
]);

const WRAPPERS = new Set([
  ...["sudo", "doas", "su", "pkexec", "runuser", "setpriv", "capsh", "gosu", "su-exec"],
  ...["env", "xargs", "parallel", "nohup", "time", "timeout", "nice", "ionice", "chrt", "taskset", "prlimit"],
  ...[
    "setsid",
    "stdbuf",
    "unbuffer",
    "script",
    "expect",
    "flock",
    "watch",
    "entr",
    "start-stop-daemon",
    "daemonize",
  ],
  ...["chroot", "unshare", "nsenter", "bwrap", "firejail", "fakeroot", "setarch", "linux32", "linux64"],
  ...[
    "strace",
    "ltrace",
    "gdb",
    "lldb",
    "valgrind",
    "perf",
    "catchsegv",
    "ld.so",
    "xvfb-run",
    "dbus-run-session",
  ],
  ...["systemd-run", "at", "batch", "crontab", "busybox", "toybox", "run-parts", "screen", "tmux", "numactl"],
]);

/** Builtins that run text, change what later words mean, or change which program a name means. */
const BUILTINS: Readonly<Record<string, string>> = {
  "eval": "it runs text that is put together while it runs",
  "source": "it runs what is in a file, in the shell itself",
  ".": "it runs what is in a file, in the shell itself",
  "exec": "it replaces the shell by another program",
  "command": "it runs another command",
  "builtin": "it runs another command",
  "trap": "it runs text later",
  "alias": "it changes what later commands mean",
  "unalias": "it changes what later commands mean",
  "hash": "it changes what later commands mean",
  "enable": "it changes what later commands mean",
  "set": "it changes how later commands are read",
  "shopt": "it changes how later commands are read",
  "bind": "it runs text later",
  "complete": "it runs text later",
  "coproc": "it runs a command in the background",
  "pushd": "it changes the folder in a way that is not followed here",
  "popd": "it changes the folder in a way that is not followed here",
  ...Object.fromEntries(
    [
      "export",
      "declare",
      "typeset",
      "local",
      "readonly",
      "unset",
      "read",
      "mapfile",
      "readarray",
      "let",
      "getopts",
    ]
      .map((name) => [name, "it sets variables, which later commands may run by"]),
  ),
};

/** Options by which a program runs another one. */
const RUNS_BY_OPTION: Readonly<Record<string, RegExp>> = {
  "rg": /^--(?:pre|hostname-bin)(?:=|$)/u,
  "tar": /^-I|^--(?:to-c|checkpoint-a|use-|info-s|new-v|rsh|rmt)/u,
  "rsync": /^-[a-zA-Z]*e|^--rsh(?:=|$)/u,
  "sort": /^--compress-p/u,
  "ssh": /(?:proxy|local|knownhosts)command/iu,
  "scp": /^-[a-zA-Z]*S|(?:proxy|local|knownhosts)command/iu,
  "sftp": /^-[a-zA-Z]*S|(?:proxy|local|knownhosts)command/iu,
};

/** Why running these words runs something that they do not say; undefined when they are all there is. */
export function hiddenCommand(argv: readonly string[]): string | undefined {
  const [first = "", ...args] = argv;
  const name = lastName(first);
  if (Object.hasOwn(BUILTINS, first)) return `${first}: ${BUILTINS[first]}`;
  if (WRAPPERS.has(name) || /^ld-linux.*\.so/u.test(name)) return `${name} runs another command`;
  if (SHELLS.has(name)) return shellProblem(name, args);
  if (name === "find" || name === "fd" || name === "fdfind") {
    const option = args.find((arg) =>
      /^-(?:exec(?:dir)?|ok(?:dir)?)$|^(?:-[xX]|--exec(?:-batch)?)(?:=|$)/u.test(arg)
    );
    if (option !== undefined) return `${name} ${option} runs another command`;
  }
  if (name === "find") {
    const option = args.find((arg) => /^-(?:delete|fls|fprint0?|fprintf)$/u.test(arg));
    if (option !== undefined) return `find ${option} ${option === "-delete" ? "deletes" : "writes"} files`;
  }
  if (name === "git") return gitProblem(argv);
  const runs = Object.hasOwn(RUNS_BY_OPTION, name) ? RUNS_BY_OPTION[name] : undefined;
  const option = runs && args.find((arg) => runs.test(arg));
  if (option !== undefined) return `${name} ${option} runs another command`;
  return name === "printf" && args[0]?.startsWith("-v") ? "printf -v sets a variable" : undefined;
}

/** A shell may run a script that is named; what it is given as text or on standard input is not seen here. */
function shellProblem(name: string, args: readonly string[]): string | undefined {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--version" || arg === "--help") return undefined;
    if (arg === "--") return i + 1 < args.length ? undefined : readsInput(name);
    if (arg === "-" || !/^[-+]/u.test(arg)) return arg === "-" ? readsInput(name) : undefined;
    if (/^-[a-zA-Z]*c/u.test(arg) || /^--?command/iu.test(arg)) return `${name} -c runs text`;
    if (/^-[a-zA-Z]*s/u.test(arg)) return readsInput(name);
    if (!/^[-+][euxvnafklmptBCEHPTir]+$/u.test(arg)) return `${name} ${arg} may run something else`;
  }
  return readsInput(name);
}

function readsInput(name: string): string {
  return `${name} runs what it reads from standard input`;
}
