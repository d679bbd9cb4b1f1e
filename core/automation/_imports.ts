import type { Finding, ImportSite } from "./_module.ts";
import { type Token, type Tokens, TokenType as T } from "./_tokens.ts";

/** What a module imports, and what it holds that cannot run in an automation. */
interface Imports {
  /** Statements that import or re-export values, in order. Some may turn out to be used as types alone. */
  readonly sites: readonly ImportSite[];
  readonly findings: readonly Finding[];
}

/** Goes through the tokens of a module once. Strings, comments, templates and types are none of its matter. */
export function readImports(tokens: Tokens): Imports {
  const sites: ImportSite[] = [];
  const findings: Finding[] = [];
  const { at } = tokens;
  for (let i = 0; i < tokens.list.length; i++) {
    const token = at(i);
    const ambient = ambientEnd(tokens, i);
    if (ambient !== undefined) {
      i = ambient - 1;
      continue;
    }
    const refused = refusal(tokens, i);
    if (refused) {
      findings.push({ ...tokens.spot(token), code: "unsupported", severity: "error", ...refused });
    } else if (!token.isType && (token.type === T._import || token.type === T._export)) {
      const end = specifierIndex(tokens, i);
      if (end === undefined) continue;
      const specifier = at(end).text.slice(1, -1);
      sites.push({ ...tokens.spot(at(end)), specifier });
      findings.push(...attributeFindings(tokens, end, specifier));
    }
  }
  return { sites, findings };
}

/** Where `declare namespace X {…}`, `declare module "x" {…}` or `declare global {…}` ends, when it begins here: types, no more. */
function ambientEnd(tokens: Tokens, index: number): number | undefined {
  const { at } = tokens;
  if (at(index).type !== T._declare || !isNamespaceWord(at(index + 1), "global")) return undefined;
  let i = index + 2;
  while (at(i).isType && (at(i).type === T.name || at(i).type === T.dot || at(i).type === T.string)) i++;
  return at(i).type === T.braceL ? tokens.after(i) : i;
}

function isNamespaceWord(token: Token, ...more: string[]): boolean {
  return token.type === T.name && token.isType && ["namespace", "module", ...more].includes(token.text);
}

type Refusal = Pick<Finding, "message" | "fix">;

/** Why what begins at this token cannot run; undefined when it can. */
function refusal(tokens: Tokens, index: number): Refusal | undefined {
  const { at } = tokens;
  const [before, token, next, third] = [at(index - 1), at(index), at(index + 1), at(index + 2)];
  if (
    isNamespaceWord(token) && (next.type === T.name || next.type === T.string) &&
    !tokens.startsLine(index + 1) && before.type !== T._as
  ) {
    return {
      message: `\`${token.text} ${next.text}\` does not exist when the file runs`,
      fix: "export functions and values from a file of their own; for types alone write `declare namespace`",
    };
  }
  if (token.isType) return undefined;
  switch (token.type) {
    case T.at:
      return { message: "Decorators do not run here", fix: "call the function yourself" };
    case T.lessThan:
      if (next.type !== T.bang || third.text !== "--" || third.start !== token.end + 1) return undefined;
      return { message: "`<!--` begins a comment when the file runs", fix: "write `< !--`" };
    case T._export:
      if (next.type !== T.eq) return undefined;
      return { message: "`export =` is not for modules", fix: "write `export default`, or export by name" };
    case T._import:
      return importRefusal(tokens, index);
    case T.name:
      return nameRefusal(tokens, index);
    default:
      return undefined;
  }
}

function importRefusal({ at }: Tokens, index: number): Refusal | undefined {
  const next = at(index + 1);
  if (next.type === T.parenL) {
    return {
      message: "`import()` loads code that nobody could look at before",
      fix: 'import at the top of the file: `import { name } from "./file.ts"`',
    };
  }
  const named = next.text === "type" && at(index + 2).type === T.name ? index + 2 : index + 1;
  if (at(named).type !== T.name || at(named + 1).type !== T.eq) return undefined;
  return at(named + 2).text === "require"
    ? { message: "`import … = require()` is not for modules", fix: "write `import … from`" }
    : { message: "`import … =` names a part of a namespace", fix: "write `const … =`, or `type … =`" };
}

function nameRefusal({ at }: Tokens, index: number): Refusal | undefined {
  const [before, token, next, third] = [at(index - 1), at(index), at(index + 1), at(index + 2)];
  const member = before.type === T.dot || before.type === T.questionDot;
  if (/^["']/u.test(token.text)) {
    return { message: "Names of imports and exports cannot be texts here", fix: "use a plain name" };
  }
  if (token.text === "import" && next.type === T.dot && !member) {
    return third.text === "meta"
      ? {
        message: "There is no `import.meta` in an automation",
        fix: 'use `workspace`, the root of the project: `import { workspace } from "pryx"`',
      }
      : {
        message: `There is no \`import.${third.text}\` in an automation`,
        fix: "import at the top of the file",
      };
  }
  if (token.text === "require" && next.type === T.parenL && third.type === T.string && !member) {
    return {
      message: "`require()` is not for modules",
      fix: `write \`import … from ${third.text}\` at the top`,
    };
  }
  return undefined;
}

/** Index of the specifier of an import or re-export of values that begins here. */
function specifierIndex({ at }: Tokens, index: number): number | undefined {
  const next = at(index + 1);
  if (next.text === "type" && at(index + 2).type !== T.comma && at(index + 2).text !== "from") {
    return undefined;
  }
  if (at(index).type === T._export && next.type !== T.star && next.type !== T.braceL) return undefined;
  for (let i = index + 1;; i++) {
    const { type } = at(i);
    if (type === T.string) return at(i - 1).text === "from" || i === index + 1 ? i : undefined;
    // A list of names ends; what is exported from this very file has no specifier.
    if (type === T.braceR && at(i + 1).text !== "from") return undefined;
    if (type === T.eof || type === T.semi) return undefined;
  }
}

/** What is wrong with `with { type: "json" }` behind a specifier. */
function attributeFindings(tokens: Tokens, end: number, specifier: string): Finding[] {
  const { at } = tokens;
  const word = at(end + 1);
  const there = word.type === T._with || word.text === "assert" && !tokens.startsLine(end + 1);
  if (!there || at(end + 2).type !== T.braceL) return [];
  const written = tokens.list.slice(end + 3, tokens.after(end + 2) - 1).map(({ text }) => text).join("");
  if (/^(?:type|"type"|'type'):["']json["'],?$/u.test(written)) {
    if (specifier.endsWith(".json")) return [];
    const message = `"${specifier}" is no JSON file`;
    return [{ ...tokens.spot(word), code: "import", severity: "error", message, fix: "leave `with` out" }];
  }
  return [{
    ...tokens.spot(word),
    code: "unsupported",
    severity: "error",
    message: "Only JSON is imported with a type",
    fix: 'write `with { type: "json" }`; read other files with `fs.read`',
  }];
}
