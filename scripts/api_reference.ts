import ts from "typescript";

/** Where the table of one export begins and ends in a document. */
const REGION = /<!-- api (\w+) -->\n[\s\S]*?<!-- \/api -->/g;

/** Every export of a declaration file as Markdown: what it says of itself, and a table of its members. By name. */
export function renderApi(declarations: string): ReadonlyMap<string, string> {
  const file = ts.createSourceFile("api.d.ts", declarations, ts.ScriptTarget.ESNext, true);
  const parts = new Map<string, { about: string; rows: string[] }>();
  for (const statement of file.statements) {
    for (const { name, rows } of exportsOf(statement, file)) {
      const about = docOf(statement, file);
      const known = parts.get(name);
      // An overload adds its signature.
      if (known) known.rows.push(...rows);
      else parts.set(name, { about, rows });
    }
  }
  return new Map([...parts].map(([name, { about, rows }]) => [name, render(name, about, rows)]));
}

/** The document with all its regions filled in. */
export function withApi(text: string, declarations: string): string {
  const api = renderApi(declarations);
  return text.replace(
    REGION,
    (_, name: string) => `<!-- api ${name} -->\n${api.get(name) ?? ""}<!-- /api -->`,
  );
}

/** What the document lacks of the API, and what it has that the API has not. One line each. */
export function apiProblems(path: string, text: string, declarations: string): string[] {
  const api = renderApi(declarations);
  const regions = new Set([...text.matchAll(REGION)].map(([, name]) => name ?? ""));
  const code = [...text.matchAll(/^```ts\b.*\n([\s\S]*?)^```/gm)].map(([, block]) => block ?? "").join("\n");
  const missing = [...api.keys()].filter((name) => !regions.has(name) && !text.includes(`\`${name}`));
  const unshown = valuesOf(declarations).filter((name) => !new RegExp(`\\b${name}\\b`).test(code));
  return [
    ...missing.map((name) => `${path}:1: says nothing of ${name}, which the API exports`),
    ...unshown.map((name) => `${path}:1: has no example of ${name}, which the API exports`),
    ...[...regions].filter((name) => !api.has(name)).map((name) =>
      `${path}:1: has a table of ${name}, which the API has not`
    ),
  ];
}

/** Names of what exists when a file runs. */
function valuesOf(declarations: string): string[] {
  const names = declarations.matchAll(/^export declare (?:const|function|class) (\w+)/gm);
  return [...new Set([...names].map(([, name]) => name ?? ""))];
}

interface Export {
  readonly name: string;
  readonly rows: string[];
}

function exportsOf(statement: ts.Statement, file: ts.SourceFile): Export[] {
  if (!ts.canHaveModifiers(statement)) return [];
  if (!ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
  if (ts.isFunctionDeclaration(statement)) {
    return [{
      name: statement.name?.text ?? "",
      rows: [row(signature(statement, file).replace(/^function /, ""), "")],
    }];
  }
  if (ts.isInterfaceDeclaration(statement) || ts.isClassDeclaration(statement)) {
    const rows = statement.members.map((member) => row(signature(member, file), docOf(member, file)));
    return [{ name: statement.name?.text ?? "", rows }];
  }
  if (ts.isTypeAliasDeclaration(statement)) return [{ name: statement.name.text, rows: [] }];
  if (!ts.isVariableStatement(statement)) return [];
  return statement.declarationList.declarations.map(({ name, type }) => {
    const own = name.getText(file);
    if (!type || !ts.isTypeLiteralNode(type)) {
      return { name: own, rows: [row(`${own}: ${type?.getText(file)}`, "")] };
    }
    const rows = type.members.map((member) => {
      const text = signature(member, file);
      return row(text.startsWith("(") ? `${own}${text}` : `${own}.${text}`, docOf(member, file));
    });
    return { name: own, rows };
  });
}

/** In one line, without what does not matter to a caller. */
function signature(node: ts.Node, file: ts.SourceFile): string {
  return node.getText(file).replace(/^(?:export |declare )+/, "").replaceAll(/\breadonly (?=[\w[])/g, "")
    .replaceAll(/\/\*\*[\s\S]*?\*\//g, "").replaceAll(/\s+/g, " ").replaceAll("( ", "(").replaceAll(
      /,? \)/g,
      ")",
    )
    .replaceAll("; }", " }").replace(/;$/, "").trim();
}

function docOf(node: ts.Node, file: ts.SourceFile): string {
  const text = file.text;
  const last = (ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []).at(-1);
  const comment = last && text.slice(last.pos, last.end);
  if (!comment?.startsWith("/**")) return "";
  const plain = comment.slice(3, -2).replaceAll(/^[ \t]*\* ?/gm, "").replaceAll(/```[\s\S]*?```/g, "");
  return plain.replaceAll(/\{@link (\w+)\}/g, "`$1`").replaceAll("*\\/", "*/").trim().replaceAll(/\s+/g, " ");
}

function row(code: string, meaning: string): string {
  return `| ${quoted(code)} | ${meaning.replaceAll("|", "\\|")} |`;
}

/** As inline code in a cell of a table, whatever quotes it has. */
function quoted(code: string): string {
  const text = code.replaceAll("|", "\\|");
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}

/** What has no members says what it is in its own row. */
function render(name: string, about: string, rows: readonly string[]): string {
  const table = (body: readonly string[]) => `| \`${name}\` | |\n|---|---|\n${body.join("\n")}\n`;
  const [only] = rows;
  if (rows.length === 1 && only?.endsWith("|  |")) {
    return table([only.replace(/ \|$/, `${about.replaceAll("|", "\\|")} |`)]);
  }
  const head = about === "" ? "" : `${about}\n\n`;
  return rows.length === 0 ? head : head + table(rows);
}
