import assert from "node:assert/strict";
import { replayPortable } from "../../core/automation/_portable.ts";
import { createPlayer, type Cue, type Difference } from "../../core/automation/play.ts";
import type { TapeEntry } from "../../core/automation/tape.ts";
import type { FromCell } from "../../core/automation/wire.ts";
import { DONE, END, tapeOf } from "./_tape.ts";

const play = (entries: readonly TapeEntry[]) => createPlayer(tapeOf(entries), replayPortable((text) => text));

const run = (id: number, command: string, more: object = {}): FromCell => ({
  t: "call",
  id,
  method: "tool",
  params: { name: "sh", args: { command }, show: false, stream: false, ...more },
});
const ran = (id: number, command: string): TapeEntry => ({ kind: "call", id, tool: "sh", args: { command } });
const reply = (id: number, value: string, at = 0): TapeEntry => ({ kind: "reply", id, at, value });
const done: FromCell = { t: "done", registered: { triggers: [], tests: [] } };

/** What goes to the cell, in short. */
function sent(cues: readonly Cue[] | Difference): string[] {
  assert.ok(!("recorded" in cues), JSON.stringify(cues));
  return cues.flatMap((cue) => {
    if (cue.to === "end") return [`end ${cue.end?.exitCode ?? "cut off"}`];
    if (cue.to === "files") return [];
    if (cue.to === "people") return [`shows ${cue.message.t}`];
    const { message } = cue;
    return [
      `${message.t} ${"id" in message ? message.id : ""} ${"value" in message ? message.value : ""}`.trim(),
    ];
  });
}

function difference(cues: readonly Cue[] | Difference): Difference {
  assert.ok("recorded" in cues, JSON.stringify(cues));
  return cues;
}

Deno.test("a player answers when all that was said before the answer was said again, by today's numbers", () => {
  const player = play([ran(1, "a"), ran(2, "b"), reply(2, "of b"), reply(1, "of a"), DONE, END]);
  assert.deepEqual(sent(player.begin()), []);
  assert.deepEqual(sent(player.receive(run(7, "a"))), []);
  assert.deepEqual(sent(player.receive(run(9, "b"))), ["reply 9 of b", "reply 7 of a"]);
  assert.deepEqual(sent(player.receive(done)), ["end 0"]);
  assert.equal(player.waitsFor(), undefined);
});

Deno.test("a player tells the recorded time, which never goes back", () => {
  const player = play([ran(1, "a"), reply(1, "x", 250), ran(2, "b"), reply(2, "y", 200), DONE, END]);
  const start = Date.parse("2026-01-02T03:04:05.000Z");
  const timeOf = (cues: readonly Cue[] | Difference) => {
    const [, cue] = "recorded" in cues ? [] : cues;
    return cue?.to === "cell" ? cue.message.now : undefined;
  };
  assert.equal(timeOf(player.receive(run(1, "a"))), start + 250);
  assert.equal(timeOf(player.receive(run(2, "b"))), start + 250);
});

Deno.test("a player shows the first call that differs, and which one it is", () => {
  const player = play([ran(1, "git log -20"), reply(1, "x"), ran(2, "git tag v1"), reply(2, "y"), DONE, END]);
  player.receive(run(1, "git log -20"));
  assert.deepEqual(difference(player.receive(run(2, "git tag v2"))), {
    recorded: "sh: git tag v1",
    now: "sh: git tag v2",
    number: 2,
    call: 2,
  });
});

Deno.test("a player takes an automation that fails, ends early or asks for more as one that differs", () => {
  const entries = [ran(1, "a"), reply(1, "x"), DONE, END];
  const failing = play(entries);
  const error = { name: "TypeError", message: "boom" };
  assert.deepEqual(difference(failing.receive({ t: "failed", error })), {
    recorded: "sh: a",
    now: "it fails: TypeError: boom",
    number: 0,
  });
  assert.match(difference(play(entries).receive(done)).now, /the end/);
  const more = play(entries);
  more.receive(run(1, "a"));
  assert.equal(difference(more.receive(run(2, "b"))).recorded, "the end of the automation");
});

Deno.test("a player lets an automation fail as it was recorded to, wherever its lines stand now", () => {
  const error = { name: "TypeError", message: "boom", stack: "    at job.pryx.ts:3:1" };
  const end: TapeEntry = { kind: "end", status: "failed", exitCode: 1 };
  const player = play([{ kind: "failed", error }, end]);
  const now = { ...error, stack: "    at job.pryx.ts:9:1" };
  assert.deepEqual(sent(player.receive({ t: "failed", error: now })), ["end 1"]);
});

Deno.test("a player does not mind what is only shown: more of it, less, or something else", () => {
  const log = (id: number): FromCell => ({
    t: "call",
    id,
    method: "log",
    params: { level: "info", text: "x" },
  });
  const player = play([
    { kind: "say", to: "stdout", text: "recorded" },
    { kind: "call", id: 1, method: "log", params: { level: "info", text: "old" } },
    reply(1, "null"),
    ran(2, "a"),
    reply(2, "x"),
    DONE,
    END,
  ]);
  assert.deepEqual(sent(player.receive(log(1))), ["shows log", "reply 1 null"]);
  assert.deepEqual(sent(player.receive(log(2))), ["shows log", "reply 2 null"]);
  assert.deepEqual(sent(player.receive({ t: "say", to: "stdout", text: "new" })), ["shows say"]);
  assert.deepEqual(sent(player.receive({ t: "cancel", id: 2 })), []);
  assert.deepEqual(sent(player.receive(run(3, "a"))), ["reply 3 x"]);
});

Deno.test("a player compares calls by what they ask for: folders of a replay are those of the recording", () => {
  const player = play([ran(1, "ls ${workspace}/a"), reply(1, "${workspace}/a/b ${home}"), DONE, END]);
  const cues = player.receive(run(1, "ls /pryx/workspace/a", { show: true }));
  assert.deepEqual(sent(cues), ["reply 1 /pryx/workspace/a/b /pryx/home"]);
});

Deno.test("a player gives up calls that were given up, and only those", () => {
  const entries: TapeEntry[] = [ran(1, "a"), { kind: "cancel", id: 1 }, DONE, END];
  const player = play(entries);
  player.receive(run(4, "a"));
  assert.deepEqual(sent(player.receive({ t: "cancel", id: 4 })), []);
  const kept = play([ran(1, "a"), reply(1, "x"), ran(2, "b"), DONE, END]);
  kept.receive(run(4, "a"));
  assert.match(difference(kept.receive({ t: "cancel", id: 4 })).now, /no longer waits/);
});

Deno.test("a player calls functions of the automation as they were called, and compares what they give", () => {
  const invoke: TapeEntry = { kind: "invoke", id: 1, at: 0, name: "test", params: { name: "t" } };
  const entries: TapeEntry[] = [DONE, invoke, { kind: "returned", id: 1, value: 5 }, END];
  const player = play(entries);
  assert.deepEqual(sent(player.receive(done)), ["call 1"]);
  assert.deepEqual(sent(player.receive({ t: "reply", id: 1, ok: true, value: 5 })), ["end 0"]);
  const other = play(entries);
  other.receive(done);
  const error = { name: "AssertionError", message: "no" };
  assert.deepEqual(
    difference(other.receive({ t: "reply", id: 1, ok: false, error })),
    { recorded: "its function returned 5", now: "its function failed: no", number: 0 },
  );
});

Deno.test("a player says where a recording was cut off, and ignores what comes after", () => {
  const player = play([ran(1, "a"), reply(1, "x")]);
  assert.deepEqual(sent(player.receive(run(1, "a"))), ["reply 1 x", "end cut off"]);
  assert.deepEqual(sent(player.receive(run(2, "b"))), []);
});

Deno.test("a player says what calls that were answered did to files", () => {
  const write: TapeEntry = {
    kind: "call",
    id: 1,
    tool: "fs_write",
    args: { path: "${workspace}/a", text: "x" },
  };
  const refused: TapeEntry = { kind: "reply", id: 1, at: 0, error: { name: "PryxError", message: "no" } };
  const call: FromCell = {
    t: "call",
    id: 1,
    method: "tool",
    params: { name: "fs_write", args: { path: "/pryx/workspace/a", text: "x" } },
  };
  const files = (cues: readonly Cue[] | Difference) =>
    "recorded" in cues ? [] : cues.filter((cue) => cue.to === "files");
  assert.deepEqual(files(play([write, reply(1, "ok"), END]).receive(call)), [
    { to: "files", tool: "fs_write", args: { path: "/pryx/workspace/a", text: "x" } },
  ]);
  assert.deepEqual(files(play([write, refused, END]).receive(call)), []);
});
