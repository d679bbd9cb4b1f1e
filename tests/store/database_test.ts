import assert from "node:assert/strict";
import { join } from "node:path";
import { openDatabase } from "../../core/store/_database.ts";
import { MIGRATIONS } from "../../core/store/migrations/migrations.ts";

/** Values of `PRAGMA synchronous`. */
const NORMAL = 1;
const FULL = 2;

Deno.test("write() waits for the disk when it is durable, and only then", async () => {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "pryx.db");
  const db = openDatabase({ path, readOnly: false, clock: () => new Date(), migrations: MIGRATIONS });
  try {
    const synchronous = (durable: boolean) =>
      db.write("look", () => db.sql("PRAGMA synchronous").get()?.synchronous, durable);
    assert.equal(synchronous(false), NORMAL);
    assert.equal(synchronous(true), FULL);
    assert.equal(synchronous(false), NORMAL);
    assert.throws(() =>
      db.write("fail", () => {
        throw new Error("half-way");
      }, true)
    );
    assert.equal(synchronous(false), NORMAL);
  } finally {
    db.close();
    await Deno.remove(folder, { recursive: true });
  }
});
