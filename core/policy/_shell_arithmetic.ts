import type { ArithmeticExpression, TestExpression, Word } from "unbash";
import type { Scope } from "./_shell_context.ts";
import { assignPerhaps, noteSet, valueOf } from "./_shell_lookup.ts";
import { ANY_NUMBER, isNumber, type Value, withVariable } from "./_shell_values.ts";
import { isFixed, isName, isNumeric } from "./_shell_variables.ts";
import { expandText } from "./_shell_words.ts";

/*
 * Where a shell computes, it reads the values of variables as expressions, and a place in an array within an expression
 * may hold a substitution. So what is computed with must be a number for certain.
 */

const ASSIGNS = /^(?:[-+*/%&|^]|<<|>>)?=$/u;

/** Goes through an expression: commands in it are found, variables that it sets are numbers afterwards. */
export async function arithmetic(
  expression: ArithmeticExpression,
  scope: Scope,
  certain = true,
): Promise<void> {
  switch (expression.type) {
    case "ArithmeticBinary": {
      const { operator, left, right } = expression;
      if (operator !== "=") await arithmetic(left, scope, certain);
      await arithmetic(right, scope, certain && operator !== "&&" && operator !== "||");
      if (ASSIGNS.test(operator)) set(left, scope, certain);
      return;
    }
    case "ArithmeticUnary":
      await arithmetic(expression.operand, scope, certain);
      if (expression.operator === "++" || expression.operator === "--") {
        set(expression.operand, scope, certain);
      }
      return;
    case "ArithmeticTernary":
      await arithmetic(expression.test, scope, certain);
      await arithmetic(expression.consequent, scope, false);
      return await arithmetic(expression.alternate, scope, false);
    case "ArithmeticGroup":
      return await arithmetic(expression.expression, scope, certain);
    case "ArithmeticWord":
      if (expression.parts) {
        const { value, parts, pos, end } = expression;
        await computed({ type: "Word", text: value, value, pos, end, parts }, scope);
      } else if (!isSafe(expression.value.trim(), scope)) {
        scope.problems.push(`it computes with ${expression.value.trim()}, which may be more than a number`);
      }
      return;
    case "ArithmeticCommandExpansion":
      await scope.analysis.substitution(expression.script, expression.text, scope);
      scope.problems.push(`it computes with what another command prints: ${expression.text}`);
  }
}

function set(target: ArithmeticExpression, scope: Scope, certain: boolean): void {
  const name = target.type === "ArithmeticWord" && !target.parts ? target.value.trim() : "";
  if (!isName(name)) return void scope.problems.push("it sets a variable that it computes");
  noteSet(name, scope);
  if (certain) scope.state = withVariable(scope.state, name, ANY_NUMBER);
  else assignPerhaps(name, ANY_NUMBER, scope);
}

/** A word that is computed with. */
export async function computed(word: Word, scope: Scope): Promise<void> {
  if (word.parts === undefined && isSafe(word.value, scope)) return;
  const texts = await expandText(word, scope);
  if (!texts.every((text) => isSafe(text, scope))) {
    scope.problems.push(`it computes with ${word.text}, which may be more than a number`);
  }
}

/** Whether a text can be computed with, and run nothing. */
export function isSafe(text: string, scope: Scope): boolean {
  if (text === "" || isNumber(text) || /^(?:0[xX][0-9a-fA-F]+|[0-9]+#[0-9a-zA-Z@_]+)$/u.test(text)) {
    return true;
  }
  const special = /^\$\{?#?([@*#?$]|[0-9]+)\}?$/u.exec(text)?.[1];
  if (text.startsWith("$#") || text.startsWith("${#")) return true;
  if (special !== undefined) return isSafeValue(valueOf(special, scope));
  const name = /^\$?([A-Za-z_]\w*)$/u.exec(text)?.[1] ?? /^\$\{([A-Za-z_]\w*)\}$/u.exec(text)?.[1];
  if (name === undefined || (isFixed(name) && !isNumeric(name))) return false;
  const { state, analysis } = scope;
  // What was never set comes from outside of the script, or is nothing.
  if (!state.variables.has(name) && !state.lost && !analysis.frozen.has(name)) return true;
  return isSafeValue(valueOf(name, scope));
}

function isSafeValue(value: Value): boolean {
  return "texts" in value && value.texts.every((text) => text === "" || isNumber(text));
}

/** Goes through a `[[ … ]]` test. */
export async function test(expression: TestExpression, scope: Scope): Promise<void> {
  switch (expression.type) {
    case "TestLogical":
      for (const operand of expression.operands) await test(operand, scope);
      return;
    case "TestNot":
      return await test(expression.operand, scope);
    case "TestGroup":
      return await test(expression.expression, scope);
    case "TestUnary": {
      const texts = await expandText(expression.operand, scope);
      if (/^-[vR]$/u.test(expression.operator) && !texts.every(isName)) {
        scope.problems.push(`it looks for a variable by ${expression.operand.text}`);
      }
      return;
    }
    case "TestBinary":
      if (/^-(?:eq|ne|lt|le|gt|ge)$/u.test(expression.operator)) {
        await computed(expression.left, scope);
        await computed(expression.right, scope);
        return;
      }
      await expandText(expression.left, scope);
      await expandText(expression.right, scope);
  }
}
