import assert from "node:assert/strict";
import type { EventDraft, PryxEvent } from "../../core/domain/event.ts";
import type { SessionId, TurnId } from "../../core/domain/id.ts";
import { foldSession } from "../../core/domain/session.ts";

const ID = "s1" as SessionId;
const TURN = "t1" as TurnId;
const USAGE = { input: 10, output: 5, cached: 0, reasoning: 0 };

/** Events of one session from drafts, numbered from 1. */
function events(...drafts: Omit<EventDraft, "turn">[]): PryxEvent[] {
  return drafts.map((draft, index) =>
    ({ v: 1, seq: index + 1, session: ID, turn: TURN, at: "2026-01-01T00:00:00.000Z", ...draft }) as PryxEvent
  );
}

const created = { type: "session.created", data: { workspace: "/w", profile: "default" } } as const;
const input = (text: string) =>
  ({ type: "input", data: { text, principal: "human", surface: "cli" } }) as const;
const requested = (step: number) =>
  ({ type: "model.requested", data: { step, model: "p/m", reserved: null } }) as const;
const message = (text: string, ...calls: { id: string; name: string; args: string }[]) =>
  ({ type: "message", data: { text, calls, finish: calls.length > 0 ? "tool_calls" : "stop" } }) as const;
const asked = (call: string, origin: "model" | "human" = "model") =>
  ({ type: "tool.requested", data: { call, name: "read_file", args: {}, needs: [], origin } }) as const;
const finished = (call: string, taints?: string) =>
  ({
    type: "tool.finished",
    data: {
      call,
      name: "read_file",
      status: "done",
      text: `result ${call}`,
      ms: 1,
      ...(taints ? { taints } : {}),
    },
  }) as const;

const roles = (state: ReturnType<typeof foldSession>) =>
  state.messages.map(({ message }) => `${message.role}:${message.text}`);

Deno.test("foldSession() shows input that comes during a step only after the results of that step", () => {
  const call = { id: "c1", name: "read_file", args: "{}" };
  const state = foldSession(
    ID,
    events(
      created,
      input("go"),
      requested(1),
      message("", call),
      asked("c1"),
      input("wait"),
      finished("c1"),
      requested(2),
    ),
  );
  assert.deepEqual(roles(state), ["user:go", "assistant:", "tool:result c1", "user:wait"]);
  assert.deepEqual(state.pending, []);
});

Deno.test("foldSession() keeps input that no step has shown as pending", () => {
  const state = foldSession(ID, events(created, input("go")));
  assert.deepEqual(roles(state), []);
  assert.equal(state.pending.length, 1);
  assert.equal(state.title, "go");
});

Deno.test("foldSession() shows a call that a person made as material, not as an answer to the model", () => {
  const state = foldSession(ID, events(created, asked("c1", "human"), finished("c1")));
  assert.deepEqual(roles(state), ["user:[read_file was run by the person]\nresult c1"]);
});

Deno.test("foldSession() drops what a compaction replaced, with its taint", () => {
  const call = (id: string) => ({ id, name: "read_file", args: "{}" });
  const before = events(
    created,
    input("one"),
    requested(1),
    message("", call("c1")),
    asked("c1"),
    finished("c1", "https://example.org/"),
    requested(2),
    message("done one"),
    input("two"),
    requested(3),
  );
  assert.equal(foldSession(ID, before).taint.length, 1);
  const after = foldSession(ID, [
    ...before,
    ...events({
      type: "compaction",
      data: { summary: "SUMMARY", keepFrom: 10, tokensBefore: 9, tokensAfter: 1 },
    } as never).map((event) => ({ ...event, seq: 11 })),
  ]);
  assert.deepEqual(roles(after), ["user:SUMMARY", "user:two"]);
  assert.deepEqual(after.taint, []);
});

Deno.test("foldSession() adds up usage, and has no cost once a price was unknown", () => {
  const settled = (cost: number | null) =>
    ({ type: "model.settled", data: { model: "p/m", usage: USAGE, cost, ms: 1 } }) as const;
  assert.equal(foldSession(ID, events(created, settled(0.5), settled(0.25))).cost, 0.75);
  const state = foldSession(ID, events(created, settled(0.5), settled(null), settled(1)));
  assert.equal(state.cost, null);
  assert.equal(state.usage.input, 30);
});

Deno.test("foldSession() knows a turn that has not ended and its open calls", () => {
  const state = foldSession(
    ID,
    events(
      created,
      input("go"),
      { type: "turn.started", data: { model: "p/m", preset: "read-only" } } as never,
      asked("c1"),
    ),
  );
  assert.equal(state.turn?.id, TURN);
  assert.deepEqual([...state.openCalls.keys()], ["c1"]);
});

Deno.test("foldSession() shows results in the order of their calls, whichever ended first", () => {
  const call = (id: string) => ({ id, name: "read_file", args: "{}" });
  const state = foldSession(
    ID,
    events(
      created,
      input("go"),
      requested(1),
      message("", call("c1"), call("c2"), call("c3")),
      asked("c1"),
      asked("c2"),
      asked("c3"),
      finished("c3"),
      finished("c1"),
      finished("c2"),
    ),
  );
  assert.deepEqual(roles(state).slice(2), ["tool:result c1", "tool:result c2", "tool:result c3"]);
});

Deno.test("foldSession() tells the model of changes that a person took back", () => {
  const undone = { type: "undone", data: { paths: ["/w/a.txt"] } } as never;
  const state = foldSession(ID, events(created, undone, input("go on"), requested(1)));
  assert.match(roles(state)[0] ?? "", /took back the changes to: \/w\/a\.txt/);
});
