import type { Need } from "../domain/need.ts";
import type { SandboxGrants, Verdict } from "../domain/policy.ts";
import { isWithin, outermost } from "./_path_pattern.ts";
import { type Subject, subjectOf } from "./_pattern.ts";
import type { CompiledRule } from "./_rule_index.ts";
import { type CompiledPolicy, isDenied } from "./evaluate.ts";

/**
 * Turns needs that were allowed into the folders and files that the sandbox opens, and what stays closed inside them.
 *
 * `read`, `write`: absolute, resolved paths. A need that a folder rule allows opens that whole folder (a worker can
 * then serve many calls); any other need opens exactly its own path. A root covers everything below it.
 *
 * `denied`: what a rule denies, or asks about, inside those roots. Each entry is an absolute path, which covers
 * everything below it, or an absolute glob for picomatch with `{dot: true}` (`/ws/**\/.env*`, and beside it
 * `/ws/**\/.env*\/**` for what is below); the special characters of names in it are escaped with `\`. `denied` wins
 * over the roots. An entry that would close the very path of a need is left out, and that need then opens only its
 * own path: a secret file named by a person's rule, an example file among secret ones, a kept output, what a person
 * was asked about. A denial that nothing lifts stays, whoever allowed the need: this is a check of its own.
 */
export function expand(needs: readonly Need[], policy: CompiledPolicy): SandboxGrants {
  const read = new Set<string>();
  const write = new Set<string>();
  const denied = new Set<string>();
  for (const need of needs) {
    if (need.kind !== "read" && need.kind !== "write") continue;
    // Not wanted, or no more than a folder that a shell changes to.
    if (need.reach !== undefined || need.enter) continue;
    const subject = subjectOf(need, policy.place);
    if (!subject.path) continue;
    const root = rootOf(subject, policy);
    (need.kind === "read" ? read : write).add(root.path);
    for (const entry of root.denied) denied.add(entry);
  }
  return {
    read: outermost([...read].sort()),
    write: outermost([...write].sort()),
    denied: [...denied].sort(),
  };
}

interface Root {
  readonly path: string;
  readonly denied: readonly string[];
}

function rootOf(subject: Subject, policy: CompiledPolicy): Root {
  const path = subject.path?.path ?? "/";
  const kind = subject.need.kind === "read" ? "read" : "write";
  const covering = policy.index[kind].find(subject);
  const folder = folderRule(covering) ?? openFolder(path, kind, policy);
  if (folder) {
    const closing = closed(kind, folder.path, folder.layer, policy);
    // No rule but the folder's may speak of this path, and no entry may close it.
    if (!closing.some((rule) => closes(rule, subject))) {
      return { path: folder.path, denied: entries(closing, folder.path) };
    }
  }
  const closing = closed(kind, path, Infinity, policy);
  const denied = entries(closing.filter((rule) => !closes(rule, subject)), path);
  return { path, denied: isDenied(subject, covering) ? [...denied, path] : denied };
}

/** The strongest allow that names a folder around the subject; of one layer the outermost. */
function folderRule(covering: readonly CompiledRule[]): { path: string; layer: number } | undefined {
  let best: { path: string; layer: number } | undefined;
  for (const { rule, pattern, layer } of covering) {
    const literal = pattern.path?.literal;
    if (rule.verdict !== "allow" || literal === undefined) continue;
    if (!best || (layer === best.layer && literal.length < best.path.length)) best = { path: literal, layer };
  }
  return best;
}

/** Where the preset allows everything, the workspace is the folder of what is in it. */
function openFolder(path: string, kind: "read" | "write", policy: CompiledPolicy) {
  const { workspace } = policy.place;
  return policy.defaults[kind] === "allow" && isWithin(path, workspace)
    ? { path: workspace, layer: Infinity }
    : undefined;
}

/** Rules that narrow `kind` somewhere in `folder` and are not overruled by an allow of `layer`. */
function closed(
  kind: "read" | "write",
  folder: string,
  layer: number,
  policy: CompiledPolicy,
): CompiledRule[] {
  return policy.rules.filter(({ rule, pattern, layer: own }) => {
    const verdict: Verdict = rule.verdict;
    if (verdict === "allow" || !pattern.path || pattern.path.within(folder).length === 0) return false;
    if (rule.kind !== kind && !(verdict === "deny" && kind === "write" && rule.kind === "read")) return false;
    return verdict === "deny" || own <= layer || rule.layer === "preset";
  });
}

/** True when an entry of the rule would close the subject, its exceptions apart: entries cannot say those. */
function closes({ pattern }: CompiledRule, subject: Subject): boolean {
  return pattern.matches(subject);
}

function entries(rules: readonly CompiledRule[], folder: string): string[] {
  return rules.flatMap(({ pattern }) => [...pattern.path?.within(folder) ?? []]);
}
