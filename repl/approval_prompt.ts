import type { EventData } from "../core/domain/event.ts";
import type { ApprovalAnswer, Duration, Scope } from "../core/domain/policy.ts";
import { formatNeed } from "../core/domain/need.ts";
import { frame } from "./_frame.ts";
import { spellOut } from "./sanitize.ts";
import type { Style } from "./style.ts";

type Asked = EventData<"approval.requested">;

/** What a key means. `until` and `say` need one more answer. */
export type Choice = "once" | "session" | "forever" | "until" | "deny" | "say";

const KEYS: Readonly<Record<string, Choice>> = {
  y: "once",
  s: "session",
  a: "forever",
  u: "until",
  n: "deny",
  e: "say",
};

/** The choice behind a key; undefined for keys that mean nothing here. Enter and Escape mean nothing: nobody allows or denies by accident. */
export function choiceOf(key: string, asked: Asked): Choice | undefined {
  const choice = KEYS[key.toLowerCase()];
  if (choice === undefined || !asked.onceOnly) return choice;
  return choice === "once" || choice === "deny" || choice === "say" ? choice : undefined;
}

/** How long `until` lasts, by key. Milliseconds. */
export const SPANS: Readonly<Record<string, { readonly label: string; readonly ms: number }>> = {
  h: { label: "1 hour", ms: 3_600_000 },
  d: { label: "1 day", ms: 86_400_000 },
  w: { label: "1 week", ms: 604_800_000 },
};

/**
 * The question as it stands on the screen: the whole action with nothing left out or acted on, what it needs, why it asks
 * and by which rule. Every line of it begins with a bar, so that no action can look like part of the question.
 */
export function renderApproval(asked: Asked, style: Style, columns = 80): string {
  const bar = style.yellow("│");
  const labelled = (label: string, text: string) =>
    frame(bar, text, columns, { plain: label.padEnd(7), shown: style.dim(label.padEnd(7)) });
  const lines = [
    `${style.yellow("┌")} ${style.bold("May the agent do this?")}`,
    ...actionOf(asked).split("\n").flatMap((line) => frame(bar, `  ${line}`, columns)),
  ];
  const asking = asked.judgements.filter(({ verdict }) => verdict !== "allow");
  for (const [at, one] of asking.entries()) {
    lines.push(...labelled("needs", oneLine(formatNeed(one.need))));
    // One reason for several needs is said once, below the last of them.
    if (one.reason === asking[at + 1]?.reason && one.rule === asking[at + 1]?.rule) continue;
    if (one.need.opaque && !one.reason.includes(one.need.opaque)) {
      lines.push(...labelled("", `not known before it runs: ${oneLine(one.need.opaque)}`));
    }
    lines.push(...labelled("why", oneLine(one.reason)));
    if (one.rule && !one.reason.includes(one.rule)) lines.push(...labelled("rule", oneLine(one.rule)));
  }
  const allowed = asked.judgements.filter(({ verdict }) => verdict === "allow");
  if (allowed.length > 0) {
    const needs = allowed.map(({ need }) => oneLine(formatNeed(need))).join(", ");
    lines.push(...labelled("also", `${needs} (allowed)`));
  }
  return `${lines.join("\n")}\n`;
}

/** The action without the list of needs where that says what is shown below anyway. What it may do stays. */
function actionOf({ summary, judgements }: Asked): string {
  const lines = spellOut(summary).split("\n");
  const at = lines.lastIndexOf("needs:");
  const may = lines.indexOf("may:", at);
  const end = may < 0 ? lines.length : may;
  const listed = lines.slice(at + 1, end);
  const same = at > 0 && listed.length === judgements.length && listed.every((line) => line.startsWith("  "));
  return (same ? lines.toSpliced(at, end - at) : lines).join("\n");
}

function oneLine(text: string): string {
  return spellOut(text).replace(/\n/g, "\\n");
}

/** The line of keys below it. */
export function renderKeys(asked: Asked, style: Style): string {
  const keys = asked.onceOnly
    ? [["y", "once"], ["n", "no"], ["e", "no, because"]]
    : [["y", "once"], ["s", "session"], ["a", "always"], ["u", "for a time"], ["n", "no"], [
      "e",
      "no, because",
    ]];
  const line = keys.map(([key, text]) => `${style.bold(`[${key}]`)} ${text}`).join("  ");
  return `${style.yellow("└")} ${line} `;
}

/** The line that asks how long an allowance holds. */
export function renderSpans(style: Style): string {
  return `${style.yellow("└")} For how long?  ${
    Object.entries(SPANS).map(([key, span]) => `${style.bold(`[${key}]`)} ${span.label}`).join("  ")
  } `;
}

/** The answer that a choice makes. `now` in milliseconds since the epoch. */
export function answerOf(
  choice: Choice,
  asked: Asked,
  by: string,
  more: { spanMs?: number; note?: string; now: number },
): ApprovalAnswer {
  const base = { scope: scopeOf(asked), by };
  if (choice === "deny" || choice === "say") {
    const note = more.note?.trim();
    return { verdict: "deny", duration: { kind: "once" }, ...base, ...(note ? { note } : {}) };
  }
  return { verdict: "allow", duration: durationOf(choice, more), ...base };
}

function durationOf(
  choice: "once" | "session" | "forever" | "until",
  more: { spanMs?: number; now: number },
): Duration {
  if (choice !== "until") return { kind: choice };
  return { kind: "until", at: new Date(more.now + (more.spanMs ?? 0)).toISOString() };
}

/** A grant for hosts or integrations is about them wherever it is asked; one for files and commands about this workspace. */
function scopeOf(asked: Asked): Scope {
  const kinds = new Set(
    asked.judgements.filter(({ verdict }) => verdict === "ask").map(({ need }) => need.kind),
  );
  if (kinds.size === 1 && kinds.has("net")) return "domain";
  if (kinds.size === 1 && kinds.has("use")) return "integration";
  return "workspace";
}

/** What was answered, in a few words: for the line that replaces the keys. */
export function describeAnswer(answer: ApprovalAnswer): string {
  if (answer.verdict === "deny") return answer.note ? `no: ${answer.note}` : "no";
  switch (answer.duration.kind) {
    case "once":
      return "allowed once";
    case "session":
      return "allowed for this session";
    case "until":
      return `allowed until ${answer.duration.at}`;
    case "forever":
      return "allowed always (take it back with: pryx grants revoke)";
  }
}
