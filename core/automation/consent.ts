import { isAbsolute, join } from "node:path";
import type { ProgramTurn } from "../api.ts";
import type { CapabilityChange, LinkedGraph, Permissions } from "../domain/automation.ts";
import { escapeForDisplay } from "../domain/display.ts";
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
 * decided by itself. Rejects with `denied` on a no. Disposing takes back what was given for this run alone.
 */
export async function askConsent(options: ConsentOptions): Promise<Disposable> {
  const { graph, mandate, turn, store } = options;
  const permissions = graph.permissions ?? {};
  const nothing = givenOnce([], options);
  if (!turn.attended || Object.keys(permissions).length === 0) return nothing;
  const now = options.now().toISOString();
  // What was given to another run alone says nothing of this one.
  const earlier = store.grants({ now }).filter((grant) =>
    grant.automation === mandate.automation && grant.workspace === graph.root &&
    (grant.session === undefined || grant.session === turn.session)
  );
  if (earlier.some((grant) => grant.graph === graph.hash)) return nothing;
  const asking = await asks(permissions, options);
  if (asking.length === 0) return nothing;
  const question = summary(mandate.automation, permissions, changesSince(earlier, permissions, asking));
  const { text, by } = await turn.ask(question, [ALWAYS, ONCE, NO]);
  const answer = text.trim().toLowerCase();
  if (answer !== ALWAYS && answer !== ONCE) {
    throw new PryxError("denied", `You did not allow ${mandate.automation} what it declares`, {
      fix: "look at what it does, then run it again",
    });
  }
  const grants = grantsFor(asking, options, answer === ALWAYS, by, now);
  for (const grant of grants) {
    store.putGrant(grant);
    store.audit("grant", {
      grant: grant.id,
      needs: grant.needs,
      duration: grant.duration,
      by,
      graph: graph.hash,
    });
  }
  if (answer === ONCE) return givenOnce(grants, options);
  for (const old of earlier) store.revokeGrant(old.id, now);
  return nothing;
}

/** The session of a run is over with it: what was given for it alone would hold for nothing. */
function givenOnce(grants: readonly Grant[], { store, now }: ConsentOptions): Disposable {
  return {
    [Symbol.dispose]() {
      for (const { id } of grants) store.revokeGrant(id, now().toISOString());
    },
  };
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

/**
 * What is asked for now and was not allowed before, and what was and is not declared any more. What policy allows without
 * anybody was never granted, so it is not compared. Undefined where nothing was allowed yet.
 */
function changesSince(
  earlier: readonly Grant[],
  permissions: Permissions,
  asking: readonly Pattern[],
): CapabilityChange[] | undefined {
  if (earlier.length === 0) return undefined;
  const known = permissionsOf(earlier.flatMap(({ needs }) => needs));
  return diffPermissions(known, permissions).filter(({ change, kind, pattern }) =>
    change === "removed" || asking.some((one) => one.kind === kind && one.pattern === pattern)
  );
}

function summary(
  file: string,
  permissions: Permissions,
  changes: readonly CapabilityChange[] | undefined,
): string {
  const name = escapeForDisplay(file);
  const lines = patternsOf(permissions).map(({ kind, pattern }) =>
    `  ${kind.padEnd(5)} ${escapeForDisplay(pattern)}`
  );
  const changed = changes === undefined
    ? [`${name} declares that it may:`, ...lines]
    : changes.length === 0
    ? [`${name} has changed since you allowed it. It still declares that it may:`, ...lines]
    : [
      `${name} has changed since you allowed it:`,
      ...describeChanges(changes, file).map((line) => `  ${line}`),
      "In all it may:",
      ...lines,
    ];
  return [...changed, "Allow that? Always: until the file, or one that it imports, changes."].join("\n");
}

function permissionsOf(needs: readonly Pattern[]): Permissions {
  const kinds: { [K in NeedKind]?: string[] } = {};
  for (const { kind, pattern } of needs) (kinds[kind] ??= []).push(pattern);
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
