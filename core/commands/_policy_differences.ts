import { formatNeed } from "../domain/need.ts";
import type { Decision, Judgement, Verdict } from "../domain/policy.ts";
import type { SessionRow } from "../store/store.ts";
import type { RecordedDecision } from "./_recorded_decisions.ts";
import { count, localTime, oneLine } from "./_session_text.ts";

/** A verdict, the need it came from, and the rule, grant or default that made it. */
interface Side {
  readonly verdict: Verdict;
  readonly need: string;
  readonly because: string;
}

/** Decisions of one session about the same action that would differ in the same way. */
interface Difference {
  readonly session: string;
  readonly workspace: string;
  readonly at: string;
  readonly tool: string;
  readonly action: string;
  readonly was: Side;
  readonly wouldBe: Side;
  /** Sequence numbers of the decisions. */
  readonly seqs: number[];
}

/** Longest action that is kept, characters: a command line may hold a whole program. */
const MAX_ACTION = 500;
/** Collects what differs, the same of one session together. */
export function createDifferences() {
  const differences = new Map<string, Difference>();
  return {
    add: (session: SessionRow, was: RecordedDecision, now: Decision) => note(differences, session, was, now),
    all: (): readonly Difference[] => [...differences.values()],
  };
}

function note(
  differences: Map<string, Difference>,
  session: SessionRow,
  was: RecordedDecision,
  now: Decision,
): void {
  if (was.verdict === now.verdict) return;
  const action = was.action.length > MAX_ACTION ? `${was.action.slice(0, MAX_ACTION)}…` : was.action;
  const sides = sidesOf(was, now);
  const key = JSON.stringify([session.id, was.tool, action, sides]);
  const known = differences.get(key);
  if (known) return void known.seqs.push(was.seq);
  differences.set(key, {
    session: session.id,
    workspace: session.workspace,
    at: was.at,
    tool: was.tool,
    action,
    ...sides,
    seqs: [was.seq],
  });
}

const SEVERITY = { allow: 0, ask: 1, deny: 2 } as const;

/** Both verdicts, explained by the need that the stricter of them came from. */
function sidesOf(was: RecordedDecision, now: Decision): { was: Side; wouldBe: Side } {
  const stricter = SEVERITY[was.verdict] > SEVERITY[now.verdict] ? was : now;
  const found = stricter.judgements.findIndex(({ verdict }) => verdict === stricter.verdict);
  const at = Math.max(0, found);
  const before = was.judgements[at];
  const after = now.judgements[at];
  const need = before === undefined ? "" : formatNeed(before.need);
  return {
    was: {
      verdict: was.verdict,
      need,
      because: (before?.grant === undefined ? before?.rule : undefined) ?? before?.reason ?? "",
    },
    wouldBe: { verdict: now.verdict, need, because: after === undefined ? "" : because(after) },
  };
}

/** In the form in which decisions are recorded. */
function because({ rule, grant, reason }: Judgement): string {
  if (rule === undefined || grant !== undefined) return reason;
  return `${rule.verdict} ${formatNeed({ kind: rule.kind, target: rule.pattern })} (${rule.source})`;
}

/** For people: by what changed, then one line for each action. */
export function differenceLines(differences: readonly Difference[]): string[] {
  const byChange = Map.groupBy(
    differences,
    ({ was, wouldBe }) => JSON.stringify([was.verdict, was.because, wouldBe.verdict, wouldBe.because]),
  );
  return [...byChange.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const amount = same.reduce((sum, { seqs }) => sum + seqs.length, 0);
    return [
      `${first.was.verdict} → ${first.wouldBe.verdict}  ${count(amount, "decision")}`,
      `  was       ${first.was.because}`,
      `  would be  ${first.wouldBe.because}`,
      ...same.map(differenceLine),
      "",
    ];
  });
}

function differenceLine({ session, at, tool, action, was, seqs }: Difference): string {
  const times = seqs.length > 1 ? `  ×${seqs.length}` : "";
  const what = oneLine(`${tool} ${action}`, 90);
  const need = what.endsWith(was.need.slice(was.need.indexOf("=") + 1)) ? "" : `  (${oneLine(was.need, 60)})`;
  return `    ${localTime(at)}  ${session}  ${what}${need}${times}`;
}

/** For people: the folders whose sessions could not be judged. */
export function skippedLines(
  skipped: readonly { readonly workspace: string; readonly because: string }[],
): string[] {
  const byFolder = Map.groupBy(skipped, ({ workspace }) => workspace);
  const lines = [...byFolder].map(([workspace, { length, 0: first }]) =>
    `not judged: ${count(length, "session")} of ${workspace}: ${oneLine(first?.because ?? "", 110)}`
  );
  return lines.length === 0 ? [] : [...lines, ""];
}
