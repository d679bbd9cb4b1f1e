import assert from "node:assert/strict";
import { recordRun } from "../../core/automation/record_run.ts";
import type { FromCell } from "../../core/automation/wire.ts";
import type { LinkedGraph } from "../../core/domain/automation.ts";
import { readCassette } from "../../core/providers/cassette.ts";
import { createModelRecorder } from "../../core/providers/record.ts";
import { createRecording } from "../../core/providers/recording.ts";
import { createReplayProvider } from "../../core/providers/replay.ts";
import { PryxError } from "../../core/domain/error.ts";
import { listener } from "../contract/provider_contract.ts";
import { scriptedProvider } from "../support/scripted_provider.ts";

const PLACES = { workspace: "/home/me/project", home: "/home/me" };
const SECRET = "hunter2-hunter2";
const GRAPH: LinkedGraph = {
  file: "/home/me/project/job.pryx.ts",
  root: PLACES.workspace,
  entry: "job.pryx.ts",
  modules: [],
  hash: "abc",
  permissions: { read: ["."] },
  test: false,
};

/** Records into a file of its own; gives the lines behind the header. */
async function recorded(
  work: (recorder: Awaited<ReturnType<typeof recordRun>>) => void,
): Promise<Record<string, unknown>[]> {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/job.cassette.jsonl`;
    const redact = (text: string) => text.replaceAll(SECRET, "[redacted]");
    let now = Date.parse("2026-01-02T03:04:05.000Z");
    const recorder = await recordRun(createRecording({ file, ...PLACES, redact }), {
      graph: GRAPH,
      args: ["--in", "/home/me/project/src"],
      cwd: "/home/me/project/src",
      now: () => now += 5,
    });
    work(recorder);
    await recorder.end({ status: "done", exitCode: 0 });
    assert.equal(((await Deno.stat(file)).mode ?? 0) & 0o777, 0o600);
    return (await readCassette(file)).entries.map((entry) => ({ ...entry }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const call = (id: number, method: string, params: unknown): FromCell => ({ t: "call", id, method, params });

Deno.test("recordRun() writes how a run began: what code, with what arguments, at what time", async () => {
  const [start, end] = await recorded(() => {});
  assert.deepEqual(start, {
    kind: "automation",
    file: "job.pryx.ts",
    graph: "abc",
    api: 1,
    permissions: { read: ["."] },
    args: ["--in", "${workspace}/src"],
    cwd: "${workspace}/src",
    now: "2026-01-02T03:04:05.005Z",
    seed: "job.pryx.ts",
  });
  assert.deepEqual(end, { kind: "end", status: "done", exitCode: 0 });
});

Deno.test("recordRun() writes calls as a person reads them, with times since the start", async () => {
  const entries = await recorded(({ tap, clock, print }) => {
    tap("from", call(1, "tool", { name: "sh", args: { command: "git log" }, show: true, stream: false }));
    tap("to", { t: "event", id: 1, value: { stream: "stdout", text: "a" }, now: clock() });
    tap("to", { t: "reply", id: 1, ok: true, value: { text: "ok" }, now: clock() });
    tap("from", call(2, "state.get", { key: "k" }));
    tap("to", { t: "reply", id: 2, ok: false, error: { name: "PryxError", message: "no" }, now: clock() });
    tap("from", { t: "say", to: "stdout", text: "hi\n" });
    print("stdout", "1 passed\n");
  });
  assert.deepEqual(entries.slice(1, -1), [
    { kind: "call", id: 1, tool: "sh", args: { command: "git log" }, show: true },
    { kind: "event", id: 1, at: 5, value: { stream: "stdout", text: "a" } },
    { kind: "reply", id: 1, at: 10, value: { text: "ok" } },
    { kind: "call", id: 2, method: "state.get", params: { key: "k" } },
    { kind: "reply", id: 2, at: 15, error: { name: "PryxError", message: "no" } },
    { kind: "say", to: "stdout", text: "hi\n" },
    { kind: "print", to: "stdout", text: "1 passed\n" },
  ]);
});

Deno.test("recordRun() keeps no secret, no folder of this machine, and no name that is another in every run", async () => {
  const mark = `pryx-secret--token--${"a1".repeat(16)}--`;
  const session = "01j8zq4m6y7h";
  const entries = await recorded(({ tap }) => {
    tap("from", call(1, "ask", { prompt: `${SECRET} in /home/me/project` }));
    tap("to", { t: "reply", id: 1, ok: true, value: { text: SECRET, session } });
    tap("from", call(2, "ask", { prompt: "and?", session }));
    tap("from", call(3, "temp", { prefix: "" }));
    tap("to", { t: "reply", id: 3, ok: true, value: "/tmp/pryx-12345/x" });
    tap("from", call(4, "secret", { name: "token" }));
    tap("to", { t: "reply", id: 4, ok: true, value: mark });
    const body = { url: `https://x/?k=${mark}`, base64: btoa(`key=${SECRET}`) };
    tap("from", call(5, "tool", { name: "http", args: body }));
    tap("from", { t: "say", to: "stdout", text: `${session} /tmp/pryx-12345/x/y /home/me/notes\n` });
  });
  const text = JSON.stringify(entries);
  for (const one of [SECRET, "/home/me", session, "pryx-12345", "a1a1", btoa(`key=${SECRET}`)]) {
    assert.ok(!text.includes(one), one);
  }
  const [, asked, answered, again] = entries;
  assert.deepEqual(asked?.params, { prompt: "[redacted] in ${workspace}" });
  assert.deepEqual(answered?.value, { text: "[redacted]", session: "session-1" });
  assert.deepEqual(again?.params, { prompt: "and?", session: "session-1" });
  assert.equal(entries.at(-2)?.text, "session-1 /pryx/temp/1/y ${home}/notes\n");
});

Deno.test("recordRun() keeps no secret that came in pieces, and says nothing else of them otherwise", async () => {
  const entries = await recorded(({ tap }) => {
    const piece = (id: number, text: string, stream = "stdout") =>
      tap("to", { t: "event", id, value: { stream, text } });
    tap("from", call(1, "tool", { name: "sh", args: { command: "a" } }));
    tap("from", call(2, "tool", { name: "sh", args: { command: "b" } }));
    piece(1, "key hunter2-");
    piece(2, "between ");
    piece(1, "warning", "stderr");
    piece(1, "hunter2 end\n");
    piece(2, "whole");
    tap("from", { t: "say", to: "stdout", text: "seen" });
    tap("to", { t: "event", id: 3, value: "an answer " });
    tap("to", { t: "event", id: 3, value: "in pieces" });
  });
  assert.ok(!JSON.stringify(entries).includes("hunter2"), JSON.stringify(entries));
  const pieces = entries.filter(({ kind }) => kind === "event").map(({ id, value }) => [id, value]);
  assert.deepEqual(pieces, [
    [1, { stream: "stdout", text: "key [redacted] end\n" }],
    [2, { stream: "stdout", text: "between " }],
    [1, { stream: "stderr", text: "warning" }],
    [1, { stream: "stdout", text: "" }],
    [2, { stream: "stdout", text: "whole" }],
    [3, "an answer "],
    [3, "in pieces"],
  ]);
});

Deno.test("recordRun() touches no file that is not a cassette", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, "precious");
    await assert.rejects(
      recordRun(createRecording({ file, ...PLACES }), {
        graph: GRAPH,
        args: [],
        cwd: GRAPH.root,
        now: () => 0,
      }),
      (error) => error instanceof PryxError && error.code === "conflict",
    );
    assert.equal(await Deno.readTextFile(file), "precious");
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("one recording holds the automation's side and the model's, and each reader finds its own", async () => {
  const file = await Deno.makeTempFile();
  await Deno.remove(file);
  try {
    const recording = createRecording({ file, ...PLACES });
    const recorder = await recordRun(recording, { graph: GRAPH, args: [], cwd: GRAPH.root, now: () => 0 });
    const record = createModelRecorder(recording);
    const asking = (text: string) => ({
      model: "m",
      messages: [{ role: "user" as const, text }],
      tools: [],
    });
    // Side by side, by two providers.
    await Promise.all(
      ["one", "two"].map((text) =>
        record(scriptedProvider([{ text: `answer ${text}` }])).complete(asking(text), listener())
      ),
    );
    await recorder.end({ status: "done", exitCode: 0 });
    const kinds = (await readCassette(file)).entries.map(({ kind }) => kind);
    assert.deepEqual(kinds, ["automation", "model", "model", "end"]);
    const replay = createReplayProvider(file, PLACES);
    assert.equal((await replay.complete(asking("two"), listener())).text, "answer two");
    assert.equal((await replay.complete(asking("one"), listener())).text, "answer one");
  } finally {
    await Deno.remove(file);
  }
});
