import type { Permissions } from "../domain/automation.ts";
import { escapeForDisplay } from "../domain/display.ts";
import { nearest } from "../domain/nearest.ts";
import { NEED_KINDS, type NeedKind } from "../domain/need.ts";
import { type ManifestSites, manifestSites } from "./_manifest_sites.ts";
import type { Finding, Spot } from "./_module.ts";
import { type Token, type Tokens, TokenType as T } from "./_tokens.ts";

/** What is wrong with a pattern; undefined when nothing is. */
export type PatternProblem = (kind: NeedKind, pattern: string) => string | undefined;

/** The manifest of a file, as far as it could be read. */
interface Manifest {
  /** Where the file exports `permissions`, in whatever form. */
  readonly at?: Spot;
  /** Undefined when there is none, or when it has problems. */
  readonly permissions?: Permissions;
  readonly findings: readonly Finding[];
}

/** More than a person looks through before saying yes. */
const MAX_PATTERNS = 500;
const WANTED = 'write `export const permissions = { read: ["."] }`: kinds, each with a list of texts';

/**
 * Reads `export const permissions = {…}` from the tokens of a file: nothing of it runs. Whatever is not a literal, or
 * not where it would be looked for, is a finding: what a person reads must be all there is.
 */
export function readManifest(tokens: Tokens, patternProblem: PatternProblem): Manifest {
  const sites = manifestSites(tokens);
  const findings: Finding[] = [...sites.findings];
  const [first] = sites.declared;
  const at = exportSpot(tokens, sites);
  if (first === undefined) return { ...(at ? { at } : {}), findings };
  const reader = createReader(tokens, patternProblem, findings);
  const found = reader.read(first);
  if (findings.some(({ severity }) => severity === "error")) return { ...(at ? { at } : {}), findings };
  const kinds = [...found].filter(([, patterns]) => patterns.length > 0);
  const sorted = kinds.map(([kind, patterns]) => [kind, [...new Set(patterns)].sort()] as const);
  sorted.sort(([a], [b]) => NEED_KINDS.indexOf(a) - NEED_KINDS.indexOf(b));
  return { ...(at ? { at } : {}), permissions: Object.fromEntries(sorted), findings };
}

/** Where a module exports `permissions`: for those whose manifest does not count. */
export function manifestSpot(tokens: Tokens): Spot | undefined {
  return exportSpot(tokens, manifestSites(tokens));
}

function exportSpot(tokens: Tokens, { exported }: ManifestSites): Spot | undefined {
  const first = Math.min(...exported);
  return Number.isFinite(first) ? tokens.spot(tokens.at(first)) : undefined;
}

interface Reader {
  /** The patterns of the manifest whose name stands at `index`. */
  read(index: number): ReadonlyMap<NeedKind, readonly string[]>;
}

function createReader(tokens: Tokens, patternProblem: PatternProblem, findings: Finding[]): Reader {
  const { at } = tokens;
  const report = (token: Token, message: string, fix = WANTED) => {
    findings.push({ ...tokens.spot(token), code: "manifest", severity: "error", message, fix });
  };
  const found = new Map<NeedKind, string[]>();
  let count = 0;

  /** Behind the next comma of the list that `index` is in, or at the bracket that closes it. */
  const skip = (index: number): number => {
    for (let i = index;;) {
      const { type } = at(i);
      if (type === T.comma) return i + 1;
      if (type === T.braceR || type === T.bracketR || type === T.parenR || type === T.eof) return i;
      const opens = type === T.braceL || type === T.bracketL || type === T.parenL || type === T.dollarBraceL;
      i = opens ? tokens.after(i) : i + 1;
    }
  };

  /** Behind what ended well: a comma or the closing bracket must follow. Types (`as const`) are none of its matter. */
  const next = (index: number, closing: T, what: string): number => {
    let i = index;
    while (at(i).isType) i++;
    if (at(i).type === T.comma) return i + 1;
    if (at(i).type !== closing) report(at(i), `${what} must be written out: nothing may be done with it`);
    return skip(i);
  };

  const readPattern = (index: number, kind: NeedKind, list: string[]): number => {
    const token = at(index);
    const template = token.type === T.backQuote;
    if (token.type === T.comma) {
      report(token, `A text is missing in \`${kind}\``);
      return index + 1;
    }
    if (token.type !== T.string && !template) {
      report(token, `\`${kind}\` must be a list of texts, each written out: this is not a text`);
      return skip(index);
    }
    let end = index + 1;
    if (template) {
      while (at(end).type === T.template) end++;
      if (at(end).type !== T.backQuote) {
        report(at(end), "A pattern must be written out: `${}` has no value before the file runs");
        return skip(end);
      }
      end++;
    }
    const raw = tokens.text.slice(token.end - (template ? 0 : token.text.length - 1), at(end - 1).end - 1);
    const text = plainText(raw);
    const problem = text === undefined
      ? "a backslash may stand only before a backslash or a quote: write the character itself"
      : hiddenProblem(text) ?? patternProblem(kind, text);
    if (problem !== undefined) {
      report(token, `\`${kind}\` has a pattern that does not do: ${problem}`, undefined);
    } else if (text !== undefined && ++count <= MAX_PATTERNS) list.push(text);
    else if (count === MAX_PATTERNS + 1) report(token, `There are more than ${MAX_PATTERNS} patterns`);
    return next(end, T.bracketR, "A pattern");
  };

  const readPatterns = (index: number, kind: NeedKind): number => {
    if (at(index).type !== T.bracketL) {
      report(at(index), `\`${kind}\` must be a list of texts, written out`, `write \`${kind}: ["…"]\``);
      return skip(index);
    }
    const list: string[] = [];
    found.set(kind, list);
    let i = index + 1;
    while (at(i).type !== T.bracketR && at(i).type !== T.eof) i = readPattern(i, kind, list);
    return next(i + 1, T.braceR, `\`${kind}\``);
  };

  const readMember = (index: number): number => {
    const token = at(index);
    const after = at(index + 1).type;
    if (token.type === T.ellipsis) {
      report(token, "A manifest takes nothing over from elsewhere: `...` is a spread");
    } else if (token.type === T.bracketL) {
      report(token, "The kinds of a manifest must be written out: this one is computed");
    } else if (token.type !== T.name && token.type !== T.string) {
      report(token, "This is no kind of permission");
    } else if (after === T.comma || after === T.braceR) {
      report(token, `\`${token.text}\` must be a list, written out`);
    } else if (after !== T.colon) report(token, "A manifest has no functions: no getters, no methods");
    else {
      const key = token.type === T.string ? token.text.slice(1, -1) : token.text;
      const kind = NEED_KINDS.find((one) => one === key);
      if (kind === undefined) {
        const meant = nearest(key, NEED_KINDS);
        const fix = meant === undefined
          ? `the kinds are ${NEED_KINDS.join(", ")}`
          : `did you mean \`${meant}\`?`;
        report(token, `\`${escapeForDisplay(key)}\` is no kind of permission`, fix);
      } else if (found.has(kind)) report(token, `\`${kind}\` stands there twice`, "make one list of the two");
      else return readPatterns(index + 2, kind);
    }
    return skip(index);
  };

  return {
    read(index) {
      let start = index + 1;
      while (at(start).isType) start++;
      const end = at(start).rhsEndIndex;
      if (at(start).type !== T.eq || at(start + 1).type !== T.braceL || end === null) {
        report(
          at(at(start).type === T.eq ? start + 1 : index),
          "`permissions` must be an object, written out",
        );
        return found;
      }
      let i = start + 2;
      while (at(i).type !== T.braceR && at(i).type !== T.eof) i = readMember(i);
      i++;
      while (at(i).isType && i < end) i++;
      if (i !== end) report(at(i), "`permissions` must be written out: nothing may be done with it");
      findings.push(...hiddenFindings(tokens, index, i));
      return found;
    },
  };
}

/** What stands between quotes, when it says what it looks like; undefined when escapes say something else. */
function plainText(raw: string): string | undefined {
  const plain = raw.replaceAll(/\\[\\'"`]/gu, "");
  return plain.includes("\\") ? undefined : raw.replaceAll(/\\(.)/gu, "$1");
}

function hiddenProblem(text: string): string | undefined {
  const shown = escapeForDisplay(text).replaceAll("\n", "\\n").replaceAll("\t", "\\t");
  return shown === text ? undefined : `it has characters that are not seen: "${shown}"`;
}

/** Comments inside the manifest may not reorder or hide what stands there. */
function hiddenFindings(tokens: Tokens, from: number, to: number): Finding[] {
  const { start } = tokens.at(from);
  const part = tokens.text.slice(start, tokens.at(to - 1).end);
  if (escapeForDisplay(part.replaceAll("\r\n", "\n")) === part.replaceAll("\r\n", "\n")) return [];
  const message = "The manifest has characters that are not seen, or that reorder what is seen";
  return [{
    ...tokens.spot(tokens.at(from)),
    code: "manifest",
    severity: "error",
    message,
    fix: "remove them",
  }];
}
