import { type Arg, isKnown } from "./_shell_values.ts";
import { isName } from "./_shell_variables.ts";

const BINARY = /^(?:=|==|!=|<|>|-eq|-ne|-lt|-le|-gt|-ge|-nt|-ot|-ef)$/u;
const UNARY = /^-[a-zA-Z]$/u;
/** These take the name of a variable, and compute its place in an array. */
const OF_VARIABLES = /^-[vR]$/u;

/**
 * Whether `test …` may look for a variable by a name that is not plain: in such a name a substitution may stand, and be
 * run. Its words are read as terms; what does not come apart that way is taken for a yes when part of it is unknown.
 */
export function readsVariables(args: readonly Arg[]): boolean {
  const words = args.slice(1, args[0]?.text === "[" ? -1 : undefined);
  if (words.some((arg) => arg.many)) return true;
  const terms: Arg[][] = [[]];
  for (const arg of words) {
    if (isKnown(arg) && /^-[ao]$/u.test(arg.text) && (terms.at(-1)?.length ?? 0) > 0) terms.push([]);
    else if (!(isKnown(arg) && arg.text === "!" && terms.at(-1)?.length === 0)) terms.at(-1)?.push(arg);
  }
  return terms.some((term) => !isPlain(term));
}

function isPlain(term: readonly Arg[]): boolean {
  const [first, second] = term;
  if (term.length <= 1) return true;
  const operator = term.length === 2 ? first : second;
  if (operator && isKnown(operator)) {
    if (term.length === 3 && BINARY.test(operator.text)) return true;
    if (term.length === 2 && UNARY.test(operator.text)) {
      return !OF_VARIABLES.test(operator.text) ||
        (second !== undefined && isKnown(second) && isName(second.text));
    }
  }
  return term.every(isKnown) && !term.some((arg) => OF_VARIABLES.test(arg.text));
}
