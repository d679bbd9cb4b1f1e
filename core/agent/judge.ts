import type { Need } from "../domain/need.ts";
import type { Decision, Judgement } from "../domain/policy.ts";
import type { Policy } from "../policy/policy.ts";
import { policyContext } from "./confine.ts";
import type { CallOptions, SessionParts } from "./session_parts.ts";

/** What policy says now; uses of limited grants are counted here, and a grant that ran out in the meantime does not count. */
export function judge(
  parts: SessionParts,
  policy: Policy,
  needs: readonly Need[],
  options: CallOptions,
): Decision {
  const now = parts.now().toISOString();
  const spent = new Set<string>();
  const counted = new Set<string>();
  const context = policyContext(parts, options);
  for (;;) {
    const grants = context.grants.filter(({ id }) => !spent.has(id));
    const decision = policy.evaluate(needs, { ...context, grants });
    const used = new Set(decision.judgements.flatMap((one) => one.grant === undefined ? [] : [one.grant]));
    // What will be asked all the same is counted when it is answered.
    if (decision.verdict !== "allow" || options.suspicious !== undefined) {
      return suspect(decision, options.suspicious);
    }
    let failed = false;
    for (const id of used) {
      if (counted.has(id)) continue;
      if (parts.store.useGrant(id, now)) counted.add(id);
      else {
        spent.add(id);
        failed = true;
      }
    }
    if (!failed) return decision;
  }
}

/** A call that the loop guard stopped asks, whatever allowed it. */
function suspect(decision: Decision, reason: string | undefined): Decision {
  if (reason === undefined || decision.verdict === "deny") return decision;
  const judgements = decision.judgements.map((one): Judgement => ({
    ...one,
    verdict: "ask",
    reason,
    onceOnly: true,
  }));
  return { verdict: "ask", judgements };
}
