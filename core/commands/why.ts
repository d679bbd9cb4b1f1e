import type { EventOf, PryxEvent } from "../domain/event.ts";
import type { Json } from "../domain/schema.ts";
import type { SessionRow, Store } from "../store/store.ts";
import { pickSession } from "./_pick_session.ts";
import { allowFlag, localTime, oneLine, statusOf } from "./_session_text.ts";
import { type Command, defineCommand } from "./command.ts";

/** One thing that went wrong in a turn, and what to do about it. */
interface Failure {
  readonly what: string;
  readonly because: string;
  readonly fix?: string;
}

interface Report {
  readonly session: SessionRow;
  readonly asked: string;
  readonly at: string;
  readonly status: string;
  readonly failures: readonly Failure[];
}

/** How many sessions back a failure is looked for when none is named. */
const LOOK_BACK = 50;

export const commands: readonly Command[] = [defineCommand({
  name: "why",
  summary: "Explain the last failure, or that of a session",
  description: "One screen: what failed, which rule or error stopped it, and what would have let it through.",
  input: {
    type: "object",
    properties: {
      id: { type: "string", description: "Session; default: the last one in this folder with a failure" },
    },
  },
  positionals: ["id"],
  examples: [
    { line: "pryx why", note: "The last failure here" },
    { line: "pryx why 3f9k", note: "The last turn of a session, by the beginning or end of its id" },
  ],
  async run(input, ctx) {
    const store = await ctx.store({ reading: true });
    const report = input.id === undefined
      ? lastFailure(store, ctx.cwd)
      : reportOf(store, pickSession(store, input.id, ctx.cwd));
    if (!report) return { data: null, text: "Nothing has failed here." };
    return { data: report as unknown as Json, text: render(report) };
  },
})];

function lastFailure(store: Store, workspace: string): Report | undefined {
  const here = store.sessions({ workspace, limit: LOOK_BACK });
  for (const session of here.length > 0 ? here : store.sessions({ limit: LOOK_BACK })) {
    const report = reportOf(store, session);
    if (report.failures.length > 0) return report;
  }
  return undefined;
}

/** The last turn of a session: what was asked and what went wrong. */
function reportOf(store: Store, session: SessionRow): Report {
  let turn: PryxEvent[] = [];
  let asked = "";
  for (const event of store.events(session.id)) {
    if (event.type === "input" && event.data.steering !== true) {
      turn = [];
      asked = event.data.text;
    }
    turn.push(event);
  }
  const end = turn.findLast((event) => event.type === "turn.ended");
  const dead = end === undefined && turn.length > 0 && statusOf(session) === "interrupted";
  return {
    session,
    asked,
    at: end?.at ?? session.updatedAt,
    status: end?.data.status ?? (dead ? "interrupted" : "running"),
    failures: [...(dead ? [cutOff(turn)] : []), ...failuresOf(turn, end)],
  };
}

/** A turn without an end whose process is gone. */
function cutOff(turn: readonly PryxEvent[]): Failure {
  const finished = new Set(turn.map((event) => event.type === "tool.finished" ? event.data.call : ""));
  const open = turn.flatMap((event) =>
    event.type === "tool.requested" && !finished.has(event.data.call)
      ? [`${event.data.name} ${event.data.title ?? ""}`.trim()]
      : []
  );
  const during = open.length === 0 ? "" : `; under way: ${open.map((one) => oneLine(one, 60)).join(", ")}`;
  return {
    what: "The turn was cut off",
    because: `the process of pryx ended in the middle of it${during}`,
    fix: "look at what was done in part, then run it again",
  };
}

function failuresOf(turn: readonly PryxEvent[], end: EventOf<"turn.ended"> | undefined): Failure[] {
  const failures: Failure[] = [];
  const error = end?.data.error;
  if (error) {
    failures.push({
      what: `The turn ${end.data.status === "cancelled" ? "was cancelled" : "failed"} (${error.code})`,
      because: error.message,
      ...(error.fix === undefined ? {} : { fix: error.fix }),
    });
  }
  /** Calls that failed: often what the agent then repaired. */
  const onTheWay: Failure[] = [];
  const titles = new Map<string, string>();
  for (const event of turn) {
    if (event.type === "tool.requested") {
      titles.set(event.data.call, `${event.data.name} ${event.data.title ?? ""}`.trim());
    }
    if (event.type === "decision") {
      failures.push(...denialsOf(event, titles.get(event.data.call) ?? event.data.call));
    }
    if (
      event.type === "tool.finished" &&
      (event.data.status === "failed" || event.data.status === "interrupted")
    ) {
      const what = `${titles.get(event.data.call) ?? event.data.name}: ${event.data.status}`;
      onTheWay.push({ what, because: lastLines(event.data.text) });
    }
  }
  return [...failures, ...onTheWay];
}

function denialsOf(event: EventOf<"decision">, title: string): Failure[] {
  const { verdict, unapproved, by, judgements, note } = event.data;
  if (verdict !== "deny" && unapproved !== true) return [];
  return judgements.filter((one) => one.verdict !== "allow").map((one): Failure => {
    if (by !== "policy") return { what: `${title}: denied by ${by}`, because: note ?? one.reason };
    const rule = one.rule === undefined || one.reason.includes(one.rule) ? "" : ` (rule ${one.rule})`;
    return {
      what: `${title}: denied`,
      because: one.reason + rule + (one.verdict === "ask" ? ", and nobody was there to answer" : ""),
      fix: one.verdict === "ask"
        ? allowFlag(one.need)
        : "change that rule, or leave it: a deny is final (pryx policy explain)",
    };
  });
}

function render(report: Report): string {
  const { session, asked, at, status, failures } = report;
  const lines = [
    `Session ${session.id}  ${localTime(at)}  ${status}`,
    `Asked: ${oneLine(asked, 110)}`,
    "",
  ];
  if (failures.length === 0) lines.push("Nothing failed in its last turn.", "");
  for (const { what, because, fix } of failures.slice(0, 8)) {
    lines.push(oneLine(what, 110), `  because  ${because.split("\n").join("\n           ")}`);
    if (fix !== undefined) lines.push(`  fix      ${fix}`);
    lines.push("");
  }
  if (failures.length > 8) lines.push(`… and ${failures.length - 8} more`, "");
  lines.push(`All of it: pryx sessions show ${session.id}`);
  return lines.join("\n");
}

function lastLines(text: string): string {
  return text.trim().split("\n").filter((line) => line.trim() !== "").slice(-4).join("\n");
}
