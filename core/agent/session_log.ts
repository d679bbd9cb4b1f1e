import type { EventDraft, PryxEvent } from "../domain/event.ts";
import type { SessionId } from "../domain/id.ts";
import { applyEvent, foldSession, type SessionState } from "../domain/session.ts";
import type { Lease } from "../store/store.ts";
import type { AgentParts } from "./agent_parts.ts";
import { redactData } from "./redact_data.ts";
import { repairs } from "./repairs.ts";

/** One session's log while this process writes it: the lease, the state that follows every append, and the mending. */
export interface SessionLog {
  /** Takes the lease, learns what others wrote, and closes what a dead process left open. */
  open(workspace: string): SessionState;
  /** Gives the lease back. Never throws: a store that is gone has no lease to give back. */
  close(): void;
  append(drafts: readonly EventDraft[], options?: { durable?: boolean }): readonly PryxEvent[];
}

/** Takes no lease and reads nothing yet: `open` does. */
export function openSessionLog(id: SessionId, parts: AgentParts): SessionLog {
  const { store, journal, config, redact } = parts;
  let state: SessionState | undefined;
  let lease: Lease | undefined;

  function append(drafts: readonly EventDraft[], options?: { durable?: boolean }) {
    const known = state;
    if (!known || !lease) throw new Error("the session is not open");
    const clean = drafts.map((draft) => {
      const data = redactData<unknown>(draft.data, redact);
      return data === draft.data ? draft : { ...draft, data } as EventDraft;
    });
    return journal.append(id, clean, { ...options, before: (event) => applyEvent(known, event) });
  }

  /** The state as the store has it now: another process may have gone on with the session, or deleted it. */
  function current(): SessionState {
    const known = state;
    if (!known || (store.session(id)?.lastSeq ?? 0) < known.lastSeq) return foldSession(id, store.events(id));
    for (const event of store.events(id, known.lastSeq)) applyEvent(known, event);
    return known;
  }

  function mend(known: SessionState): void {
    const repair = repairs(known, store.partial(id)?.text ?? "");
    if (repair.length === 0) return;
    append(repair, { durable: true });
    store.clearPartial(id);
    // Nobody waits for these answers any more: a person must not be asked for nothing.
    for (const approval of store.openApprovals()) {
      if (approval.session === id) store.expireApproval(approval.id);
    }
  }

  function close(): void {
    const held = lease;
    lease = undefined;
    try {
      held?.[Symbol.dispose]();
    } catch {
      // The row names this process: it is stale when the process ends.
    }
  }

  return {
    open(workspace) {
      lease = store.lease(id);
      try {
        state = current();
        if (state.lastSeq === 0) {
          append([{ type: "session.created", turn: null, data: { workspace, profile: config.profile } }]);
        }
        mend(state);
        return state;
      } catch (error) {
        close();
        throw error;
      }
    },
    close,
    append,
  } satisfies SessionLog;
}
