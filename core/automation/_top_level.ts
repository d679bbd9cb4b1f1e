import type {
  ExportDefaultDeclaration,
  Expression,
  FunctionDeclaration,
  ImportDeclaration,
  ModuleDeclaration,
  Node,
  Pattern,
  Program,
  Statement,
  VariableDeclaration,
} from "acorn";
import { type Pieces, PieceWriter } from "./_source_pieces.ts";

type Top = Statement | ModuleDeclaration;

/**
 * A program as the body of a function over `$scope` and `$require`. What it declares at its top is assigned to names of
 * the scope instead, which the function's code sees as globals: so it stays, may be declared again, and what closes over
 * it sees what it becomes. What it imports is assigned likewise. The value of its last statement is returned.
 */
export function rewriteTopLevel(source: string, program: Program): Pieces {
  const rewriting = new Rewriting(source);
  rewriting.all(program.body, true, true);
  return rewriting.finish();
}

class Rewriting {
  readonly #writer: PieceWriter;
  /** Names that `var` declares, which are there from the start. */
  readonly #hoisted = new Set<string>();

  constructor(source: string) {
    this.#writer = new PieceWriter(source);
  }

  finish(): Pieces {
    for (const name of this.#hoisted) {
      this.#writer.putFirst(0, `"${name}"in $scope||($scope.${name}=void 0);`);
    }
    return this.#writer.finish();
  }

  /** `top`: of the program itself. `last`: the last of these gives the value. */
  all(statements: readonly Top[], top: boolean, last: boolean): void {
    const final = statements.findLast(({ type }) => type !== "EmptyStatement");
    for (const one of statements) this.#statement(one, top, last && one === final);
  }

  #statement(node: Top, top: boolean, last: boolean): void {
    switch (node.type) {
      case "ImportDeclaration":
        this.#import(node);
        return this.#replace(node, ";");
      case "ExportAllDeclaration":
        return this.#replace(node, ";");
      case "ExportNamedDeclaration":
        if (!node.declaration) return this.#replace(node, ";");
        this.#replace({ start: node.start, end: node.declaration.start }, "");
        return this.#statement(node.declaration, top, last);
      case "ExportDefaultDeclaration":
        return this.#default(node, top, last);
      case "FunctionDeclaration":
        if (!top) return;
        this.#function(node);
        return this.#replace(node, ";");
      case "ClassDeclaration":
        if (!top) return;
        this.#writer.keepTo(node.start);
        this.#writer.put(`void(${node.id.name}=`);
        this.#writer.keepTo(node.end);
        return this.#writer.put(");");
      case "VariableDeclaration":
        if (isScoped(node, top)) this.#declaration(node);
        return;
      case "ExpressionStatement":
        if (last) this.#returned(node.expression);
        return;
      default:
        return this.#control(node, last);
    }
  }

  /** Statements in statements: a `var` in them is of the top. */
  #control(node: Statement, last: boolean): void {
    switch (node.type) {
      case "BlockStatement":
        return this.all(node.body, false, last);
      case "IfStatement":
        this.#statement(node.consequent, false, last);
        if (node.alternate) this.#statement(node.alternate, false, last);
        return;
      case "LabeledStatement":
        return this.#statement(node.body, false, last);
      case "TryStatement":
        this.all(node.block.body, false, last);
        if (node.handler) this.all(node.handler.body.body, false, last);
        if (node.finalizer) this.all(node.finalizer.body, false, false);
        return;
      case "SwitchStatement":
        for (const { consequent } of node.cases) this.all(consequent, false, false);
        return;
      case "ForStatement":
        if (node.init?.type === "VariableDeclaration") this.#head(node.init);
        return this.#statement(node.body, false, false);
      case "ForInStatement":
      case "ForOfStatement":
        if (node.left.type === "VariableDeclaration") this.#head(node.left);
        return this.#statement(node.body, false, false);
      case "WhileStatement":
      case "DoWhileStatement":
      case "WithStatement":
        return this.#statement(node.body, false, false);
    }
  }

  #replace({ start, end }: Pick<Node, "start" | "end">, text: string): void {
    this.#writer.keepTo(start);
    this.#writer.dropTo(end);
    this.#writer.put(text);
  }

  #returned({ start, end }: Pick<Expression, "start" | "end">): void {
    this.#writer.keepTo(start);
    this.#writer.put("return (");
    this.#writer.keepTo(end);
    this.#writer.put(")");
  }

  /** `const a = 1, {b} = c;` → `void(a = 1, {b} = c);`: a name that is assigned still names its function. */
  #declaration(node: VariableDeclaration): void {
    const [first] = node.declarations;
    this.#writer.keepTo(node.start);
    this.#writer.put("void(");
    this.#writer.dropTo(first?.start ?? node.end);
    for (const { id, init, end } of node.declarations) {
      if (node.kind === "var") this.#hoist(id);
      this.#writer.keepTo(end);
      if (!init && node.kind !== "var") this.#writer.put("=void 0");
    }
    this.#writer.dropTo(node.end);
    this.#writer.put(");");
  }

  /** `for (var i = 0; …)` → `for (i = 0; …)` */
  #head(node: VariableDeclaration): void {
    if (node.kind !== "var") return;
    this.#replace({ start: node.start, end: node.declarations[0]?.start ?? node.end }, "");
    for (const { id } of node.declarations) this.#hoist(id);
  }

  #hoist(pattern: Pattern): void {
    switch (pattern.type) {
      case "Identifier":
        return void this.#hoisted.add(pattern.name);
      case "ObjectPattern":
        return pattern.properties.forEach((one) =>
          this.#hoist(one.type === "Property" ? one.value : one.argument)
        );
      case "ArrayPattern":
        return pattern.elements.forEach((one) => one && this.#hoist(one));
      case "AssignmentPattern":
        return this.#hoist(pattern.left);
      case "RestElement":
        return this.#hoist(pattern.argument);
    }
  }

  /** Functions are there before anything runs. Without a name of its own, it calls what its name has become. */
  #function({ id, start, end }: FunctionDeclaration): void {
    this.#writer.putFirst(start, `${id.name}=`, [start, id.start], [id.end, end], ";");
  }

  #default({ start, declaration }: ExportDefaultDeclaration, top: boolean, last: boolean): void {
    this.#replace({ start, end: declaration.start }, "");
    const named = declaration.type === "FunctionDeclaration" || declaration.type === "ClassDeclaration";
    if (named && declaration.id) this.#statement(declaration as Statement, top, last);
    else if (last) this.#returned(declaration);
    else {
      this.#writer.put("void(");
      this.#writer.keepTo(declaration.end);
      this.#writer.put(");");
    }
  }

  #import({ start, source, specifiers }: ImportDeclaration): void {
    const module = JSON.stringify(source.value);
    const members: { readonly name: string; readonly local: string }[] = [];
    for (const one of specifiers) {
      const local = one.local.name;
      if (one.type === "ImportNamespaceSpecifier") {
        this.#writer.putFirst(start, `${local}=$require(${module});`);
      } else if (one.type === "ImportDefaultSpecifier") members.push({ name: "default", local });
      else {
        const { imported } = one;
        members.push({
          name: imported.type === "Identifier" ? imported.name : String(imported.value),
          local,
        });
      }
    }
    if (members.length === 0) return;
    const names = members.map(({ name }) => JSON.stringify(name));
    const pattern = members.map(({ local }, index) => `${names[index]}:${local}`).join();
    this.#writer.putFirst(start, `({${pattern}}=$require(${module},${names}));`);
  }
}

/** `using` ends with what was typed, as its block would. */
function isScoped({ kind }: VariableDeclaration, top: boolean): boolean {
  return kind === "var" || (top && (kind === "let" || kind === "const"));
}
