import type TypeScript from "typescript";
import type { AutomationProblem } from "../domain/automation.ts";

/** Levels of syntax in syntax; what people write has a few dozen, what programs write some hundred. */
const MAX_DEPTH = 800;

/**
 * Syntax that the compiler accepts and that does not run: types are taken out of an automation's text, and what is left
 * is JavaScript as the runtime knows it.
 */
export function unsupportedSyntax(ts: typeof TypeScript, file: TypeScript.SourceFile): AutomationProblem[] {
  const found: AutomationProblem[] = [];
  const report = (node: TypeScript.Node, message: string, fix: string) => {
    const { line, character } = file.getLineAndCharacterOfPosition(node.getStart(file));
    found.push({
      file: file.fileName,
      line: line + 1,
      column: character + 1,
      code: "unsupported",
      message,
      fix,
      severity: "error",
    });
  };
  for (const [node, parent] of nodesOf(ts, file)) {
    if (ts.isModuleDeclaration(node) && parent === file && !isDeclared(ts, node)) {
      report(node, "Namespaces do not run in an automation", "export functions from a file of their own");
    } else if (ts.isDecorator(node)) {
      report(node, "Decorators do not run in an automation", "call the function on the class instead");
    } else if (node.kind === ts.SyntaxKind.AccessorKeyword && ts.isPropertyDeclaration(parent)) {
      report(node, "Auto-accessors do not run in an automation", "write a getter and a setter");
    }
  }
  return found;
}

function isDeclared(ts: typeof TypeScript, node: TypeScript.ModuleDeclaration): boolean {
  return node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword) === true;
}

/** All of a file's syntax, each with what it is in. A loop: a sum of five thousand terms is as deep as it is long. */
function* nodesOf(
  ts: typeof TypeScript,
  file: TypeScript.SourceFile,
): Generator<[node: TypeScript.Node, parent: TypeScript.Node]> {
  const waiting: [TypeScript.Node, TypeScript.Node][] = [[file, file]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    yield next;
    const [node] = next;
    ts.forEachChild(node, (child) => void waiting.push([child, node]));
  }
}

/** Whether the compiler, which goes through syntax by recursion, could run out of stack. Chains of operators it loops over. */
export function isTooDeep(ts: typeof TypeScript, file: TypeScript.SourceFile): boolean {
  let level: TypeScript.Node[] = [file];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return true;
    const below: TypeScript.Node[] = [];
    // Grows while it is gone through.
    for (const node of level) {
      ts.forEachChild(node, (child) => void (ts.isBinaryExpression(child) ? level : below).push(child));
    }
    level = below;
  }
  return false;
}
