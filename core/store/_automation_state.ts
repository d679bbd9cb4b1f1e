import { PryxError } from "../domain/error.ts";
import type { Database } from "./_database.ts";
import type { AutomationState, Store } from "./store.ts";

/** UTF-16 units of a key at most. */
const MAX_KEY = 512;
/** UTF-16 units of a value at most. */
const MAX_VALUE = 1_000_000;
/** Keys of one automation at most. */
const MAX_KEYS = 100_000;

/** What automations keep from run to run: text by key, for each file apart. */
export function openAutomationState(db: Database): Pick<Store, "automationState"> {
  return {
    automationState(owner): AutomationState {
      const get = (key: string) => {
        const row = db.sql("SELECT value FROM automation_state WHERE owner = ? AND key = ?").get(owner, key);
        return typeof row?.value === "string" ? row.value : undefined;
      };
      const count = () =>
        Number(db.sql("SELECT count(*) AS n FROM automation_state WHERE owner = ?").get(owner)?.n ?? 0);
      let known: number | undefined;
      const change = (key: string, value: string) => {
        const sql = "UPDATE automation_state SET value = ? WHERE owner = ? AND key = ?";
        return db.sql(sql).run(value, owner, key).changes === 1;
      };
      const put = (key: string, value: string) => {
        check(key, value);
        if (change(key, value)) return;
        // Counted once, then by what is added: a look at every write would grow with what is there.
        known ??= count();
        if (known >= MAX_KEYS) throw tooMany();
        db.sql("INSERT INTO automation_state (owner, key, value) VALUES (?, ?, ?)").run(owner, key, value);
        known++;
      };
      return {
        get: (key) => db.read("read an automation's state", () => get(key)),
        set(key, value) {
          const tried = "keep an automation's state";
          check(key, value);
          if (!db.writeOne(tried, () => change(key, value))) db.write(tried, () => put(key, value));
        },
        swap: (key, before, value) =>
          db.write("keep an automation's state", () => {
            if (get(key) !== before) return false;
            put(key, value);
            return true;
          }),
        remove: (key) =>
          db.write("forget an automation's state", () => {
            known = undefined;
            const sql = "DELETE FROM automation_state WHERE owner = ? AND key = ?";
            return db.sql(sql).run(owner, key).changes === 1;
          }),
        keys: (prefix) =>
          db.read("list an automation's state", () => {
            const sql =
              "SELECT key FROM automation_state WHERE owner = ? AND substr(key, 1, ?) = ? ORDER BY key";
            return db.sql(sql).all(owner, [...prefix].length, prefix).map(({ key }) => String(key));
          }),
      };
    },
  };
}

function check(key: string, value: string): void {
  if (key === "" || key.length > MAX_KEY) {
    throw new PryxError("input_invalid", `A key has 1 to ${MAX_KEY} characters, not ${key.length}`);
  }
  if (value.length > MAX_VALUE) {
    throw new PryxError("input_invalid", `Cannot keep ${key}: it has ${value.length} characters as JSON`, {
      fix: `keep at most ${MAX_VALUE}; write larger things to a file`,
    });
  }
}

function tooMany(): PryxError {
  return new PryxError("input_invalid", `Cannot keep more than ${MAX_KEYS} keys`, {
    fix: "remove some, or keep lists under one key",
  });
}
