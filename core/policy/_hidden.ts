import { words } from "../domain/words.ts";
import { gitProblem } from "./_git_words.ts";
import { lastName } from "./_run_pattern.ts";
import { type Arg, isKnown, mayBeOption } from "./_shell_values.ts";
import { awkProblem, sedProblem } from "./_text_programs.ts";

/** Programs that run another one, in ways that are not followed here. */
const RUNNERS = new Set(words(`
  su pkexec runuser setpriv capsh gosu su-exec parallel prlimit unbuffer expect entr start-stop-daemon
  daemonize chroot unshare nsenter bwrap firejail fakeroot setarch linux32 linux64 strace ltrace gdb lldb
  valgrind perf catchsegv ld.so xvfb-run dbus-run-session systemd-run at batch crontab toybox run-parts
  screen tmux numactl choom cgexec rlwrap dumb-init tini catatonit proot faketime ssh-agent dtach abduco
  chronic ifne errno cpulimit trickle torsocks proxychains proxychains4 pexec rust-parallel fish csh tcsh
  pwsh zsh ksh mksh rbash elvish nu xonsh hyperfine watchexec nodemon inotifywait-run
`));

/** Options by which a program runs another one, or writes what its words do not name. */
const RUNS_BY_OPTION: Readonly<Record<string, RegExp>> = {
  "rg": /^--(?:pre|hostname-bin)(?:=|$)/u,
  "tar": /^-[a-zA-Z]*[IF]/u,
  "rsync": /^-[a-zA-Z]*e|^--rsh(?:=|$)/u,
  "ssh": /(?:proxy|local|knownhosts)command|(?:pkcs11|securitykey)provider|^-[a-zA-Z]*[FI]/iu,
  "scp": /^-[a-zA-Z]*[SFD]|(?:proxy|local|knownhosts)command|(?:pkcs11|securitykey)provider/iu,
  "sftp": /^-[a-zA-Z]*[SFD]|(?:proxy|local|knownhosts)command|(?:pkcs11|securitykey)provider/iu,
  "find": /^-(?:delete|fls|fprint0?|fprintf)$/u,
  "fd": /^$/u,
  "fdfind": /^$/u,
  "zip": /^-[a-zA-Z]*T|^--unzip-command/u,
  "man": /^-[a-zA-Z]*[PHX]/u,
  "vim": /^-[a-zA-Z]*[cSsu]$|^--cmd|^\+/u,
  "vi": /^-[a-zA-Z]*[cSsu]$|^--cmd|^\+/u,
  "less": /^\+/u,
  "dc": /./u,
  "ed": /^/u,
  "ex": /^/u,
  "sqlite3": /^\s*\.|^-(?:-?cmd|-?init)$/u,
};

/** Long options of the same kind; programs take any beginning of one that is not ambiguous. */
const RUNS_BY_LONG_OPTION: Readonly<Record<string, readonly string[]>> = {
  "tar": [
    "--to-command",
    "--checkpoint-action",
    "--use-compress-program",
    "--info-script",
    "--new-volume-script",
    "--rsh-command",
    "--rmt-command",
  ],
  "sort": ["--compress-program"],
  "split": ["--filter"],
  "man": ["--pager", "--html", "--gxditview", "--browser"],
  "install": ["--strip-program"],
  "wget": ["--use-askpass", "--execute", "--config"],
  "bat": ["--pager"],
  "batcat": ["--pager"],
  "ag": ["--pager"],
  "ack": ["--pager"],
};
/** Whole options that are the beginning of another. */
const WHOLE = new Set(["--checkpoint"]);

/** Options whose next word is theirs, whatever it is. */
const VALUES: Readonly<Record<string, RegExp>> = {
  "find":
    /^-(?:i?name|i?path|i?wholename|i?regex|x?type|newer\w*|size|[acm](?:time|min)|perm|user|group|(?:max|min)depth)$/u,
  "rg":
    /^-[geftTABCmM]$|^--(?:glob|iglob|regexp|type|type-not|max-count|after-context|before-context|context)$/u,
  "sort": /^-[ktS]$|^--(?:key|field-separator)$/u,
  "tar": /^-C$|^--(?:directory|exclude|strip-components)$/u,
  "rsync": /^--(?:exclude|include)$/u,
};

/** Why running these words runs or writes something that they do not say; undefined when they are all there is. */
export function hiddenCommand(args: readonly Arg[]): string | undefined {
  const name = lastName(args[0]?.text ?? "");
  if (RUNNERS.has(name) || /^ld-linux.*\.so/u.test(name)) return `${name} runs another command`;
  if (name === "git") return gitProblem(args);
  if (name === "sed" || name === "gsed") return sedProblem(args);
  if (/^[gmn]?awk$/u.test(name)) return awkProblem(args);
  const plain = Object.hasOwn(RUNS_BY_OPTION, name) ? RUNS_BY_OPTION[name] : undefined;
  const long = Object.hasOwn(RUNS_BY_LONG_OPTION, name) ? RUNS_BY_LONG_OPTION[name] ?? [] : [];
  if (!plain && long.length === 0) return undefined;
  if (name === "tar") {
    const [, first] = args;
    // Its first word may be letters without a dash.
    if (first && !first.text.startsWith("-") && (!isKnown(first) || /[IF]/u.test(first.text))) {
      return `tar ${first.source} may run another command`;
    }
  }
  return optionProblem(name, (text) => (plain?.test(text) ?? false) || isBeginning(text, long), args);
}

function isBeginning(text: string, long: readonly string[]): boolean {
  const [option = ""] = text.split("=", 1);
  return option.length > 2 && !WHOLE.has(option) && long.some((one) => one.startsWith(option));
}

function optionProblem(
  name: string,
  runs: (text: string) => boolean,
  args: readonly Arg[],
): string | undefined {
  const values = VALUES[name];
  for (let i = 1; i < args.length; i++) {
    const arg = args[i];
    if (!arg) break;
    if (isKnown(arg) && values?.test(arg.text)) {
      // Its value is no option, whatever it looks like, unless it may be several words.
      if (args[i + 1]?.many) {
        return `${name} may take ${args[i + 1]?.source} for an option that runs something`;
      }
      i++;
      continue;
    }
    if (isKnown(arg) && arg.text === "--" && name !== "find") break;
    if (runs(arg.text)) {
      if (name !== "find") return `${name} ${arg.text} runs another command`;
      return `find ${arg.text} ${arg.text === "-delete" ? "deletes" : "writes"} files`;
    }
    if (isOpenOption(arg)) return `${name} may take ${arg.source} for an option that runs something`;
  }
  return undefined;
}

/** An unknown word that may be an option, and which one is not known. */
function isOpenOption(arg: Arg): boolean {
  return !isKnown(arg) && mayBeOption(arg) && (arg.many || !/^--?[A-Za-z][\w-]*=/u.test(arg.text));
}
