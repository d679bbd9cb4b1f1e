import type { Need, NeedKind } from "../domain/need.ts";
import type { Decision, Grant, Judgement, Mandate, PresetName, Rule, Verdict } from "../domain/policy.ts";
import { isWithin, type Place } from "./_path_pattern.ts";
import { compilePattern, type Pattern, type Subject, subjectOf } from "./_pattern.ts";
import type { CompiledRule, RuleIndex } from "./_rule_index.ts";
import type { PolicyContext } from "./policy.ts";
import { describeRule } from "./rules.ts";

/** Rules compiled once for one workspace. Made by `createPolicy`. */
export interface CompiledPolicy {
  /** One for each compilation. */
  readonly id: string;
  readonly preset: PresetName;
  readonly place: Place;
  readonly defaults: Readonly<Record<NeedKind, Verdict>>;
  /** The preset takes its default for what cannot be known, and under taint. */
  readonly unguarded: boolean;
  readonly rules: readonly CompiledRule[];
  readonly index: Readonly<Record<NeedKind, RuleIndex>>;
  /** Patterns of grants that were seen, by kind and text. */
  readonly grantPatterns: Map<string, Pattern | undefined>;
}

const WORST = { allow: 0, ask: 1, deny: 2 } as const;

/**
 * Judges needs. Pure (it remembers patterns it compiled, nothing else) and total: whatever the texts are, each need
 * gets a judgement, and the verdict over all is the worst. No needs: allowed.
 *
 * For one need, in this order:
 * 1. A deny of any layer is final, but a preset's denial of a secret file yields to an allow, from a person's own
 *    layers, that names exactly that path. Project layers never allow.
 * 2. Of the rules that ask or allow, the strongest layer decides; within a layer ask wins. A preset's ask about a
 *    protected file yields only to an allow that names it, not to one that happens to cover it.
 * 3. Otherwise the preset's default for the kind.
 * 4. What cannot be known before it runs (`opaque`) is allowed by no pattern and no grant.
 * 5. Under taint, an allowed `net`, or `write` outside the workspace, asks again unless a rule that allows it says
 *    `untrusted`.
 * 6. A grant turns ask into allow (under taint, when it says `untrusted`); not an ask of managed policy.
 * 7. For an automation, what its manifest does not declare is denied, whatever allowed it.
 */
export function evaluate(
  needs: readonly Need[],
  policy: CompiledPolicy,
  context: PolicyContext,
): Decision {
  const judgements = needs.map((need) => judge(need, policy, context));
  let verdict: Verdict = "allow";
  for (const judgement of judgements) {
    if (WORST[judgement.verdict] > WORST[verdict]) verdict = judgement.verdict;
  }
  return { verdict, judgements };
}

interface Draft {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly rule?: Rule;
  readonly onceOnly?: true;
  readonly tainted?: true;
}

function judge(need: Need, policy: CompiledPolicy, context: PolicyContext): Judgement {
  const subject = subjectOf(need, policy.place);
  const found = policy.index[need.kind].find(subject);
  const matched = found.map(({ rule }) => rule);
  const ruled = withinReach(judgeByRules(subject, found, policy), subject, found, policy);
  const draft = withinMandate(underTaint(ruled, subject, found, policy, context), subject, policy, context);
  if (draft.verdict !== "ask" || draft.onceOnly || context.grants.length === 0) {
    return { need, ...draft, matched };
  }
  const grant = grantFor(subject, draft, policy, context);
  if (grant) {
    return {
      need,
      verdict: "allow",
      reason: `allowed by a grant of ${grant.by}`,
      ...(draft.rule ? { rule: draft.rule } : {}),
      grant: grant.id,
      matched,
    };
  }
  return { need, ...draft, matched };
}

function judgeByRules(subject: Subject, found: readonly CompiledRule[], policy: CompiledPolicy): Draft {
  const denier = denierOf(subject, found);
  if (denier) return byRule(denier);
  const others = found.filter(({ rule }) => rule.verdict !== "deny");
  const decider = others[0];
  const asked = others.find(({ rule }) => rule.verdict === "ask" && rule.layer === "preset");
  if (decider?.rule.verdict === "ask") {
    if (decider.rule.layer !== "managed") return withOpacity(byRule(decider.rule), subject);
    return { ...byRule(decider.rule), onceOnly: true };
  }
  if (decider && asked && !isProtectionLifted(asked, subject, found)) return byRule(asked.rule);
  if (decider) return byRule(decider.rule);
  return byDefault(subject, policy);
}

/** The denial that holds for a subject, of the rules that cover it. */
function denierOf(subject: Subject, found: readonly CompiledRule[]): Rule | undefined {
  return found.find(({ rule }) =>
    rule.verdict === "deny" && !(rule.guard === "secret" && isNamed(subject, found))
  )?.rule;
}

/** True when a rule denies the subject and nothing lifts that. */
export function isDenied(subject: Subject, found: readonly CompiledRule[]): boolean {
  return denierOf(subject, found) !== undefined;
}

/** True when a person's own layers allow exactly this path, spelled out. */
function isNamed(subject: Subject, found: readonly CompiledRule[]): boolean {
  return found.some(({ rule, pattern }) => isOwn(rule) && pattern.names(subject));
}

/** Project layers' allows are not even compiled; what is left to exclude is the preset's own. */
function isOwn(rule: Rule): boolean {
  return rule.verdict === "allow" && rule.layer !== "preset";
}

/** An allow of `.git/hooks/x` means that file; an allow of the workspace that holds it does not. */
function isProtectionLifted(ask: CompiledRule, subject: Subject, found: readonly CompiledRule[]): boolean {
  return found.some(({ rule, pattern }) =>
    isOwn(rule) &&
    (pattern.names(subject) || rule.pattern === ask.rule.pattern ||
      (pattern.path !== undefined && ask.covers(baseOf(pattern.path.base, subject))))
  );
}

function baseOf(base: string, subject: Subject): Subject {
  const names = base.split("/").filter((name) => name !== "");
  return { ...subject, path: { path: base, names, foldedPath: base, foldedNames: names } };
}

/**
 * Of what the sandbox cannot keep from a command: a denial asks, because nothing was tried yet and a person may accept
 * it. Only who named the path in a rule of their own has accepted it before: that a folder is open says nothing of what is
 * closed in it.
 */
function withinReach(
  draft: Draft,
  subject: Subject,
  found: readonly CompiledRule[],
  policy: CompiledPolicy,
): Draft {
  const { kind, target, reach } = subject.need;
  const whole = kind === "net" && target === "**" && draft.verdict === "allow" && narrowing(kind, policy);
  if (whole) {
    return {
      verdict: "ask",
      reason: `the whole network is open to it, so ${describeRule(whole)} cannot be kept`,
    };
  }
  if (reach === undefined) return draft;
  if (draft.verdict === "allow") {
    const isFile = kind === "read" || kind === "write";
    if (!isFile || policy.unguarded || isNamed(subject, found)) return draft;
    return { verdict: "ask", reason: reach, ...(draft.rule ? { rule: draft.rule } : {}) };
  }
  if (policy.unguarded) return { verdict: "allow", reason: `preset ${policy.preset} accepts it: ${reach}` };
  const lasting = draft.rule === undefined || draft.verdict === "ask" || draft.rule.guard === "secret";
  return {
    verdict: "ask",
    reason: `${reach}; ${draft.reason}`,
    ...(draft.rule ? { rule: draft.rule } : {}),
    ...(lasting && !draft.onceOnly ? {} : { onceOnly: true }),
  };
}

function byRule(rule: Rule): Draft {
  const why = rule.reason === undefined ? "" : `: ${rule.reason}`;
  return { verdict: rule.verdict, reason: `by the rule ${describeRule(rule)}${why}`, rule };
}

function byDefault(subject: Subject, policy: CompiledPolicy): Draft {
  const { kind } = subject.need;
  const verdict = policy.defaults[kind];
  if (kind === "run" && subject.need.wrapper && subject.opaque === undefined && verdict === "ask") {
    return { verdict: "allow", reason: "it only starts another command, which is judged by itself" };
  }
  if (subject.need.enter && verdict === "ask") {
    return { verdict: "allow", reason: "it only changes to that folder; reading in it is decided apart" };
  }
  if (subject.opaque === undefined || verdict === "deny") {
    return { verdict, reason: `no rule matches; preset ${policy.preset}: ${verdict} ${kind}` };
  }
  const doubt = verdict === "allow" && policy.unguarded ? narrowing(kind, policy) : undefined;
  if (verdict === "allow" && policy.unguarded && !doubt) {
    return { verdict, reason: `preset ${policy.preset} allows even what cannot be known: ${subject.opaque}` };
  }
  const also = doubt ? `, so ${describeRule(doubt)} cannot be checked` : "";
  return {
    verdict: "ask",
    reason: `asks because what it does cannot be known before it runs: ${subject.opaque}${also}`,
    onceOnly: true,
  };
}

function withOpacity(draft: Draft, subject: Subject): Draft {
  if (subject.opaque === undefined) return draft;
  return {
    ...draft,
    reason: `${draft.reason}; and it cannot be known before it runs: ${subject.opaque}`,
    onceOnly: true,
  };
}

/** A person's rule that narrows the kind: what cannot be known might be what it means. */
function narrowing(kind: NeedKind, policy: CompiledPolicy): Rule | undefined {
  return policy.rules.find(({ rule }) =>
    rule.kind === kind && rule.verdict !== "allow" && rule.layer !== "preset"
  )
    ?.rule;
}

function underTaint(
  draft: Draft,
  subject: Subject,
  found: readonly CompiledRule[],
  policy: CompiledPolicy,
  context: PolicyContext,
): Draft {
  if (draft.verdict === "deny" || !isSensitive(subject, policy, context)) return draft;
  if (draft.verdict === "ask") return { ...draft, tainted: true };
  if (policy.unguarded) return draft;
  if (found.some(({ rule }) => rule.verdict === "allow" && rule.untrusted)) return draft;
  const { kind } = subject.need;
  return {
    ...draft,
    verdict: "ask",
    reason:
      `asks again: ${
        kind === "net" ? "the network" : "a write outside the workspace"
      } while the session holds ` +
      `content from ${context.taint[0] ?? "outside"}`,
    tainted: true,
  };
}

/** What content from outside could use to carry things out or to stay. */
function isSensitive({ need, path }: Subject, policy: CompiledPolicy, context: PolicyContext): boolean {
  if (context.taint.length === 0) return false;
  if (need.kind === "net") return true;
  return need.kind === "write" && !(path && isWithin(path.path, policy.place.workspace));
}

/** A manifest is a ceiling: it allows nothing by itself. What nobody stated but the sandbox cannot keep away is no part of it. */
function withinMandate(
  draft: Draft,
  subject: Subject,
  policy: CompiledPolicy,
  { mandate }: PolicyContext,
): Draft {
  const { need } = subject;
  if (mandate === undefined || draft.verdict === "deny" || need.reach !== undefined) return draft;
  if ((need.enter || need.wrapper) && draft.verdict === "allow") return draft;
  if (declaring(need, mandate, policy)) return draft;
  return { verdict: "deny", reason: `${mandate.automation} does not declare it in its permissions` };
}

/** The first pattern of a mandate that covers a need. */
export function declaring(
  need: Need,
  { needs }: Mandate,
  policy: CompiledPolicy,
): Mandate["needs"][number] | undefined {
  const subject = subjectOf(need, policy.place);
  return needs.find((one) => grantCovers(one, subject, policy));
}

function grantFor(
  subject: Subject,
  { rule }: Draft,
  policy: CompiledPolicy,
  context: PolicyContext,
): Grant | undefined {
  if (subject.opaque !== undefined) return undefined;
  const sensitive = isSensitive(subject, policy, context);
  return context.grants.find((grant) =>
    grant.revokedAt === undefined && grant.usesLeft !== 0 && (!sensitive || grant.untrusted) &&
    (grant.scope !== "workspace" || grant.workspace === undefined ||
      grant.workspace === policy.place.workspace) &&
    grant.needs.some((one) =>
      grantCovers(one, subject, policy) &&
      (grant.graph === undefined || liftsProtection(one, rule, subject, policy))
    )
  );
}

/** A manifest's patterns are as broad as rules: one that happens to cover a protected file does not mean it. */
function liftsProtection(
  one: Grant["needs"][number],
  rule: Rule | undefined,
  subject: Subject,
  policy: CompiledPolicy,
): boolean {
  if (rule?.layer !== "preset" || rule.verdict !== "ask") return true;
  return one.pattern === rule.pattern || grantPattern(one, policy)?.names(subject) === true;
}

function grantCovers(
  { kind, pattern }: Grant["needs"][number],
  subject: Subject,
  policy: CompiledPolicy,
): boolean {
  if (kind !== subject.need.kind && !(kind === "write" && subject.need.kind === "read")) return false;
  return grantPattern({ kind, pattern }, policy)?.matches(subject) ?? false;
}

function grantPattern(
  { kind, pattern }: Grant["needs"][number],
  policy: CompiledPolicy,
): Pattern | undefined {
  const key = `${kind} ${pattern}`;
  let compiled = policy.grantPatterns.get(key);
  if (compiled === undefined && !policy.grantPatterns.has(key)) {
    const result = compilePattern(kind, pattern, policy.place, false);
    // A grant that cannot be read gives nothing.
    compiled = typeof result === "string" ? undefined : result;
    if (policy.grantPatterns.size >= 4096) policy.grantPatterns.clear();
    policy.grantPatterns.set(key, compiled);
  }
  return compiled;
}
