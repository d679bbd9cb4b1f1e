import type { SessionId, TurnId } from "../domain/id.ts";
import type { Database } from "./_database.ts";
import { busy, type Leases } from "./_leases.ts";
import type { SessionRow, Store } from "./store.ts";

type Sessions = Pick<
  Store,
  | "session"
  | "sessions"
  | "matchSessions"
  | "deleteSession"
  | "writePartial"
  | "partial"
  | "clearPartial"
>;

interface Row {
  readonly id: string;
  readonly workspace: string;
  readonly profile: string;
  readonly parent: string | null;
  readonly title: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly last_seq: number;
  readonly status: string;
}

/** What belongs to a session beside its events. */
export function openSessions(db: Database, leases: Leases, pid: number): Sessions {
  function toRow(row: Row): SessionRow {
    const id = row.id as SessionId;
    const holder = leases.holder(id);
    return {
      id,
      workspace: row.workspace,
      profile: row.profile,
      parent: row.parent as SessionId | null,
      title: row.title,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      lastSeq: row.last_seq,
      status: row.status as SessionRow["status"],
      ...(holder === undefined ? {} : { holder }),
    };
  }

  function rows(sql: string, ...values: (string | number)[]): SessionRow[] {
    return db.read("list sessions", () => (db.sql(sql).all(...values) as unknown as Row[]).map(toRow));
  }

  return {
    session: (id) => rows("SELECT * FROM sessions WHERE id = ?", id)[0],
    sessions({ workspace, limit = -1, offset = 0 } = {}) {
      const order = "ORDER BY updated_at DESC, id DESC LIMIT ? OFFSET ?";
      return workspace === undefined
        ? rows(`SELECT * FROM sessions ${order}`, limit, offset)
        : rows(`SELECT * FROM sessions WHERE workspace = ? ${order}`, workspace, limit, offset);
    },
    matchSessions(text) {
      if (text === "") return [];
      return rows(
        `SELECT * FROM sessions WHERE substr(id, 1, length(?1)) = ?1 OR substr(id, -length(?1)) = ?1
         ORDER BY updated_at DESC, id DESC`,
        text.toLowerCase(),
      );
    },
    deleteSession(id) {
      const tried = `delete session "${id}"`;
      // Overwrites what it frees: a deleted conversation is not left readable in the file.
      db.read(tried, () => db.sql("PRAGMA secure_delete = ON").get());
      try {
        db.write(tried, () => {
          const holder = leases.holder(id);
          if (holder !== undefined) throw busy(id, holder, pid);
          db.sql(
            `INSERT INTO messages_fts (messages_fts, rowid, text)
             SELECT 'delete', row_id, text FROM searchable WHERE session = ?`,
          ).run(id);
          for (const table of ["leases", "submissions", "approvals"]) {
            db.sql(`DELETE FROM ${table} WHERE session = ?`).run(id);
          }
          db.sql("UPDATE grants SET revoked_at = ? WHERE session = ? AND revoked_at IS NULL").run(
            db.now(),
            id,
          );
          // Events and the partial message go with it.
          db.sql("DELETE FROM sessions WHERE id = ?").run(id);
        }, true);
        sweepIndex(db);
        db.read(tried, () => db.sql("PRAGMA wal_checkpoint(TRUNCATE)").get());
      } finally {
        db.sql("PRAGMA secure_delete = OFF").get();
      }
    },

    writePartial(session, turn, text) {
      db.write(`keep the message of session "${session}"`, () => {
        db.sql(
          `INSERT INTO partials (session, turn, text, at) VALUES (?, ?, ?, ?)
           ON CONFLICT (session) DO UPDATE SET turn = excluded.turn, text = excluded.text, at = excluded.at`,
        ).run(session, turn, text, db.now());
      });
    },
    partial(session) {
      return db.read(`read session "${session}"`, () => {
        const row = db.sql("SELECT turn, text, at FROM partials WHERE session = ?").get(session) as
          | { turn: TurnId; text: string; at: string }
          | undefined;
        return row && { turn: row.turn, text: row.text, at: row.at };
      });
    },
    clearPartial(session) {
      db.write(`clear the message of session "${session}"`, () => {
        db.sql("DELETE FROM partials WHERE session = ?").run(session);
      });
    },
  };
}

/** Deleted words stay in the index, marked, until its parts are merged (https://sqlite.org/fts5.html#the_merge_command). */
function sweepIndex(db: Database): void {
  const changes = () => (db.sql("SELECT total_changes() AS changes").get() as { changes: number }).changes;
  // Negative: begins to merge everything. Pages at a time, so that other processes can write in between.
  for (let pages = -2000, before = 0, after = 2; after - before >= 2; pages = 2000) {
    before = changes();
    db.write("clean the search index", () => {
      db.sql("INSERT INTO messages_fts (messages_fts, rank) VALUES ('merge', ?)").run(pages);
    });
    after = changes();
  }
}
