import type { EventOf, PryxEvent } from "../domain/event.ts";
import { count, dollars, localTime, oneLine, within } from "./_session_text.ts";

export interface TimelineOptions {
  /** Paths inside it are shown relative to it. */
  readonly workspace: string;
  /** Everything that was said and put out; otherwise long texts are cut. */
  readonly full: boolean;
}

/** Lines and characters of a text that is not shown in full. */
const LINES = 8;
const CHARS = 1200;

/** What happened, event by event, for people. Takes nothing but events. */
export function* timeline(events: Iterable<PryxEvent>, options: TimelineOptions): IterableIterator<string> {
  let turns = 0;
  for (const event of events) {
    if (event.type === "turn.started") turns++;
    const text = describe(event, turns, options);
    if (text !== null) yield `${`#${event.seq}`.padEnd(5)} ${text}`;
  }
}

function describe(event: PryxEvent, turn: number, options: TimelineOptions): string | null {
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
      return `turn ${turn} · ${event.data.model} · preset ${event.data.preset}${
        event.data.recorded ? " · recorded model" : ""
      }`;
    case "message": {
      const { text, reasoning, finish } = event.data;
      const thought = options.full && reasoning ? `${body(reasoning)}\n        ---` : "";
      if (text.trim() === "" && thought === "") return null;
      return `agent${finish === "cut" ? " (cut off)" : ""}${thought}${body(text)}`;
    }
    case "tool.requested": {
      const { call, name, summary, args } = event.data;
      return `call ${name} [${call}]${body(summary ?? JSON.stringify(args))}`;
    }
    case "decision":
      return decision(event);
    case "approval.requested":
      return `asked a person [${event.data.call}]: approval ${event.data.approval}, until ${
        localTime(event.data.expiresAt)
      }`;
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
    case "tool.finished": {
      const { call, name, status, ms, exitCode, text, outputFile } = event.data;
      const exit = typeof exitCode === "number" ? `, exit ${exitCode}` : "";
      const whole = outputFile ? body(`[all of it: ${outputFile}]`) : "";
      return `${name} ${status} [${call}] in ${ms} ms${exit}${body(text)}${whole}`;
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
    case "notice":
      return `${event.data.level}: ${oneLine(event.data.text, 500)}`;
    case "turn.ended":
      return ended(event, turn);
    default:
      // Requests and their costs are in the sums; live events are not stored.
      return null;
  }
}

function decision(event: EventOf<"decision">): string {
  const { verdict, by, judgements, unapproved, note, call } = event.data;
  const head = `${verdict} by ${by} [${call}]${unapproved ? ", nobody could answer" : ""}${
    note ? `: ${oneLine(note, 200)}` : ""
  }`;
  const reasons = judgements.map(({ need, verdict, reason }) =>
    `\n        ${verdict} ${need.kind}=${oneLine(need.target, 120)}: ${oneLine(reason, 200)}`
  );
  return head + reasons.join("");
}

function ended(event: EventOf<"turn.ended">, turn: number): string {
  const { status, error, usage, cost, steps, ms, unapproved } = event.data;
  const sums = [
    count(steps, "request"),
    `${count(usage.input, "token")} in, ${usage.output.toLocaleString("en-US")} out`,
    dollars(cost),
    `${(ms / 1000).toFixed(1)} s`,
  ];
  const why = error
    ? `\n        ${error.code}: ${error.message}${error.fix ? `\n        ${error.fix}` : ""}`
    : "";
  const missing = unapproved.length > 0 ? `\n        nobody could approve: ${unapproved.join(", ")}` : "";
  return `turn ${turn} ${status} · ${sums.join(" · ")}${why}${missing}`;
}

/** `text` on lines of its own, indented; cut unless `full`. */
function block(text: string, full: boolean): string {
  const trimmed = text.replace(/\s+$/, "");
  if (trimmed === "") return "";
  let shown = full ? trimmed : trimmed.slice(0, CHARS);
  const lines = shown.split("\n");
  if (!full && lines.length > LINES) shown = lines.slice(0, LINES).join("\n");
  const rest = trimmed.length - shown.length;
  const note = rest > 0 ? `\n        … ${count(rest, "character")} more (--full)` : "";
  return `\n${shown.split("\n").map((line) => `        ${line}`).join("\n")}${note}`;
}
