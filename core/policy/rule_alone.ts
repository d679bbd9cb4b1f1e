import type { Need } from "../domain/need.ts";
import type { Rule } from "../domain/policy.ts";
import { createPolicy } from "./create_policy.ts";
import { findLinks } from "./find_links.ts";

/** Where patterns and needs belong: absolute, after symlinks. */
interface RulePlace {
  readonly workspace: string;
  readonly home: string;
}

/**
 * True when a rule, were it the only one, would decide these needs: an allow that covers every one of them, a deny or
 * an ask that covers any. Judged by the same engine as a real call; the presets' own rules do not count.
 */
export async function coversAlone(rule: Rule, needs: readonly Need[], place: RulePlace): Promise<boolean> {
  const options = { preset: "read-only", ...place, rules: [rule], protectedPaths: [] } as const;
  const policy = createPolicy({ ...options, links: await findLinks(options) });
  const { judgements } = policy.evaluate(needs, { origin: "model", taint: [], grants: [] });
  // The preset's layer is the only other one. A rule through a symlink is there twice, under both names.
  const covered = judgements.map(({ matched }) => matched.some(({ layer }) => layer !== "preset"));
  if (rule.verdict !== "allow") return covered.includes(true);
  return covered.length > 0 && !covered.includes(false);
}
