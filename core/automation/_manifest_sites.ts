import type { Finding } from "./_module.ts";
import { IdentifierRole as Role, type Tokens, TokenType as T } from "./_tokens.ts";

/** Where a file speaks of its `permissions`: indices of tokens. */
export interface ManifestSites {
  /** The name in `export const permissions`. */
  readonly declared: readonly number[];
  /** The name wherever it is exported as a value, those of `declared` too. */
  readonly exported: readonly number[];
  /** Forms that would not be read, and changes that would not count. */
  readonly findings: readonly Finding[];
}

const NAME = "permissions";
const FIX = 'write `export const permissions = { read: ["."] }`';

const TOP_LEVEL: ReadonlySet<Role | null> = new Set([
  Role.TopLevelDeclaration,
  Role.ObjectShorthandTopLevelDeclaration,
]);
const INNER: ReadonlySet<Role | null> = new Set([
  Role.FunctionScopedDeclaration,
  Role.BlockScopedDeclaration,
  Role.ObjectShorthandFunctionScopedDeclaration,
  Role.ObjectShorthandBlockScopedDeclaration,
]);

/** Finds every form in which a file may declare, export or change something of that name. */
export function manifestSites(tokens: Tokens): ManifestSites {
  const { list, at } = tokens;
  const declared: number[] = [];
  const exported: number[] = [];
  const findings: Finding[] = [];
  const report = (index: number, message: string, severity: Finding["severity"] = "error") => {
    findings.push({ ...tokens.spot(at(index)), code: "manifest", severity, message, fix: FIX });
  };
  const named = list.flatMap(({ text, type, isType }, index) => {
    return !isType && type === T.name && /^(["'])?permissions\1?$/u.test(text) ? [index] : [];
  });
  const shadowed = named.some((index) => INNER.has(at(index).identifierRole));
  for (const index of named) {
    const form = TOP_LEVEL.has(at(index).identifierRole) ? declarationForm(tokens, index) : undefined;
    if (form === "manifest") {
      if (declared.length > 0) report(index, "`permissions` is declared twice");
      declared.push(index);
      exported.push(index);
    } else if (form === "exported") {
      report(index, "`permissions` must be a constant of its own, written out");
      exported.push(index);
    } else if (form === "inner") {
      if (declared.length > 0) report(index, "`permissions` is declared twice");
      else report(index, "`permissions` is not exported: the file has no manifest", "warning");
    } else if (isExportedName(tokens, index)) {
      report(index, "`permissions` must be exported where it is declared");
      exported.push(index);
    } else if (!shadowed && at(index).text === NAME && isChanged(tokens, index)) {
      report(index, "`permissions` cannot be changed: it is read before the file runs");
    }
  }
  return { declared, exported, findings };
}

/** How a name at the top of the file is declared. `inner`: for this file alone. */
function declarationForm({ at }: Tokens, index: number): "manifest" | "exported" | "inner" {
  if (at(index - 1).type === T._const && at(index - 2).type === T._export) return "manifest";
  let depth = 0;
  for (let i = index - 1; i >= 0; i--) {
    const { type } = at(i);
    if (type === T.braceR || type === T.bracketR || type === T.parenR) depth++;
    else if (type === T.braceL || type === T.bracketL || type === T.parenL || type === T.dollarBraceL) {
      depth = Math.max(0, depth - 1);
    } else if (depth === 0 && DECLARES.has(type)) {
      for (let k = i - 1; k >= 0 && i - k < 4; k--) {
        if (at(k).type === T._export) return "exported";
        if (!MODIFIES.has(at(k).type) && at(k).text !== "async") break;
      }
      return "inner";
    }
  }
  return "inner";
}

const DECLARES: ReadonlySet<T> = new Set([T._const, T._let, T._var, T._function, T._class, T._enum]);
const MODIFIES: ReadonlySet<T> = new Set([T._const, T._abstract, T._declare, T._default]);

/** Whether it is a name that others see in `export { x as permissions }`, `export * as permissions`, `export default permissions`. */
function isExportedName({ at }: Tokens, index: number): boolean {
  const before = at(index - 1);
  if (before.type === T._default && at(index - 2).type === T._export) return true;
  if (before.type === T._as && at(index - 2).type === T.star && at(index - 3).type === T._export) return true;
  const last = at(index + 1).type === T.comma || at(index + 1).type === T.braceR;
  if (!last) return false;
  for (let i = index - 1; i >= 0; i--) {
    const { type } = at(i);
    if (type === T.braceL) return at(i - 1).type === T._export;
    if (type !== T.name && type !== T.comma && type !== T._as) return false;
  }
  return false;
}

/** Whether `permissions`, or something in it, is assigned to or deleted. */
function isChanged(tokens: Tokens, index: number): boolean {
  const { at } = tokens;
  const before = at(index - 1);
  if (before.type === T.dot || before.type === T.questionDot) return false;
  let outer = index - 1;
  while (at(outer).type === T.parenL) outer--;
  if (at(outer).type === T.preIncDec || at(outer).type === T._delete) return true;
  for (let i = index + 1;;) {
    const { type } = at(i);
    if (type === T.dot) i += 2;
    else if (type === T.bracketL) i = tokens.after(i);
    else if (type === T.nonNullAssertion || at(i).isType) i++;
    else if (type === T.parenR && before.type === T.parenL) i++;
    else return type === T.eq || type === T.assign || type === T.preIncDec || type === T.postIncDec;
  }
}
