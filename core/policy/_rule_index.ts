import { NEED_KINDS, type NeedKind } from "../domain/need.ts";
import { LAYERS, type Rule } from "../domain/policy.ts";
import { isWithin, normalPath, type Place } from "./_path_pattern.ts";
import { compilePattern, type Pattern, type Subject } from "./_pattern.ts";
import type { RuleSource } from "./presets.ts";
import { lastName } from "./_run_pattern.ts";

/** A rule ready to be matched, with its place in the order of rules. */
export interface CompiledRule {
  readonly rule: Rule;
  /** Position among all rules: strongest layer first, in a layer deny before ask before allow. */
  readonly rank: number;
  /** Position of its layer; 0 is the strongest. */
  readonly layer: number;
  readonly pattern: Pattern;
  covers(subject: Subject): boolean;
}

/** Rules of one kind, found by what they are about instead of one by one. */
export interface RuleIndex {
  /** Rules that cover the subject, by rank. */
  find(subject: Subject): readonly CompiledRule[];
}

const SEVERITY = { deny: 0, ask: 1, allow: 2 } as const;
/** Answers kept per kind before all are dropped. */
const CACHE_SIZE = 8192;
const NONE: readonly CompiledRule[] = [];

/** Compiles rules, in the order that decides. Throws what is wrong with the first that cannot be compiled. */
export function compileRules(sources: readonly RuleSource[], place: Place): readonly CompiledRule[] {
  const sorted = sources.filter(({ rule }) => !isIgnored(rule)).sort(compareSources);
  return sorted.map((source, rank) => compileRule(source, rank, place));
}

/** An allow of a folder's own settings: the folder would give itself power. Config rejects it; it never counts. */
function isIgnored({ layer, verdict }: Rule): boolean {
  return verdict === "allow" && (layer === "project" || layer === "local");
}

/** A whole order, so that where a rule was written within its layer makes no difference. */
function compareSources({ rule: a }: RuleSource, { rule: b }: RuleSource): number {
  return LAYERS.indexOf(a.layer) - LAYERS.indexOf(b.layer) || SEVERITY[a.verdict] - SEVERITY[b.verdict] ||
    compareText(a.guard ?? "", b.guard ?? "") || compareText(a.kind, b.kind) ||
    compareText(a.pattern, b.pattern) || compareText(a.source, b.source) ||
    compareText(a.reason ?? "", b.reason ?? "") ||
    Number(a.untrusted ?? false) - Number(b.untrusted ?? false);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compileRule(source: RuleSource, rank: number, place: Place): CompiledRule {
  const { rule, except, exceptNames } = source;
  const pattern = compilePattern(rule.kind, rule.pattern, place, rule.verdict !== "allow");
  if (typeof pattern === "string") throw new InvalidRule(rule, pattern);
  const layer = LAYERS.indexOf(rule.layer);
  if (!except?.length && !exceptNames?.length) {
    return { rule, rank, layer, pattern, covers: (subject) => pattern.matches(subject) };
  }
  const folders = (except ?? []).map((path) => normalPath(path) ?? path);
  const names = new Set(exceptNames);
  return {
    rule,
    rank,
    layer,
    pattern,
    covers: (subject) => {
      if (!pattern.matches(subject)) return false;
      const path = subject.path?.path ?? "";
      return !names.has(lastName(path)) && !folders.some((folder) => isWithin(path, folder));
    },
  };
}

/** Carries the rule that is wrong to the one who can say where it stands. */
export class InvalidRule extends Error {
  constructor(readonly rule: Rule, readonly problem: string) {
    super(problem);
  }
}

/**
 * Indexes rules by kind. Writing a file shows what was in it and makes it readable to the sandbox, so a denial of
 * reading denies writing too, and an allow of writing allows reading too.
 */
export function indexRules(rules: readonly CompiledRule[]): Readonly<Record<NeedKind, RuleIndex>> {
  const of = (kind: NeedKind) =>
    rules.filter(({ rule }) =>
      rule.kind === kind || (kind === "write" && rule.kind === "read" && rule.verdict === "deny") ||
      (kind === "read" && rule.kind === "write" && rule.verdict === "allow")
    );
  return Object.fromEntries(NEED_KINDS.map((kind) => [kind, indexOf(kind, of(kind))])) as Record<
    NeedKind,
    RuleIndex
  >;
}

function indexOf(kind: NeedKind, rules: readonly CompiledRule[]): RuleIndex {
  const candidates = candidatesOf(rules);
  const cache = new Map<string, readonly CompiledRule[]>();
  const find = (subject: Subject) => {
    const found = candidates(subject).filter((rule) =>
      (subject.opaque === undefined || rule.rule.verdict !== "allow") && rule.covers(subject)
    );
    if (found.length < 2) return found.length ? found : NONE;
    return found.sort((a, b) => a.rank - b.rank).filter((rule, index) => rule !== found[index - 1]);
  };
  return {
    find(subject) {
      // A command's words decide too, not its text alone.
      if (kind === "run" || subject.opaque !== undefined) return find(subject);
      const key = subject.need.target;
      const known = cache.get(key);
      if (known) return known;
      const found = find(subject);
      if (cache.size >= CACHE_SIZE) cache.clear();
      cache.set(key, found);
      return found;
    },
  };
}

/** The few rules that may cover a subject; each still has to be asked, and one may come twice. */
function candidatesOf(rules: readonly CompiledRule[]): (subject: Subject) => CompiledRule[] {
  const byKey = new Map<string, CompiledRule[]>();
  const others: CompiledRule[] = [];
  for (const rule of rules) {
    const key = keyOf(rule);
    if (key === undefined) others.push(rule);
    else byKey.set(key, [...byKey.get(key) ?? [], rule]);
  }
  return (subject) => {
    const out = others.slice();
    eachKey(subject, (key) => {
      const found = byKey.get(key);
      if (found) out.push(...found);
    });
    return out;
  };
}

function keyOf({ pattern }: CompiledRule): string | undefined {
  const { path, run, net, name } = pattern;
  if (path?.anywhere !== undefined) return `*${path.anywhere}`;
  if (path?.key !== undefined) return rootless(path.key);
  if (run) return run.name ?? (run.path === undefined ? undefined : lastName(run.path));
  return net?.name ?? net?.suffix ?? name;
}

/** `/` has the key of the empty prefix. */
function rootless(path: string): string {
  return path.endsWith("/") ? path.slice(0, -1) : path;
}

function eachKey({ path, run, host, name }: Subject, on: (key: string) => void): void {
  if (path) {
    eachPathKey(path.path, path.names, on);
    if (path.foldedPath !== path.path) eachPathKey(path.foldedPath, path.foldedNames, on);
  } else if (run) {
    const written = lastName(run.argv[0] ?? "");
    on(written);
    const found = run.executable === undefined ? written : lastName(run.executable);
    if (found !== written) on(found);
  } else if (host) {
    on(host.name);
    for (let at = host.name.indexOf("."); at >= 0; at = host.name.indexOf(".", at + 1)) {
      on(host.name.slice(at));
    }
  } else if (name !== undefined) {
    on(name);
    for (let at = name.indexOf("/"); at >= 0; at = name.indexOf("/", at + 1)) on(name.slice(0, at));
  }
}

function eachPathKey(path: string, names: readonly string[], on: (key: string) => void): void {
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) on(path.slice(0, at));
  // The root alone is the empty prefix, which the loop gave.
  if (!path.endsWith("/")) on(path);
  for (const one of names) on(`*${one}`);
}
