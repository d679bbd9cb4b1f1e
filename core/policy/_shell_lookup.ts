import type { ParsedScript } from "unbash";
import type { Analysis, Reading, Scope } from "./_shell_context.ts";
import {
  ANY_NUMBER,
  ANYTHING,
  eitherValue,
  NUMBER,
  type State,
  type Value,
  withVariable,
} from "./_shell_values.ts";
import { isFixed, isNumeric, variableProblem } from "./_shell_variables.ts";

/** What one command is worked out in. */
export function newScope(state: State, reading: Reading, analysis: Analysis): Scope {
  return { state, reading, analysis, problems: [] };
}

/** What a variable, by its name, or a special parameter may hold. */
export function valueOf(name: string, { state, analysis }: Scope): Value {
  if (/^[#?$]$/u.test(name)) return ANY_NUMBER;
  if (name === "!") return { texts: ["", NUMBER] };
  if (/^[1-9][0-9]*$/u.test(name)) return positional(Number(name), state);
  if (analysis.frozen.has(name)) return ANYTHING;
  const value = state.variables.get(name);
  if (isFixed(name)) return value === undefined && isNumeric(name) ? ANY_NUMBER : ANYTHING;
  if (value) return value;
  if (name === "PWD" && state.folders) return { texts: state.folders };
  if (name === "OLDPWD" || name === "PWD") return ANYTHING;
  const known = analysis.host.env?.(name);
  return known === undefined ? ANYTHING : { texts: [known] };
}

function positional(index: number, { positional }: State): Value {
  if (positional === undefined || positional.slice(0, index).some((arg) => arg.many)) return ANYTHING;
  return { texts: [positional[index - 1]?.text ?? ""] };
}

/** Says what setting a variable of the shell bends. */
export function noteSet(name: string, scope: Scope): void {
  const problem = variableProblem(name, false);
  if (problem !== undefined) scope.problems.push(problem);
}

/** Sets a variable as a part of a command: perhaps, since the part may not be gone through. */
export function assignPerhaps(name: string, value: Value, scope: Scope): void {
  const before = valueOf(name, scope);
  scope.state = withVariable(scope.state, name, eitherValue(before, value));
}

/** Commands that print one whole number and nothing else. */
const PRINTS_NUMBER = /^(?:wc -[clmw]|nproc|date \+%s|id -u)$/u;

/** What a substitution puts in, as far as the command in it says. */
export function printedBy(script: ParsedScript | undefined, { state }: Scope): Value {
  const [statement, ...more] = script?.commands ?? [];
  if (!statement || more.length > 0 || statement.background) return ANYTHING;
  const { command } = statement;
  const last = command.type === "Pipeline" ? command.commands.at(-1) : command;
  if (last?.type !== "Command" || last.prefix.length > 0 || last.redirects.some(isOutput)) return ANYTHING;
  const words = [last.name?.text, ...last.args.map((arg) => arg.text)];
  if (state.functions.has(words[0] ?? "")) return ANYTHING;
  return PRINTS_NUMBER.test(words.join(" ")) ? ANY_NUMBER : ANYTHING;
}

function isOutput(redirect: { readonly operator: string }): boolean {
  return redirect.operator.includes(">");
}
