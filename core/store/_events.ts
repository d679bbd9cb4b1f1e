import { PryxError } from "../domain/error.ts";
import { EVENT_VERSION, type EventDraft, isLive, type PryxEvent } from "../domain/event.ts";
import type { SessionId, TurnId } from "../domain/id.ts";
import { applyEvent, emptySession } from "../domain/session.ts";
import type { Database } from "./_database.ts";
import type { Store } from "./store.ts";

type Events = Pick<
  Store,
  "append" | "events" | "eventsSince" | "lastRowId" | "fork" | "unusedContents" | "keyedInput"
>;

interface EventRow {
  readonly row_id: number;
  readonly session: string;
  readonly seq: number;
  readonly v: number;
  readonly turn: string | null;
  readonly at: string;
  readonly type: string;
  readonly data: string;
}

/** Rows read at a time: memory stays flat however long a session is, and no read transaction stays open. */
const PAGE = 256;
const COLUMNS = "row_id, session, seq, v, turn, at, type, data";

/** The event log and, in the same transactions, its projections: the session's row, the search index, the partial message. */
export function openEvents(db: Database): Events {
  return {
    append(session, drafts, { durable = false } = {}) {
      if (drafts.length === 0) return [];
      const at = db.now();
      const bodies = drafts.map((draft) => {
        if (isLive(draft.type)) {
          throw new PryxError("internal", `Cannot store the event "${draft.type}": it is live only`);
        }
        return JSON.stringify(draft.data);
      });
      return db.write(`append to session "${session}"`, () => {
        let seq = takeNumbers(db, session, drafts, at);
        const events = drafts.map((draft, index) => {
          const { turn, type, data } = draft;
          const event = { v: EVENT_VERSION, seq: seq++, session, turn, at, type, data } as PryxEvent;
          insert(db, event, bodies[index] ?? "");
          return event;
        });
        project(db, session, events);
        return events;
      }, durable);
    },

    *events(session, after = 0, limit = Infinity) {
      let last = after;
      let left = limit;
      while (left > 0) {
        const rows = db.read(
          `read session "${session}"`,
          () =>
            db.sql(`SELECT ${COLUMNS} FROM events WHERE session = ? AND seq > ? ORDER BY seq LIMIT ?`)
              .all(session, last, Math.min(PAGE, left)) as unknown as EventRow[],
        );
        for (const row of rows) {
          yield toEvent(row);
          last = row.seq;
        }
        left -= rows.length;
        if (rows.length < PAGE) return;
      }
    },

    eventsSince(rowId, limit = 1000) {
      return db.read("read events", () => {
        const rows = db.sql(`SELECT ${COLUMNS} FROM events WHERE row_id > ? ORDER BY row_id LIMIT ?`)
          .all(rowId, limit) as unknown as EventRow[];
        return rows.map((row) => ({ rowId: row.row_id, event: toEvent(row) }));
      });
    },

    lastRowId() {
      return db.read("read events", () => {
        const row = db.sql("SELECT max(row_id) AS last FROM events").get() as { last: number | null };
        return row.last ?? 0;
      });
    },

    unusedContents(hashes) {
      return db.read("look for kept contents", () => {
        const row = db.sql(
          `SELECT json_group_array(value) AS unused FROM json_each(?) WHERE value NOT IN (
             SELECT json_extract(data, '$.before') FROM events
             WHERE type = 'file.changed' AND json_extract(data, '$.before') IS NOT NULL
             UNION SELECT json_extract(data, '$.after') FROM events
             WHERE type = 'file.changed' AND json_extract(data, '$.after') IS NOT NULL
             UNION SELECT hash.value FROM events, json_each(data, '$.replaced') AS hash
             WHERE events.type = 'undone')`,
        ).get(JSON.stringify([...new Set(hashes)])) as { unused: string };
        return JSON.parse(row.unused);
      });
    },

    keyedInput: (key) => db.read(`look for the key "${key}"`, () => keyedInput(db, key)),

    fork(source, target, at) {
      db.write(`fork session "${source}"`, () => fork(db, source, target, at));
    },
  };
}

/** Makes place for `drafts` at the end of the session and returns the first number; makes the session's row when it begins. */
function takeNumbers(db: Database, session: SessionId, drafts: readonly EventDraft[], at: string): number {
  const [first] = drafts;
  const row = db.sql(
    "UPDATE sessions SET last_seq = last_seq + ?, updated_at = ? WHERE id = ? RETURNING last_seq",
  ).get(drafts.length, at, session) as { last_seq: number } | undefined;
  if (row === undefined) {
    if (first?.type !== "session.created") {
      throw new PryxError(
        "not_found",
        `Cannot append to session "${session}": there is none, or it was deleted`,
      );
    }
    const { workspace, profile, parent, title } = first.data;
    db.sql(
      `INSERT INTO sessions (id, workspace, profile, parent, title, created_at, updated_at, last_seq)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(session, workspace, profile, parent ?? null, title ?? "", at, at, drafts.length);
  }
  const misplaced = drafts.findIndex(({ type }) => type === "session.created");
  if (misplaced > 0 || (misplaced === 0 && row !== undefined)) {
    throw new PryxError("conflict", `Cannot append to session "${session}": it has begun already`);
  }
  return row === undefined ? 1 : row.last_seq - drafts.length + 1;
}

function keyedInput(
  db: Database,
  key: string,
): { session: SessionId; turn: TurnId; seq: number } | undefined {
  const row = db.sql(
    `SELECT events.session, events.turn, events.seq FROM submissions JOIN events USING (session)
     WHERE key = ?1 AND type = 'input' AND json_extract(data, '$.key') = ?1 ORDER BY seq LIMIT 1`,
  ).get(key) as { session: SessionId; turn: TurnId; seq: number } | undefined;
  return row && { ...row };
}

/** In the transaction that stores the input: a key never belongs to an input that was not stored. */
function takeKey(db: Database, key: string, { session, turn, at }: PryxEvent): void {
  if (keyedInput(db, key) !== undefined) {
    throw new PryxError(
      "conflict",
      `Cannot append to session "${session}": the key "${key}" belongs to another input`,
    );
  }
  db.sql("INSERT OR REPLACE INTO submissions (key, session, turn, at) VALUES (?, ?, ?, ?)")
    .run(key, session, turn ?? "", at);
}

function insert(db: Database, event: PryxEvent, data: string): void {
  if (event.type === "input" && event.data.key !== undefined) takeKey(db, event.data.key, event);
  const { lastInsertRowid } = db.sql(
    "INSERT INTO events (session, seq, v, turn, at, type, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
  ).run(event.session, event.seq, event.v, event.turn, event.at, event.type, data);
  if (event.type === "input" || event.type === "message" || event.type === "tool.finished") {
    // Through the view, so that the index and the text it stands for cannot differ.
    db.sql("INSERT INTO messages_fts (rowid, text) SELECT row_id, text FROM searchable WHERE row_id = ?")
      .run(lastInsertRowid);
  }
}

/** Takes events into the session's row. */
function project(db: Database, session: SessionId, events: readonly PryxEvent[]): void {
  let title = "";
  let status: string | null = null;
  let written = false;
  for (const event of events) {
    if (event.type === "input" && title === "") {
      const state = emptySession(session);
      applyEvent(state, event);
      title = state.title;
    } else if (event.type === "turn.started") status = "running";
    else if (event.type === "turn.ended") status = event.data.status;
    if (event.type === "message" || event.type === "turn.ended") written = true;
  }
  if (title !== "" || status !== null) {
    db.sql(
      "UPDATE sessions SET title = iif(title = '', ?, title), status = coalesce(?, status) WHERE id = ?",
    ).run(title, status, session);
  }
  // The message is whole now: a process that dies from here on must not leave it twice.
  if (written) db.sql("DELETE FROM partials WHERE session = ?").run(session);
}

/**
 * Copies the events of `source` up to number `at` under the same numbers (compactions refer to them) and times; only
 * the first one is new and names the parent.
 */
function fork(db: Database, source: SessionId, target: SessionId, at: number): void {
  const parent = db.sql("SELECT workspace, profile, title, last_seq FROM sessions WHERE id = ?")
    .get(source) as { workspace: string; profile: string; title: string; last_seq: number } | undefined;
  if (!parent) throw new PryxError("not_found", `Cannot fork session "${source}": there is none`);
  if (!Number.isInteger(at) || at < 1 || at > parent.last_seq) {
    throw new PryxError(
      "usage",
      `Cannot fork session "${source}" at ${at}: its events are numbered 1 to ${parent.last_seq}`,
    );
  }
  const now = db.now();
  const { workspace, profile, title } = parent;
  const created = {
    type: "session.created",
    turn: null,
    data: { workspace, profile, parent: source, forkedAt: at, ...(title === "" ? {} : { title }) },
  } as const satisfies EventDraft;
  takeNumbers(db, target, [created], now);
  insert(
    db,
    { v: EVENT_VERSION, seq: 1, session: target, at: now, ...created },
    JSON.stringify(created.data),
  );
  db.sql(
    `INSERT INTO events (session, seq, v, turn, at, type, data)
     SELECT ?, seq, v, turn, at, type, data FROM events WHERE session = ? AND seq BETWEEN 2 AND ? ORDER BY seq`,
  ).run(target, source, at);
  db.sql(
    "INSERT INTO messages_fts (rowid, text) SELECT row_id, text FROM searchable WHERE session = ? AND seq > 1",
  ).run(target);
  const last = db.sql(
    `SELECT type, json_extract(data, '$.status') AS status FROM events
     WHERE session = ? AND type IN ('turn.started', 'turn.ended') ORDER BY seq DESC LIMIT 1`,
  ).get(target) as { type: string; status: string | null } | undefined;
  // A turn that was cut by the copy is nobody's work.
  const status = last === undefined ? "empty" : last.status ?? "interrupted";
  db.sql("UPDATE sessions SET last_seq = ?, status = ? WHERE id = ?").run(at, status, target);
}

function toEvent(row: EventRow): PryxEvent {
  return {
    v: row.v,
    seq: row.seq,
    session: row.session as SessionId,
    turn: row.turn as TurnId | null,
    at: row.at,
    type: row.type,
    data: JSON.parse(row.data),
  } as PryxEvent;
}
