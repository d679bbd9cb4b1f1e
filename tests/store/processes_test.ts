import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import type { ApprovalId, CallId, GrantId, SessionId } from "../../core/domain/id.ts";
import { migrate } from "../../core/store/_migrate.ts";
import { MIGRATIONS } from "../../core/store/migrations/migrations.ts";
import { openStore } from "../../core/store/sqlite.ts";
import { created, throwsCode } from "../contract/store_contract.ts";
import { hasNamespaces } from "../support/namespaces.ts";

const CHILD = fileURLToPath(new URL("./_child.ts", import.meta.url));
const SHARED = "shared" as SessionId;

function childArgs(database: string, job: string, ...args: string[]): string[] {
  return ["run", "-A", "--no-prompt", "--quiet", CHILD, database, job, ...args];
}

async function output(command: string, args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args, stdin: "null" }).output();
  const text = new TextDecoder().decode(stdout);
  assert.equal(code, 0, new TextDecoder().decode(stderr) + text);
  return JSON.parse(text);
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "pryx store " });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("four processes appending to one database at once lose nothing", () =>
  inFolder(async (folder) => {
    const path = join(folder, "pryx.db");
    const names = ["a", "b", "c", "d"];
    const count = 400;
    using store = openStore({ path });
    store.append(SHARED, [created()]);
    const times = { createdAt: "2026-01-01T00:00:00Z", expiresAt: "2999-01-01T00:00:00Z" };
    for (let n = 0; n < count; n++) {
      store.putApproval({
        id: `approval-${n}` as ApprovalId,
        session: SHARED,
        call: "c" as CallId,
        digest: "d",
        tool: "shell",
        summary: "s",
        judgements: [],
        ...times,
        status: "open",
      });
    }
    store.putGrant({
      id: "grant" as GrantId,
      needs: [],
      scope: "host",
      duration: { kind: "forever" },
      usesLeft: 1000,
      uses: 0,
      untrusted: false,
      createdAt: times.createdAt,
      by: "human:test",
    });

    const results = await Promise.all(
      names.map((name) => output(Deno.execPath(), childArgs(path, "append", name, String(count)))),
    ) as { answered: number; used: number }[];

    const sum = (key: "answered" | "used") => results.reduce((total, result) => total + result[key], 0);
    assert.equal(sum("answered"), count, "each approval is answered once");
    assert.equal(sum("used"), 1000, "no use beyond the limit");
    for (const name of names) {
      const own = [...store.events(`own-${name}` as SessionId)];
      assert.deepEqual(own.map(({ seq }) => seq), Array.from({ length: count + 1 }, (_, n) => n + 1));
    }
    const shared = [...store.events(SHARED)];
    assert.deepEqual(shared.map(({ seq }) => seq), Array.from({ length: 1 + 8 * count }, (_, n) => n + 1));
    assert.equal(store.session(SHARED)?.lastSeq, 1 + 8 * count);
    for (const name of names) {
      const texts = shared.flatMap((event) => event.type === "notice" ? [event.data.text] : []);
      const own = texts.filter((text) => text.startsWith(`${name} `));
      assert.deepEqual(own, Array.from({ length: count }, (_, n) => `${name} ${n}`));
      assert.equal(store.search(`"${name} says"`, 10_000).length, count);
    }
    // Nobody's two events were torn apart.
    for (let at = 1; at < shared.length; at += 2) {
      const [first, second] = [shared[at], shared[at + 1]];
      assert.ok(first?.type === "notice" && second?.type === "message");
      assert.equal(second.data.text, first.data.text.replace(" ", " says "));
    }
    const verdict = store.verifyAudit();
    assert.deepEqual([verdict.ok, verdict.entries], [true, 4 * count]);
  }));

Deno.test("four processes may make the same database at once", () =>
  inFolder(async (folder) => {
    const path = join(folder, "new", "pryx.db");
    const names = ["a", "b", "c", "d"];
    await Promise.all(names.map((name) => output(Deno.execPath(), childArgs(path, "create", name))));
    using store = openStore({ path });
    assert.deepEqual(store.sessions().map(({ id }) => id).sort(), names);
  }));

Deno.test("kill -9 in the middle of appends loses no event that came back, and frees the session", () =>
  inFolder(async (folder) => {
    const path = join(folder, "pryx.db");
    const child = new Deno.Command(Deno.execPath(), {
      args: childArgs(path, "forever"),
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const decoder = new TextDecoder();
    // Not `for await`: leaving it would close the pipe, and the child would end by itself.
    const reader = child.stdout.getReader();
    let text = "";
    while (text.length < 2000) {
      const { value, done } = await reader.read();
      assert.ok(!done, "the child ended by itself");
      text += decoder.decode(value, { stream: true });
    }
    {
      using store = openStore({ path });
      const busy = throwsCode(() => store.lease("long" as SessionId), "session_busy");
      assert.match(busy.message, new RegExp(`pid ${child.pid}`));
    }
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();

    const reported = text.slice(0, text.lastIndexOf("\n")).split("\n").map(Number);
    using store = openStore({ path });
    const events = [...store.events("long" as SessionId)].map(({ seq }) => seq);
    assert.deepEqual(events, Array.from({ length: events.length }, (_, n) => n + 1));
    assert.ok(events.length >= (reported.at(-1) ?? Infinity));
    store.lease("long" as SessionId)[Symbol.dispose]();
  }));

/** Runs the child in a mount namespace, after `setUp` (sh; the folder is $1). */
function mounted(setUp: string, folder: string, args: string[]): Promise<unknown> {
  return output("unshare", [
    "-rm",
    "sh",
    "-ec",
    `${setUp}; shift; exec "$@"`,
    "sh",
    folder,
    Deno.execPath(),
    ...args,
  ]);
}

interface ErrorJson {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
}

Deno.test({
  name: "a full disk is reported and loses nothing that was stored",
  ignore: !hasNamespaces,
  fn: () =>
    inFolder(async (folder) => {
      for (const megabytes of [1, 3]) {
        const keep = join(folder, `kept ${megabytes}`);
        await Deno.mkdir(keep);
        const disk = join(folder, `disk ${megabytes}`);
        await Deno.mkdir(disk);
        // The disk goes with the namespace, so the test copies what is on it when the child has ended.
        const result = await output("unshare", [
          "-rm",
          "sh",
          "-ec",
          `mount -t tmpfs -o size=${megabytes}m tmpfs "$1"; shift 2; "$@"; cp "$0"/* "${keep}"`,
          disk,
          disk,
          "",
          Deno.execPath(),
          ...childArgs(join(disk, "pryx.db"), "fill"),
        ]) as { stored: number; readable: number; error: ErrorJson };
        assert.equal(result.error.code, "disk_full", JSON.stringify(result));
        assert.match(result.error.message, /disk .* is full/);
        assert.ok(result.stored > 10);
        assert.equal(result.readable, result.stored, "events that came back are there");
        using store = openStore({ path: join(keep, "pryx.db") });
        assert.equal([...store.events("filled" as SessionId)].length, result.stored);
      }
    }),
});

Deno.test({
  name: "a disk that is full from the start is reported as full",
  ignore: !hasNamespaces,
  fn: () =>
    inFolder(async (folder) => {
      const setUp = 'mount -t tmpfs -o size=64k tmpfs "$1"; head -c 60000 /dev/zero > "$1/other"';
      const args = childArgs(join(folder, "data", "pryx.db"), "access", join(folder, "blobs"));
      const result = await mounted(setUp, folder, args) as { write: ErrorJson };
      assert.equal(result.write.code, "disk_full", JSON.stringify(result));
    }),
});

Deno.test({
  name: "a read-only data folder is reported, and can still be read",
  ignore: !hasNamespaces,
  fn: () =>
    inFolder(async (folder) => {
      const path = join(folder, "pryx.db");
      {
        using store = openStore({ path });
        store.append("kept" as SessionId, [created()]);
      }
      const readOnly = 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"';
      const there = await mounted(readOnly, folder, childArgs(path, "access", join(folder, "blobs"))) as {
        write: ErrorJson;
        read: number;
        put: ErrorJson;
      };
      assert.equal(there.write.code, "read_only", JSON.stringify(there));
      assert.match(there.write.fix, /PRYX_HOME/);
      assert.equal(there.read, 1);
      assert.equal(there.put.code, "read_only");

      const missing = join(folder, "none", "pryx.db");
      const result = await mounted(readOnly, folder, childArgs(missing, "access", folder)) as {
        write: ErrorJson;
      };
      assert.equal(result.write.code, "read_only", JSON.stringify(result));
    }),
});

Deno.test("migrate() takes tables that another process made between two looks for a database, not for damage", () =>
  inFolder((folder) => {
    const path = join(folder, "pryx.db");
    openStore({ path })[Symbol.dispose]();
    const db = new DatabaseSync(path);
    let looks = 0;
    const late = new Proxy(db, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (name === "prepare" && looks++ === 0) throw new Error("no such table: migrations");
          return Reflect.apply(value, target, args);
        };
      },
    });
    try {
      migrate(late, { path, readOnly: true, migrations: MIGRATIONS, now: () => "" });
      assert.equal(looks, 3);
    } finally {
      db.close();
    }
    return Promise.resolve();
  }));
