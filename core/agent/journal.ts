import {
  EVENT_VERSION,
  type EventData,
  type EventDraft,
  type LiveType,
  type PryxEvent,
} from "../domain/event.ts";
import { toPryxError } from "../domain/error.ts";
import type { SessionId, TurnId } from "../domain/id.ts";
import type { Store } from "../store/store.ts";

type Listener = (event: PryxEvent) => void;

/** Where events go: first into the store, then to everyone who listens in this process. */
export interface Journal {
  /** Stores, then publishes. `durable` waits for the disk. */
  append(session: SessionId, drafts: readonly EventDraft[], options?: AppendOptions): readonly PryxEvent[];
  /** Publishes the end of a turn that could not be stored, so that nobody here waits for ever. */
  lost(session: SessionId, turn: TurnId, end: EventData<"turn.ended">, cause: unknown): void;
  /** Publishes without storing. */
  live<T extends LiveType>(session: SessionId, turn: TurnId, type: T, data: EventData<T>): void;
  listen(on: Listener): Disposable;
}

interface AppendOptions {
  /** Waits for the disk. */
  readonly durable?: boolean;
  /** Sees each stored event before any listener does. */
  readonly before?: (event: PryxEvent) => void;
}

/** The journal over `store`: what is appended is stored first, then told to the listeners. */
export function createJournal(store: Store, now: () => Date): Journal {
  const listeners = new Set<Listener>();
  const publish = (event: PryxEvent) => {
    for (const on of listeners) {
      try {
        on(event);
      } catch {
        // A surface that broke must not break the work: what is stored is stored. It is told no more.
        listeners.delete(on);
      }
    }
  };
  return {
    append(session, drafts, options = {}) {
      const events = store.append(session, drafts, options);
      for (const event of events) options.before?.(event);
      for (const event of events) publish(event);
      return events;
    },
    lost(session, turn, end, cause) {
      const error = toPryxError(cause).toJSON();
      const data = { ...end, status: "failed" as const, error };
      publish({ v: EVENT_VERSION, seq: 0, session, turn, at: now().toISOString(), type: "turn.ended", data });
    },
    live(session, turn, type, data) {
      if (listeners.size === 0) return;
      publish({ v: EVENT_VERSION, seq: 0, session, turn, at: now().toISOString(), type, data } as PryxEvent);
    },
    listen(on) {
      listeners.add(on);
      return { [Symbol.dispose]: () => void listeners.delete(on) };
    },
  } satisfies Journal;
}

/**
 * Stored events of a session, then, while `signal` is there, what follows: from this process at once, from another
 * process within {@link FOLLOW_MS}.
 */
export async function* followSession(
  store: Store,
  journal: Journal,
  session: SessionId,
  after: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<PryxEvent> {
  if (!signal) return yield* store.events(session, after);
  const live: PryxEvent[] = [];
  let wake = () => {};
  using _listening = journal.listen((event) => {
    if (event.session !== session) return;
    // A reader that is far behind reads the store; only what is not stored there is lost to it.
    if (live.length < MAX_BEHIND) live.push(event);
    wake();
  });
  const stop = () => wake();
  signal.addEventListener("abort", stop);
  try {
    let last = after;
    for (let ask = true;;) {
      // What was stored before we listened, or by another process, or while a slow reader was away.
      for (const event of ask ? store.events(session, last) : []) {
        if (signal.aborted) return;
        last = event.seq;
        yield event;
      }
      // Pieces of a message that was just read whole from the store would be shown twice.
      const read = live.findLastIndex(({ seq }) => seq > 0 && seq <= last);
      if (read >= 0) live.splice(0, read + 1);
      if (signal.aborted) return;
      await pause(FOLLOW_MS, (resume) => {
        wake = resume;
        if (live.length > 0 || signal.aborted) resume();
      });
      // In this process events come in order through `live`; the store is only asked when nothing came.
      ask = live.length === 0;
      while (live.length > 0 && !signal.aborted) {
        const event = live.shift();
        if (!event || event.seq > 0 && event.seq <= last) continue;
        // Events between were stored by another process, or dropped here: they are read first.
        if (event.seq > last + 1) {
          ask = true;
          break;
        }
        if (event.seq > 0) last = event.seq;
        yield event;
      }
      if (signal.aborted) return;
    }
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Live events that wait for one reader at most. */
const MAX_BEHIND = 10_000;
/** How often events of another process are looked for, milliseconds. */
const FOLLOW_MS = 200;

function pause(ms: number, onResume: (resume: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    onResume(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
