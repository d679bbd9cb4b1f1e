import { parseNeed } from "../domain/need.ts";
import type { PresetName, Rule, RuleExample } from "../domain/policy.ts";
import type { KeyPath } from "./_document.ts";
import { anchorPattern } from "./_project_files.ts";
import { byStrength, type Source } from "./_sources.ts";
import type { RuleValue } from "./schema.ts";

/** The rules of every source, strongest layer first. The hosts of `networkAllowlist` are rules under its preset. */
export function collectRules(sources: readonly Source[], preset: PresetName, workspace: string): Rule[] {
  const rules: Rule[] = [];
  for (const source of byStrength(sources)) {
    for (const verdict of ["deny", "ask", "allow"] as const) {
      for (const [index, value] of (source.values.policy?.[verdict] ?? []).entries()) {
        const rule = entryOf(source, verdict, value, ["policy", verdict, index], workspace);
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

/** An entry of a list: the rule alone, or with its examples and reason. */
function entryOf(
  source: Source,
  verdict: Rule["verdict"],
  value: RuleValue,
  path: KeyPath,
  workspace: string,
): Rule | undefined {
  const where = source.where(path);
  if (typeof value === "string") return ruleOf(source, verdict, value, where, workspace);
  const rule = ruleOf(source, verdict, value.rule, where, workspace);
  const examples = [
    ...examplesOf(source, value.match, [...path, "match"], true),
    ...examplesOf(source, value.not_match, [...path, "not_match"], false),
  ];
  return rule && {
    ...rule,
    ...(value.reason === undefined ? {} : { reason: value.reason }),
    ...(examples.length === 0 ? {} : { examples }),
  };
}

function examplesOf(
  source: Source,
  texts: readonly string[] = [],
  path: KeyPath,
  matches: boolean,
): RuleExample[] {
  return texts.map((text, index) => ({ text, matches, source: source.where([...path, index]) }));
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
