import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Command, CommandContext, CommandResult } from "../../core/commands/command.ts";
import { toMarkdown } from "../../core/commands/_session_export.ts";
import { commands } from "../../core/commands/sessions.ts";
import { PryxError } from "../../core/domain/error.ts";
import type { EventDraft, PryxEvent } from "../../core/domain/event.ts";
import type { SessionId, TurnId } from "../../core/domain/id.ts";
import { openBlobs } from "../../core/store/blobs.ts";
import type { Json } from "../../core/domain/schema.ts";
import { openStore } from "../../core/store/sqlite.ts";
import type { Blobs, SessionRow, Store } from "../../core/store/store.ts";
import { created, ended, input, message, notice, started } from "../contract/store_contract.ts";
import { fakeContext, fakeSurface } from "../support/fake_pryx.ts";

type Args = Readonly<Record<string, Json>>;

interface Bench extends Disposable {
  readonly store: Store;
  readonly blobs: Blobs;
  /** Absolute, without links; sessions of the bench work there. */
  readonly workspace: string;
  /** Holds kept contents and outputs. */
  readonly state: string;
  run(name: string, input?: Args, more?: Partial<CommandContext>): Promise<CommandResult>;
  fails(name: string, input: Args, code: string): Promise<PryxError>;
  path(name: string): string;
}

function bench(): Bench {
  const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "pryx sessions " }));
  const workspace = join(folder, "work");
  Deno.mkdirSync(workspace);
  const store = openStore({ path: join(folder, "data", "pryx.db"), clock: tick() });
  const state = join(folder, "state");
  const blobs = openBlobs(state);
  const run: Bench["run"] = (name, input = {}, more = {}) => {
    const command = commands.find((command) => command.name === name) as Command;
    const context = fakeContext(more.surface ?? fakeSurface(), new AbortController().signal, {
      cwd: workspace,
      store: () => Promise.resolve(store),
      blobs: () => Promise.resolve(blobs),
      ...more,
    });
    return command.run(input, { ...context, paths: { ...context.paths, state } });
  };
  return {
    store,
    blobs,
    workspace,
    state,
    run,
    path: (name) => join(workspace, name),
    async fails(name, input, code) {
      let caught: unknown;
      await run(name, input).catch((error) => caught = error);
      assert.ok(caught instanceof PryxError, `expected ${code}, got ${caught}`);
      assert.equal(caught.code, code);
      return caught;
    },
    [Symbol.dispose]() {
      store[Symbol.dispose]();
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

/** Seconds that pass from call to call, so that sessions have an order. */
function tick(): () => Date {
  let now = Date.parse("2026-01-02T03:04:05Z");
  return () => new Date(now += 1000);
}

const A = "abc111" as SessionId;
const B = "abd111" as SessionId;
const C = "xyz222" as SessionId;
const bytes = (text: string) => new TextEncoder().encode(text);
const sha = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");
const turnOf = (name: string) => name as TurnId;

/** Does to a file what a tool would, and returns the event of it. */
async function change(
  b: Bench,
  name: string,
  content: string | Uint8Array | null,
  more: { turn?: string; kept?: boolean; mode?: number } = {},
): Promise<EventDraft> {
  const path = b.path(name);
  const { turn = "t1", kept = true } = more;
  const before = await Deno.readFile(path).catch(() => null);
  const mode = before ? ((await Deno.stat(path)).mode ?? 0) & 0o7777 : 0o644;
  const hash = before && kept ? await b.blobs.put(before) : null;
  const after = typeof content === "string" ? bytes(content) : content;
  if (after === null) await Deno.remove(path);
  else await Deno.writeFile(path, after);
  if (more.mode !== undefined) await Deno.chmod(path, more.mode);
  return {
    type: "file.changed",
    turn: turnOf(turn),
    data: { call: "c1", path, before: hash, after: after && sha(after), mode, kept },
  };
}

const read = (path: string) => Deno.readTextFileSync(path);
const isThere = (path: string) => {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
};

Deno.test("every command of sessions has examples that begin with its name, and names its arguments", () => {
  assert.deepEqual(
    commands.map(({ name }) => name.replace("sessions ", "")).sort(),
    ["delete", "diff", "export", "fork", "list", "resume", "script", "search", "show", "undo"],
  );
  for (const { name, examples, positionals = [], input } of commands) {
    assert.ok(examples.length > 0);
    for (const { line } of examples) assert.ok(line.startsWith(`pryx ${name}`), line);
    for (const positional of positionals) assert.ok(positional in input.properties);
  }
});

Deno.test("sessions list shows this folder, or all, the last used first", async () => {
  using b = bench();
  assert.match((await b.run("sessions list")).text ?? "", /No sessions here yet/);
  b.store.append(A, [created(b.workspace), input("first\nthing"), started]);
  b.store.append(B, [created("/elsewhere"), input("second"), started, ended()]);
  b.store.append(C, [created(b.workspace), input("third"), started]);
  using _lease = b.store.lease(C);
  const here = await b.run("sessions list");
  assert.match(
    here.text ?? "",
    /^xyz222 {2}2026-\d\d-\d\d \d\d:\d\d {2}running {6}third\nabc111 {2}.* {2}interrupted {2}first$/,
  );
  const ids = (result: CommandResult) => (result.data as { id: string }[]).map(({ id }) => id);
  assert.deepEqual(ids(here), [C, A]);
  assert.deepEqual(ids(await b.run("sessions list", { all: true })), [C, B, A]);
  const page = await b.run("sessions list", { all: true, limit: 2 });
  assert.match(page.text ?? "", /More: pryx sessions list --all --offset 2/);
  assert.deepEqual(ids(await b.run("sessions list", { all: true, limit: 2, offset: 2 })), [A]);
});

Deno.test("a session is named by its id, a unique beginning or end, or last", async () => {
  using b = bench();
  await b.fails("sessions show", {}, "not_found");
  const none = await b.fails("sessions show", { id: "abc" }, "not_found");
  assert.match(none.message, /there are none at all/);
  b.store.append(A, [created(b.workspace), input("first")]);
  b.store.append(B, [created(b.workspace), input("second")]);
  b.store.append(C, [created("/elsewhere"), input("third")]);
  const shown = async (id?: string) =>
    ((await b.run("sessions show", id === undefined ? {} : { id })).data as { id: string }).id;
  assert.deepEqual(
    [await shown(), await shown("last"), await shown("abc"), await shown("222"), await shown("abd111")],
    [B, B, A, C, B],
  );
  const many = await b.fails("sessions show", { id: "ab" }, "not_found");
  assert.match(many.message, /"ab" fits 2 sessions:\n {2}abd111 {2}second\n {2}abc111 {2}first$/);
  const unknown = await b.fails("sessions show", { id: "nosuch" }, "not_found");
  assert.match(unknown.message, /newest are:\n {2}xyz222 {2}third/);
});

Deno.test("sessions show tells what happened, from events", async () => {
  using b = bench();
  b.store.append(A, [created(b.workspace), input("fix it"), started]);
  const turn = turnOf("t1");
  const need = { kind: "run", target: "npm test" } as const;
  b.store.append(A, [
    { type: "message", turn, data: { text: "I will run the test", calls: [], finish: "tool_calls" } },
    {
      type: "model.settled",
      turn,
      data: {
        model: "a/b",
        usage: { input: 1200, output: 34, cached: 0, reasoning: 0 },
        cost: 0.0021,
        ms: 5,
      },
    },
    {
      type: "tool.requested",
      turn,
      data: {
        call: "c1",
        name: "shell",
        args: {},
        needs: [need],
        origin: "model",
        title: "npm test",
        summary: "shell: npm test",
      },
    },
    {
      type: "decision",
      turn,
      data: {
        call: "c1",
        verdict: "deny",
        by: "policy",
        judgements: [{ need, verdict: "deny", reason: "rule x" }],
      },
    },
    {
      type: "tool.finished",
      turn,
      data: {
        call: "c1",
        name: "shell",
        status: "denied",
        text: `Denied\n${"line\n".repeat(50)}`,
        ms: 7,
        exitCode: 3,
      },
    },
    await change(b, "src.txt", "new"),
    ended("failed"),
  ]);
  b.store.writePartial(A, turn, "and now I");
  const { text = "", data } = await b.run("sessions show");
  for (
    const part of [
      /^abc111 {2}fix it\n/,
      /\nprofile default · failed · 1 turn · 1,200 tokens in, 34 out · \$0\.0021\n/,
      /\n#2 {4}.*human \(test\)\n {8}fix it\n/,
      /\n#3 {4}turn 1 · a\/b · preset workspace\n/,
      /\n#4 {4}agent\n {8}I will run the test\n/,
      /\n#8 {4}⊘ shell npm test {2}denied · exit 3\n {8}deny run=npm test: rule x\n#9 /,
      /\n#9 {4}file added: src\.txt\n/,
      /\n#10 {3}turn 1 failed · 1 request · /,
      /being written: and now I$/,
    ]
  ) assert.match(text, part);
  assert.equal((data as { events: PryxEvent[] }).events.length, 10);
  const full = (await b.run("sessions show", { full: true, after: 7 })).text ?? "";
  assert.equal(full.match(/ {8}line/g)?.length, 50);
  assert.match(full, /#8 {4}⊘ shell npm test {2}denied · exit 3\n {8}shell: npm test\n/);
  assert.doesNotMatch(full, /#3 /);
});

Deno.test("sessions show puts a call, what was decided and what came of it in one piece", async () => {
  using b = bench();
  const turn = turnOf("t1");
  const call = (id: string, title: string, path: string, kind: "read" | "write" = "read"): EventDraft => ({
    type: "tool.requested",
    turn,
    data: {
      call: id,
      name: "tool",
      args: {},
      needs: [{ kind, target: path }],
      origin: "model",
      title,
    },
  });
  const decided = (id: string, verdict: "allow" | "ask", target: string, more = {}): EventDraft => ({
    type: "decision",
    turn,
    data: {
      call: id,
      verdict,
      by: "policy",
      judgements: [{ need: { kind: "read", target }, verdict, reason: "the reason" }],
      ...more,
    },
  });
  const done = (id: string, status: "done" | "failed" | "denied", text: string): EventDraft => ({
    type: "tool.finished",
    turn,
    data: { call: id, name: "tool", status, text, ms: 1500, ...(status === "failed" ? { exitCode: 1 } : {}) },
  });
  b.store.append(A, [
    created(b.workspace),
    call("c1", "read a", b.path("a")),
    call("c2", "run x", b.path("x")),
    call("c3", "look it's", "/etc/it's"),
    call("c4", "never ended", b.path("x")),
    decided("c1", "allow", b.path("a")),
    decided("c2", "allow", b.workspace),
    decided("c3", "ask", "/etc/it's", { unapproved: true }),
    done("c3", "denied", "Do not try it another way"),
    await change(b, "a", "new"),
    done("c1", "done", "1\n2\n3\n4\n"),
    { type: "decision", turn, data: { call: "c2", verdict: "allow", by: "human:cli", judgements: [] } },
    done("c2", "failed", "broken\n\n[exit code 1]"),
  ]);
  const { text = "" } = await b.run("sessions show");
  assert.deepEqual(text.split("\n").slice(5), [
    "#9    ⊘ tool look it's  denied",
    "        ask read=/etc/it's: the reason",
    "        nobody could answer; this would have allowed it:",
    "          --allow 'read=/etc/it'\\''s'",
    "#11   ✓ tool read a  1.5 s",
    "        allow read=a: the reason",
    "        file added: a",
    "        1",
    "        2",
    "        3",
    "        4",
    "#13   ✗ tool run x  exit 1 · 1.5 s",
    "        allow read=.: the reason",
    "        allow by human:cli",
    "        broken",
    "#5    … tool never ended  not finished",
  ]);
});

Deno.test("sessions search shows hits with their session", async () => {
  using b = bench();
  b.store.append(A, [created(), input("where is the needle"), message("in the haystack")]);
  b.store.append(B, [created(), input("a needle too")]);
  const { text = "", data } = await b.run("sessions search", { query: ["need", "le"] });
  assert.match(text, /^abd111 {2}a needle too\n {2}#2 {4}.* {2}user: a «need»«le» too\nabc111 /);
  assert.deepEqual((data as { seq: number }[]).map(({ seq }) => seq), [2, 2]);
  assert.equal((await b.run("sessions search", { query: ["nothing-like-it"] })).data instanceof Array, true);
  await b.fails("sessions search", { query: [" "] }, "usage");
});

Deno.test("sessions delete asks, or is told --yes, and leaves a trace in the audit log", async () => {
  using b = bench();
  for (const id of [A, B, C]) b.store.append(id, [created(b.workspace), input("x")]);
  await b.fails("sessions delete", { ids: ["abc"] }, "usage");
  await b.fails("sessions delete", { ids: ["abc", "nosuch"], yes: true }, "not_found");
  assert.equal(b.store.sessions().length, 3, "nothing goes when one is not there");
  const asked = async (answer: boolean) => {
    const questions: string[] = [];
    const surface = fakeSurface({
      attended: true,
      confirm: (question: string) => {
        questions.push(question);
        return Promise.resolve(answer);
      },
    });
    await b.run("sessions delete", { ids: ["xyz"] }, { surface });
    return questions;
  };
  assert.match((await asked(false))[0] ?? "", /xyz222/);
  assert.equal(b.store.sessions().length, 3);
  await asked(true);
  await b.run("sessions delete", { ids: ["abc", "abd", "abc111"], yes: true });
  assert.deepEqual(b.store.sessions(), []);
  const trace = [...b.store.auditEntries()].map(({ kind, data }) => [kind, data.action, data.session]);
  assert.deepEqual(trace, [["session", "delete", C], ["session", "delete", A], ["session", "delete", B]]);
});

Deno.test("sessions delete removes kept contents that no other session needs, unless one is at work", async () => {
  using b = bench();
  for (const name of ["own.txt", "both.txt"]) Deno.writeTextFileSync(b.path(name), name);
  b.store.append(A, [
    created(b.workspace),
    await change(b, "own.txt", "x"),
    await change(b, "both.txt", "x"),
  ]);
  Deno.writeTextFileSync(b.path("both.txt"), "both.txt");
  b.store.append(B, [created(b.workspace), await change(b, "both.txt", "y")]);
  b.store.append(C, [
    created(b.workspace),
    await change(b, "third.txt", "z"),
    await change(b, "third.txt", null),
  ]);
  const kept = async (text: string) => await b.blobs.get(sha(bytes(text))) !== undefined;
  assert.deepEqual([await kept("own.txt"), await kept("both.txt"), await kept("z")], [true, true, true]);
  await b.run("sessions delete", { ids: [A], yes: true });
  assert.deepEqual([await kept("own.txt"), await kept("both.txt"), await kept("z")], [false, true, true]);
  using _lease = b.store.lease(B);
  const { text = "" } = await b.run("sessions delete", { ids: [C], yes: true });
  assert.match(text, /stay on disk/);
  assert.equal(await kept("z"), true);
});

Deno.test("sessions delete removes what nothing names any more, and says so", async () => {
  using b = bench();
  Deno.writeTextFileSync(b.path("a.txt"), "before");
  b.store.append(A, [created(b.workspace), await change(b, "a.txt", "agent")]);
  Deno.writeTextFileSync(b.path("a.txt"), "mine");
  await b.run("sessions undo", { id: A, force: true });
  const [orphan, fresh] = [
    await b.blobs.put(bytes("scanned, not changed")),
    await b.blobs.put(bytes("fresh")),
  ];
  const longAgo = new Date("2026-01-01T00:00:00Z");
  for (const hash of [orphan, sha(bytes("mine"))]) {
    await Deno.utime(join(b.state, hash.slice(0, 2), hash.slice(2)), longAgo, longAgo);
  }
  const kept = async () =>
    (await Promise.all(
      ["before", "mine", "scanned, not changed", "fresh"].map(async (text) =>
        await b.blobs.get(sha(bytes(text))) ? [text] : []
      ),
    )).flat();
  assert.deepEqual(await kept(), ["before", "mine", "scanned, not changed", "fresh"]);

  b.store.append(B, [created(b.workspace)]);
  const first = await b.run("sessions delete", { ids: [B], yes: true });
  assert.equal(first.text, `Deleted ${B}\nRemoved kept contents of files: 1`);
  assert.deepEqual(await kept(), ["before", "mine", "fresh"], "what an undo replaced is named by it");
  const second = await b.run("sessions delete", { ids: [A], yes: true });
  assert.deepEqual(second.data, { deleted: [A], outputs: 0, contents: 2 });
  assert.deepEqual(await Array.fromAsync(b.blobs.list()), [fresh]);
});

Deno.test("sessions delete removes kept outputs, but those that a fork refers to", async () => {
  using b = bench();
  const output = (id: SessionId) => join(b.state, "outputs", id, "c1.txt");
  const finished = (id: SessionId): EventDraft => ({
    type: "tool.finished",
    turn: turnOf("t1"),
    data: { call: "c1", name: "shell", status: "done", text: "…", ms: 1, outputFile: output(id) },
  });
  for (const id of [A, C]) {
    await Deno.mkdir(join(b.state, "outputs", id), { recursive: true });
    await Deno.writeTextFile(output(id), "long");
    b.store.append(id, [created(b.workspace), finished(id)]);
  }
  b.store.fork(A, B, 2);
  const both = await b.run("sessions delete", { ids: [A, C], yes: true });
  assert.equal(both.text, `Deleted ${A}\nDeleted ${C}\nRemoved kept outputs: 1`);
  assert.deepEqual([isThere(output(A)), isThere(join(b.state, "outputs", C))], [true, false]);
  const fork = await b.run("sessions delete", { ids: [B], yes: true });
  assert.deepEqual(fork.data, { deleted: [B], outputs: 1, contents: 0 });
  assert.equal(isThere(join(b.state, "outputs", A)), false);
});

Deno.test("sessions fork makes a copy that names its parent", async () => {
  using b = bench();
  b.store.append(A, [created(b.workspace), input("one"), message("two"), notice("three")]);
  const { data, text = "" } = await b.run("sessions fork", { id: "abc", at: 3 });
  const { session } = data as { session: SessionId };
  assert.ok(text.includes(`pryx run --resume ${session}`));
  assert.deepEqual(data, { session, parent: A, forkedAt: 3 });
  assert.deepEqual([...b.store.events(session)].map(({ type }) => type), [
    "session.created",
    "input",
    "message",
  ]);
  assert.equal(b.store.session(session)?.parent, A);
  await b.fails("sessions fork", { id: "abc", at: 99 }, "usage");
});

Deno.test("sessions export writes every event, or a document", async () => {
  using b = bench();
  const stored = b.store.append(A, [created(b.workspace), input("say ```x```"), message("said"), ended()]);
  const lines = await b.run("sessions export");
  assert.deepEqual((lines.text ?? "").split("\n").map((line) => JSON.parse(line)), stored);
  assert.deepEqual(lines.data, stored);
  const path = b.path("out.jsonl");
  await b.run("sessions export", { output: "out.jsonl" });
  assert.equal(read(path), `${lines.text}\n`);
  if (Deno.build.os !== "windows") assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
  const document = (await b.run("sessions export", { format: "markdown" })).text ?? "";
  assert.match(
    document,
    /^# say ```x```\n\nSession `abc111` .*\n\n## You\n\nsay ```x```\n\n## Agent\n\nsaid\n/s,
  );
  await b.fails("sessions export", { output: "no/such/folder/x" }, "io");
  assert.deepEqual([...Deno.readDirSync(b.workspace)].map(({ name }) => name), ["out.jsonl"]);
});

Deno.test("sessions resume without a prompt says where the session stands", async () => {
  using b = bench();
  const turn = turnOf("t1");
  b.store.append(A, [created(b.workspace), input("build it"), started, {
    type: "tool.requested",
    turn,
    data: { call: "c1", name: "shell", args: {}, needs: [], origin: "model", summary: "make all" },
  }]);
  const { text = "", data } = await b.run("sessions resume");
  assert.match(text, /^abc111 {2}build it\n.* · interrupted · /);
  assert.match(text, /cut off, and not run again by itself: make all/);
  assert.match(text, /pryx run --resume abc111/);
  assert.deepEqual((data as { interrupted: string[] }).interrupted, ["make all"]);
});

Deno.test("sessions resume with a prompt submits it to that session", async () => {
  using b = bench();
  const [, , , , end] = b.store.append(A, [created(b.workspace), input("x"), started, message("m"), ended()]);
  const submitted: unknown[] = [];
  const pryx = {
    listen: () => ({ [Symbol.dispose]() {} }),
    submit: (submission: unknown) => {
      submitted.push(submission);
      return Promise.resolve({ session: A, turn: turnOf("t1"), seq: 6 });
    },
    ended: () => Promise.resolve(end),
    cancel: () => Promise.resolve(),
  };
  const result = await b.run("sessions resume", { id: "abc", prompt: ["go", "on"] }, {
    pryx: () => Promise.resolve(pryx),
    config: () => Promise.resolve({ limits: {} }),
  } as unknown as Partial<CommandContext>);
  assert.equal(submitted.length, 1);
  const { session, text } = submitted[0] as { session: string; text: string };
  assert.deepEqual([session, text], [A, "go on"]);
  assert.equal((result.data as { status: string }).status, "done");
});

Deno.test("sessions diff shows each file from before its first change to after its last", async () => {
  using b = bench();
  Deno.writeTextFileSync(b.path("edited.txt"), "one\ntwo\nthree\n");
  Deno.writeTextFileSync(b.path("removed.txt"), "gone\n");
  Deno.writeTextFileSync(b.path("same.txt"), "same\n");
  Deno.writeTextFileSync(b.path("secret.txt"), "TOKEN\n");
  Deno.writeFileSync(b.path("image"), new Uint8Array([0, 1, 2]));
  b.store.append(A, [
    created(b.workspace),
    await change(b, "edited.txt", "one\nTWO\nthree\n"),
    await change(b, "edited.txt", "one\nTWO\nthree\nfour\n", { turn: "t2" }),
    await change(b, "added.txt", "new\n"),
    await change(b, "removed.txt", null),
    await change(b, "same.txt", "other\n"),
    await change(b, "same.txt", "same\n"),
    await change(b, "secret.txt", "TOKEN2\n", { kept: false }),
    await change(b, "image", new Uint8Array([0, 9])),
  ]);
  const { text = "", data } = await b.run("sessions diff");
  assert.ok(
    text.includes("--- a/edited.txt\n+++ b/edited.txt\n@@ -1,3 +1,4 @@\n one\n-two\n+TWO\n three\n+four\n"),
    text,
  );
  assert.ok(text.includes("--- /dev/null\n+++ b/added.txt\n@@ -0,0 +1,1 @@\n+new\n"), text);
  assert.ok(text.includes("--- a/removed.txt\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-gone\n"), text);
  assert.match(text, /# secret\.txt \(changed\): its content before was not kept/);
  assert.match(text, /# image \(changed\): binary, 3 bytes before and 2 after/);
  assert.doesNotMatch(text, /TOKEN|same\.txt/);
  assert.equal((data as { files: unknown[] }).files.length, 5);

  const second = (await b.run("sessions diff", { turn: "t2" })).text ?? "";
  assert.ok(second.includes("+four") && !second.includes("added.txt"), second);
  await b.fails("sessions diff", { turn: "t9" }, "not_found");

  Deno.writeTextFileSync(b.path("edited.txt"), "mine\n");
  Deno.removeSync(b.path("added.txt"));
  const later = (await b.run("sessions diff")).text ?? "";
  assert.match(later, /# edited\.txt \(changed\): something else changed it since; shown as it is now/);
  assert.match(later, /# added\.txt \(added\): something else removed it since/);
});

Deno.test("the output of sessions diff is a patch", async () => {
  using b = bench();
  Deno.writeTextFileSync(b.path("a.txt"), "one\ntwo\nno newline at end");
  const events = [
    await change(b, "a.txt", "one\n2\nno newline at end"),
    await change(b, "new file.txt", "hello\n"),
  ];
  b.store.append(A, [created(b.workspace), ...events]);
  const { text } = await b.run("sessions diff");
  await b.run("sessions undo");
  Deno.writeTextFileSync(b.path("x.patch"), `${text}\n`);
  const { success, stderr, stdout } = await new Deno.Command("patch", {
    args: ["-p1", "-i", "x.patch"],
    cwd: b.workspace,
    stdin: "null",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr) + new TextDecoder().decode(stdout));
  assert.equal(read(b.path("a.txt")), "one\n2\nno newline at end");
  assert.equal(read(b.path("new file.txt")), "hello\n");
});

Deno.test("sessions undo takes back the last turn, then the one before it", async () => {
  using b = bench();
  Deno.writeTextFileSync(b.path("a.sh"), "one");
  Deno.chmodSync(b.path("a.sh"), 0o755);
  Deno.writeTextFileSync(b.path("gone.txt"), "keep me");
  b.store.append(A, [
    created(b.workspace),
    await change(b, "a.sh", "two"),
    await change(b, "a.sh", "three", { turn: "t2", mode: 0o600 }),
    await change(b, "new.txt", "new", { turn: "t2" }),
    await change(b, "gone.txt", null, { turn: "t2" }),
    await change(b, "noise.txt", "x", { turn: "t3" }),
    await change(b, "noise.txt", null, { turn: "t3" }),
  ]);
  const dry = await b.run("sessions undo", { dryRun: true });
  assert.match(
    dry.text ?? "",
    /Would undo:\n {2}restored a\.sh\n {2}removed {2}new\.txt\n {2}restored gone\.txt/,
  );
  assert.equal(read(b.path("a.sh")), "three");

  const first = await b.run("sessions undo");
  assert.equal(first.exitCode, undefined);
  assert.equal(read(b.path("a.sh")), "two");
  assert.equal((Deno.statSync(b.path("a.sh")).mode ?? 0) & 0o777, 0o755);
  assert.equal(isThere(b.path("new.txt")), false);
  assert.equal(read(b.path("gone.txt")), "keep me");
  const last = [...b.store.events(A)].at(-1);
  assert.deepEqual(last?.type === "undone" && last.data, {
    turn: "t2",
    paths: ["a.sh", "new.txt", "gone.txt"].map(b.path),
    replaced: ["three", "new"].map((text) => sha(bytes(text))),
  });
  assert.deepEqual(await b.blobs.get(sha(bytes("three"))), bytes("three"), "what was undone is kept");

  await b.run("sessions undo");
  assert.equal(read(b.path("a.sh")), "one");
  assert.match((await b.run("sessions undo")).text ?? "", /Nothing to undo/);
  assert.match((await b.run("sessions diff")).text ?? "", /Nothing to show/);
  const trace = [...b.store.auditEntries()].map(({ kind, data }) => [kind, data.turn]);
  assert.deepEqual(trace, [["undo", "t2"], ["undo", "t1"]]);
  const names = [...Deno.readDirSync(b.workspace)].map(({ name }) => name).sort();
  assert.deepEqual(names, ["a.sh", "gone.txt"]);
});

Deno.test("sessions undo touches nothing when something else changed a file since, unless forced", async () => {
  using b = bench();
  for (const name of ["a.txt", "b.txt"]) Deno.writeTextFileSync(b.path(name), `${name} before`);
  b.store.append(A, [
    created(b.workspace),
    await change(b, "a.txt", "agent"),
    await change(b, "b.txt", "agent"),
    await change(b, "new.txt", "agent"),
  ]);
  Deno.writeTextFileSync(b.path("b.txt"), "mine");
  Deno.writeTextFileSync(b.path("new.txt"), "mine too");
  const refused = await b.run("sessions undo");
  assert.equal(refused.exitCode, 1);
  assert.match(
    refused.text ?? "",
    /Nothing was undone.*\n {2}b\.txt: something else changed it since\n {2}new\.txt: /,
  );
  assert.deepEqual(["a.txt", "b.txt", "new.txt"].map((name) => read(b.path(name))), [
    "agent",
    "mine",
    "mine too",
  ]);
  assert.equal([...b.store.events(A)].some(({ type }) => type === "undone"), false);

  const forced = await b.run("sessions undo", { force: true });
  assert.equal(forced.exitCode, undefined);
  assert.deepEqual(["a.txt", "b.txt"].map((name) => read(b.path(name))), ["a.txt before", "b.txt before"]);
  assert.equal(isThere(b.path("new.txt")), false);
  assert.deepEqual(await b.blobs.get(sha(bytes("mine"))), bytes("mine"), "what was overwritten is kept");
});

Deno.test("sessions undo --all goes back to the start, and sees changes in between", async () => {
  using b = bench();
  Deno.writeTextFileSync(b.path("a.txt"), "start");
  Deno.writeTextFileSync(b.path("b.txt"), "start");
  b.store.append(A, [
    created(b.workspace),
    await change(b, "a.txt", "first"),
    await change(b, "a.txt", "second", { turn: "t2" }),
    await change(b, "b.txt", "first"),
  ]);
  Deno.writeTextFileSync(b.path("b.txt"), "mine");
  b.store.append(A, [await change(b, "b.txt", "second", { turn: "t2" })]);
  const refused = await b.run("sessions undo", { all: true });
  assert.match(refused.text ?? "", /b\.txt: something else changed it between the session's own changes/);
  assert.equal(read(b.path("a.txt")), "second");
  await b.run("sessions undo", { all: true, force: true });
  assert.deepEqual(["a.txt", "b.txt"].map((name) => read(b.path(name))), ["start", "start"]);
  await b.fails("sessions undo", { all: true, turn: "t1" }, "usage");
});

Deno.test("sessions undo does not write through links, and says what was not kept", async () => {
  using b = bench();
  const outside = Deno.makeTempDirSync();
  try {
    Deno.mkdirSync(b.path("sub"));
    for (const name of ["link.txt", "sub/in.txt", "big.txt"]) Deno.writeTextFileSync(b.path(name), "before");
    b.store.append(A, [
      created(b.workspace),
      await change(b, "link.txt", "agent"),
      await change(b, "sub/in.txt", "agent"),
      await change(b, "big.txt", "agent", { kept: false }),
    ]);
    Deno.writeTextFileSync(join(outside, "in.txt"), "agent");
    Deno.removeSync(b.path("link.txt"));
    Deno.symlinkSync(join(outside, "in.txt"), b.path("link.txt"));
    Deno.renameSync(b.path("sub"), b.path("sub2"));
    Deno.symlinkSync(outside, b.path("sub"));
    for (const force of [false, true]) {
      const { text = "", exitCode, data } = await b.run("sessions undo", { force });
      assert.equal(exitCode, 1);
      assert.match(text, /link\.txt: it is a link\n/);
      assert.match(text, /sub\/in\.txt: it is reached through a link now\n/);
      assert.match(text, /big\.txt: its content before was not kept/);
      assert.deepEqual((data as { undone: string[] }).undone, []);
    }
    assert.equal(read(join(outside, "in.txt")), "agent");
    Deno.removeSync(b.path("sub"));
    const gone = await b.run("sessions undo");
    assert.match(gone.text ?? "", /sub\/in\.txt: something else removed it since/);
  } finally {
    Deno.removeSync(outside, { recursive: true });
  }
});

Deno.test("sessions undo waits for nobody: a session that is at work is refused", async () => {
  using b = bench();
  b.store.append(A, [created(b.workspace), await change(b, "a.txt", "agent")]);
  using _lease = b.store.lease(A);
  const error = await b.fails("sessions undo", {}, "session_busy");
  assert.match(error.message, new RegExp(`pid ${Deno.pid}`));
  assert.equal(read(b.path("a.txt")), "agent");
});

Deno.test("toMarkdown() says whose result it is when calls ran side by side", () => {
  const about = { v: 1, session: "s", turn: "t", at: "2026-01-02T03:04:05.000Z" };
  const events = [
    { ...about, seq: 1, type: "tool.requested", data: { call: "a", name: "glob", args: {} } },
    { ...about, seq: 2, type: "tool.requested", data: { call: "b", name: "grep", args: {} } },
    { ...about, seq: 3, type: "tool.finished", data: { call: "b", name: "grep", status: "done", text: "B" } },
    { ...about, seq: 4, type: "tool.finished", data: { call: "a", name: "glob", status: "done", text: "A" } },
  ] as unknown as PryxEvent[];
  const row = {
    id: "s",
    workspace: "/w",
    title: "x",
    createdAt: about.at,
    status: "done",
  } as unknown as SessionRow;
  const headings = [...toMarkdown(row, events)].join("\n").split("\n").filter((line) =>
    line.startsWith("###")
  );
  assert.deepEqual(headings, ["### glob", "### grep", "### glob: result"]);
});
