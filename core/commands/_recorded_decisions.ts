import type { EventData } from "../domain/event.ts";
import type { Grant, Origin } from "../domain/policy.ts";
import type { SessionRow, Store } from "../store/store.ts";

/** What policy decided about a call, and all that it depended on beside the rules. */
export interface RecordedDecision {
  readonly seq: number;
  readonly at: string;
  readonly tool: string;
  /** The action in one line. */
  readonly action: string;
  readonly origin: Origin;
  /** Sources of content from outside that was in the session's context. */
  readonly taint: readonly string[];
  readonly judgements: EventData<"decision">["judgements"];
  readonly verdict: EventData<"decision">["verdict"];
}

interface Call {
  readonly name: string;
  readonly title: string;
  readonly origin: Origin;
}

/** What the loop guard says in place of policy: it asks whatever the rules say, and would again. */
const LOOP_GUARD = /^the model makes this same call \d+ times in a row$/u;

/**
 * The decisions of a session that policy itself made, oldest first, one at a time. What a person answered is not among
 * them. A fork's share of its parent's events is left out when `parentIsRead`: they are the parent's.
 */
export function* recordedDecisions(
  store: Store,
  session: SessionRow,
  options: { readonly since?: string; readonly parentIsRead: boolean },
): Generator<RecordedDecision> {
  const calls = new Map<string, Call>();
  let taint: { readonly seq: number; readonly source: string }[] = [];
  let shared = 0;
  for (const event of store.events(session.id)) {
    switch (event.type) {
      case "session.created":
        if (options.parentIsRead) shared = event.data.forkedAt ?? 0;
        break;
      case "tool.requested": {
        const { call, name, title = "", origin } = event.data;
        calls.set(call, { name, title, origin });
        break;
      }
      case "tool.finished":
        calls.delete(event.data.call);
        if (event.data.taints) taint = [...taint, { seq: event.seq, source: event.data.taints }];
        break;
      case "compaction": {
        const { keepFrom } = event.data;
        taint = taint.filter(({ seq }) => seq >= keepFrom);
        break;
      }
      case "decision": {
        const { call, by, verdict, judgements } = event.data;
        const asked = calls.get(call);
        const isOld = options.since !== undefined && event.at < options.since;
        if (by !== "policy" || event.seq <= shared || isOld) break;
        if (judgements.some(({ reason }) => LOOP_GUARD.test(reason))) break;
        yield {
          seq: event.seq,
          at: event.at,
          tool: asked?.name ?? "",
          action: asked?.title ?? "",
          origin: asked?.origin ?? "model",
          taint: taint.map(({ source }) => source),
          judgements,
          verdict,
        };
      }
    }
  }
}

/**
 * The grants that were valid when a decision was made. Of one that holds for so many uses it is not known how many were
 * left: it counts where the decision cites it.
 */
export function grantsThen(
  all: readonly Grant[],
  session: Pick<SessionRow, "id" | "workspace">,
  decision: Pick<RecordedDecision, "at" | "judgements">,
): Grant[] {
  const cited = new Set(decision.judgements.map(({ grant }) => grant));
  return all.filter((grant) => cited.has(grant.id) || wasValid(grant, session, decision.at))
    .map(({ usesLeft: _, revokedAt: __, ...grant }) => grant);
}

function wasValid(grant: Grant, session: Pick<SessionRow, "id" | "workspace">, at: string): boolean {
  if (grant.usesLeft !== undefined || grant.createdAt >= at) return false;
  if (grant.revokedAt !== undefined && grant.revokedAt <= at) return false;
  if (grant.duration.kind === "until" && grant.duration.at <= at) return false;
  return (grant.session === undefined || grant.session === session.id) &&
    (grant.workspace === undefined || grant.workspace === session.workspace);
}
