import type { EventOf, PryxEvent } from "../domain/event.ts";
import { formatNeed, type Need } from "../domain/need.ts";
import { allowFlag, count, dollars, localTime, oneLine, within } from "./_session_text.ts";

/** How much of a session is told. */
interface TimelineOptions {
  /** Paths inside it are shown relative to it. */
  readonly workspace: string;
  /** Everything that was said and put out; otherwise long texts are cut. */
  readonly full: boolean;
  /** Only what came after this number. */
  readonly after: number;
}

/** Lines and characters of a text that is not shown in full. */
const LINES = 8;
const CHARS = 1200;
/** Lines of what a call put out: when all went well, and when it changed a file. */
const OUTPUT_LINES = 3;
const CHANGE_LINES = 16;

interface Turn {
  /** From 1. */
  readonly number: number;
  readonly automation: boolean;
}

/** A call that has begun, with what was decided about it and what it did. */
interface Call {
  readonly requested: EventOf<"tool.requested">;
  readonly lines: string[];
  changed: boolean;
}

/** What happened, for people: a call with its decision and result in one piece, at its end. Takes nothing but events. */
export function* timeline(events: Iterable<PryxEvent>, options: TimelineOptions): IterableIterator<string> {
  const calls = new Map<string, Call>();
  let turn: Turn = { number: 0, automation: false };
  for (const event of events) {
    if (event.type === "turn.started") {
      turn = { number: turn.number + 1, automation: event.data.automation !== undefined };
    }
    if (event.type === "tool.requested") {
      calls.set(event.data.call, { requested: event, lines: [], changed: false });
      continue;
    }
    const call = "call" in event.data ? calls.get(String(event.data.call)) : undefined;
    if (event.type === "tool.finished") calls.delete(event.data.call);
    const text = event.type === "tool.finished"
      ? finished(event, call, options)
      : describe(event, turn, options);
    if (text === null) continue;
    if (call && event.type !== "tool.finished") {
      call.lines.push(text);
      if (event.type === "file.changed") call.changed = true;
    } else if (event.seq > options.after) yield numbered(event, text);
  }
  for (const { requested, lines } of calls.values()) {
    const { name, title = "" } = requested.data;
    const text = `… ${name} ${oneLine(title, 100)}  not finished${lines.map(indented).join("")}`;
    if (requested.seq > options.after) yield numbered(requested, text);
  }
}

function numbered({ seq }: PryxEvent, text: string): string {
  return `${`#${seq}`.padEnd(5)} ${text}`;
}

function indented(text: string): string {
  return text.split("\n").map((line) => `\n        ${line}`).join("");
}

const MARKS = { done: "✓", failed: "✗", denied: "⊘", cancelled: "■", interrupted: "■" } as const;

function finished(
  { data }: EventOf<"tool.finished">,
  call: Call | undefined,
  { full }: TimelineOptions,
): string {
  const { name, status, ms, exitCode, outputFile } = data;
  const title = oneLine(call?.requested.data.title ?? "", 100);
  const notes = [
    ...(status === "done" || status === "failed" && typeof exitCode === "number" ? [] : [status]),
    ...(typeof exitCode === "number" ? [`exit ${exitCode}`] : []),
    ...(status === "denied" ? [] : [ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`]),
  ];
  const head = `${MARKS[status]} ${name}${title === "" ? "" : ` ${title}`}  ${notes.join(" · ")}`;
  const asked = full ? block(call?.requested.data.summary ?? "", full) : "";
  // The text of a denial is meant for the model; the decision says the same to people.
  const told = status === "denied" && call && !full ? "" : data.text.replace(/\n*\[exit code \d+\]\s*$/, "");
  const lines = call?.changed ? CHANGE_LINES : status === "done" ? OUTPUT_LINES : LINES;
  const whole = outputFile ? indented(`[all of it: ${outputFile}]`) : "";
  return `${head}${asked}${call?.lines.map(indented).join("") ?? ""}${block(told, full, lines)}${whole}`;
}

function describe(event: PryxEvent, turn: Turn, options: TimelineOptions): string | null {
  const body = (text: string) => block(text, options.full);
  switch (event.type) {
    case "session.created": {
      const { parent, forkedAt } = event.data;
      const from = parent === undefined ? "" : `, forked from ${parent} at #${forkedAt}`;
      return `${localTime(event.at, "second")}  session began${from}`;
    }
    case "input": {
      const { principal, surface, steering, text, context } = event.data;
      const about = steering ? " while the turn ran" : "";
      const beside = context ? body(`[beside it: ${count(context.length, "character")}]`) : "";
      return `${localTime(event.at, "second")}  ${principal} (${surface})${about}${body(text)}${beside}`;
    }
    case "turn.started":
      return `turn ${turn.number} · ${
        turn.automation ? "automation" : event.data.model
      } · preset ${event.data.preset}${event.data.recorded ? " · recorded model" : ""}`;
    case "message": {
      const { text, reasoning, finish } = event.data;
      const thought = options.full && reasoning ? `${body(reasoning)}\n        ---` : "";
      if (text.trim() === "" && thought === "") return null;
      return `agent${finish === "cut" ? " (cut off)" : ""}${thought}${body(text)}`;
    }
    case "decision":
      return decision(event, options.workspace);
    case "approval.requested":
      return `asked a person: approval ${event.data.approval}, until ${localTime(event.data.expiresAt)}`;
    case "approval.decided": {
      const { verdict, by, note } = event.data;
      return `${by} answered: ${verdict}${note ? ` (${oneLine(note, 200)})` : ""}`;
    }
    case "question.asked":
      return `the agent asks${body(event.data.text)}`;
    case "question.answered":
      return `${event.data.by} answers${body(event.data.text)}`;
    case "file.changed": {
      const { path, before, after, kept } = event.data;
      const what = after === null ? "removed" : kept !== false && before === null ? "added" : "changed";
      return `file ${what}: ${within(options.workspace, path)}${
        kept === false ? " (not kept: cannot be undone)" : ""
      }`;
    }
    case "model.retried":
      return `request ${event.data.attempt} failed, tried again after ${event.data.waitMs} ms: ${
        oneLine(event.data.reason, 200)
      }`;
    case "compaction":
      return `what came before #${event.data.keepFrom} was summarised (${event.data.tokensBefore} → ${event.data.tokensAfter} tokens)${
        options.full ? body(event.data.summary) : ""
      }`;
    case "undone":
      return `undone by a person: ${
        event.data.paths.map((path) => within(options.workspace, path)).join(", ")
      }`;
    case "log": {
      const { level, text, data } = event.data;
      return `${level}: ${oneLine(data === undefined ? text : `${text} ${JSON.stringify(data)}`, 500)}`;
    }
    case "notice":
      return `${event.data.level}: ${oneLine(event.data.text, 500)}`;
    case "turn.ended":
      return ended(event, turn, options);
    default:
      // Requests and their costs are in the sums; live events are not stored.
      return null;
  }
}

/** One line a need; then, where nobody could answer, what would have let it through. */
function decision({ data }: EventOf<"decision">, workspace: string): string {
  const { verdict, by, judgements, unapproved, note } = data;
  if (by !== "policy") {
    const needs = judgements.map(({ need }) => target(need, workspace)).join(", ");
    return `${verdict} by ${by}${needs === "" ? "" : `: ${needs}`}${note ? ` (${oneLine(note, 200)})` : ""}`;
  }
  const lines = judgements.map(({ need, verdict, reason }) =>
    `${verdict} ${target(need, workspace)}: ${oneLine(reason, 200)}`
  );
  if (judgements.length === 0) lines.push(`${verdict}: needs nothing`);
  if (unapproved) {
    const flags = judgements.flatMap(({ need, verdict }) => verdict === "ask" ? [allowFlag(need)] : []);
    lines.push("nobody could answer; this would have allowed it:", `  ${flags.join(" ")}`);
  }
  return lines.join("\n");
}

function target(need: Need, workspace: string): string {
  const shown = need.target === workspace ? "." : within(workspace, need.target);
  return oneLine(formatNeed({ kind: need.kind, target: shown }), 120);
}

function ended(event: EventOf<"turn.ended">, turn: Turn, { full }: TimelineOptions): string {
  const { status, text, error, usage, cost, steps, ms, unapproved } = event.data;
  const sums = [
    // An automation that asks no agent takes no model.
    ...(steps === 0 && usage.input + usage.output === 0 ? [] : [
      count(steps, "request"),
      `${count(usage.input, "token")} in, ${usage.output.toLocaleString("en-US")} out`,
      dollars(cost),
    ]),
    `${(ms / 1000).toFixed(1)} s`,
  ];
  const why = error
    ? `\n        ${error.code}: ${error.message}${error.fix ? `\n        ${error.fix}` : ""}`
    : "";
  const missing = unapproved.length > 0 ? indented(`nobody could approve: ${unapproved.join(", ")}`) : "";
  // What a model answered is a message of its own; what an automation printed stands nowhere else.
  const printed = turn.automation && text !== "" ? `; it printed:${block(text, full)}` : "";
  return `turn ${turn.number} ${status} · ${sums.join(" · ")}${printed}${why}${missing}`;
}

/** `text` on lines of its own, indented; cut unless `full`. */
function block(text: string, full: boolean, most = LINES): string {
  const trimmed = text.replace(/\s+$/, "");
  if (trimmed === "") return "";
  let shown = full ? trimmed : trimmed.slice(0, CHARS);
  const lines = shown.split("\n");
  if (!full && lines.length > most) shown = lines.slice(0, most).join("\n");
  const rest = trimmed.length - shown.length;
  const note = rest > 0 ? `\n        … ${count(rest, "character")} more (--full)` : "";
  return indented(shown) + note;
}
