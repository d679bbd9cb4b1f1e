import { parseNeed } from "../domain/need.ts";
import type { PresetName, Rule } from "../domain/policy.ts";
import { anchorPattern } from "./_project_files.ts";
import { byStrength, type Source } from "./_sources.ts";

/** The rules of every source, strongest layer first. The hosts of `networkAllowlist` are rules under its preset. */
export function collectRules(sources: readonly Source[], preset: PresetName, workspace: string): Rule[] {
  const rules: Rule[] = [];
  for (const source of byStrength(sources)) {
    for (const verdict of ["deny", "ask", "allow"] as const) {
      for (const [index, text] of (source.values.policy?.[verdict] ?? []).entries()) {
        const rule = ruleOf(source, verdict, text, source.where(["policy", verdict, index]), workspace);
        if (rule) rules.push(rule);
      }
    }
    if (preset !== "network-allowlist") continue;
    for (const [index, host] of (source.values.networkAllowlist ?? []).entries()) {
      const rule = ruleOf(
        source,
        "allow",
        `net=${host}`,
        source.where(["networkAllowlist", index]),
        workspace,
      );
      // The preset is for fetching from these hosts: the first page must not close the way to the second.
      if (rule) rules.push(host.includes("*") ? rule : { ...rule, untrusted: true });
    }
  }
  return rules;
}

function ruleOf(
  source: Source,
  verdict: Rule["verdict"],
  text: string,
  where: string,
  workspace: string,
): Rule | undefined {
  const need = parseNeed(text);
  // Sources with rules that cannot be read were reported and are not here.
  if (typeof need === "string") return undefined;
  const { kind, target } = need;
  const pattern = source.folder === undefined
    ? target
    : anchorPattern(kind, target, source.folder, workspace);
  // Naming a host on the command line says that it may be reached with content from outside in the context, too.
  const untrusted = source.layer === "flag" && verdict === "allow" && kind === "net" && !target.includes("*");
  return { verdict, kind, pattern, layer: source.layer, source: where, ...(untrusted ? { untrusted } : {}) };
}
