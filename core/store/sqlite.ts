import { openApprovals } from "./_approvals.ts";
import { openAudit } from "./_audit.ts";
import { openAutomationState } from "./_automation_state.ts";
import { openDatabase } from "./_database.ts";
import { openEvents } from "./_events.ts";
import { openGrants } from "./_grants.ts";
import { openLeases } from "./_leases.ts";
import { openSearch } from "./_search.ts";
import { openSessions } from "./_sessions.ts";
import { type Migration, MIGRATIONS } from "./migrations/migrations.ts";
import type { Store } from "./store.ts";

/** How the database is opened. */
interface StoreOptions {
  /** Absolute path of the database file. It and its folder are made when they are missing. */
  readonly path: string;
  /** The process that leases belong to. Default: this one. */
  readonly pid?: number;
  readonly clock?: () => Date;
  /** Reads what is there, also on a read-only file system; whatever writes throws `read_only`. */
  readonly readOnly?: boolean;
  /** The schema, step by step. Default: this program's. */
  readonly migrations?: readonly Migration[];
}

/**
 * Opens the SQLite database that many pryx processes share. Throws PryxError `database_newer`, `database_corrupt`,
 * `disk_full`, `read_only`, `database`; with `readOnly`, `not_found`. Disposing it gives its leases back.
 */
export function openStore(options: StoreOptions): Store {
  const { path, pid = Deno.pid, clock = () => new Date(), readOnly = false, migrations = MIGRATIONS } =
    options;
  const db = openDatabase({ path, readOnly, clock, migrations });
  const leases = openLeases(db, pid);
  return {
    ...openEvents(db),
    ...openSessions(db, leases, pid),
    ...openSearch(db),
    ...openApprovals(db),
    ...openGrants(db),
    ...openAudit(db),
    ...openAutomationState(db),
    lease: leases.lease,
    [Symbol.dispose]() {
      try {
        leases.releaseAll();
      } finally {
        db.close();
      }
    },
  } satisfies Store;
}
