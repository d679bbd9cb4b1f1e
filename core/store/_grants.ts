import type { Grant } from "../domain/policy.ts";
import type { Database } from "./_database.ts";
import type { Store } from "./store.ts";
import { toMillis } from "./_time.ts";

type Grants = Pick<
  Store,
  "putGrant" | "grants" | "useGrant" | "revokeGrant" | "trustedHash" | "trust" | "untrust"
>;

interface Row {
  readonly body: string;
  readonly uses: number;
  readonly uses_left: number | null;
  readonly revoked_at: string | null;
}

const VALID =
  "revoked_at IS NULL AND (uses_left IS NULL OR uses_left > 0) AND (until_ms IS NULL OR until_ms > ?)";

/** What people gave: grants of power, and trust in folders. Whether a grant fits a call is for policy to say. */
export function openGrants(db: Database): Grants {
  return {
    putGrant(grant) {
      db.write("store a grant", () => {
        const { uses, usesLeft, revokedAt, ...body } = grant;
        const { duration } = grant;
        db.sql(
          "INSERT INTO grants (id, session, body, uses, uses_left, until_ms, revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        ).run(
          grant.id,
          grant.session ?? null,
          JSON.stringify(body),
          uses,
          usesLeft ?? (duration.kind === "once" ? 1 : null),
          duration.kind === "until" ? toMillis(duration.at) : null,
          revokedAt ?? null,
        );
      }, true);
    },
    grants({ now, all = false }) {
      return db.read("list grants", () => {
        const columns = "SELECT body, uses, uses_left, revoked_at FROM grants";
        const rows = all
          ? db.sql(`${columns} ORDER BY id`).all()
          : db.sql(`${columns} WHERE ${VALID} ORDER BY id`).all(toMillis(now));
        return (rows as unknown as Row[]).map(toGrant);
      });
    },
    useGrant(id, now) {
      return db.write(`use grant "${id}"`, () => {
        const { changes } = db.sql(
          `UPDATE grants SET uses = uses + 1, uses_left = uses_left - 1 WHERE id = ? AND ${VALID}`,
        ).run(id, toMillis(now));
        return changes === 1;
      });
    },
    revokeGrant(id, now) {
      return db.write(`revoke grant "${id}"`, () => {
        const { changes } = db.sql("UPDATE grants SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL")
          .run(now, id);
        return changes === 1;
      }, true);
    },

    trustedHash(folder) {
      return db.read("read trusted folders", () => {
        const row = db.sql("SELECT hash FROM trusted_folders WHERE folder = ?").get(folder);
        return typeof row?.hash === "string" ? row.hash : undefined;
      });
    },
    trust(folder, hash, at) {
      db.write(`trust ${folder}`, () => {
        db.sql("INSERT OR REPLACE INTO trusted_folders (folder, hash, at) VALUES (?, ?, ?)").run(
          folder,
          hash,
          at,
        );
      });
    },
    untrust(folder) {
      return db.write(`stop trusting ${folder}`, () => {
        return db.sql("DELETE FROM trusted_folders WHERE folder = ?").run(folder).changes === 1;
      }, true);
    },
  };
}

function toGrant(row: Row): Grant {
  return {
    ...JSON.parse(row.body),
    uses: row.uses,
    ...(row.uses_left === null ? {} : { usesLeft: row.uses_left }),
    ...(row.revoked_at === null ? {} : { revokedAt: row.revoked_at }),
  };
}
