import type { EventData, EventOf, PryxEvent } from "./event.ts";
import type { CallId, SessionId, TurnId } from "./id.ts";
import { addUsage, type Message, NO_USAGE, type Usage } from "./message.ts";

/** What a session is now: a fold over its events. The event log is the truth; this can always be made again. */
export interface SessionState {
  readonly id: SessionId;
  workspace: string;
  profile: string;
  parent: SessionId | null;
  title: string;
  createdAt: string;
  lastSeq: number;
  /** Model-visible content, oldest first, each with the sequence number it came from. */
  messages: { readonly seq: number; readonly message: Message }[];
  /** Inputs that the model has not seen: the next step shows them. Keeps tool results next to their calls. */
  pending: { readonly seq: number; readonly message: Message }[];
  /** The turn that has not ended, if any. */
  turn: { readonly id: TurnId; readonly startedAt: string; readonly model: string } | null;
  lastTurn: { readonly id: TurnId; readonly end: EventData<"turn.ended"> } | null;
  turns: number;
  /** Calls requested and not finished, in order of request. */
  openCalls: Map<CallId, EventData<"tool.requested">>;
  /** Where content from outside came from, while it is in the context. */
  taint: { readonly seq: number; readonly source: string }[];
  usage: Usage;
  /** US dollars; null once a model without a known price was used. */
  cost: number | null;
}

/** The state before the first event: what a fold begins with. */
export function emptySession(id: SessionId): SessionState {
  return {
    id,
    workspace: "",
    profile: "",
    parent: null,
    title: "",
    createdAt: "",
    lastSeq: 0,
    messages: [],
    pending: [],
    turn: null,
    lastTurn: null,
    turns: 0,
    openCalls: new Map(),
    taint: [],
    usage: NO_USAGE,
    cost: 0,
  };
}

/** The state after `events`. */
export function foldSession(id: SessionId, events: Iterable<PryxEvent>): SessionState {
  const state = emptySession(id);
  for (const event of events) applyEvent(state, event);
  return state;
}

/** Takes one event into `state`, in place: a runner keeps one state and applies what it appends. */
export function applyEvent(state: SessionState, event: PryxEvent): void {
  if (event.seq > 0) state.lastSeq = event.seq;
  switch (event.type) {
    case "session.created":
      return applyCreated(state, event);
    case "input":
      state.pending.push({ seq: event.seq, message: { role: "user", text: inputText(event.data) } });
      if (!state.title) state.title = titleOf(event.data.text);
      for (const source of event.data.taints ?? []) state.taint.push({ seq: event.seq, source });
      return;
    case "turn.started":
      state.turn = { id: event.turn as TurnId, startedAt: event.at, model: event.data.model };
      state.turns++;
      return;
    case "model.requested":
      // They count as said now: a cut between events must never part a tool result from its call.
      for (const { message } of state.pending) state.messages.push({ seq: event.seq, message });
      state.pending = [];
      return;
    case "message":
      return applyMessage(state, event);
    case "tool.requested":
      state.openCalls.set(event.data.call as CallId, event.data);
      return;
    case "tool.finished":
      return applyFinished(state, event);
    case "model.settled":
      state.usage = addUsage(state.usage, event.data.usage);
      state.cost = state.cost === null || event.data.cost === null ? null : state.cost + event.data.cost;
      return;
    case "compaction":
      return applyCompaction(state, event);
    case "undone":
      state.pending.push({ seq: event.seq, message: { role: "user", text: undoneText(event.data.paths) } });
      return;
    case "turn.ended":
      state.lastTurn = { id: event.turn as TurnId, end: event.data };
      state.turn = null;
      return;
  }
}

function applyCreated(state: SessionState, event: EventOf<"session.created">): void {
  state.workspace = event.data.workspace;
  state.profile = event.data.profile;
  state.parent = (event.data.parent ?? null) as SessionId | null;
  state.title = event.data.title ?? "";
  state.createdAt = event.at;
}

function applyMessage(state: SessionState, event: EventOf<"message">): void {
  const { text, calls } = event.data;
  // A message cut off before any call was whole still belongs to the conversation; an empty one does not.
  if (text === "" && calls.length === 0) return;
  const opaque = event.data.opaque as { provider: string; items: unknown[] } | undefined;
  state.messages.push({
    seq: event.seq,
    message: { role: "assistant", text, calls, ...(opaque ? { opaque } : {}) },
  });
}

function applyFinished(state: SessionState, event: EventOf<"tool.finished">): void {
  const { call, name, text, taints } = event.data;
  const origin = state.openCalls.get(call as CallId)?.origin ?? "model";
  state.openCalls.delete(call as CallId);
  // Only a model's own call may be answered as one; what others ran is shown to it as material.
  const message: Message = origin === "model"
    ? { role: "tool", call, name, text }
    : { role: "user", text: `[${name} was run by ${origin === "human" ? "the person" : origin}]\n${text}` };
  state.messages.splice(placeOf(state, call, origin), 0, { seq: event.seq, message });
  if (taints) state.taint.push({ seq: event.seq, source: taints });
}

/** Results stand in the order of their calls, whichever ended first: what a model is shown does not depend on timing. */
function placeOf(state: SessionState, call: string, origin: string): number {
  const { messages } = state;
  if (origin !== "model") return messages.length;
  let at = messages.length;
  const asked = messages.findLast(({ message }) => message.role === "assistant")?.message;
  const order = asked?.role === "assistant" ? asked.calls.map(({ id }) => id) : [];
  const mine = order.indexOf(call);
  for (let before = messages[at - 1]?.message; before?.role === "tool"; before = messages[at - 1]?.message) {
    if (order.indexOf(before.call) <= mine) break;
    at--;
  }
  return at;
}

function applyCompaction(state: SessionState, event: EventOf<"compaction">): void {
  const { summary, keepFrom } = event.data;
  const kept = state.messages.filter(({ seq }) => seq >= keepFrom);
  state.messages = [{ seq: keepFrom - 1, message: { role: "user", text: summary } }, ...kept];
  state.taint = state.taint.filter(({ seq }) => seq >= keepFrom);
}

function undoneText(paths: readonly string[]): string {
  return `[The person took back the changes to: ${paths.join(", ")}. These files are as they were before.]`;
}

/** An input as the model sees it: what was said, then the material given beside it, marked as such. */
function inputText(data: EventData<"input">): string {
  return data.context === undefined || data.context === ""
    ? data.text
    : `${data.text}\n\n<context>\n${data.context}\n</context>`.trimStart();
}

function titleOf(text: string): string {
  const line = text.trim().split("\n", 1)[0] ?? "";
  return line.length > 72 ? `${line.slice(0, 71)}…` : line;
}
