import type { ArrayValue, Assignment, ParameterExpansionPart, Word, WordPart } from "unbash";
import { arithmetic, computed, isSafe } from "./_shell_arithmetic.ts";
import type { Scope } from "./_shell_context.ts";
import {
  ANYTHING,
  type Arg,
  either,
  isKnownText,
  isNumber,
  MAX_ALTERNATIVES,
  NUMBER,
  type Text,
  type Value,
} from "./_shell_values.ts";
import { assignPerhaps, noteSet, printedBy, valueOf } from "./_shell_lookup.ts";
import { isName } from "./_shell_variables.ts";
import { UNKNOWN } from "./_words.ts";

/** Where a word stands: only in an argument does a shell split it and look for files. */
type Place = "argument" | "value" | "quoted";

/** One way a word may turn out. */
interface Draft {
  /** All beginnings that braces have made so far; each goes on with what comes next. */
  readonly texts: readonly Text[];
  readonly many: boolean;
  /** There is a word even when its text is empty. */
  readonly firm: boolean;
}

const START: Draft = { texts: [""], many: false, firm: false };
/** Values that stay one word, and name no other file, where they are not quoted. */
const PLAIN = /^[\p{L}\p{N}_./@%+=:,-]+$/u;
const MAX_BRACES = 64;

/** The ways a word of a command may turn out, each a list of words. Runs through every substitution in it. */
export async function expand(part: Word, scope: Scope): Promise<readonly (readonly Arg[])[]> {
  const whole = wholeArray(part, scope);
  if (whole) return [whole];
  const drafts = await draftsOf(part, "argument", scope);
  return drafts.map(({ texts, many, firm }) =>
    texts.filter((text) => text !== "" || firm || many).map((text) => ({ text, many, source: part.text }))
  );
}

/** The texts a word may have where it is not split: in an assignment, a `case`, a here-string. */
export async function expandText(part: Word, scope: Scope): Promise<readonly Text[]> {
  const drafts = await draftsOf(part, "value", scope);
  return drafts.map(({ texts, many }) => many || texts.length !== 1 ? UNKNOWN : texts[0] ?? "");
}

/** The texts of the body of a here-document. */
export async function expandBody(parts: readonly WordPart[], scope: Scope): Promise<readonly Text[]> {
  let drafts: readonly Draft[] = [{ ...START, firm: true }];
  for (const part of parts) drafts = await step(drafts, part, "quoted", scope);
  return drafts.map(({ texts, many }) => many ? UNKNOWN : texts[0] ?? "");
}

/** The value that an assignment gives; what it does beside goes to the scope. */
export async function assignedValue(node: Assignment, scope: Scope): Promise<Value> {
  if (node.index) await subscript(node.index, scope);
  if (node.value.type === "ArrayValue") {
    const words = await elements(node.value, scope);
    return words && !node.append && !node.index ? { words } : ANYTHING;
  }
  const texts = await expandText(node.value, scope);
  return node.append || node.index ? ANYTHING : { texts };
}

async function elements(node: ArrayValue, scope: Scope): Promise<readonly Arg[] | undefined> {
  const words: Arg[] = [];
  let known = true;
  for (const element of node.elements) {
    const key = /^\[([^\]]*)\]\+?=/u.exec(element.text)?.[1];
    if (key !== undefined && !isPlainKey(key, scope)) {
      scope.problems.push(`it computes the place in an array: ${element.text}`);
    }
    const ways = await expand(element, scope);
    if (ways.length !== 1 || key !== undefined) known = false;
    else words.push(...ways[0] ?? []);
  }
  return known ? words : undefined;
}

/** In an array with numbers for places a key is computed: the names in it are variables. */
function isPlainKey(key: string, scope: Scope): boolean {
  return /^(?:[\w.-]+|"[\w .\/:-]*"|'[\w .\/:-]*')$/u.test(key) &&
    key.split(/[^\w]+/u).every((name) => isSafe(name, scope));
}

/** `"$@"`, `$*`, `"${array[@]}"` as the whole word: the words themselves. */
function wholeArray(part: Word, scope: Scope): readonly Arg[] | undefined {
  const match = /^(")?\$(?:([@*])|\{(?:([@*])|([A-Za-z_]\w*)\[([@*])\])\})(")?$/u.exec(part.text);
  if (!match || match[1] !== match[6]) return undefined;
  const kind = match[2] ?? match[3] ?? match[5];
  const quoted = match[1] !== undefined;
  const value = match[4] === undefined ? undefined : valueOf(match[4], scope);
  const words = match[4] === undefined
    ? scope.state.positional
    : value && "words" in value
    ? value.words
    : undefined;
  const isPlain = words?.every(({ text, many }) => !many && PLAIN.test(text)) ?? false;
  if (words && (kind === "@" && quoted || (isPlain && !quoted && !scope.state.variables.has("IFS")))) {
    return words.map((one) => ({ ...one, source: isKnownText(one.text) ? one.source : part.text }));
  }
  return [{ text: UNKNOWN, many: !(quoted && kind === "*"), source: part.text }];
}

const SUBSTITUTION = /[<>]\(/u;

/** A shell takes `a<(b)c` for one word, the parser for three, and `1<(b)` for a text. */
function isJoined({ text, pos, end, parts }: Word, { source }: Scope["reading"]): boolean {
  if (/^(?:[0-9]+|\{[^}]*\})[<>]\(/u.test(text)) return true;
  if (parts === undefined) return SUBSTITUTION.test(text) && !/['"\\]/u.test(text);
  if (parts.some((part) => part.type === "Literal" && SUBSTITUTION.test(part.value))) return true;
  if (!parts.some(({ type }) => type === "ProcessSubstitution")) return false;
  return !/(?:^|[\s;&|(`])$/u.test(source.slice(Math.max(0, pos - 1), pos)) ||
    source.slice(Math.max(0, pos - 2), pos) === "\\\n" ||
    !/^(?:$|[\s;&|)`])/u.test(source.slice(end, end + 1));
}

async function draftsOf(part: Word, place: Place, scope: Scope): Promise<readonly Draft[]> {
  const { text, value, parts } = part;
  if (isJoined(part, scope.reading)) {
    scope.problems.push(`shells read ${text} as a part of the words beside it`);
  }
  const tilde = tildeOf(text, place, scope);
  if (parts === undefined) {
    if (tilde === undefined) return [{ texts: [value], many: false, firm: true }];
    return [{ texts: [tilde + value.slice(tildeLength(text))], many: false, firm: true }];
  }
  let drafts: readonly Draft[] = [START];
  for (const [index, part] of parts.entries()) {
    if (index === 0 && tilde !== undefined && part.type === "Literal") {
      drafts = append(drafts, tilde + part.value.slice(tildeLength(text)));
    } else drafts = await step(drafts, part, place, scope);
    const ways = drafts.reduce((sum, draft) => sum + draft.texts.length, 0);
    if (ways > MAX_BRACES) drafts = [anyWords(drafts)];
    else if (drafts.length > MAX_ALTERNATIVES) {
      const many = drafts.some((draft) => draft.many || draft.texts.length > 1);
      drafts = [many ? anyWords(drafts) : { texts: [UNKNOWN], many: false, firm: true }];
    }
  }
  return drafts;
}

/** What a tilde at the start of a word becomes; undefined when it is no such tilde, or stays to be read by the host. */
function tildeOf(text: string, place: Place, scope: Scope): Text | undefined {
  if (text.startsWith("~")) {
    if (!/^~(?:\/|$)/u.test(text)) return UNKNOWN;
    const home = valueOf("HOME", scope);
    return "texts" in home && home.texts.length === 1 && isKnownText(home.texts[0] ?? "")
      ? home.texts[0]
      : "~";
  }
  // In what looks like an assignment it may stand behind the sign and behind colons.
  return (place === "value" ? /:~/u : /^\w+\+?=(?:.*:)?~/u).test(text) ? UNKNOWN : undefined;
}

function tildeLength(text: string): number {
  return text.startsWith("~") && /^~(?:\/|$)/u.test(text) ? 1 : text.length;
}

function append(drafts: readonly Draft[], text: Text): readonly Draft[] {
  return drafts.map((draft) => ({
    texts: draft.texts.map((start) => start.endsWith(UNKNOWN) && text === UNKNOWN ? start : start + text),
    many: draft.many,
    firm: draft.firm || text !== "",
  }));
}

function firm(drafts: readonly Draft[]): readonly Draft[] {
  return drafts.map((draft) => draft.firm ? draft : { ...draft, firm: true });
}

function anyWords(drafts: readonly Draft[]): Draft {
  return { texts: [UNKNOWN], many: true, firm: drafts.some((draft) => draft.firm) };
}

async function step(
  drafts: readonly Draft[],
  part: WordPart,
  place: Place,
  scope: Scope,
): Promise<readonly Draft[]> {
  switch (part.type) {
    case "Literal":
      return append(drafts, part.value);
    case "SingleQuoted":
      return firm(append(drafts, part.value));
    case "AnsiCQuoted":
      if (scope.reading.posix) scope.problems.push(`shells read ${part.text} differently`);
      return firm(append(drafts, isReadAlike(part) ? part.value : UNKNOWN));
    case "DoubleQuoted": {
      let inside = firm(drafts);
      for (const child of part.parts) inside = await step(inside, child, "quoted", scope);
      return inside;
    }
    case "Glob":
      for (const inner of part.parts ?? []) await step([START], inner, "quoted", scope);
      if (place !== "argument") return append(drafts, part.parts ? UNKNOWN : part.value);
      return append(drafts, UNKNOWN).map((draft) => ({ ...draft, many: true }));
    case "BraceExpansion":
      if (place !== "argument") return append(drafts, part.text);
      return await braces(drafts, part.text, part.parts, scope);
    case "SimpleExpansion":
      return put(drafts, valueOf(part.text.slice(1), scope), place, scope, part.text);
    case "ParameterExpansion":
      return put(drafts, await parameter(part, scope), place, scope, part.text);
    case "CommandExpansion":
      if (part.text.startsWith("${")) scope.problems.push(`shells read ${part.text} differently`);
      await scope.analysis.substitution(part.script, part.text, scope);
      return put(drafts, printedBy(part.script, scope), place, scope, part.text);
    case "ArithmeticExpansion":
      if (part.expression === undefined) scope.problems.push(`it computes ${part.text}`);
      else await arithmetic(part.expression, scope);
      return append(drafts, NUMBER);
    case "ProcessSubstitution":
      if (scope.reading.posix) scope.problems.push(`shells read ${part.text} differently`);
      await scope.analysis.substitution(part.script, part.text, scope);
      return append(append(drafts, "/dev/fd/"), NUMBER);
    case "ExtendedGlob":
    case "LocaleString":
      scope.problems.push(`shells read ${part.text} differently`);
      return append(drafts, UNKNOWN);
  }
}

/** Whether every shell, in every locale, makes the same of `$'…'` as the parser. */
function isReadAlike({ text, value }: { readonly text: string; readonly value: string }): boolean {
  // What stands for itself here must not be taken for a mark.
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u0008\ufffd]/u.test(value)) return false;
  const rest = text.replace(/\\[\\'"?abeEfnrtv]/gu, "");
  const plain = rest.replace(/\\(?:[0-7]{1,3}|x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8})/gu, "");
  // deno-lint-ignore no-control-regex -- bytes beyond ASCII depend on the locale
  return !plain.includes("\\") && (plain === rest || /^[\u0000-\u007f]*$/u.test(value));
}

/** Puts the value of a variable into words: in an argument, without quotes, it may become several. */
function put(
  drafts: readonly Draft[],
  value: Value,
  place: Place,
  scope: Scope,
  source: string,
): readonly Draft[] {
  if ("words" in value || /^\$\{?[@*]/u.test(source)) {
    return place === "argument" || source.includes("@") ? [anyWords(drafts)] : append(drafts, UNKNOWN);
  }
  const ways: Draft[] = [];
  for (const text of value.texts) {
    if (place !== "argument") ways.push(...append(drafts, text));
    else if ((PLAIN.test(text) || isNumber(text)) && !scope.state.variables.has("IFS")) {
      ways.push(...append(drafts, text));
    } else if (text === "") ways.push(...drafts);
    else return [anyWords(drafts)];
  }
  return ways;
}

async function braces(
  drafts: readonly Draft[],
  text: string,
  parts: readonly WordPart[] | undefined,
  scope: Scope,
): Promise<readonly Draft[]> {
  if (scope.reading.posix) scope.problems.push(`shells read ${text} differently`);
  const plain = /^\{([\p{L}\p{N}_./@%+=:,-]*)\}$/u.exec(text)?.[1];
  if (plain?.includes(",")) {
    const choices = plain.split(",");
    return drafts.map((draft) => ({
      ...draft,
      texts: draft.texts.flatMap((start) => choices.map((choice) => start + choice)),
    }));
  }
  for (const part of parts ?? []) await step([START], part, "quoted", scope);
  const counts = /^\{-?[0-9]+\.\.-?[0-9]+(?:\.\.-?[0-9]+)?\}$/u.test(text);
  return append(drafts, counts ? NUMBER : UNKNOWN).map((draft) => ({ ...draft, many: true }));
}

/** `${…}`: its value, and what its operands do. */
async function parameter(part: ParameterExpansionPart, scope: Scope): Promise<Value> {
  const { parameter: name, prefix, index, operation } = part;
  const isAll = index !== undefined && /^[@*]$/u.test(index.text);
  if (index && !isAll) await subscript(index, scope);
  if (prefix === "!" && operation?.type !== "Names" && !isAll) {
    scope.problems.push(`it uses the variable that another names: ${part.text}`);
  }
  if (prefix === "#") return { texts: [NUMBER] };
  if (prefix === "!") return ANYTHING;
  const value = index ? ANYTHING : valueOf(name, scope);
  switch (operation?.type) {
    case undefined:
      return value;
    case "Default": {
      const before = scope.state;
      const texts = await expandText(operation.operand, scope);
      scope.state = either(before, scope.state);
      if (operation.operator.endsWith("=") && isName(name)) {
        noteSet(name, scope);
        assignPerhaps(name, ANYTHING, scope);
      }
      if (operation.operator.endsWith("+") || !("texts" in value)) return ANYTHING;
      const known = value.texts.every((text) => text !== "" && !text.includes(UNKNOWN));
      return known || texts.length === 0 ? value : ANYTHING;
    }
    case "Remove":
      await expandText(operation.operand, scope);
      return ANYTHING;
    case "Replace":
      await expandText(operation.pattern, scope);
      await expandText(operation.replacement, scope);
      return ANYTHING;
    case "CaseModification":
      if (operation.operand) await expandText(operation.operand, scope);
      return ANYTHING;
    case "Slice":
      for (const operand of [operation.offset, operation.length]) {
        if (operand) await computed(operand, scope);
      }
      return ANYTHING;
    case "Transform":
      if (!/^[QEAaUuLkK]$/u.test(operation.operand.text)) {
        scope.problems.push(`it runs what a variable holds: ${part.text}`);
      }
      return ANYTHING;
    default:
      scope.problems.push(`it uses ${part.text}`);
      return ANYTHING;
  }
}

/** The place in an array is computed, and what is computed may run commands. */
async function subscript(index: Word, scope: Scope): Promise<void> {
  if (/^(?:[@*]|-?[0-9]+)$/u.test(index.text)) return;
  await computed(index, scope);
}
