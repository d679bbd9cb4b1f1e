import assert from "node:assert/strict";
import type { EventData, PryxEvent } from "../../core/domain/event.ts";
import { emptyRun, render, type RunViewOptions } from "../../repl/run_view.ts";
import { createStyle } from "../../repl/style.ts";
import { fakeEvent } from "../support/fake_pryx.ts";

const PIPE: RunViewOptions = { outIsTerminal: false, style: createStyle(false), quiet: false, json: false };
const TERMINAL: RunViewOptions = { ...PIPE, outIsTerminal: true };

function play(events: readonly PryxEvent[], options: RunViewOptions) {
  const state = emptyRun(options);
  const shown = events.map((event) => render(event, state));
  return { out: shown.map((one) => one.out).join(""), err: shown.map((one) => one.err).join(""), state };
}

function ended(more: Partial<EventData<"turn.ended">> = {}): PryxEvent {
  return fakeEvent("turn.ended", {
    status: "done",
    text: "All good.",
    usage: { input: 12345, output: 67, cached: 1000, reasoning: 0 },
    cost: 0.0042,
    steps: 2,
    ms: 3210,
    unapproved: [],
    ...more,
  });
}

const delta = (text: string, kind: "text" | "reasoning" = "text") =>
  fakeEvent("message.delta", { text, kind });
const message = (text: string, calls: EventData<"message">["calls"] = []) =>
  fakeEvent("message", { text, calls, finish: calls.length ? "tool_calls" : "stop" });
const call = [{ id: "c1", name: "shell", args: "{}" }];
const requested = fakeEvent("tool.requested", {
  call: "c1",
  name: "shell",
  args: { command: "git push" },
  needs: [{ kind: "run", target: "git push" }],
  origin: "model",
  title: "git push",
});

function decided(verdict: "allow" | "deny" | "ask", by: string, note?: string): PryxEvent {
  return fakeEvent("decision", {
    call: "c1",
    verdict,
    by,
    judgements: [{
      need: { kind: "run", target: "git push" },
      verdict,
      reason: "runs ask",
      rule: "ask run=* (preset workspace)",
    }],
    ...(note === undefined ? {} : { note }),
  });
}

function finished(more: Partial<EventData<"tool.finished">> = {}): PryxEvent {
  return fakeEvent("tool.finished", { call: "c1", name: "shell", status: "done", text: "", ms: 12, ...more });
}

Deno.test("render() writes only the final answer to a pipe, verbatim, and the rest as progress", () => {
  const { out, err } = play([
    delta("Let me look."),
    message("Let me look.", call),
    requested,
    decided("allow", "policy"),
    finished({ exitCode: 0 }),
    delta("All "),
    delta("good\x1b[1m."),
    message("All good\x1b[1m."),
    ended({ text: "All good\x1b[1m." }),
  ], PIPE);
  assert.equal(out, "All good\x1b[1m.\n");
  assert.match(err, /^Let me look\.\n✓ shell git push {2}exit 0 · 12 ms\n/);
});

Deno.test("render() streams to a terminal as it comes, and does not show the answer twice", () => {
  const { out } = play([delta("All "), delta("good."), message("All good."), ended()], TERMINAL);
  assert.equal(out, "All good.\n");
});

Deno.test("render() shows a message that came without pieces", () => {
  assert.equal(play([message("All good."), ended()], TERMINAL).out, "All good.\n");
  assert.equal(play([ended()], TERMINAL).out, "All good.\n");
});

Deno.test("render() begins progress on a line of its own when an answer is cut off", () => {
  const { out, err } = play([delta("Half an ans"), finished(), delta("wer"), ended({ text: "" })], TERMINAL);
  assert.equal(out, "Half an ans\nwer\n");
  assert.match(err, /^✓ shell/);
});

Deno.test("render() ends the line of an answer that was cut off also when it is quiet", () => {
  assert.equal(play([delta("Half"), ended({ text: "Half" })], { ...TERMINAL, quiet: true }).out, "Half\n");
});

Deno.test("render() lets no control character of model or tool reach a terminal", () => {
  const evil = "\x1b]52;c;aGk=\x07\x1b[2J\x9b31m\u202etxt\x07";
  const { out, err } = play([
    delta(evil),
    message(evil),
    fakeEvent("tool.requested", {
      call: "c1",
      name: evil,
      args: {},
      needs: [],
      origin: "model",
      title: evil,
      summary: evil,
    }),
    decided("deny", evil, evil),
    finished({ name: evil, status: "denied" }),
    finished({ status: "failed", text: evil }),
    fakeEvent("notice", { text: evil, level: "warning" }),
    fakeEvent("model.retried", { attempt: 1, waitMs: 10, reason: evil }),
    fakeEvent("file.changed", { call: "c1", path: `/w/${evil}`, before: null, after: "x" }),
    ended({
      status: "failed",
      text: evil,
      error: { code: "provider", message: evil, fix: evil },
      unapproved: [evil],
    }),
  ], TERMINAL);
  // deno-lint-ignore no-control-regex -- what is looked for
  assert.doesNotMatch(out + err, /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/);
  assert.match(out, /txt␇/);
});

Deno.test("render() says by which rule a call was denied and which flag would have allowed it", () => {
  const { err } = play([requested, decided("ask", "policy"), finished({ status: "denied" })], PIPE);
  assert.match(err, /⊘ shell git push {2}denied\n/);
  assert.match(err, /run=git push: runs ask \[ask run=\* \(preset workspace\)\]/);
  assert.match(err, /to allow it: --allow 'run=git push'/);
});

Deno.test("render() offers no flag for what a rule denies, and tells what a person said", () => {
  const byRule = play([requested, decided("deny", "policy"), finished({ status: "denied" })], PIPE).err;
  assert.doesNotMatch(byRule, /--allow/);
  const byHuman =
    play([requested, decided("deny", "human:cli", "not today"), finished({ status: "denied" })], PIPE).err;
  assert.match(byHuman, /by human:cli: not today/);
});

Deno.test("render() says who approved a call, and how a failed one failed", () => {
  const { err } = play([
    requested,
    decided("allow", "human:cli"),
    finished({ status: "failed", exitCode: 1, ms: 2100, text: "\nboom\nmore" }),
  ], PIPE);
  assert.match(err, /✗ shell git push {2}approved by human:cli · exit 1 · 2\.1 s\n {2}boom\n/);
});

Deno.test("render() sums a turn up: files, time, tokens, cost, session", () => {
  const changed = (path: string, before: string | null, after: string | null) =>
    fakeEvent("file.changed", { call: "c1", path, before, after });
  const { err } = play([
    fakeEvent("session.created", { workspace: "/w", profile: "default" }),
    changed("/w/new.ts", null, "a"),
    changed("/w/src/old.ts", "a", "b"),
    changed("/w/src/old.ts", "b", "c"),
    changed("/w/back.ts", "a", "b"),
    changed("/w/back.ts", "b", "a"),
    changed("/other/gone", "a", null),
    ended(),
  ], PIPE);
  assert.match(err, /^A new\.ts\nM src\/old\.ts\nD \/other\/gone\n/);
  assert.match(
    err,
    /done in 3\.2 s · 2 steps · 12,345 tokens in \(1,000 cached\), 67 out · \$0\.0042 · session /,
  );
  assert.match(play([ended({ cost: null })], PIPE).err, /price not known/);
});

Deno.test("render() ends a denied run with the flags that would have allowed it", () => {
  const { err } = play([ended({ unapproved: ["run=git push", "net=a.org"] })], { ...PIPE, quiet: true });
  assert.equal(
    err,
    "⊘ 2 needs had no one to approve; these flags would allow them:\n  --allow 'run=git push' --allow net=a.org\n",
  );
});

Deno.test("render() shows a failed turn with its fix and how to go on", () => {
  const { err, state } = play([
    ended({ status: "failed", text: "", error: { code: "provider", message: "It broke", fix: "Mend it" } }),
  ], PIPE);
  assert.match(err, /pryx: It broke\n {2}Mend it\n/);
  assert.match(err, /pryx run --resume 0session/);
  assert.equal(state.shownError, "It broke");
});

Deno.test("render() keeps quiet but for warnings, failures and the answer", () => {
  const { out, err } = play([
    fakeEvent("turn.started", { model: "a/b", preset: "read-only" }),
    requested,
    finished(),
    fakeEvent("notice", { text: "by the way", level: "info" }),
    fakeEvent("notice", { text: "mind this", level: "warning" }),
    ended(),
  ], { ...PIPE, quiet: true });
  assert.equal(out, "All good.\n");
  assert.equal(err, "! mind this\n");
});

Deno.test("render() with json writes every event as one line", () => {
  const events = [delta("a\nb\u2028"), message("a"), ended()];
  const { out, err } = play(events, { ...PIPE, json: true });
  assert.equal(err, "");
  assert.deepEqual(
    out.trimEnd().split("\n").map((line) => JSON.parse(line)),
    JSON.parse(JSON.stringify(events)),
  );
  assert.doesNotMatch(out, /\r/);
});

Deno.test("render() with json still names the flags on standard error", () => {
  const { err } = play([ended({ unapproved: ["net=a.org"] })], { ...PIPE, json: true });
  assert.match(err, /--allow net=a\.org\n$/);
});

Deno.test("render() tells of retries, compaction and reasoning without showing the reasoning", () => {
  const { out, err, state } = play([
    fakeEvent("model.retried", { attempt: 1, waitMs: 1500, reason: "429 too many requests" }),
    fakeEvent("compaction", { summary: "s", keepFrom: 3, tokensBefore: 900, tokensAfter: 100 }),
    delta("secret thoughts", "reasoning"),
  ], TERMINAL);
  assert.equal(out, "");
  assert.match(err, /429 too many requests; trying again in 1\.5 s \(attempt 2\)/);
  assert.match(err, /900 → 100 tokens/);
  assert.equal(state.status, "thinking");
});

const AUTOMATION = fakeEvent("turn.started", {
  model: "none",
  preset: "read-only",
  automation: { file: "job.pryx.ts", graph: "a".repeat(64), permissions: {} },
});
const output = (text: string, stream: "stdout" | "stderr" = "stdout") =>
  fakeEvent("output", { stream, text });
const log = (level: EventData<"log">["level"], text: string, data?: EventData<"log">["data"]) =>
  fakeEvent("log", { level, text, ...(data === undefined ? {} : { data }) });
const piece = (text: string) => fakeEvent("tool.output", { call: "c1", stream: "stdout", text });
/** The same event in the session of an agent that the automation asks. */
const elsewhere = (event: PryxEvent): PryxEvent => ({ ...event, session: "1other" } as PryxEvent);

Deno.test("render() writes what an automation prints byte for byte to a pipe, and nothing else", () => {
  const { out, err } = play(
    [
      AUTOMATION,
      output("a\x1b[31m\n"),
      output("no newline"),
      output("oops\n", "stderr"),
      ended({ text: "kept" }),
    ],
    PIPE,
  );
  assert.equal(out, "a\x1b[31m\nno newline");
  assert.equal(err, "oops\n");
});

Deno.test("render() lets nothing that an automation prints act on a terminal", () => {
  const { out, err } = play(
    [
      AUTOMATION,
      output("a\x1b]0;title\x07b\n"),
      output("c\x1b[2Jd\n", "stderr"),
      log("warn", "e\x1b[2J", { f: "\x1b[2J" }),
      requested,
      piece("g\x1b[2J\n"),
      ended({ text: "" }),
    ],
    TERMINAL,
  );
  assert.ok(!`${out}${err}`.includes("\x1b"), out + err);
});

Deno.test("render() shows output of an automation's commands below their command lines, once each", () => {
  const { out, err } = play(
    [AUTOMATION, requested, piece("one\n"), piece("two\n"), finished(), ended({ text: "" })],
    PIPE,
  );
  assert.equal(out, "");
  assert.equal(err, "$ git push\none\ntwo\n");
});

Deno.test("render() shows the log of an automation by level, and keeps quiet but for warnings and errors", () => {
  const events = [
    AUTOMATION,
    log("debug", "d"),
    log("info", "i", { a: 1 }),
    log("warn", "w"),
    log("error", "e"),
    requested,
    piece("of a command\n"),
    output("x\n", "stderr"),
    ended({ text: "" }),
  ];
  assert.equal(play(events, PIPE).err, 'i {"a":1}\nwarn w\nerror e\n$ git push\nof a command\nx\n');
  assert.equal(play(events, { ...PIPE, quiet: true }).err, "warn w\nerror e\nx\n");
});

Deno.test("render() keeps the progress of an automation as the status", () => {
  const far = (data: EventData<"progress">) =>
    play([AUTOMATION, fakeEvent("progress", data)], TERMINAL).state.status;
  assert.equal(far({ label: "files", done: 2, total: 5, text: "b.ts" }), "files 2/5 b.ts");
  assert.equal(far({ label: "files", total: 5 }), "files 0/5");
  assert.equal(far({ label: "a\x1b[2J\nb" }).includes("\x1b"), false);
  assert.equal(far({}), "");
});

Deno.test("render() shows what an agent does that an automation asks, and not what it says", () => {
  const { out, err, state } = play(
    [
      AUTOMATION,
      elsewhere(fakeEvent("turn.started", { model: "a/b", preset: "read-only" })),
      elsewhere(requested),
      elsewhere(decided("allow", "policy")),
      elsewhere(piece("hidden\n")),
      elsewhere(finished({ exitCode: 0 })),
      elsewhere(message("what it says")),
      elsewhere(ended({ text: "what it says", unapproved: ["net=a.org"] })),
      output("the answer\n"),
      ended({ text: "" }),
    ],
    PIPE,
  );
  assert.equal(out, "the answer\n");
  assert.match(err, /shell.*git push/);
  assert.doesNotMatch(err, /hidden|what it says|net=a\.org|tokens/);
  assert.equal(state.automation, true);
});

Deno.test("render() ends a failed automation with its error alone: no sums, and nothing to resume", () => {
  const { out, err } = play(
    [
      AUTOMATION,
      ended({
        status: "failed",
        text: "",
        error: {
          code: "tool_failed",
          message: "job.pryx.ts failed: TypeError: no\n    at f (job.pryx.ts:3:7)",
          fix: "mend it",
        },
        unapproved: ["write=out"],
      }),
    ],
    PIPE,
  );
  assert.equal(out, "");
  assert.equal(
    err,
    "pryx: job.pryx.ts failed: TypeError: no\n    at f (job.pryx.ts:3:7)\n  mend it\n" +
      "⊘ 1 need had no one to approve; these flags would allow it:\n  --allow write=out\n",
  );
});

Deno.test("render() with json writes events of an automation and of the agent it asks", () => {
  const events = [
    AUTOMATION,
    output("a\n"),
    log("info", "i"),
    elsewhere(message("said")),
    ended({ text: "a\n" }),
  ];
  const lines = play(events, { ...PIPE, json: true }).out.trimEnd().split("\n").map((line) =>
    JSON.parse(line)
  );
  assert.deepEqual(lines.map(({ type, session }) => [type, session]), [
    ["turn.started", "0session"],
    ["output", "0session"],
    ["log", "0session"],
    ["message", "1other"],
    ["turn.ended", "0session"],
  ]);
});
