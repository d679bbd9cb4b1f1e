/**
 * The first schema. `events` is the truth; `sessions` and `messages_fts` are projections of it, kept in the same
 * transaction and possible to make again.
 *
 * - `row_id` is AUTOINCREMENT so that a number is never used twice: followers in other processes read "after row N".
 * - `messages_fts` holds only the index; the text is read through the view, so that nothing is stored twice. Of long
 *   texts the first 6000 and the last 2000 characters are found: indexing costs about 0.1 ms per thousand.
 * - Times that are compared are milliseconds since the epoch; times that are shown are ISO 8601.
 */
export const SPINE = `
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL,
  profile TEXT NOT NULL,
  parent TEXT,
  title TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  last_seq INTEGER NOT NULL,
  status TEXT NOT NULL DEFAULT 'empty'
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_workspace ON sessions (workspace);

CREATE TABLE events (
  row_id INTEGER PRIMARY KEY AUTOINCREMENT,
  session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  v INTEGER NOT NULL,
  turn TEXT,
  at TEXT NOT NULL,
  type TEXT NOT NULL,
  data TEXT NOT NULL,
  UNIQUE (session, seq)
) STRICT;
CREATE INDEX events_of_files ON events (session, seq) WHERE type = 'file.changed';

CREATE VIEW searchable (row_id, session, seq, at, role, text) AS
  SELECT row_id, session, seq, at,
    CASE type WHEN 'input' THEN 'user' WHEN 'message' THEN 'assistant' ELSE 'tool' END,
    CASE WHEN length(json_extract(data, '$.text')) <= 8000 THEN json_extract(data, '$.text')
      ELSE substr(json_extract(data, '$.text'), 1, 6000) || ' … ' || substr(json_extract(data, '$.text'), -2000) END
  FROM events WHERE type IN ('input', 'message', 'tool.finished');
CREATE VIRTUAL TABLE messages_fts USING fts5 (
  text, content = 'searchable', content_rowid = 'row_id', tokenize = 'trigram remove_diacritics 1'
);
INSERT INTO messages_fts (messages_fts, rank) VALUES ('automerge', 8);

CREATE TABLE partials (
  session TEXT PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
  turn TEXT NOT NULL,
  text TEXT NOT NULL,
  at TEXT NOT NULL
) STRICT;

CREATE TABLE leases (
  session TEXT PRIMARY KEY,
  pid INTEGER NOT NULL,
  started TEXT NOT NULL,
  token TEXT NOT NULL,
  at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE submissions (
  key TEXT PRIMARY KEY,
  session TEXT NOT NULL,
  turn TEXT NOT NULL,
  at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX submissions_by_session ON submissions (session);

CREATE TABLE approvals (
  id TEXT PRIMARY KEY,
  session TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('open', 'allowed', 'denied', 'expired')),
  expires_ms INTEGER NOT NULL,
  body TEXT NOT NULL,
  answer TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_by_session ON approvals (session);
CREATE INDEX approvals_open ON approvals (id) WHERE status = 'open';

CREATE TABLE grants (
  id TEXT PRIMARY KEY,
  session TEXT,
  body TEXT NOT NULL,
  uses INTEGER NOT NULL,
  uses_left INTEGER,
  until_ms INTEGER,
  revoked_at TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE trusted_folders (
  folder TEXT PRIMARY KEY,
  hash TEXT NOT NULL,
  at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  kind TEXT NOT NULL,
  data TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_is_not_updated BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_in_order BEFORE INSERT ON audit
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
`;
