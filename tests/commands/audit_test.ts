import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { commands } from "../../core/commands/audit.ts";
import type { CommandResult } from "../../core/commands/command.ts";
import type { Json } from "../../core/domain/schema.ts";
import { openStore } from "../../core/store/sqlite.ts";
import type { Store } from "../../core/store/store.ts";
import { fakeContext, fakeSurface } from "../support/fake_pryx.ts";

type Args = Readonly<Record<string, Json>>;
type Run = (name: string, input?: Args) => Promise<CommandResult>;

async function withStore(work: (store: Store, run: Run, path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "pryx.db");
  const store = openStore({ path });
  const context = fakeContext(fakeSurface(), new AbortController().signal, {
    store: () => Promise.resolve(store),
  });
  const run: Run = async (name, input = {}) => {
    const command = commands.find((command) => command.name === name);
    assert.ok(command);
    return await command.run(input, context);
  };
  try {
    await work(store, run, path);
  } finally {
    store[Symbol.dispose]();
    await Deno.remove(folder, { recursive: true });
  }
}

function tamper(path: string, sql: string): void {
  using raw = new DatabaseSync(path);
  raw.exec(`DROP TRIGGER audit_is_not_updated; DROP TRIGGER audit_is_not_deleted; ${sql}`);
}

Deno.test("audit verify prints the head, and checks one that was kept", () =>
  withStore(async (store, run) => {
    assert.match((await run("audit verify")).text ?? "", /whole: 0 entries, head 0{64}$/);
    const first = store.audit("decision", { verdict: "deny" });
    const second = store.audit("grant", {});
    const { text = "", data, exitCode } = await run("audit verify");
    assert.equal(text, `The audit log is whole: 2 entries, head ${second.hash}`);
    assert.deepEqual(data, { ok: true, entries: 2, head: second.hash });
    assert.equal(exitCode, undefined);
    const kept = await run("audit verify", { head: first.hash.toUpperCase() });
    assert.match(kept.text ?? "", /the given head is entry 1 of it/);
    assert.equal(kept.exitCode, undefined);
    const other = await run("audit verify", { head: "1".repeat(64) });
    assert.equal(other.exitCode, 1);
    assert.match(other.text ?? "", /the given head is not in it/);
  }));

Deno.test("audit verify exits 1 on a broken chain and says where", () =>
  withStore(async (store, run, path) => {
    for (let n = 1; n <= 5; n++) store.audit("decision", { n });
    tamper(path, `UPDATE audit SET data = '{"n":9}' WHERE seq = 4`);
    const { text = "", data, exitCode } = await run("audit verify");
    assert.equal(exitCode, 1);
    assert.match(text, /^The audit log is broken at entry 4: entry 4 was changed/);
    const { ok, badSeq } = data as { ok: boolean; badSeq: number };
    assert.deepEqual([ok, badSeq], [false, 4]);
    assert.match((await run("audit show")).text ?? "", /n=9/);
  }));

Deno.test("audit verify with a kept head finds a log whose end was cut off with its counter", () =>
  withStore(async (store, run, path) => {
    for (let n = 1; n <= 5; n++) store.audit("decision", { n });
    const kept = (await run("audit verify")).data as { head: string };
    tamper(path, "DELETE FROM audit WHERE seq > 3; UPDATE sqlite_sequence SET seq = 3 WHERE name = 'audit'");
    assert.equal((await run("audit verify")).exitCode, undefined, "the chain alone cannot show it");
    assert.equal((await run("audit verify", { head: kept.head })).exitCode, 1);
  }));

Deno.test("audit show lists the last entries, by kind and session", () =>
  withStore(async (store, run) => {
    assert.equal((await run("audit show")).text, "No entries.");
    for (let n = 1; n <= 30; n++) {
      store.audit(n % 3 === 0 ? "grant" : "decision", { n, session: `s${n % 2}`, more: [1] });
    }
    const seqs = async (input: Args) =>
      ((await run("audit show", input)).data as { seq: number }[]).map(({ seq }) => seq);
    assert.deepEqual(await seqs({}), Array.from({ length: 20 }, (_, n) => n + 11));
    assert.deepEqual(await seqs({ last: 2 }), [29, 30]);
    assert.deepEqual(await seqs({ after: 28 }), [29, 30]);
    assert.deepEqual(await seqs({ kind: "grant", last: 2 }), [27, 30]);
    assert.deepEqual(await seqs({ kind: "grant", session: "s1" }), [3, 9, 15, 21, 27]);
    const { text = "" } = await run("audit show", { last: 1 });
    assert.match(text, /^#30 {4}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}grant {5}more=\[1\] n=30 session=s0$/);
    await assert.rejects(run("audit show", { last: 1, after: 1 }), /exclude each other/);
  }));
