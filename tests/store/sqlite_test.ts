import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { newId, type SessionId, type TurnId } from "../../core/domain/id.ts";
import type { Store } from "../../core/store/store.ts";
import { openStore } from "../../core/store/sqlite.ts";
import { MIGRATIONS } from "../../core/store/migrations/migrations.ts";
import {
  created,
  ended,
  input,
  message,
  notice,
  storeContract,
  throwsCode,
} from "../contract/store_contract.ts";

interface Folder extends Disposable {
  readonly path: string;
  readonly database: string;
}

function folder(): Folder {
  const path = Deno.makeTempDirSync({ prefix: "pryx store " });
  return {
    path,
    database: join(path, "data", "pryx.db"),
    [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }),
  };
}

storeContract("sqlite", () => {
  const where = folder();
  const open: Store[] = [];
  return {
    open(clock) {
      const store = openStore({ path: where.database, ...(clock ? { clock } : {}) });
      open.push(store);
      return store;
    },
    [Symbol.dispose]() {
      for (const store of open) store[Symbol.dispose]();
      where[Symbol.dispose]();
    },
  };
});

const ID = "session1" as SessionId;
const mode = (path: string) => ((Deno.statSync(path).mode ?? 0) & 0o777).toString(8);

Deno.test({
  name: "openStore() makes folders 0700 and files 0600 whatever the umask",
  ignore: Deno.build.os === "windows",
  fn() {
    for (const umask of [0o000, 0o777]) {
      using where = folder();
      const old = Deno.umask(umask);
      try {
        using store = openStore({ path: where.database });
        store.append(ID, [created()]);
        for (const suffix of ["", "-wal", "-shm"]) assert.equal(mode(where.database + suffix), "600", suffix);
        assert.equal(mode(join(where.path, "data")), "700");
      } finally {
        Deno.umask(old);
      }
    }
  },
});

Deno.test({
  name: "openStore() closes a database that others could read, and leaves folders it did not make alone",
  ignore: Deno.build.os === "windows",
  fn() {
    using where = folder();
    Deno.chmodSync(where.path, 0o755);
    const path = join(where.path, "pryx.db");
    openStore({ path })[Symbol.dispose]();
    Deno.chmodSync(path, 0o644);
    openStore({ path })[Symbol.dispose]();
    assert.equal(mode(path), "600");
    assert.equal(mode(where.path), "755");
  },
});

Deno.test("openStore() uses WAL and leaves no log behind when the last one closes", () => {
  using where = folder();
  const store = openStore({ path: where.database });
  store.append(ID, [created()]);
  assert.ok(Deno.statSync(`${where.database}-wal`).size > 0);
  store[Symbol.dispose]();
  assert.throws(() => Deno.statSync(`${where.database}-wal`), Deno.errors.NotFound);
});

Deno.test("openStore() refuses a newer database and says what to do", () => {
  using where = folder();
  openStore({ path: where.database })[Symbol.dispose]();
  const before = Deno.readFileSync(where.database);
  const older = MIGRATIONS.slice(0, -1);
  const error = throwsCode(() => openStore({ path: where.database, migrations: older }), "database_newer");
  assert.match(error.message, new RegExp(`version ${MIGRATIONS.length}; .* up to version ${older.length}`));
  assert.match(error.fix ?? "", /Update pryx/);
  assert.deepEqual(Deno.readFileSync(where.database), before);
});

const NEXT = [...MIGRATIONS, {
  version: MIGRATIONS.length + 1,
  name: "labels",
  sql:
    `CREATE TABLE sessions_new (id TEXT PRIMARY KEY, workspace TEXT NOT NULL, profile TEXT NOT NULL, parent TEXT,
      title TEXT NOT NULL DEFAULT '', created_at TEXT NOT NULL, updated_at TEXT NOT NULL, last_seq INTEGER NOT NULL,
      status TEXT NOT NULL DEFAULT 'empty', label TEXT NOT NULL DEFAULT 'none') STRICT, WITHOUT ROWID;
    INSERT INTO sessions_new SELECT *, 'old' FROM sessions;
    DROP TABLE sessions;
    ALTER TABLE sessions_new RENAME TO sessions;`,
}];

Deno.test("openStore() migrates an older database after a backup, and keeps what is in it", () => {
  using where = folder();
  const version = MIGRATIONS.length;
  let events;
  {
    using old = openStore({ path: where.database });
    events = old.append(ID, [created("/w", "t"), input("before the migration"), ended()]);
  }
  throwsCode(() => openStore({ path: where.database, migrations: NEXT, readOnly: true }), "database");
  {
    using store = openStore({ path: where.database, migrations: NEXT });
    assert.deepEqual([...store.events(ID)], events);
    assert.equal(store.append(ID, [notice("after")])[0]?.seq, 4);
    assert.equal(store.search("migration").length, 1);
  }
  using raw = new DatabaseSync(where.database);
  assert.deepEqual({ ...raw.prepare("SELECT label FROM sessions").get() }, { label: "old" });
  assert.deepEqual(
    raw.prepare("SELECT version, name FROM migrations ORDER BY version").all().map((row) => ({ ...row })),
    NEXT.map(({ version, name }) => ({ version, name })),
  );
  const backup = `${where.database}.backup-v${version}`;
  if (Deno.build.os !== "windows") assert.equal(mode(backup), "600");
  using restored = openStore({ path: backup });
  assert.deepEqual([...restored.events(ID)], events);
  throwsCode(() => openStore({ path: where.database }), "database_newer");
});

Deno.test("openStore() leaves an older database as it was when a migration fails", () => {
  using where = folder();
  {
    using old = openStore({ path: where.database });
    old.append(ID, [created()]);
  }
  const version = MIGRATIONS.length + 1;
  for (
    const sql of [
      "CREATE TABLE extra (a); SELECT * FROM nosuch;",
      "DELETE FROM sessions;", // leaves events without their session
    ]
  ) {
    const broken = [...MIGRATIONS, { version, name: "broken", sql }];
    assert.throws(() => openStore({ path: where.database, migrations: broken }));
  }
  using store = openStore({ path: where.database });
  assert.equal(store.session(ID)?.lastSeq, 1);
  const backups = [...Deno.readDirSync(join(where.path, "data"))].filter(({ name }) =>
    name.includes("backup")
  );
  assert.equal(backups.length, 2, "an earlier backup is not overwritten");
});

Deno.test("openStore() names a damaged file and leaves it alone", () => {
  using where = folder();
  Deno.mkdirSync(join(where.path, "data"));
  const text = new TextEncoder().encode("this is no database, but somebody's notes\n".repeat(300));
  Deno.writeFileSync(where.database, text);
  for (const readOnly of [false, true]) {
    const error = throwsCode(() => openStore({ path: where.database, readOnly }), "database_corrupt");
    assert.ok(error.message.includes(where.database));
    assert.match(error.fix ?? "", /move it .*away.*Nothing was changed/s);
  }
  assert.deepEqual(Deno.readFileSync(where.database), text);
  Deno.writeFileSync(`${where.database}.backup-v1`, text);
  const error = throwsCode(() => openStore({ path: where.database }), "database_corrupt");
  assert.ok(error.fix?.includes(`${where.database}.backup-v1`), error.fix);
});

Deno.test("openStore() does not take over another program's database", () => {
  using where = folder();
  Deno.mkdirSync(join(where.path, "data"));
  {
    using other = new DatabaseSync(where.database);
    other.exec("CREATE TABLE notes (a)");
  }
  throwsCode(() => openStore({ path: where.database }), "database_corrupt");
  using other = new DatabaseSync(where.database);
  assert.equal(other.prepare("SELECT * FROM notes").all().length, 0);
});

Deno.test("a store says so when its file turns out to be damaged while in use", () => {
  using where = folder();
  {
    using store = openStore({ path: where.database });
    store.append(ID, [created(), ...Array.from({ length: 2000 }, (_, n) => notice(`notice ${n}`))]);
  }
  const bytes = Deno.readFileSync(where.database);
  // The first pages hold the schema and are read on opening; the rest is the data.
  bytes.fill(0x5a, 120_000);
  Deno.writeFileSync(where.database, bytes);
  using store = openStore({ path: where.database });
  const error = throwsCode(() => [...store.events(ID)], "database_corrupt");
  assert.ok(error.message.includes(where.database));
});

Deno.test("openStore() says that a folder is no database", () => {
  using where = folder();
  const error = throwsCode(() => openStore({ path: where.path }), "database");
  assert.match(error.message, /is a folder/);
});

Deno.test("openStore({readOnly}) reads beside a writer and refuses to write", () => {
  using where = folder();
  throwsCode(() => openStore({ path: where.database, readOnly: true }), "not_found");
  using writer = openStore({ path: where.database });
  writer.append(ID, [created()]);
  using reader = openStore({ path: where.database, readOnly: true });
  assert.equal(reader.session(ID)?.lastSeq, 1);
  writer.append(ID, [notice("more")]);
  assert.equal(reader.session(ID)?.lastSeq, 2);
  throwsCode(() => reader.append(ID, [notice("no")]), "read_only");
  throwsCode(() => reader.audit("x", {}), "read_only");
  throwsCode(() => reader.lease(ID), "read_only");
});

Deno.test("lease() takes over from a dead process and from one whose pid was given to another", async () => {
  using where = folder();
  using store = openStore({ path: where.database });
  const child = new Deno.Command("sleep", { args: ["600"], stdin: "null" }).spawn();
  using theirs = openStore({ path: where.database, pid: child.pid });
  theirs.lease(ID);
  const busy = throwsCode(() => store.lease(ID), "session_busy");
  assert.match(busy.message, new RegExp(`pid ${child.pid}`));
  assert.ok(busy.fix);

  {
    using raw = new DatabaseSync(where.database);
    raw.exec("UPDATE leases SET started = 'another boot:1'");
  }
  store.lease(ID)[Symbol.dispose]();
  assert.doesNotThrow(() => Deno.kill(child.pid, "SIGCONT"), "the other process must live on");

  theirs.lease("two" as SessionId);
  child.kill("SIGKILL");
  await child.status;
  store.lease("two" as SessionId);
});

Deno.test("deleteSession() leaves nothing to read in the file", () => {
  using where = folder();
  using store = openStore({ path: where.database });
  store.append("kept" as SessionId, [created(), message("ordinary words stay here")]);
  store.append(ID, [
    created(),
    input("xylophonequartz zephyrmonolith"),
    message("ok, xylophonequartz it is"),
  ]);
  store.writePartial(ID, "t" as TurnId, "xylophonequartz");
  const holds = () =>
    ["", "-wal"].some((suffix) => {
      const text = new TextDecoder("latin1").decode(Deno.readFileSync(where.database + suffix));
      return text.includes("xylophonequartz") || text.includes("zephyrmonolith");
    });
  assert.equal(holds(), true);
  store.deleteSession(ID);
  assert.equal(holds(), false);
  // The index must not keep its words either: none of their runs of three letters occurs elsewhere.
  using raw = new DatabaseSync(where.database);
  raw.exec("CREATE VIRTUAL TABLE temp.terms USING fts5vocab('main', 'messages_fts', 'row')");
  const terms = raw.prepare("SELECT term FROM terms").all().map((row) => String(row.term));
  assert.ok(terms.includes("ord") && !terms.includes("xyl") && !terms.includes("qua"), terms.join(" "));
});

Deno.test("the search index is whole after appends, forks and deletes", () => {
  using where = folder();
  {
    using store = openStore({ path: where.database });
    for (let n = 0; n < 30; n++) {
      const id = newId<SessionId>();
      store.append(id, [
        created(),
        input(`question ${n}`),
        message(`answer ${n} \ud800 \u0000 end`),
        ended(),
      ]);
      if (n % 3 === 0) store.fork(id, newId(), 3);
      if (n % 5 === 0) store.deleteSession(id);
    }
  }
  using raw = new DatabaseSync(where.database);
  // Compares the index with the text it stands for; throws when they differ.
  raw.exec("INSERT INTO messages_fts (messages_fts, rank) VALUES ('integrity-check', 1)");
  assert.equal(raw.prepare("PRAGMA integrity_check").get()?.integrity_check, "ok");
});

Deno.test("append() keeps its projections in step when a write fails half-way", () => {
  using where = folder();
  using store = openStore({ path: where.database });
  store.append(ID, [created(), input("first")]);
  {
    using raw = new DatabaseSync(where.database);
    raw.exec(
      "CREATE TRIGGER boom BEFORE INSERT ON events WHEN NEW.type = 'message' BEGIN SELECT RAISE(ABORT, 'x'); END",
    );
  }
  throwsCode(() => store.append(ID, [notice("a"), message("b")]), "database");
  assert.equal(store.session(ID)?.lastSeq, 2);
  assert.equal(store.append(ID, [notice("c")])[0]?.seq, 3);
});
