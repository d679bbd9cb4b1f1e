import { DatabaseSync, type StatementSync } from "node:sqlite";
import { basename, dirname } from "node:path";
import { PryxError } from "../domain/error.ts";
import { isBusy, storeError } from "./_errors.ts";
import { migrate } from "./_migrate.ts";
import type { Migration } from "./migrations/migrations.ts";

/** How long a statement waits for another process's write, milliseconds. */
const BUSY_MS = 10_000;

/** One open connection: statements prepared once, errors turned into PryxErrors. */
export interface Database {
  readonly path: string;
  /** The current time, ISO 8601. */
  now(): string;
  /** The prepared statement of `sql`, made on first use. Not for iterating: a nested use would restart it. */
  sql(sql: string): StatementSync;
  /** Runs reads. `tried` completes "Cannot …" in errors. */
  read<T>(tried: string, work: () => T): T;
  /** Runs `work` as one write transaction. `durable` waits for the disk. */
  write<T>(tried: string, work: () => T, durable?: boolean): T;
  /** Runs `work`, which is one statement that writes: that is a transaction by itself, for half the price. */
  writeOne<T>(tried: string, work: () => T): T;
  close(): void;
}

/** What the database is opened with; `path` is absolute. */
interface DatabaseOptions {
  readonly path: string;
  readonly readOnly: boolean;
  readonly clock: () => Date;
  readonly migrations: readonly Migration[];
}

/** Opens the database file, makes it when there is none, and brings its schema up to date. */
export function openDatabase(options: DatabaseOptions): Database {
  const { path, readOnly, clock, migrations } = options;
  const db = connect(path, readOnly);
  try {
    retryWhileBusy(() => {
      migrate(db, { path, readOnly, migrations, now: () => clock().toISOString() });
    });
  } catch (error) {
    db.close();
    throw storeError("open the database", path, error);
  }

  const statements = new Map<string, StatementSync>();
  let wrote = false;
  let open = true;

  function sql(text: string): StatementSync {
    let statement = statements.get(text);
    if (statement === undefined) {
      statement = db.prepare(text);
      statements.set(text, statement);
    }
    return statement;
  }

  return {
    path,
    now: () => clock().toISOString(),
    sql,
    read(tried, work) {
      try {
        return work();
      } catch (error) {
        throw storeError(tried, path, error);
      }
    },
    write(tried, work, durable = false) {
      if (readOnly) throw new PryxError("read_only", `Cannot ${tried}: ${path} was opened for reading only`);
      wrote = true;
      try {
        // Cannot change inside a transaction.
        if (durable) db.exec("PRAGMA synchronous = FULL");
        try {
          // Takes the write lock at once: a transaction that reads first could fail half-way when another one writes.
          sql("BEGIN IMMEDIATE").run();
          const result = work();
          sql("COMMIT").run();
          return result;
        } catch (error) {
          rollback(db);
          throw error;
        } finally {
          if (durable) db.exec("PRAGMA synchronous = NORMAL");
        }
      } catch (error) {
        throw storeError(tried, path, error);
      }
    },
    writeOne(tried, work) {
      if (readOnly) throw new PryxError("read_only", `Cannot ${tried}: ${path} was opened for reading only`);
      wrote = true;
      try {
        return work();
      } catch (error) {
        throw storeError(tried, path, error);
      }
    },
    close() {
      if (!open) return;
      open = false;
      try {
        // The last connection to close does this anyway; this is for when others stay.
        if (wrote) db.exec("PRAGMA wal_checkpoint(PASSIVE)");
      } catch {
        // A full disk: everything is in the write-ahead log, which the next connection reads.
      }
      statements.clear();
      db.close();
    },
  };
}

function rollback(db: DatabaseSync): void {
  try {
    db.exec("ROLLBACK");
  } catch {
    // SQLite has rolled back by itself (full disk), or the transaction never began.
  }
}

function connect(path: string, readOnly: boolean): DatabaseSync {
  try {
    if (readOnly) return connectReadOnly(path);
    prepareFile(path);
    const db = new DatabaseSync(path);
    try {
      configure(db);
      retryWhileBusy(() => {
        const row = db.prepare("PRAGMA journal_mode").get();
        if (row?.journal_mode !== "wal") db.exec("PRAGMA journal_mode = WAL");
      });
    } catch (error) {
      db.close();
      throw error;
    }
    return db;
  } catch (error) {
    throw storeError("open the database", path, error);
  }
}

function configure(db: DatabaseSync): void {
  db.exec(
    `PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY`,
  );
}

function connectReadOnly(path: string): DatabaseSync {
  if (!exists(path)) {
    throw new PryxError("not_found", `Cannot open the database ${path}: there is none`, {
      fix: "Run pryx once to make it",
    });
  }
  let db = new DatabaseSync(path, { readOnly: true });
  try {
    configure(db);
    db.prepare("PRAGMA schema_version").get();
  } catch (error) {
    db.close();
    // On a read-only file system SQLite cannot make the shared memory file. Without a write-ahead log the file is
    // whole, and nobody can change it there.
    if (size(`${path}-wal`) > 0) throw error;
    const url = new URL("file:///");
    url.pathname = path.replaceAll("%", "%25");
    url.searchParams.set("immutable", "1");
    db = new DatabaseSync(url, { readOnly: true });
    configure(db);
  }
  return db;
}

/** Makes the folder (0700) and the file (0600). SQLite gives its -wal and -shm files the mode of the file. */
function prepareFile(path: string): void {
  if (!exists(path)) {
    makeFolder(dirname(path));
    try {
      Deno.openSync(path, { write: true, createNew: true, mode: 0o600 }).close();
      protect(path, 0o600);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
    return;
  }
  if (Deno.build.os === "windows") return;
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    const mode = exists(file)?.mode;
    // A restored copy often has the mode of any new file.
    if (typeof mode === "number" && (mode & 0o077) !== 0) protect(file, 0o600);
  }
}

/** Makes `folder` and what is missing above it, each 0700 whatever the umask. Folders that are there keep their mode. */
function makeFolder(folder: string): void {
  if (exists(folder) || basename(folder) === "") return;
  makeFolder(dirname(folder));
  try {
    Deno.mkdirSync(folder, { mode: 0o700 });
    protect(folder, 0o700);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

function protect(path: string, mode: number): void {
  if (Deno.build.os === "windows") return;
  try {
    Deno.chmodSync(path, mode);
  } catch {
    // Another user's file: if it cannot be used, opening it says so.
  }
}

function exists(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function size(path: string): number {
  return exists(path)?.size ?? 0;
}

/**
 * Setting up a database takes locks that ignore busy_timeout (two processes making the same file), so it is tried
 * again with pauses of 5 to 50 ms until the time is up.
 */
function retryWhileBusy(work: () => void): void {
  const until = Date.now() + BUSY_MS;
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let pause = 5;; pause = Math.min(50, pause * 2)) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || Date.now() > until) throw error;
    }
    Atomics.wait(cell, 0, 0, pause);
  }
}
