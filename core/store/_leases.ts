import { PryxError } from "../domain/error.ts";
import { newId, type SessionId } from "../domain/id.ts";
import type { Database } from "./_database.ts";
import { processStart } from "./_process.ts";
import type { Lease } from "./store.ts";

/** Who works in which session: one living process each. */
export interface Leases {
  lease(session: SessionId): Lease;
  /** Pid of the live process that holds a session. */
  holder(session: SessionId): number | undefined;
  /** Releases every lease taken through this object. */
  releaseAll(): void;
}

interface Row {
  readonly pid: number;
  readonly started: string;
}

/** Leases name the pid and its start time: a number that was given to another process later does not count. */
export function openLeases(db: Database, pid: number): Leases {
  const held = new Map<string, SessionId>();

  function holder(session: SessionId): number | undefined {
    const row = db.sql("SELECT pid, started FROM leases WHERE session = ?").get(session) as Row | undefined;
    return row && processStart(row.pid) === row.started ? row.pid : undefined;
  }

  function release(token: string, session: SessionId): void {
    if (!held.delete(token)) return;
    db.write(`release session "${session}"`, () => {
      db.sql("DELETE FROM leases WHERE session = ? AND token = ?").run(session, token);
    });
  }

  return {
    holder: (session) => db.read(`look at session "${session}"`, () => holder(session)),
    lease(session) {
      const token = newId();
      const started = processStart(pid);
      if (started === undefined) {
        throw new PryxError("internal", `Cannot open session "${session}": there is no process ${pid}`);
      }
      db.write(`open session "${session}"`, () => {
        const other = holder(session);
        if (other !== undefined) throw busy(session, other, pid);
        db.sql("INSERT OR REPLACE INTO leases (session, pid, started, token, at) VALUES (?, ?, ?, ?, ?)")
          .run(session, pid, started, token, db.now());
      });
      held.set(token, session);
      return { session, [Symbol.dispose]: () => release(token, session) };
    },
    releaseAll() {
      for (const [token, session] of [...held]) release(token, session);
    },
  };
}

/** `session_busy`: `holder` and `own` are process ids. */
export function busy(session: SessionId, holder: number, own: number): PryxError {
  const who = holder === own ? "this process" : "another pryx";
  return new PryxError(
    "session_busy",
    `Cannot open session "${session}": ${who} (pid ${holder}) is working in it`,
    {
      fix: `Wait until it has ended, end it, or go on in a copy: pryx sessions fork ${session}`,
    },
  );
}
