import { sha256 } from "@noble/hashes/sha2.js";
import type { Database } from "./_database.ts";
import { canonicalJson } from "./_canonical.ts";
import type { AuditEntry, Store } from "./store.ts";

type Audit = Pick<Store, "audit" | "auditEntries" | "verifyAudit">;

interface Row {
  readonly seq: number;
  readonly at: string;
  readonly kind: string;
  /** In canonical form. */
  readonly data: string;
  readonly previous: string;
  readonly hash: string;
}

const PAGE = 256;
const NOTHING = "0".repeat(64);

/**
 * The audit log: entries that each hold the hash of the one before. Whoever changes, removes or moves an entry must
 * write every later one anew, which a head kept elsewhere gives away. What the chain alone cannot show: that its end
 * was cut off together with SQLite's own counter, or that all of it was written anew.
 */
export function openAudit(db: Database): Audit {
  function page(after: number, limit: number): Row[] {
    return db.read(
      "read the audit log",
      () =>
        db.sql("SELECT seq, at, kind, data, previous, hash FROM audit WHERE seq > ? ORDER BY seq LIMIT ?")
          .all(after, limit) as unknown as Row[],
    );
  }

  function* rows(after: number, limit: number): IterableIterator<Row> {
    for (let left = limit; left > 0;) {
      const found = page(after, Math.min(PAGE, left));
      yield* found;
      left -= found.length;
      after = found.at(-1)?.seq ?? after;
      if (found.length < PAGE) return;
    }
  }

  /** The last number that was ever given out, as SQLite remembers it. */
  function lastGiven(): number {
    return db.read("read the audit log", () => {
      const row = db.sql("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").get();
      return typeof row?.seq === "number" ? row.seq : 0;
    });
  }

  return {
    audit(kind, data) {
      const text = canonicalJson(data);
      return db.write("append to the audit log", () => {
        const last = db.sql("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").get() as
          | { seq: number; hash: string }
          | undefined;
        const entry = {
          seq: (last?.seq ?? 0) + 1,
          at: db.now(),
          kind,
          data: text,
          previous: last?.hash ?? NOTHING,
        };
        const hash = hashOf(entry);
        db.sql("INSERT INTO audit (seq, at, kind, data, previous, hash) VALUES (?, ?, ?, ?, ?, ?)")
          .run(entry.seq, entry.at, kind, text, entry.previous, hash);
        return { ...entry, data: JSON.parse(text), hash };
      });
    },

    *auditEntries({ after = 0, limit = Infinity, last } = {}) {
      let from = after;
      if (last !== undefined) {
        const row = db.read(
          "read the audit log",
          () => db.sql("SELECT max(seq) AS seq FROM audit").get() as { seq: number | null },
        );
        from = Math.max(after, (row.seq ?? 0) - last);
      }
      for (const row of rows(from, limit)) yield { ...row, data: parse(row.data) };
    },

    verifyAudit() {
      let entries = 0;
      let head = NOTHING;
      // Read first: an entry that is appended meanwhile is not missed then.
      const given = lastGiven();
      for (const row of rows(0, Infinity)) {
        const problem = problemOf(row, entries + 1, head);
        if (problem !== undefined) return { ok: false, entries, badSeq: row.seq, problem };
        entries++;
        head = row.hash;
      }
      if (given > entries) {
        const problem = `the last ${given - entries} of ${given} entries were removed`;
        return { ok: false, entries, badSeq: entries + 1, problem };
      }
      return { ok: true, entries, head };
    },
  };
}

function problemOf(row: Row, expected: number, head: string): string | undefined {
  if (row.seq !== expected) return `entry ${expected} is missing: it was removed`;
  if (row.previous !== head) {
    return `entry ${row.seq} does not follow the one before it: entries were changed, moved or removed`;
  }
  const canonical = canonicalJson(parse(row.data));
  if (row.data !== canonical || hashOf(row) !== row.hash) {
    return `entry ${row.seq} was changed: its content does not have the hash that was recorded`;
  }
  return undefined;
}

/** `data` is canonical JSON already, so it is put in its place as it is. Keys in order: at, data, kind, previous, seq. */
function hashOf({ seq, at, kind, data, previous }: Omit<Row, "hash">): string {
  const bytes = `{"at":${JSON.stringify(at)},"data":${data},"kind":${JSON.stringify(kind)},"previous":${
    JSON.stringify(previous)
  },"seq":${seq}}`;
  return sha256(new TextEncoder().encode(bytes)).toHex();
}

/** What cannot be read is shown as it stands: the log must remain readable after tampering. */
function parse(text: string): AuditEntry["data"] {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as AuditEntry["data"];
  } catch {
    // Falls through.
  }
  return { unreadable: text };
}
