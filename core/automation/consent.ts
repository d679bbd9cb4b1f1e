import { isAbsolute, join } from "node:path";
import type { ProgramTurn } from "../api.ts";
import type { LinkedGraph, Permissions } from "../domain/automation.ts";
import { PryxError } from "../domain/error.ts";
import { type GrantId, newId } from "../domain/id.ts";
import { type Need, NEED_KINDS, type NeedKind } from "../domain/need.ts";
import type { Grant, Mandate } from "../domain/policy.ts";
import type { PolicyView } from "../policy/policy.ts";
import type { Store } from "../store/store.ts";
import { describeChanges, diffPermissions } from "./capabilities.ts";

interface ConsentOptions {
  readonly graph: LinkedGraph;
  readonly mandate: Mandate;
  readonly turn: ProgramTurn;
  readonly policy: PolicyView;
  readonly store: Store;
  readonly now: () => Date;
}

const ALWAYS = "always";
const ONCE = "once";
const NO = "no";

/**
 * Before the first run of an automation as it is now: shows a person what it declares, and asks. A yes becomes grants
 * that hold for exactly this graph; denials of policy stay. Where nobody is there nothing is asked: each call then is
 * decided by itself. Rejects with `denied` on a no.
 */
export async function askConsent(options: ConsentOptions): Promise<void> {
  const { graph, mandate, turn, store } = options;
  const permissions = graph.permissions ?? {};
  if (!turn.attended || Object.keys(permissions).length === 0) return;
  const now = options.now().toISOString();
  const earlier = store.grants({ now }).filter((grant) =>
    grant.automation === mandate.automation && grant.workspace === graph.root
  );
  if (earlier.some((grant) => grant.graph === graph.hash)) return;
  const asking = await asks(permissions, options);
  if (asking.length === 0) return;
  const { text, by } = await turn.ask(
    summary(mandate.automation, permissions, { asking, earlier }),
    [ALWAYS, ONCE, NO],
  );
  const answer = text.trim().toLowerCase();
  if (answer !== ALWAYS && answer !== ONCE) {
    throw new PryxError("denied", `You did not allow ${mandate.automation} what it declares`, {
      fix: "look at what it does, then run it again",
    });
  }
  for (const grant of grantsFor(asking, options, answer === ALWAYS, by, now)) {
    store.putGrant(grant);
    store.audit("grant", {
      grant: grant.id,
      needs: grant.needs,
      duration: grant.duration,
      by,
      graph: graph.hash,
    });
    if (answer === ALWAYS) {
      for (const old of earlier) store.revokeGrant(old.id, now);
    }
  }
}

type Pattern = { readonly kind: NeedKind; readonly pattern: string };

/** Patterns of a manifest, kind by kind. */
export function patternsOf(permissions: Permissions): Pattern[] {
  return NEED_KINDS.flatMap((kind) => (permissions[kind] ?? []).map((pattern) => ({ kind, pattern })));
}

/** What policy would ask about. What it allows needs no consent, and what it denies gets none. */
async function asks(permissions: Permissions, { policy, graph }: ConsentOptions): Promise<Pattern[]> {
  const found: Pattern[] = [];
  for (const one of patternsOf(permissions)) {
    const { verdict } = await policy.explain([exampleOf(one, graph.root)], "automation");
    if (verdict === "ask") found.push(one);
  }
  return found;
}

/** The need that stands for a pattern: what it names, or the folder of what its wildcards match. */
function exampleOf({ kind, pattern }: Pattern, root: string): Need {
  if (kind !== "read" && kind !== "write") return { kind, target: pattern };
  const fixed = pattern.replace(/(?:^|\/)[^/]*[*?[{].*$/u, "") || ".";
  return { kind, target: isAbsolute(fixed) || fixed.startsWith("~") ? fixed : join(root, fixed) };
}

function summary(
  name: string,
  permissions: Permissions,
  { asking, earlier }: { readonly asking: readonly Pattern[]; readonly earlier: readonly Grant[] },
): string {
  const lines = patternsOf(permissions).map(({ kind, pattern }) => `  ${kind.padEnd(5)} ${pattern}`);
  // Grants hold only what was asked about: what policy allowed all along is no news.
  const granted = permissionsOf(earlier.flatMap(({ needs }) => needs));
  const changes = [
    ...diffPermissions(granted, permissionsOf(asking)).filter(({ change }) => change === "added"),
    ...diffPermissions(granted, permissions).filter(({ change }) => change === "removed"),
  ];
  const known = describeChanges(changes, name);
  const changed = earlier.length === 0
    ? [`${name} declares that it may:`, ...lines]
    : known.length === 0
    ? [`${name} has changed since you allowed it. It still declares that it may:`, ...lines]
    : [
      `${name} has changed since you allowed it:`,
      ...known.map((line) => `  ${line}`),
      "In all it may:",
      ...lines,
    ];
  return [...changed, "Allow that? Always: until the file, or one that it imports, changes."].join("\n");
}

function permissionsOf(patterns: readonly Pattern[]): Permissions {
  const kinds: { [K in NeedKind]?: string[] } = {};
  for (const { kind, pattern } of patterns) (kinds[kind] ??= []).push(pattern);
  return kinds;
}

function grantsFor(
  needs: readonly Pattern[],
  { graph, mandate, turn }: ConsentOptions,
  always: boolean,
  by: string,
  now: string,
): Grant[] {
  // A host that is spelled out was meant, whatever comes in meanwhile; a wildcard was not.
  const named = needs.filter(({ kind, pattern }) => kind === "net" && !/[*?[{]/u.test(pattern));
  const others = needs.filter((one) => !named.includes(one));
  return [{ needs: named, untrusted: true }, { needs: others, untrusted: false }]
    .filter((one) => one.needs.length > 0)
    .map((one): Grant => ({
      id: newId<GrantId>(Date.parse(now)),
      ...one,
      scope: "workspace",
      workspace: graph.root,
      duration: always ? { kind: "forever" } : { kind: "session" },
      ...(always ? {} : { session: turn.session }),
      uses: 0,
      graph: graph.hash,
      automation: mandate.automation,
      createdAt: now,
      by,
    }));
}
