import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { openStore } from "../../core/store/sqlite.ts";

/** A database with ten audit entries, tampered with by `sql` as somebody with the file could. */
function afterTampering(...sql: string[]) {
  const folder = Deno.makeTempDirSync();
  try {
    const path = join(folder, "pryx.db");
    {
      using store = openStore({ path });
      for (let n = 1; n <= 10; n++) store.audit("decision", { n, verdict: "deny" });
    }
    {
      using raw = new DatabaseSync(path);
      raw.exec(
        "DROP TRIGGER audit_is_not_updated; DROP TRIGGER audit_is_not_deleted; DROP TRIGGER audit_is_in_order",
      );
      for (const statement of sql) raw.exec(statement);
    }
    using store = openStore({ path });
    const verdict = store.verifyAudit();
    // Whatever was done, it can still be listed.
    assert.ok([...store.auditEntries()].length >= 8);
    return verdict;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const bad = (verdict: ReturnType<typeof afterTampering>) => verdict.ok ? undefined : verdict.badSeq;

Deno.test("verifyAudit() accepts a log that nobody touched", () => {
  assert.deepEqual(afterTampering("SELECT 1").ok, true);
});

Deno.test("verifyAudit() finds a changed field of an entry, whichever it is", () => {
  for (
    const change of [
      `data = replace(data, 'deny', 'allow')`,
      `data = data || ' '`,
      `data = 'not json'`,
      `data = '{"n":5,"n":5,"verdict":"deny"}'`,
      `at = '2020-01-01T00:00:00.000Z'`,
      `kind = 'grant'`,
      `previous = '${"0".repeat(64)}'`,
      `hash = '${"1".repeat(64)}'`,
    ]
  ) {
    assert.equal(bad(afterTampering(`UPDATE audit SET ${change} WHERE seq = 5`)), 5, change);
  }
});

Deno.test("verifyAudit() finds an entry that was changed together with its own hash", () => {
  const folder = Deno.makeTempDirSync();
  let sql = "";
  try {
    using store = openStore({ path: join(folder, "x.db"), clock: () => new Date(0) });
    for (let n = 1; n <= 5; n++) store.audit("decision", { n });
    const entry = [...store.auditEntries()][4];
    assert.ok(entry);
    const bytes =
      `{"at":"${entry.at}","data":{"n":99},"kind":"decision","previous":"${entry.previous}","seq":5}`;
    const honest = bytes.replace('{"n":99}', '{"n":5}');
    assert.equal(createHash("sha256").update(honest).digest("hex"), entry.hash, "the documented bytes");
    sql = `UPDATE audit SET data = '{"n":99}', hash = '${createHash("sha256").update(bytes).digest("hex")}'`;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
  // In a log with other times the forged hash is wrong at once; the entry after it shows it in any case.
  assert.equal(bad(afterTampering(`${sql} WHERE seq = 5`)), 5);
  assert.equal(
    bad(afterTampering("UPDATE audit SET hash = (SELECT hash FROM audit WHERE seq = 4) WHERE seq = 5")),
    5,
  );
});

Deno.test("verifyAudit() finds removed entries at the start, in the middle and at the end", () => {
  assert.equal(bad(afterTampering("DELETE FROM audit WHERE seq = 1")), 2);
  assert.equal(bad(afterTampering("DELETE FROM audit WHERE seq = 5")), 6);
  assert.equal(bad(afterTampering("DELETE FROM audit WHERE seq >= 9")), 9);
  // Closing the gap does not help.
  const closed = ["DELETE FROM audit WHERE seq = 5", "UPDATE audit SET seq = -(seq - 1) WHERE seq > 5"];
  assert.equal(bad(afterTampering(...closed, "UPDATE audit SET seq = -seq WHERE seq < 0")), 5);
});

Deno.test("verifyAudit() finds entries that changed places", () => {
  const verdict = afterTampering(
    "UPDATE audit SET seq = -seq WHERE seq IN (4, 5)",
    "UPDATE audit SET seq = 9 + seq WHERE seq = -5",
    "UPDATE audit SET seq = 9 + seq WHERE seq = -4",
  );
  assert.equal(bad(verdict), 4);
});

Deno.test("the database refuses to change, remove, replace or skip audit entries", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const path = join(folder, "pryx.db");
    using store = openStore({ path });
    for (let n = 1; n <= 3; n++) store.audit("decision", { n });
    using raw = new DatabaseSync(path);
    for (
      const sql of [
        "UPDATE audit SET kind = 'x'",
        "DELETE FROM audit WHERE seq = 3",
        "INSERT OR REPLACE INTO audit SELECT 3, at, 'x', data, previous, hash FROM audit WHERE seq = 3",
        "INSERT INTO audit SELECT 9, at, kind, data, previous, hash FROM audit WHERE seq = 3",
      ]
    ) {
      assert.throws(() => raw.exec(sql), /append-only/, sql);
    }
    assert.equal(store.verifyAudit().ok, true);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
