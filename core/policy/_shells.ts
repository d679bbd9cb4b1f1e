import { type Arg, isKnown, mayBeOption } from "./_shell_values.ts";
import type { Inner } from "./_wrappers.ts";

/** Letters of options that change nothing about what a text means. */
const PLAIN = "euxvlfC";

/** Names of what is open already, however they are written. */
const GIVEN = /^[./]*\/[./]*(?:dev|proc)\/|\.\.\/(?:.*\/)?(?:dev|proc)\/|(?:^|\/)(?:stdin|fd\/+[0-9]+)$/u;

/** What a shell runs by its words: a text, what it is given as input, or a script in a file, which runs as any program. */
export function shellInner(name: string, args: readonly Arg[], input: string | undefined): readonly Inner[] {
  const posix = name !== "bash";
  const asks = (reason: string): readonly Inner[] => [{ kind: "asks", reason }];
  let isText = false;
  let readsInput = false;
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at];
    if (!arg) break;
    if (!isKnown(arg)) {
      if (mayBeOption(arg) || arg.many) return asks(`${name} may take ${arg.source} for text to run`);
      break;
    }
    if (arg.text === "--version" || arg.text === "--help") return [];
    if (arg.text === "--" || arg.text === "-") {
      at++;
      break;
    }
    if (/^[-+]o$/u.test(arg.text) || /^-[euxvlfC]*o$/u.test(arg.text)) {
      const option = args[++at];
      if (!option || !/^(?:pipefail|errexit|nounset|xtrace|noglob|noclobber)$/u.test(option.text)) {
        return asks(`${name} -o ${option?.source ?? ""} changes how it reads`);
      }
      continue;
    }
    if (/^--(?:norc|noprofile|login|posix)$/u.test(arg.text)) continue;
    const letters = /^[-+]([a-zA-Z]+)$/u.exec(arg.text)?.[1];
    if (letters === undefined) {
      if (arg.text.startsWith("-")) return asks(`${name} ${arg.text} may run something else`);
      break;
    }
    for (const letter of letters) {
      if (letter === "c") isText = true;
      else if (letter === "s") readsInput = true;
      else if (letter === "n") continue;
      else if (!PLAIN.includes(letter)) return asks(`${name} ${arg.text} may run something else`);
    }
    // What follows `-euo` is its value.
    if (letters.endsWith("o")) at++;
  }
  const [first, , ...positional] = args.slice(at);
  if (isText) {
    if (!first) return [];
    if (!isKnown(first)) return asks(`${name} -c runs text that is not known before it runs`);
    return [{ kind: "text", text: first.text, posix, positional }];
  }
  // A script in a file: a program like any other.
  if (first && !readsInput) {
    if (first.many) return asks(`${name} runs a script that is not known`);
    return GIVEN.test(first.text) ? asks(`${name} runs what it is given`) : [];
  }
  if (input === undefined) return asks(`${name} runs what it reads from standard input`);
  return [{ kind: "text", text: input, posix, positional: readsInput ? args.slice(at) : [] }];
}
