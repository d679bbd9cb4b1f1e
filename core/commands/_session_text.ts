import { formatNeed, type Need } from "../domain/need.ts";
import type { SessionRow } from "../store/store.ts";

/** `text` on one line, cut to `max` characters. */
export function oneLine(text: string, max: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  const chars = [...line];
  return chars.length > max ? `${chars.slice(0, max - 1).join("")}…` : line;
}

/** An ISO time in the local time zone, to the minute or the second: `2026-01-02 03:04`. */
export function localTime(iso: string, precision: "minute" | "second" = "minute"): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const two = (n: number) => String(n).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return `${day} ${time}${precision === "second" ? `:${two(date.getSeconds())}` : ""}`;
}

/** What a session is doing: one that runs in no living process was interrupted. */
export function statusOf(row: SessionRow): SessionRow["status"] {
  return row.status === "running" && row.holder === undefined ? "interrupted" : row.status;
}

/** A cost in US dollars: two decimals, or two digits below a cent. Null: the price is not known. */
export function dollars(cost: number | null): string {
  if (cost === null) return "price not known";
  return `$${cost > 0 && cost < 0.01 ? cost.toPrecision(2) : cost.toFixed(2)}`;
}

/** `1,200 sessions`, `1 session`. */
export function count(n: number, word: string): string {
  return `${n.toLocaleString("en-US")} ${word}${n === 1 ? "" : "s"}`;
}

/** `path` as seen from `folder`, when it is inside. */
export function within(folder: string, path: string): string {
  const prefix = folder.endsWith("/") ? folder : `${folder}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : path;
}

/** The flag that allows a need, ready to be pasted into a shell. */
export function allowFlag(need: Pick<Need, "kind" | "target">): string {
  const text = formatNeed(need);
  return `--allow ${/^[\w./=:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`}`;
}
