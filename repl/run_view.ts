import type { EventData, EventOf, PryxEvent } from "../core/domain/event.ts";
import { toolLine } from "./_tool_line.ts";
import { allowFlags, personOnly, summaryLines } from "./_run_summary.ts";
import { formatMs } from "./format.ts";
import { cut, sanitize, sanitizeLine } from "./sanitize.ts";
import type { Style } from "./style.ts";

/** How a run is shown. */
export interface RunViewOptions {
  /** Standard output is a terminal: text is shown as it comes. Otherwise only the final answer is written there, verbatim. */
  readonly outIsTerminal: boolean;
  /** For standard error. */
  readonly style: Style;
  /** No progress: the answer, warnings and failures only. */
  readonly quiet: boolean;
  /** Each event as one line of JSON on standard output. */
  readonly json: boolean;
}

/** A call between its request and its end. */
export interface CallView {
  readonly name: string;
  readonly title: string;
  /** Its command line was shown above its output. */
  announced?: boolean;
  decision?: EventData<"decision">;
}

/** What is known of a run while it is shown. One per run; {@link render} keeps it. */
export interface RunState {
  readonly options: RunViewOptions;
  workspace: string;
  model: string;
  /** The session that is shown. Others are those of an agent that an automation asks. */
  session: string | undefined;
  /** An automation drives the run, and prints for itself. */
  automation: boolean;
  readonly calls: Map<string, CallView>;
  /** Changed files by path, with the content before the first and after the last change. */
  readonly files: Map<string, { before: unknown; after: unknown }>;
  /** Text of the message now being streamed was shown. */
  streaming: boolean;
  /** The text shown last does not end with a newline. */
  midLine: boolean;
  /** Text of the last message that was shown on standard output. */
  shownText: string;
  /** What is going on now, for the status line. */
  status: string;
  /** Message of the error that ended the turn, once it was shown. */
  shownError: string | undefined;
}

/** What an event adds to the two streams. */
interface Rendered {
  /** For standard output. */
  readonly out: string;
  /** For standard error. */
  readonly err: string;
}

const NOTHING: Rendered = { out: "", err: "" };

/** Before the first event. */
export function emptyRun(options: RunViewOptions): RunState {
  return {
    options,
    workspace: "",
    model: "",
    session: undefined,
    automation: false,
    calls: new Map(),
    files: new Map(),
    streaming: false,
    midLine: false,
    shownText: "",
    status: "",
    shownError: undefined,
  };
}

/**
 * What an event adds to the two output streams. Has no effect but on `state`, which it brings up to date in place: this
 * runs for every piece of a streamed message.
 */
export function render(event: PryxEvent, state: RunState): Rendered {
  state.session ??= event.session;
  if (state.options.json) return renderJson(event, state);
  if (event.session !== state.session && !SHOWN_OF_OTHERS.has(event.type)) return NOTHING;
  if (event.type === "message.delta") return renderDelta(event, state);
  const shown = renderEvent(event, state);
  // Whatever comes between pieces of an answer begins on a line of its own.
  if (shown.err === "" || !state.midLine || !state.options.outIsTerminal) return shown;
  state.midLine = false;
  return { out: `${shown.out}\n`, err: shown.err };
}

/** What is shown of the sessions in which an automation asks the agent: what it does there, not what it says. */
const SHOWN_OF_OTHERS: ReadonlySet<PryxEvent["type"]> = new Set([
  "model.requested",
  "model.retried",
  "tool.requested",
  "decision",
  "tool.output",
  "file.changed",
  "tool.finished",
  "notice",
]);

function renderJson(event: PryxEvent, state: RunState): Rendered {
  const out = `${JSON.stringify(event)}\n`;
  if (event.type !== "turn.ended" || event.session !== state.session) return { out, err: "" };
  const { data } = event;
  const { style } = state.options;
  state.shownError = data.error?.message;
  return { out, err: allowFlags(data.unapproved, style) + personOnly(data, style) };
}

function renderDelta(event: EventOf<"message.delta">, state: RunState): Rendered {
  const { kind, text } = event.data;
  if (kind === "reasoning") {
    state.status = "thinking";
    return NOTHING;
  }
  if (!state.options.outIsTerminal) {
    state.status = "writing";
    return NOTHING;
  }
  state.status = "";
  const safe = sanitize(text);
  state.streaming = true;
  if (safe !== "") state.midLine = !safe.endsWith("\n");
  return { out: safe, err: "" };
}

function renderEvent(event: PryxEvent, state: RunState): Rendered {
  const { style, quiet } = state.options;
  const progress = (text: string): Rendered => quiet ? NOTHING : { out: "", err: text };
  switch (event.type) {
    case "session.created":
      state.workspace = event.data.workspace;
      return NOTHING;
    case "turn.started":
      state.model = event.data.model;
      state.automation = event.data.automation !== undefined;
      if (state.automation) return NOTHING;
      return progress(started(event.data, state));
    case "model.requested":
      state.status = `waiting for ${sanitizeLine(event.data.model)}`;
      return NOTHING;
    case "model.retried":
      return progress(style.yellow(
        `! ${sanitizeLine(event.data.reason)}; trying again in ${formatMs(event.data.waitMs)} (attempt ${
          event.data.attempt + 1
        })\n`,
      ));
    case "message":
      return renderMessage(event.data, state);
    case "tool.requested":
      state.calls.set(event.data.call, {
        name: event.data.name,
        title: event.data.title ?? JSON.stringify(event.data.args),
      });
      state.status = runningStatus(state);
      return NOTHING;
    case "decision":
      return keepDecision(event.data, state);
    case "output":
      return renderOutput(event.data, state);
    case "progress":
      state.status = progressStatus(event.data);
      return NOTHING;
    case "log":
      return renderLog(event.data, state);
    case "replay.changed":
      return { out: "", err: replayedChange(event.data, style) };
    case "tool.output":
      if (isOwn(event, state)) return quiet ? NOTHING : commandOutput(event.data, state);
      state.status = outputStatus(event.data, state) ?? state.status;
      return NOTHING;
    case "file.changed": {
      const { path, before, after } = event.data;
      const first = state.files.get(path);
      state.files.set(path, { before: first ? first.before : before, after });
      return NOTHING;
    }
    case "tool.finished": {
      const call = state.calls.get(event.data.call);
      state.calls.delete(event.data.call);
      state.status = runningStatus(state);
      if (isOwn(event, state)) return NOTHING;
      return progress(toolLine(event.data, call, style));
    }
    case "compaction":
      return progress(style.dim(
        `  the conversation was shortened: ${event.data.tokensBefore} → ${event.data.tokensAfter} tokens\n`,
      ));
    case "notice":
      return notice(event.data, state);
    case "turn.ended":
      return renderEnd(event, state);
    default:
      return NOTHING;
  }
}

/** A call of the automation itself: its code is told what came of it, and says what people should know. */
function isOwn(event: PryxEvent, state: RunState): boolean {
  return state.automation && event.session === state.session;
}

/** What an automation prints. */
function renderOutput({ stream, text }: EventData<"output">, state: RunState): Rendered {
  if (stream === "stderr") return { out: "", err: sanitize(text) };
  state.midLine = !text.endsWith("\n");
  return { out: state.options.outIsTerminal ? sanitize(text) : text, err: "" };
}

/** Output of a command that an automation runs, below its command line. */
function commandOutput({ call, text }: EventData<"tool.output">, state: RunState): Rendered {
  const { style } = state.options;
  const view = state.calls.get(call);
  const line = view && !view.announced ? style.dim(`$ ${sanitize(view.title)}\n`) : "";
  if (view) view.announced = true;
  return { out: "", err: line + sanitize(text) };
}

const LEVELS = { debug: "dim", info: "dim", warn: "yellow", error: "red" } as const;

function renderLog(
  { level, text, data }: EventData<"log">,
  { options: { style, quiet } }: RunState,
): Rendered {
  if (level === "debug" || (quiet && level === "info")) return NOTHING;
  const beside = data === undefined ? "" : ` ${JSON.stringify(data)}`;
  const mark = level === "info" ? "" : `${style[LEVELS[level]](level)} `;
  return { out: "", err: `${mark}${sanitize(text + beside)}\n` };
}

/** The result of a replay: shown also where no progress is wanted. */
function replayedChange({ path, change, diff, note }: EventData<"replay.changed">, style: Style): string {
  const about = typeof note === "string"
    ? style.dim(`# ${sanitizeLine(path)} (${change}): ${sanitizeLine(note)}\n`)
    : "";
  return about + (typeof diff === "string" ? sanitize(diff) : "");
}

function progressStatus({ label = "", done, total, text }: EventData<"progress">): string {
  const far = total !== undefined ? `${done ?? 0}/${total}` : done === undefined ? "" : String(done);
  return sanitizeLine([label, far, text ?? ""].filter((part) => part !== "").join(" "));
}

function started(data: EventData<"turn.started">, { options: { style } }: RunState): string {
  const parts = [sanitizeLine(data.model), `preset ${data.preset}`];
  if (data.recorded) parts.push("the model's side is recorded");
  if (data.contextFiles?.length) parts.push(`read ${data.contextFiles.map(sanitizeLine).join(", ")}`);
  return style.dim(`${parts.join(" · ")}\n`);
}

function notice(data: EventData<"notice">, { options: { style, quiet } }: RunState): Rendered {
  const text = sanitize(data.text).trimEnd().replaceAll("\n", "\n  ");
  if (data.level === "warning") return { out: "", err: `${style.yellow("!")} ${text}\n` };
  return quiet ? NOTHING : { out: "", err: style.dim(`  ${text}\n`) };
}

function keepDecision(data: EventData<"decision">, state: RunState): Rendered {
  const call = state.calls.get(data.call);
  if (call) call.decision = data;
  return NOTHING;
}

/** The line of the call that was requested last and still runs. */
function runningStatus(state: RunState): string {
  const last = [...state.calls.values()].at(-1);
  if (!last) return "";
  const more = state.calls.size > 1 ? ` (+${state.calls.size - 1})` : "";
  return `${last.name} ${cut(sanitizeLine(last.title), 60)}${more}`;
}

function outputStatus(data: EventData<"tool.output">, state: RunState): string | undefined {
  const line = sanitizeLine(data.text.trimEnd().split("\n").at(-1) ?? "");
  const name = state.calls.get(data.call)?.name;
  return line === "" || name === undefined ? undefined : `${name}: ${line}`;
}

/**
 * A whole message. On a terminal its pieces were shown already; in a pipe what the model says on the way to a tool call is
 * progress, and the answer waits for the turn's end, when it is known to be the answer.
 */
function renderMessage(data: EventData<"message">, state: RunState): Rendered {
  const { outIsTerminal, quiet, style } = state.options;
  const wasStreamed = state.streaming;
  state.streaming = false;
  if (outIsTerminal) {
    if (data.text === "") return NOTHING;
    state.shownText = data.text;
    const rest = wasStreamed ? "" : sanitize(data.text);
    const open = wasStreamed ? state.midLine : !rest.endsWith("\n");
    state.midLine = false;
    return { out: open ? `${rest}\n` : rest, err: "" };
  }
  if (data.calls.length === 0 || data.text.trim() === "" || quiet) return NOTHING;
  return { out: "", err: `${style.dim(sanitize(data.text).trimEnd())}\n` };
}

function renderEnd({ data, session }: EventOf<"turn.ended">, state: RunState): Rendered {
  const { outIsTerminal, quiet, style } = state.options;
  state.status = "";
  state.shownError = data.error?.message;
  const end = failure(data, style) + allowFlags(data.unapproved, style) + personOnly(data, style);
  if (state.automation) return { out: "", err: end };
  const hidden = outIsTerminal && (data.text === state.shownText || state.streaming);
  const text = outIsTerminal ? sanitize(data.text) : data.text;
  const answer = data.text === "" || hidden ? "" : text.endsWith("\n") ? text : `${text}\n`;
  const out = outIsTerminal && state.midLine ? `\n${answer}` : answer;
  state.midLine = false;
  const summary = quiet ? "" : summaryLines(data, session, state);
  return {
    out,
    err: summary + end,
  };
}

function failure(data: EventData<"turn.ended">, style: Style): string {
  if (!data.error) return "";
  const fix = data.error.fix === undefined ? "" : `  ${sanitize(data.error.fix).replaceAll("\n", "\n  ")}\n`;
  return `${style.red("pryx:")} ${sanitize(data.error.message)}\n${fix}`;
}
