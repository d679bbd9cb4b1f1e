import type { EventData } from "../core/domain/event.ts";
import type { ApprovalAnswer, Duration, Scope } from "../core/domain/policy.ts";
import { formatNeed } from "../core/domain/need.ts";
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
export function renderApproval(asked: Asked, style: Style): string {
  const bar = style.yellow("│");
  const lines = [
    `${style.yellow("┌")} ${style.bold("May the agent do this?")} ${style.dim(spellOut(asked.tool))}`,
  ];
  lines.push(bar, ...spellOut(asked.summary).split("\n").map((line) => `${bar}   ${line}`), bar);
  for (const one of asked.judgements.filter(({ verdict }) => verdict !== "allow")) {
    lines.push(`${bar} ${style.dim("needs")}  ${oneLine(formatNeed(one.need))}`);
    if (one.need.opaque) {
      lines.push(`${bar} ${style.dim("      ")}  not known before it runs: ${oneLine(one.need.opaque)}`);
    }
    lines.push(`${bar} ${style.dim("why  ")}  ${oneLine(one.reason)}`);
    if (one.rule) lines.push(`${bar} ${style.dim("rule ")}  ${oneLine(one.rule)}`);
  }
  const allowed = asked.judgements.filter(({ verdict }) => verdict === "allow");
  if (allowed.length > 0) {
    lines.push(
      `${bar} ${style.dim("also ")}  ${
        allowed.map(({ need }) => oneLine(formatNeed(need))).join(", ")
      } (allowed)`,
    );
  }
  return `${lines.join("\n")}\n`;
}

function oneLine(text: string): string {
  return spellOut(text).replace(/\n/g, "\\n");
}

/** The line of keys below it. */
export function renderKeys(asked: Asked, style: Style): string {
  const keys = asked.onceOnly
    ? [["y", "once"], ["n", "no"], ["e", "no, and say why"]]
    : [["y", "once"], ["s", "session"], ["a", "always"], ["u", "for a time"], ["n", "no"], [
      "e",
      "no, because",
    ]];
  const line = keys.map(([key, text]) => `${style.bold(`[${key}]`)} ${text}`).join("  ");
  return `${style.yellow("└")} ${line} `;
}

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
