import { type Arg, isKnown, mayBeOption } from "./_shell_values.ts";

const SED_OPTION =
  /^--(?:expression|regexp-extended|quiet|silent|null-data|separate|unbuffered|in-place|posix|debug|line-length|sandbox|version|help)(?:=|$)/u;

/** Why a call of sed runs or writes something that its words do not name. */
export function sedProblem(args: readonly Arg[]): string | undefined {
  const scripts: Arg[] = [];
  const others: Arg[] = [];
  let named = false;
  for (let i = 1; i < args.length; i++) {
    const arg = args[i];
    if (!arg) break;
    if (isKnown(arg) && arg.text === "--") {
      others.push(...args.slice(i + 1));
      break;
    }
    if (arg.text.startsWith("--expression=")) {
      named = true;
      scripts.push({ ...arg, text: arg.text.slice("--expression=".length) });
    } else if (/^-[nErsuz]*e$/u.test(arg.text) || arg.text === "--expression") {
      named = true;
      const script = args[++i];
      if (script) scripts.push(script);
    } else if (/^-[nErsuz]*e./su.test(arg.text)) {
      named = true;
      scripts.push({ ...arg, text: arg.text.replace(/^-[nErsuz]*e/u, "") });
    } else if (!mayBeOption(arg)) others.push(arg);
    else if (
      !isKnown(arg) || !(/^-(?:[nErsuzb]*|[nErsuzb]*i\S*)$/u.test(arg.text) || SED_OPTION.test(arg.text))
    ) {
      // Its first word that is no option is the script: it is looked at below.
      if (named || others.length > 0 || arg.text.startsWith("-")) {
        return `sed may take ${arg.source} for an option`;
      }
      others.push(arg);
    }
  }
  if (!named) {
    const [script] = others;
    if (script) scripts.push(script);
  }
  if (scripts.some((script) => !isKnown(script))) return "what sed does is not known before it runs";
  const does = scriptProblem(scripts.map(({ text }) => text).join("\n"));
  return does === undefined ? undefined : `sed ${does}`;
}

const UNREADABLE = "runs a script that cannot be read";
const AS_IT_SAYS = "runs or writes what its script says";
const ADDRESS = /^(?:[0-9]+(?:~[0-9]+)?|\$|[+~][0-9]+)/u;

/** Goes through a script of sed. What it cannot follow is a problem. */
function scriptProblem(script: string): string | undefined {
  let at = 0;
  const rest = () => script.slice(at, at + 64);
  const skip = (pattern: RegExp) => {
    at += pattern.exec(rest())?.[0].length ?? 0;
  };
  const text = (delimiter: string): boolean => {
    for (; at < script.length; at++) {
      if (script[at] === "\\") at++;
      else if (script[at] === delimiter) {
        at++;
        return true;
      }
    }
    return false;
  };
  const address = (): boolean => {
    const plain = ADDRESS.exec(rest());
    if (plain) at += plain[0].length;
    else if (script[at] === "/" || script[at] === "\\") {
      at += script[at] === "\\" ? 2 : 1;
      if (!text(script.charAt(at - 1))) return false;
      skip(/^[IM]*/u);
    }
    return true;
  };
  const line = () => {
    const end = script.indexOf("\n", at);
    at = end < 0 ? script.length : end + 1;
  };
  while (at < script.length) {
    if (/[\s;{}]/u.test(script.charAt(at))) {
      at++;
      continue;
    }
    if (!address()) return UNREADABLE;
    skip(/^\s*/u);
    if (script[at] === ",") {
      at++;
      skip(/^\s*/u);
      if (!address()) return UNREADABLE;
    }
    skip(/^[\s!]*/u);
    const command = script.charAt(at++);
    if (command === "s" || command === "y") {
      const delimiter = script.charAt(at++);
      if (delimiter === "" || /[\n\\]/u.test(delimiter) || !text(delimiter) || !text(delimiter)) {
        return UNREADABLE;
      }
      skip(/^[gpiImM0-9]*/u);
      if (!/^(?:\s|;|\}|#|$)/u.test(rest())) {
        return /^[a-z]/iu.test(rest()) ? AS_IT_SAYS : UNREADABLE;
      }
    } else if (/[ewW]/u.test(command)) return AS_IT_SAYS;
    else if (/[aic]/u.test(command)) {
      const start = at;
      do line(); while (at < script.length && script[at - 2] === "\\");
      // Of several backslashes at the end of a line some stand for themselves.
      if (/\\\\(?:\n|$)/u.test(script.slice(start, at))) return UNREADABLE;
    } else if (/[btT:v]/u.test(command)) skip(/^[ \t]*[^\s;]*/u);
    else if (/[#rR]/u.test(command)) line();
    else if (/[qQlL]/u.test(command)) skip(/^\s*[0-9]*/u);
    else if (!/[{}dDgGhHnNpPxzF=]/u.test(command)) return UNREADABLE;
  }
  return undefined;
}

const AWK_UNKNOWN = "what awk does is not known before it runs";

/** Why a call of awk runs or writes something that its words do not name. */
export function awkProblem(args: readonly Arg[]): string | undefined {
  for (let i = 1; i < args.length; i++) {
    const arg = args[i];
    if (!arg) break;
    if (/^-[Fv]$/u.test(arg.text)) {
      if (args[++i]?.many) return AWK_UNKNOWN;
      continue;
    }
    if (/^-[Fv]./su.test(arg.text)) continue;
    if (isKnown(arg) && arg.text === "--") continue;
    if (!isKnown(arg)) return AWK_UNKNOWN;
    if (arg.text.startsWith("-")) return `awk ${arg.text} may run something else`;
    return programProblem(arg.text) ?? args.slice(i + 1).map(operandProblem).find(Boolean);
  }
  return undefined;
}

/** Some take options behind the program too. */
function operandProblem(arg: Arg): string | undefined {
  return mayBeOption(arg) && arg.text !== "-" ? `awk may take ${arg.source} for an option` : undefined;
}

function programProblem(program: string): string | undefined {
  const rest = program.replaceAll("||", "");
  if (/\bsystem\b|\bgetline\b|\|/u.test(rest)) return "awk runs what its program says";
  if (/@/u.test(rest)) return "awk may run what its program says";
  // Behind a text, its end could be taken for that of the statement.
  return /\bprintf?\b(?:[^;}\n]*|[^>]*["/\\][^>]*)>/u.test(rest)
    ? "awk writes files that its program names"
    : undefined;
}
