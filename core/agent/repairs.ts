import type { EventDraft } from "../domain/event.ts";
import { NO_USAGE } from "../domain/message.ts";
import type { SessionState } from "../domain/session.ts";

/** What must be written after a crash so that the log is whole again: nothing that was cut off is run again by itself. */
export function repairs(state: SessionState, partial: string): EventDraft[] {
  const turn = state.turn?.id ?? null;
  const drafts: EventDraft[] = [];
  const last = state.messages.at(-1)?.message;
  const known = last?.role === "assistant" && last.text.startsWith(partial);
  if (state.turn && partial !== "" && !known) {
    drafts.push({ type: "message", turn, data: { text: partial, calls: [], finish: "cut" } });
  }
  for (const call of unansweredCalls(state)) {
    drafts.push({
      type: "tool.finished",
      turn,
      data: {
        ...call,
        status: "interrupted",
        text:
          "Interrupted: pryx stopped while this call was under way. It may have been done in part; it was not run again",
        ms: 0,
      },
    });
  }
  if (state.turn === null) return drafts;
  drafts.push({
    type: "turn.ended",
    turn,
    data: {
      status: "interrupted",
      text: partial,
      error: {
        code: "cancelled",
        message: "pryx stopped in the middle of this turn",
        fix: "go on with --continue",
      },
      usage: NO_USAGE,
      cost: null,
      steps: 0,
      ms: 0,
      unapproved: [],
    },
  });
  return drafts;
}

/** Calls of the last message that have no result: requested ones, and ones that were never looked at. */
function unansweredCalls(state: SessionState): { call: string; name: string }[] {
  const answered = new Set<string>();
  for (let i = state.messages.length - 1; i >= 0; i--) {
    const message = state.messages[i]?.message;
    if (message?.role === "tool") answered.add(message.call);
    if (message?.role !== "assistant") continue;
    const open = message.calls.filter(({ id }) => !answered.has(id)).map(({ id, name }) => ({
      call: id,
      name,
    }));
    return [
      ...open,
      ...[...state.openCalls.values()].filter(({ call }) => !open.some((one) => one.call === call)),
    ]
      .map(({ call, name }) => ({ call, name }));
  }
  return [...state.openCalls.values()].map(({ call, name }) => ({ call, name }));
}
