import type { PryxEvent } from "../domain/event.ts";
import type { SessionRow } from "../store/store.ts";
import { localTime, statusOf, within } from "./_session_text.ts";

/** Events as JSON Lines: the form `--json` streams, and what programs should read. */
export function* toJsonLines(events: Iterable<PryxEvent>): IterableIterator<string> {
  for (const event of events) yield JSON.stringify(event);
}

/** The conversation as a document for people: what was said, done and changed. */
export function* toMarkdown(row: SessionRow, events: Iterable<PryxEvent>): IterableIterator<string> {
  yield `# ${row.title || row.id}\n`;
  yield `Session \`${row.id}\` in \`${row.workspace}\`, ${localTime(row.createdAt)}, ${statusOf(row)}.\n`;
  // Calls may run side by side: a result names its call when it does not follow it.
  let asked: string | undefined;
  for (const event of events) {
    if (event.type === "tool.finished" && event.data.call !== asked) {
      yield `### ${event.data.name}: result\n`;
      asked = undefined;
    }
    if (event.type === "tool.requested") asked = event.data.call;
    const text = section(event, row.workspace);
    if (text !== null) yield `${text}\n`;
  }
}

function section(event: PryxEvent, workspace: string): string | null {
  switch (event.type) {
    case "input": {
      const { principal, text, context } = event.data;
      const who = principal === "human" ? "You" : principal;
      return `## ${who}\n\n${text}${context ? `\n\n${fence(context)}` : ""}`;
    }
    case "message":
      return event.data.text.trim() === "" ? null : `## Agent\n\n${event.data.text}`;
    case "tool.requested":
      return `### ${event.data.name}\n\n${
        fence(event.data.summary ?? JSON.stringify(event.data.args, null, 2))
      }`;
    case "tool.finished":
      return `Result: ${event.data.status}\n\n${fence(event.data.text)}`;
    case "decision":
      return event.data.verdict === "allow" ? null : `> ${event.data.verdict} by ${event.data.by}`;
    case "file.changed":
      return `> changed \`${within(workspace, event.data.path)}\``;
    case "question.asked":
      return `## Agent asks\n\n${event.data.text}`;
    case "question.answered":
      return `## ${event.data.by}\n\n${event.data.text}`;
    case "turn.ended":
      return event.data.error ? `> ${event.data.status}: ${event.data.error.message}` : null;
    default:
      return null;
  }
}

/** A code block whose fence is longer than any in the text. */
function fence(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const ticks = "`".repeat(longest + 1);
  return `${ticks}\n${text}\n${ticks}`;
}
