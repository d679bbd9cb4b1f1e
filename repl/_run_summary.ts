import type { EventData } from "../core/domain/event.ts";
import type { RunState } from "./run_view.ts";
import { formatCost, formatCount, formatMs, plural, relativePath, shellQuote } from "./format.ts";
import { cut, sanitizeLine } from "./sanitize.ts";
import type { Style } from "./style.ts";

/** More changed files than this are only counted. */
const MAX_FILES = 20;

/** What a turn came to: files changed, then time, tokens and cost, then how to go on. */
export function summaryLines(data: EventData<"turn.ended">, session: string, state: RunState): string {
  const { style } = state.options;
  const { input, cached, output } = data.usage;
  const read = cached > 0 ? ` (${formatCount(cached)} cached)` : "";
  const facts = [
    `${data.status} in ${formatMs(data.ms)}`,
    // A tool that a person called takes no model.
    ...(data.steps === 0 && input + output === 0 ? [] : [
      plural(data.steps, "step"),
      `${formatCount(input)} tokens in${read}, ${formatCount(output)} out`,
      formatCost(data.cost),
    ]),
    // Commands take the end of an id; a whole one does not fit into 80 columns with the rest.
    `session ${session.slice(-6)}`,
  ];
  const lines = [...fileLines(state), style.dim(facts.join(" · "))];
  if (data.status !== "done") lines.push(style.dim(`Go on with it: pryx run --resume ${session} "…"`));
  return lines.map((line) => `${line}\n`).join("");
}

function fileLines({ files, workspace, options: { style } }: RunState): string[] {
  const changed = [...files].filter(([, { before, after }]) => before !== after);
  const lines = changed.slice(0, MAX_FILES).map(([path, { before, after }]) => {
    const name = sanitizeLine(relativePath(path, workspace));
    if (before === null) return `${style.green("A")} ${name}`;
    return after === null ? `${style.red("D")} ${name}` : `${style.yellow("M")} ${name}`;
  });
  if (changed.length > MAX_FILES) lines.push(style.dim(`  and ${changed.length - MAX_FILES} more files`));
  return lines;
}

/** The flags that would have allowed what nobody was there to approve, ready to be pasted. */
export function allowFlags(unapproved: readonly string[], style: Style): string {
  if (unapproved.length === 0) return "";
  const flags = [...new Set(unapproved)].map((need) => `--allow ${shellQuote(sanitizeLine(need))}`);
  return `${style.yellow("⊘")} ${
    plural(flags.length, "need")
  } had no one to approve; these flags would allow ${flags.length === 1 ? "it" : "them"}:\n  ${
    flags.join(" ")
  }\n`;
}

/** What only a person could have allowed. */
export function personOnly({ personOnly: asks = [] }: EventData<"turn.ended">, style: Style): string {
  if (asks.length === 0) return "";
  const lines = asks.map((ask) => `  ${cut(sanitizeLine(ask), 160)}\n`);
  return `${style.yellow("⊘")} only a person can allow this, at a terminal:\n${lines.join("")}`;
}
