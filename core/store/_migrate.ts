import { DatabaseSync } from "node:sqlite";
import { PryxError } from "../domain/error.ts";
import { corrupt } from "./_errors.ts";
import type { Migration } from "./migrations/migrations.ts";

/** What a migration works with. */
interface MigrateOptions {
  readonly path: string;
  readonly readOnly: boolean;
  /** By version, from 1. */
  readonly migrations: readonly Migration[];
  readonly now: () => string;
}

/**
 * Brings the schema to the newest version, in one transaction. A database that holds data is copied to
 * `PATH.backup-vN` first. One statement when there is nothing to do.
 */
export function migrate(db: DatabaseSync, options: MigrateOptions): void {
  const newest = options.migrations.at(-1)?.version ?? 0;
  const before = versionOf(db, options.path);
  refuseNewer(before, newest, options.path);
  if (before === newest) return;
  if (options.readOnly) {
    throw new PryxError(
      "database",
      `Cannot read ${options.path}: its version ${before} is older than version ${newest}, which this pryx reads`,
      { fix: "Open it once with a pryx that may write to it: it is migrated, with a backup" },
    );
  }

  // Cannot change inside a transaction; tables that others refer to may be made anew.
  db.exec("PRAGMA foreign_keys = OFF; PRAGMA synchronous = FULL");
  try {
    db.exec("BEGIN IMMEDIATE");
    try {
      // Another process may have done it while this one waited for the lock.
      const version = versionOf(db, options.path);
      refuseNewer(version, newest, options.path);
      if (version > 0 && version < newest) backUp(options.path, version);
      apply(db, version, options);
      db.exec("COMMIT");
    } catch (error) {
      try {
        db.exec("ROLLBACK");
      } catch {
        // SQLite has rolled back by itself.
      }
      throw error;
    }
  } finally {
    db.exec("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON");
  }
}

/** The version of the schema; 0 for an empty file. `again`: another process may have made it between the two looks. */
function versionOf(db: DatabaseSync, path: string, again = true): number {
  try {
    const row = db.prepare("SELECT max(version) AS version FROM migrations").get();
    if (typeof row?.version !== "number") throw corrupt(path, new Error("its version table is empty"));
    return row.version;
  } catch (error) {
    if (!(error instanceof Error) || !/no such (table|column)/.test(error.message)) throw error;
    const row = db.prepare("SELECT count(*) AS tables FROM sqlite_master").get();
    if (row?.tables === 0) return 0;
    if (again) return versionOf(db, path, false);
    throw corrupt(path, error);
  }
}

function refuseNewer(version: number, newest: number, path: string): void {
  if (version <= newest) return;
  throw new PryxError(
    "database_newer",
    `Cannot open ${path}: a newer pryx made it (version ${version}; this one reads up to version ${newest})`,
    {
      fix: `Update pryx, or move ${path} away, or set PRYX_HOME to another folder. Nothing was changed`,
    },
  );
}

function apply(db: DatabaseSync, from: number, { migrations, now }: MigrateOptions): void {
  if (from === 0) {
    db.exec(
      "CREATE TABLE migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, at TEXT NOT NULL) STRICT",
    );
  }
  const record = db.prepare("INSERT INTO migrations (version, name, at) VALUES (?, ?, ?)");
  for (const { version, name, sql } of migrations) {
    if (version <= from) continue;
    db.exec(sql);
    record.run(version, name, now());
  }
  const broken = db.prepare("PRAGMA foreign_key_check").get();
  if (broken !== undefined) throw new Error(`a migration broke a reference: ${JSON.stringify(broken)}`);
}

/** Copies the database as it is before the migration. Runs beside the connection that holds the write lock. */
function backUp(path: string, version: number): void {
  const target = freePath(`${path}.backup-v${version}`);
  // VACUUM INTO accepts an empty file and keeps its mode.
  Deno.openSync(target, { write: true, createNew: true, mode: 0o600 }).close();
  const reader = new DatabaseSync(path, { readOnly: true });
  try {
    reader.prepare("VACUUM INTO ?").run(target);
  } catch (error) {
    Deno.removeSync(target);
    throw error;
  } finally {
    reader.close();
  }
}

/** `path`, or `path-2`, `path-3`, …: an earlier backup is never overwritten. */
function freePath(path: string): string {
  for (let n = 1;; n++) {
    const candidate = n === 1 ? path : `${path}-${n}`;
    try {
      Deno.lstatSync(candidate);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return candidate;
      throw error;
    }
  }
}
