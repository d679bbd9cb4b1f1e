import type { EventData } from "../core/domain/event.ts";
import { formatNeed } from "../core/domain/need.ts";
import type { CallView } from "./run_view.ts";
import { formatMs, shellQuote } from "./format.ts";
import { cut, sanitizeLine } from "./sanitize.ts";
import type { Style } from "./style.ts";

const TITLE_CHARS = 100;

/**
 * One line about a call that has ended: `✓ shell sh ./check.sh  12 ms`. A denial says by which rule, and which flag would
 * have allowed it.
 */
export function toolLine(data: EventData<"tool.finished">, call: CallView | undefined, style: Style): string {
  const title = call ? cut(sanitizeLine(call.title), TITLE_CHARS) : "";
  const name = sanitizeLine(data.name);
  // Most tools begin their title with what they do; then the name says nothing more.
  const head = `${mark(data.status, style)} ${style.bold(name)}${title && title !== name ? ` ${title}` : ""}`;
  const notes = [
    ...approvedBy(call?.decision),
    ...(typeof data.exitCode === "number" ? [exitNote(data.exitCode, style)] : []),
    ...(data.status === "denied" ? [] : [formatMs(data.ms)]),
    ...endNote(data, style),
  ];
  const line = notes.length === 0 ? head : `${head}  ${style.dim(notes.join(" · "))}`;
  return [line, ...details(data, call?.decision, style)].join("\n") + "\n";
}

function mark(status: EventData<"tool.finished">["status"], style: Style): string {
  switch (status) {
    case "done":
      return style.green("✓");
    case "failed":
      return style.red("✗");
    case "denied":
      return style.yellow("⊘");
    default:
      return style.yellow("■");
  }
}

function exitNote(code: number, style: Style): string {
  return code === 0 ? "exit 0" : style.red(`exit ${code}`);
}

function endNote(data: EventData<"tool.finished">, style: Style): string[] {
  switch (data.status) {
    case "denied":
      return [style.yellow("denied")];
    case "cancelled":
      return ["cancelled"];
    case "interrupted":
      return ["interrupted"];
    default:
      return [];
  }
}

function approvedBy(decision: CallView["decision"]): string[] {
  if (!decision || decision.verdict !== "allow" || decision.by === "policy") return [];
  return [`approved by ${sanitizeLine(decision.by)}`];
}

function details(
  data: EventData<"tool.finished">,
  decision: CallView["decision"],
  style: Style,
): string[] {
  if (data.status === "failed") {
    const message = data.error?.message ?? data.text.split("\n").find((line) => line.trim() !== "") ?? "";
    return message === "" ? [] : [style.dim(`  ${cut(sanitizeLine(message), 160)}`)];
  }
  if (data.status !== "denied" || !decision) return [];
  if (decision.by !== "policy") {
    const note = decision.note ? `: ${sanitizeLine(decision.note)}` : "";
    return [style.dim(`  by ${sanitizeLine(decision.by)}${note}`)];
  }
  const stopped = decision.judgements.filter(({ verdict }) => verdict !== "allow");
  return stopped.flatMap(({ need, verdict, reason, rule }) => {
    const by = rule === undefined || reason.includes(rule) ? reason : `${reason} [${rule}]`;
    const line = style.dim(`  ${sanitizeLine(formatNeed(need))}: ${sanitizeLine(by)}`);
    if (verdict !== "ask") return [line];
    return [line, `  to allow it: --allow ${shellQuote(sanitizeLine(formatNeed(need)))}`];
  });
}
