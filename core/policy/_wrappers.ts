import { lastName } from "./_run_pattern.ts";
import { type Arg, isKnown, word } from "./_shell_values.ts";
import { shellInner } from "./_shells.ts";
import { variableProblem } from "./_shell_variables.ts";
import { UNKNOWN } from "./_words.ts";

/** What stands behind a program that runs others. */
export type Inner =
  | { readonly kind: "line"; readonly args: readonly Arg[]; readonly elsewhere?: boolean }
  | {
    readonly kind: "text";
    readonly text: string;
    readonly posix: boolean;
    readonly positional: readonly Arg[] | undefined;
    readonly elsewhere?: boolean;
  }
  | { readonly kind: "write"; readonly path: string }
  | { readonly kind: "asks"; readonly reason: string };

interface Wrapper {
  /** Options that stand alone, or have their value attached. */
  readonly flags: RegExp;
  /** Options that take the next word. */
  readonly valued?: RegExp;
  /** Words before the command. */
  readonly operands?: number;
  readonly asks?: string;
}

const NONE = /^$/u;
const WRAPPERS: Readonly<Record<string, Wrapper>> = {
  nohup: { flags: NONE },
  time: { flags: /^(?:-[pvaq]+|--(?:portability|verbose|append|quiet))$/u, valued: /^-f$/u },
  timeout: {
    flags: /^(?:-v|--(?:foreground|preserve-status|verbose)|-[ks].+|--(?:kill-after|signal)=.+)$/u,
    valued: /^(?:-[ks]|--(?:kill-after|signal))$/u,
    operands: 1,
  },
  nice: { flags: /^(?:-n?-?[0-9]+|--adjustment=-?[0-9]+)$/u, valued: /^(?:-n|--adjustment)$/u },
  ionice: {
    flags: /^(?:-t|-[cn][0-9]+|--(?:class|classdata)=\w+)$/u,
    valued: /^(?:-[cn]|--class|--classdata)$/u,
  },
  stdbuf: {
    flags: /^(?:-[ioe](?:[0LKMG0-9]+)|--(?:input|output|error)=\w+)$/u,
    valued: /^(?:-[ioe]|--(?:input|output|error))$/u,
  },
  setsid: { flags: /^(?:-[cfw]+|--(?:ctty|fork|wait))$/u },
  chrt: { flags: /^(?:-[abfioRrv]+|--(?:batch|fifo|idle|other|rr))$/u, operands: 1 },
  taskset: { flags: /^-[ac]+$|^--cpu-list$/u, operands: 1 },
  caffeinate: { flags: /^-[dimsu]+$/u, valued: /^-t$/u },
  sudo: {
    flags: /^-[AEHnPSkb]+$|^--(?:preserve-env|non-interactive|set-home|stdin)$/u,
    valued: /^-[ugpCrtT]$|^--(?:user|group)$/u,
    asks: "it runs as another user",
  },
  doas: { flags: /^-[n]$/u, valued: /^-[uC]$/u, asks: "it runs as another user" },
};

/** What a program runs besides itself, by its words; nothing when it is no program that does. */
export function unwrap(args: readonly Arg[], input: string | undefined): readonly Inner[] {
  const name = lastName(args[0]?.text ?? "");
  switch (name) {
    case "sh":
    case "bash":
    case "dash":
    case "ash":
      return shellInner(name, args.slice(1), input);
    case "env":
      return env(args.slice(1));
    case "xargs":
      return xargs(args.slice(1));
    case "busybox":
      return args.length > 1 ? [{ kind: "line", args: args.slice(1) }] : [];
    case "find":
      return find(args);
    case "fd":
    case "fdfind":
      return fd(args, name);
    case "flock":
      return flock(args.slice(1));
    case "watch":
      return watch(args.slice(1));
    case "script":
      return script(args.slice(1));
    default:
      return Object.hasOwn(WRAPPERS, name) && WRAPPERS[name]
        ? wrapped(name, args.slice(1), WRAPPERS[name])
        : [];
  }
}

const asks = (reason: string): Inner => ({ kind: "asks", reason });

/** Where options end; a reason when that is not known. */
function afterOptions(name: string, args: readonly Arg[], { flags, valued }: Wrapper): number | string {
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at];
    if (!arg || !isKnown(arg)) break;
    if (arg.text === "--") return at + 1;
    if (!arg.text.startsWith("-") || arg.text === "-") break;
    if (valued?.test(arg.text)) {
      at++;
      if (args[at]?.many) return `${name} runs a command that is not known`;
    } else if (!flags.test(arg.text)) return `${name} ${arg.text} may run something else`;
  }
  return at;
}

function wrapped(name: string, args: readonly Arg[], wrapper: Wrapper): readonly Inner[] {
  const inner: Inner[] = wrapper.asks === undefined ? [] : [asks(`${name}: ${wrapper.asks}`)];
  const at = afterOptions(name, args, wrapper);
  if (typeof at === "string") return [...inner, asks(at)];
  let rest = args.slice(at);
  const operands = rest.slice(0, wrapper.operands ?? 0);
  if (operands.some((arg) => arg.many || (!isKnown(arg) && arg.text.startsWith(UNKNOWN)))) {
    return [...inner, asks(`${name} runs a command that is not known`)];
  }
  rest = rest.slice(operands.length);
  if (rest[0]?.text === "--") rest = rest.slice(1);
  return rest.length > 0 ? [...inner, { kind: "line", args: rest }] : inner;
}

function env(args: readonly Arg[]): readonly Inner[] {
  const inner: Inner[] = [];
  let elsewhere = false;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (!arg) break;
    // Whatever has this sign in it is no command.
    const [, name] = /^([^=\0-]|[^=\0-][^=\0]*)=/u.exec(arg.text) ?? [];
    if (name !== undefined && !arg.many) {
      const problem = variableProblem(name, true);
      if (problem !== undefined) inner.push(asks(problem));
    } else if (/^(?:-|-[i0v]+|--(?:ignore-environment|null|debug)|-u.+|--unset=.+)$/u.test(arg.text)) {
      continue;
    } else if (/^(?:-u|--unset)$/u.test(arg.text)) i++;
    else if (/^(?:-C.*|--chdir(?:=.*)?)$/su.test(arg.text)) {
      elsewhere = true;
      if (/^(?:-C|--chdir)$/u.test(arg.text)) i++;
    } else if (arg.text === "--") continue;
    else if (arg.text.startsWith("-") || !isKnown(arg)) {
      return [...inner, asks(`env ${arg.source} may run something else`)];
    } else return [...inner, { kind: "line", args: args.slice(i), elsewhere }];
    if (args[i]?.many) return [...inner, asks("env runs a command that is not known")];
  }
  return inner;
}

const TAIL: Arg = { text: UNKNOWN, many: true, source: "…" };

function xargs(args: readonly Arg[]): readonly Inner[] {
  const flags =
    /^(?:-[0rtx]+|-[nLPsdE].+|-[iI].+|--(?:null|no-run-if-empty|verbose|exit|max-args=.*|max-procs=.*|max-lines(?:=.*)?|delimiter=.*|replace=.*))$/su;
  const valued = /^-[0rtx]*[nLPsdEI]$|^--(?:max-args|max-procs|delimiter)$/u;
  const at = afterOptions("xargs", args, { flags, valued });
  if (typeof at === "string") return [asks(at)];
  const line = args.slice(at);
  if (line.length === 0) return [];
  const marks = args.slice(0, at).flatMap((arg, index) =>
    /^-[0rtx]*I$/u.test(arg.text)
      ? [args[index + 1]?.text ?? ""]
      : /^-[iI]./u.test(arg.text)
      ? [arg.text.slice(2)]
      : arg.text.startsWith("--replace=")
      ? [arg.text.slice("--replace=".length)]
      : []
  ).filter((mark) => mark !== "");
  // The later of the two holds.
  if (
    marks.length > 0 &&
    args.slice(0, at).some(({ text }) => /^-[0rtx]*[nL]|^--max-(?:args|lines)/u.test(text))
  ) {
    return [asks("xargs -I with -n or -L is read in more than one way")];
  }
  if (marks.length === 0) return [{ kind: "line", args: [...line, TAIL] }];
  return [{
    kind: "line",
    args: line.map((arg) => marks.reduce((one, mark) => filled(one, mark, UNKNOWN), arg)),
  }];
}

/** A word with something that another program puts in its place. */
function filled(arg: Arg, mark: string, by: string): Arg {
  return arg.text.includes(mark) ? { ...arg, text: arg.text.replaceAll(mark, by) } : arg;
}

/** `find … -exec … ;`: what is put in begins with where find starts. */
function find(args: readonly Arg[]): readonly Inner[] {
  const inner: Inner[] = [];
  const starts: Arg[] = [];
  for (const arg of args.slice(1)) {
    if (/^-[HLP]$/u.test(arg.text) && starts.length === 0) continue;
    if (/^[-(!]/u.test(arg.text) || arg.text.startsWith(UNKNOWN)) break;
    starts.push(arg);
  }
  const known = starts.map(({ text }) => text.split(UNKNOWN)[0] ?? "");
  const [first = "."] = known;
  // One start is known by name; of more, that they are no options.
  const path = (starts.length === 1 ? first : "./") + UNKNOWN;
  for (let i = 1; i < args.length; i++) {
    const option = args[i]?.text ?? "";
    if (!/^-(?:exec|ok)(?:dir)?$/u.test(option)) continue;
    const end = args.findIndex((arg, at) =>
      at > i &&
      (arg.text === ";" || (arg.text === "+" && args[at - 1]?.text === "{}" && option.startsWith("-exec")))
    );
    if (end < 0) {
      inner.push(asks(`find ${option} runs a command that has no end`));
      break;
    }
    const file = option.endsWith("dir") ? `./${UNKNOWN}` : path;
    const line = args.slice(i + 1, end).map((arg) => {
      const one = filled(arg, "{}", file);
      return one !== arg && args[end]?.text === "+" ? { ...one, many: true } : one;
    });
    if (line.length > 0) {
      inner.push({ kind: "line", args: line, elsewhere: option.endsWith("dir") });
    }
    i = end;
  }
  return inner;
}

function fd(args: readonly Arg[], name: string): readonly Inner[] {
  const at = args.findIndex((arg) => /^-[a-zA-Z]*[xX]|^--exec(?:-batch)?(?:=|$)/u.test(arg.text));
  if (at < 0) return [];
  if (!/^(?:-[xX]|--exec(?:-batch)?)$/u.test(args[at]?.text ?? "")) {
    return [asks(`${name} ${args[at]?.text} runs another command`)];
  }
  const rest = args.slice(at + 1);
  const end = rest.findIndex((arg) => arg.text === ";");
  const line = end < 0 ? rest : rest.slice(0, end);
  const filledIn = line.map((arg) =>
    /\{(?:|\/|\/\/|\.|\/\.)\}/u.test(arg.text) ? { ...arg, text: UNKNOWN } : arg
  );
  const marked = filledIn.some((arg, index) => arg !== line[index]);
  const more = end < 0 ? [] : fd([word(name), ...rest.slice(end + 1)], name);
  return [{ kind: "line", args: marked ? filledIn : [...line, TAIL] }, ...more];
}

function flock(args: readonly Arg[]): readonly Inner[] {
  const flags =
    /^(?:-[sxenuoF]+|-w[0-9.]+|-E[0-9]+|--(?:shared|exclusive|nonblock|unlock|close|no-fork)|--(?:timeout|wait)=.*)$/u;
  const at = afterOptions("flock", args, {
    flags,
    valued: /^(?:-[wE]|--(?:timeout|wait|conflict-exit-code))$/u,
  });
  if (typeof at === "string") return [asks(at)];
  const [file, ...rest] = args.slice(at);
  if (!file) return [];
  if (!isKnown(file)) return [asks("which file flock locks is not known before it runs")];
  const inner: Inner[] = /^[0-9]+$/u.test(file.text) && rest.length === 0
    ? []
    : [{ kind: "write", path: file.text }];
  const [first, text] = rest;
  if (first && /^(?:-c|--command)$/u.test(first.text)) {
    return [...inner, ...(text ? shellInner("sh", [word("-c"), text], undefined) : [])];
  }
  return rest.length > 0 ? [...inner, { kind: "line", args: rest }] : inner;
}

function watch(args: readonly Arg[]): readonly Inner[] {
  const flags =
    /^(?:-[bcdegtwx]+|-n[0-9.]+|--(?:beep|color|differences|errexit|chgexit|no-title|exec|precise)|--interval=.*)$/u;
  const at = afterOptions("watch", args, { flags, valued: /^(?:-n|--interval)$/u });
  if (typeof at === "string") return [asks(at)];
  const rest = args.slice(at);
  if (rest.length === 0) return [];
  if (args.slice(0, at).some((arg) => /^-[a-z]*x|^--exec$/u.test(arg.text))) {
    return [{ kind: "line", args: rest }];
  }
  return shellInner("sh", [word("-c"), {
    text: rest.map(({ text }) => text).join(" "),
    many: rest.some((arg) => arg.many),
    source: "…",
  }], undefined);
}

function script(args: readonly Arg[]): readonly Inner[] {
  let text: Arg | undefined;
  let file = "typescript";
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (!arg || !isKnown(arg)) return [asks("what script runs is not known before it runs")];
    if (/^-[qefa]*c$|^--command$/u.test(arg.text)) text = args[++i];
    else if (!/^-[qefa]+$|^--(?:quiet|return|flush|append)$/u.test(arg.text)) {
      if (arg.text.startsWith("-")) return [asks(`script ${arg.text} may run or write something else`)];
      file = arg.text;
    }
  }
  if (!text) return [asks("script runs a shell")];
  return [
    ...(file === "/dev/null" ? [] : [{ kind: "write", path: file } as const]),
    ...shellInner("sh", [word("-c"), text], undefined),
  ];
}
