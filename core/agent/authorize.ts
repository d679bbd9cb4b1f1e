import type { Unanswered } from "../api.ts";
import type { EventData } from "../domain/event.ts";
import type { ApprovalId, CallId } from "../domain/id.ts";
import { formatNeed, type Need } from "../domain/need.ts";
import type { ApprovalAnswer, Decision, Judgement, Origin, Verdict } from "../domain/policy.ts";
import {
  grantFromAnswer,
  isOnceOnly,
  newApproval,
  personOnlyAsks,
  unapprovedFlags,
} from "../policy/approvals.ts";
import type { Policy } from "../policy/policy.ts";
import { describeRule } from "../policy/rules.ts";
import { judge } from "./judge.ts";
import type { CallOptions, SessionParts } from "./session_parts.ts";

/** How long an approval waits when somebody is there, milliseconds: a day. */
const ATTENDED_WAIT = 86_400_000;

/** An action as policy and people judge it. */
interface Action {
  readonly call: CallId;
  readonly tool: string;
  readonly needs: readonly Need[];
  readonly digest: string;
  readonly summary: string;
}

/** What came of asking: by rule, by grant, or by a person. */
export interface Authority extends Unanswered {
  readonly verdict: "allow" | "deny";
  readonly decision: Decision;
  /** True when a person was asked: time has passed. */
  readonly waited: boolean;
  /** What the person said with a denial. */
  readonly note?: string;
}

/** Nothing was left without an answer. */
export const ANSWERED: Unanswered = { unapproved: [], personOnly: [] };

/** Decides an action: policy first, then, where it asks, a person. Everything is appended and audited. */
export async function authorize(
  parts: SessionParts,
  action: Action,
  options: CallOptions,
): Promise<Authority> {
  const policy = await parts.policy();
  const decision = judge(parts, policy, action.needs, options);
  const canAsk = options.attended || options.approvalTimeoutMs > 0;
  const unapproved = decision.verdict === "ask" && !canAsk;
  record(
    parts,
    action,
    options,
    decision.verdict,
    "policy",
    decision.judgements,
    unapproved ? { unapproved } : {},
  );
  if (decision.verdict === "allow") return { verdict: "allow", decision, waited: false, ...ANSWERED };
  if (decision.verdict === "deny") return { verdict: "deny", decision, waited: false, ...ANSWERED };
  if (unapproved) {
    return {
      verdict: "deny",
      decision,
      waited: false,
      ...unansweredOf(decision, action, options, policy),
    };
  }
  return await askPerson(parts, policy, action, decision, options);
}

function unansweredOf(
  decision: Decision,
  { tool }: Action,
  { suspicious, mandate }: CallOptions,
  policy: Policy,
): Unanswered {
  if (suspicious !== undefined) return { unapproved: [], personOnly: [`${tool}: ${suspicious}`] };
  const declared = mandate && ((need: Need) => policy.declared(need, mandate));
  return { unapproved: unapprovedFlags(decision, declared), personOnly: personOnlyAsks(decision) };
}

async function askPerson(
  parts: SessionParts,
  policy: Policy,
  action: Action,
  decision: Decision,
  options: CallOptions,
): Promise<Authority> {
  const now = parts.now();
  const wait = options.attended ? ATTENDED_WAIT : options.approvalTimeoutMs;
  const onceOnly = isOnceOnly(decision.judgements);
  const approval = newApproval({
    session: parts.session,
    call: action.call,
    digest: action.digest,
    tool: action.tool,
    summary: parts.redact(action.summary),
    judgements: decision.judgements,
    now,
    ttlMs: wait,
  });
  const { id, call, digest, tool, summary, expiresAt } = approval;
  // Stored before it is announced, so that the first answer to the announcement finds it.
  let covering: Decision | undefined;
  const waiting = parts.desk.wait(approval, options.signal, () => {
    const again = judge(parts, policy, action.needs, options);
    if (again.verdict === "allow") covering = again;
    return covering !== undefined;
  });
  // When the announcement cannot be stored, nobody awaits the answer.
  waiting.catch(() => {});
  parts.append([{
    type: "approval.requested",
    turn: options.turn,
    data: {
      approval: id,
      call,
      tool,
      digest,
      summary,
      judgements: shown(decision.judgements),
      onceOnly,
      expiresAt,
    },
  }]);
  const answer = await waiting;
  if (covering) return cover(parts, action, covering, options, id);
  return settle(parts, policy, action, decision, options, id, onceOnly, answer);
}

/** A grant that another answer made covers this action too. */
function cover(
  parts: SessionParts,
  action: Action,
  decision: Decision,
  options: CallOptions,
  approval: ApprovalId,
): Authority {
  const grant = decision.judgements.find((one) => one.grant !== undefined)?.grant;
  parts.append([{
    type: "approval.decided",
    turn: options.turn,
    data: { approval, call: action.call, verdict: "allow", by: "grant", ...(grant ? { grant } : {}) },
  }]);
  record(parts, action, options, "allow", "policy", decision.judgements, { approval });
  return { verdict: "allow", decision, waited: true, ...ANSWERED };
}

function settle(
  parts: SessionParts,
  policy: Policy,
  action: Action,
  decision: Decision,
  options: CallOptions,
  approval: ApprovalId,
  onceOnly: boolean,
  answer: ApprovalAnswer | null,
): Authority {
  const { turn } = options;
  const verdict: "allow" | "deny" = answer?.verdict ?? "deny";
  const by = answer?.by ?? "expired";
  const stored = answer ? parts.store.approval(approval) : undefined;
  const grant = answer && stored && !onceOnly && verdict === "allow"
    ? grantFromAnswer(stored, answer, {
      workspace: parts.workspace,
      session: parts.session,
      now: parts.now().toISOString(),
    })
    : undefined;
  if (verdict === "allow") {
    // Grants that covered a part of the action are used with it.
    const used = new Set(decision.judgements.flatMap((one) => one.grant === undefined ? [] : [one.grant]));
    for (const id of used) parts.store.useGrant(id, parts.now().toISOString());
  }
  if (grant) {
    parts.store.putGrant(grant);
    parts.store.audit("grant", {
      grant: grant.id,
      needs: grant.needs,
      duration: grant.duration,
      by,
      approval,
    });
  }
  const said = {
    ...(grant ? { grant: grant.id } : {}),
    ...(answer?.note === undefined ? {} : { note: answer.note }),
  };
  parts.append([{
    type: "approval.decided",
    turn,
    data: {
      approval,
      call: action.call,
      verdict,
      by,
      ...(answer ? { duration: { ...answer.duration }, scope: answer.scope } : {}),
      ...said,
    },
  }]);
  parts.store.audit("approval", {
    approval,
    session: parts.session,
    call: action.call,
    digest: action.digest,
    verdict,
    by,
  });
  record(parts, action, options, verdict, by, decision.judgements, {
    approval,
    ...(answer?.note === undefined ? {} : { note: answer.note }),
  });
  return {
    verdict,
    decision,
    waited: true,
    ...(answer?.note === undefined ? {} : { note: answer.note }),
    ...(answer ? ANSWERED : unansweredOf(decision, action, options, policy)),
  };
}

function record(
  parts: SessionParts,
  action: Action,
  options: CallOptions,
  verdict: Verdict,
  by: string,
  judgements: readonly Judgement[],
  extra: Partial<EventData<"decision">>,
): void {
  parts.append([{
    type: "decision",
    turn: options.turn,
    data: { call: action.call, verdict, by, judgements: shown(judgements), ...extra },
  }]);
  if (action.needs.length === 0) return;
  parts.store.audit("decision", {
    session: parts.session,
    call: action.call,
    tool: action.tool,
    digest: action.digest,
    verdict,
    by,
    needs: judgements.map((one) => parts.redact(`${one.verdict} ${formatNeed(one.need)}`)),
  });
}

/** Judgements as events show them: the rule as text. */
function shown(judgements: readonly Judgement[]): EventData<"decision">["judgements"] {
  return judgements.map(({ need, verdict, reason, rule, grant }) => ({
    need,
    verdict,
    reason,
    ...(rule ? { rule: describeRule(rule) } : {}),
    ...(grant ? { grant } : {}),
  }));
}

/**
 * What is said of a denial. To a model: enough to go on without it, nothing that teaches a way round. To a person who
 * made the call: why, and nothing else.
 */
export function describeDenial(
  authority: Authority,
  origin: Origin,
  /** Said where no need was at fault. */
  why = "no rule allows it",
): string {
  const stopped = authority.decision.judgements.filter((one) => one.verdict !== "allow");
  const reasons = stopped.map((one) => `${formatNeed(one.need)}: ${one.reason}`).join("; ") || why;
  const nobody = authority.unapproved.length + authority.personOnly.length > 0;
  const advice = (text: string) => origin === "model" || origin === "channel" ? `. ${text}` : "";
  if (nobody) {
    return `Denied: this needs a person's approval, and nobody could give it (${reasons})` +
      advice("Go on without it, and say what was not possible");
  }
  if (!authority.waited) {
    return `Denied by policy (${reasons})` +
      advice("Do not try it another way; go on without it, and say what was not possible");
  }
  return authority.note
    ? `Denied by the person, who says: ${authority.note}`
    : "Denied by the person" + advice("Do not try it another way; go on without it or ask what they prefer");
}
