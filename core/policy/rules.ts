import { parseNeed } from "../domain/need.ts";
import type { Layer, Rule, Verdict } from "../domain/policy.ts";
import { compilePattern } from "./_pattern.ts";
import type { Place } from "./_path_pattern.ts";

/** What a rule has beside its kind and pattern. */
interface RuleOrigin {
  readonly verdict: Verdict;
  readonly layer: Layer;
  /** Where it stands: `~/.config/pryx/config.jsonc:12`, `--allow`. */
  readonly source: string;
  readonly reason?: string;
  /** On an allow: holds under taint too. Default: see {@link parseRule}. */
  readonly untrusted?: boolean;
}

/** Any place does for finding out whether a pattern can be understood. */
const NOWHERE: Place = { workspace: "/workspace", home: "/home", ignoreCase: false };

/**
 * Reads a rule written as `kind=target`. Returns what is wrong, as text, when it is not one.
 *
 * An allow typed for this run (a flag, the environment) that names a host or a path without a wildcard holds under
 * taint too: who typed it meant exactly that. `net=*` and `write=src/*` do not.
 */
export function parseRule(text: string, origin: RuleOrigin): Rule | string {
  const need = parseNeed(text);
  if (typeof need === "string") return need;
  const { kind, target: pattern } = need;
  const problem = patternProblem({ verdict: origin.verdict, kind, pattern });
  if (problem !== undefined) return `"${text}" cannot be understood: ${problem}`;
  const untrusted = origin.untrusted ?? isNamedForThisRun(kind, pattern, origin);
  return {
    verdict: origin.verdict,
    kind,
    pattern,
    layer: origin.layer,
    source: origin.source,
    ...(origin.reason === undefined ? {} : { reason: origin.reason }),
    ...(untrusted ? { untrusted } : {}),
  };
}

/** What is wrong with the pattern of a rule; undefined when nothing is. */
export function patternProblem(rule: Pick<Rule, "verdict" | "kind" | "pattern">): string | undefined {
  const compiled = compilePattern(rule.kind, rule.pattern, NOWHERE, rule.verdict !== "allow");
  return typeof compiled === "string" ? compiled : undefined;
}

function isNamedForThisRun(kind: Rule["kind"], pattern: string, { verdict, layer }: RuleOrigin): boolean {
  return verdict === "allow" && (layer === "flag" || layer === "environment") &&
    (kind === "net" || kind === "write") && !/[*?[{]/u.test(pattern);
}

/** A rule as people read it: `deny read=**\/.env* (preset read-only)`. */
export function describeRule(rule: Rule): string {
  return `${rule.verdict} ${rule.kind}=${rule.pattern} (${rule.source})`;
}
