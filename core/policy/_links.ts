import { escapeGlob } from "./_glob.ts";
import { baseOf, isWithin, type PathPattern, type Place } from "./_path_pattern.ts";
import { compilePattern } from "./_pattern.ts";
import type { RuleSource } from "./presets.ts";

/**
 * Rules beside those whose path goes through a symlink, for where it leads: needs name files after symlinks, people
 * name them before. `links`: from the paths of rules to where they lead.
 */
export function linkedSources(
  sources: readonly RuleSource[],
  place: Place,
  links: ReadonlyMap<string, string> | undefined,
): RuleSource[] {
  if (!links?.size) return [];
  return sources.flatMap((source): RuleSource[] => {
    const base = ruleBase(source, place);
    const to = base === undefined ? undefined : links.get(base);
    const path = to === undefined ? undefined : pathOf(source, place);
    if (!path || to === undefined || isWithin(to, path.base)) return [];
    const globs = path.literal !== undefined
      ? [""]
      : path.within(path.base).slice(0, 1).map((glob) => glob.slice(escapeGlob(path.base).length));
    const except = source.except?.map((folder) => links.get(folder) ?? folder);
    return globs.map((rest) => ({
      ...source,
      ...(except ? { except } : {}),
      rule: {
        ...source.rule,
        pattern: escapeGlob(to) + rest,
        reason: [source.rule.reason, `where ${source.rule.pattern} leads`].filter(Boolean).join("; "),
      },
    }));
  });
}

/** The path of a rule before its first wildcard; undefined for rules that hold anywhere, or not of paths. */
export function ruleBase({ rule }: RuleSource, place: Place): string | undefined {
  if (rule.kind !== "read" && rule.kind !== "write") return undefined;
  return baseOf(rule.pattern, place, rule.verdict !== "allow");
}

function pathOf({ rule }: RuleSource, place: Place): PathPattern | undefined {
  const pattern = compilePattern(rule.kind, rule.pattern, place, rule.verdict !== "allow");
  return typeof pattern === "string" ? undefined : pattern.path;
}
