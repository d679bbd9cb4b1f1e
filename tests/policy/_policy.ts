import { formatNeed, type Need, parseNeed } from "../../core/domain/need.ts";
import type { GrantId } from "../../core/domain/id.ts";
import type { Grant, Layer, PresetName, Rule, Verdict } from "../../core/domain/policy.ts";
import { createPolicy, type PolicyOptions } from "../../core/policy/create_policy.ts";
import type { Policy, PolicyContext } from "../../core/policy/policy.ts";
import { parseRule } from "../../core/policy/rules.ts";

/** `flag allow read=src`, `user deny run=rm`. */
export function rule(text: string): Rule {
  const [layer, verdict, ...rest] = text.split(" ");
  const parsed = parseRule(rest.join(" "), {
    layer: layer as Layer,
    verdict: verdict as Verdict,
    source: `test ${layer}`,
  });
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}

export function policyWith(
  preset: PresetName,
  rules: readonly string[] = [],
  more: Partial<PolicyOptions> = {},
): Policy {
  return createPolicy({
    preset,
    workspace: "/ws",
    home: "/home/u",
    rules: rules.map(rule),
    protectedPaths: [
      "/home/u/.config/pryx",
      "/home/u/.local/share/pryx",
      "/home/u/.local/state/pryx",
      "/opt/pryx",
    ],
    readablePaths: ["/home/u/.local/state/pryx/outputs"],
    ignoreCase: false,
    ...more,
  });
}

/** `read=/ws/a`, as a need whose target is already absolute. Commands get a system executable. */
export function need(text: string): Need {
  const parsed = parseNeed(text);
  if (typeof parsed === "string") throw new Error(parsed);
  if (parsed.kind !== "run") return parsed;
  const argv = parsed.target.split(" ");
  return { ...parsed, argv, executable: `/usr/bin/${argv[0]}`, inWritableFolder: false };
}

export const CALM: PolicyContext = { origin: "model", taint: [], grants: [] };
export const TAINTED: PolicyContext = { ...CALM, taint: ["https://evil.example/"] };

export function grant(needs: readonly string[], more: Partial<Grant> = {}): Grant {
  return {
    id: "grant0001" as GrantId,
    needs: needs.map((text) => {
      const [kind = "", ...rest] = text.split("=");
      return { kind: kind as Need["kind"], pattern: rest.join("=") };
    }),
    scope: "host",
    duration: { kind: "forever" },
    uses: 0,
    untrusted: false,
    createdAt: "2026-01-01T00:00:00.000Z",
    by: "human:test",
    ...more,
  };
}

export function verdictOf(policy: Policy, text: string, context: PolicyContext = CALM): Verdict {
  return policy.evaluate([need(text)], context).verdict;
}

export { formatNeed };
