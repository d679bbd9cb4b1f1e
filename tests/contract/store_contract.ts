import assert from "node:assert/strict";
import { PryxError } from "../../core/domain/error.ts";
import type { EventDraft } from "../../core/domain/event.ts";
import {
  type ApprovalId,
  type CallId,
  type GrantId,
  newId,
  type SessionId,
  type TurnId,
} from "../../core/domain/id.ts";
import type { Approval, ApprovalAnswer, Grant } from "../../core/domain/policy.ts";
import { foldSession } from "../../core/domain/session.ts";
import type { Store } from "../../core/store/store.ts";

/** A place for one database: each call of `open` opens the same one, as another process would. */
export interface StorePlace extends Disposable {
  open(clock?: () => Date): Store;
}

const TURN = "turn-1" as TurnId;
const NOW = "2026-01-02T03:04:05.000Z";
const LATER = "2026-01-02T03:05:05.000Z";
const ANSWER: ApprovalAnswer = {
  verdict: "allow",
  duration: { kind: "once" },
  scope: "workspace",
  by: "human:cli",
};

export const created = (workspace = "/w", title?: string): EventDraft => ({
  type: "session.created",
  turn: null,
  data: { workspace, profile: "default", ...(title === undefined ? {} : { title }) },
});
export const input = (text: string): EventDraft => ({
  type: "input",
  turn: TURN,
  data: { text, principal: "human", surface: "test" },
});
/** The input of a job that is not to be done twice. */
const keyed = (text: string, key: string): EventDraft => ({
  type: "input",
  turn: TURN,
  data: { text, principal: "human", surface: "test", key },
});
export const started: EventDraft = {
  type: "turn.started",
  turn: TURN,
  data: { model: "a/b", preset: "workspace" },
};
export const message = (text: string): EventDraft => ({
  type: "message",
  turn: TURN,
  data: { text, calls: [], finish: "stop" },
});
export const notice = (text: string): EventDraft => ({
  type: "notice",
  turn: null,
  data: { text, level: "info" },
});
export const ended = (status: "done" | "failed" = "done"): EventDraft => ({
  type: "turn.ended",
  turn: TURN,
  data: {
    status,
    text: "ok",
    usage: { input: 1, output: 2, cached: 0, reasoning: 0 },
    cost: 0,
    steps: 1,
    ms: 1,
    unapproved: [],
  },
});

function tool(text: string): EventDraft {
  return {
    type: "tool.finished",
    turn: TURN,
    data: { call: "c1", name: "shell", status: "done", text, ms: 1 },
  };
}

function approval(id: string, expiresAt = LATER): Approval {
  return {
    id: id as ApprovalId,
    session: "s1" as SessionId,
    call: "c1" as CallId,
    digest: "d",
    tool: "shell",
    summary: "rm -rf build",
    judgements: [{ need: { kind: "run", target: "rm" }, verdict: "ask", reason: "no rule", matched: [] }],
    createdAt: NOW,
    expiresAt,
    status: "open",
  };
}

function grant(id: string, more: Partial<Grant> = {}): Grant {
  return {
    id: id as GrantId,
    needs: [{ kind: "run", pattern: "git log" }],
    scope: "workspace",
    workspace: "/w",
    duration: { kind: "forever" },
    uses: 0,
    untrusted: false,
    createdAt: NOW,
    by: "human:cli",
    ...more,
  };
}

export function throwsCode(work: () => unknown, code: string): PryxError {
  let caught: unknown;
  try {
    work();
  } catch (error) {
    caught = error;
  }
  assert.ok(caught instanceof PryxError, `expected a PryxError ${code}, got ${caught}`);
  assert.equal(caught.code, code);
  return caught;
}

/** What every Store does. `place` makes a new, empty database. */
export function storeContract(name: string, place: () => StorePlace): void {
  function test(what: string, body: (open: StorePlace["open"]) => void): void {
    Deno.test(`${name} ${what}`, () => {
      using where = place();
      body((clock) => where.open(clock));
    });
  }

  test("append() numbers events from 1 without gaps and gives back what is stored", (open) => {
    using store = open(() => new Date(NOW));
    const id = newId<SessionId>();
    const first = store.append(id, [created(), input("hello"), started]);
    const second = store.append(id, [message("hi"), ended()], { durable: true });
    const all = [...first, ...second];
    assert.deepEqual(all.map(({ seq, type }) => [seq, type]), [
      [1, "session.created"],
      [2, "input"],
      [3, "turn.started"],
      [4, "message"],
      [5, "turn.ended"],
    ]);
    assert.ok(all.every((event) => event.at === NOW && event.session === id && event.v === 1));
    assert.deepEqual([...store.events(id)], all);
    assert.deepEqual([...store.events(id, 3)], second);
    assert.deepEqual([...store.events(id, 1, 2)].map(({ seq }) => seq), [2, 3]);
    assert.deepEqual(store.append(id, []), []);
    using other = open();
    assert.deepEqual([...other.events(id)], all);
  });

  test("append() keeps any text as it is", (open) => {
    using store = open();
    const id = newId<SessionId>();
    const text = "a\u0000b\r\n\ud83d\ude00 \u2028 \" ' é \ud800 end";
    const [, stored] = store.append(id, [created(), message(text)]);
    assert.deepEqual([...store.events(id)][1], stored);
    assert.equal(stored?.type === "message" && stored.data.text, text);
  });

  test("append() stores all of a list or nothing", (open) => {
    using store = open();
    const id = newId<SessionId>();
    store.append(id, [created()]);
    throwsCode(() => store.append(id, [notice("one"), created()]), "conflict");
    throwsCode(() => store.append(id, [created()]), "conflict");
    const delta: EventDraft = { type: "message.delta", turn: TURN, data: { text: "x", kind: "text" } };
    throwsCode(() => store.append(id, [notice("one"), delta]), "internal");
    throwsCode(() => store.append("nosuch" as SessionId, [notice("x")]), "not_found");
    assert.deepEqual([...store.events(id)].map(({ seq }) => seq), [1]);
    assert.equal(store.append(id, [notice("two")])[0]?.seq, 2);
  });

  test("events() reads a long session while it is appended to and read elsewhere", (open) => {
    using store = open();
    const id = newId<SessionId>();
    store.append(id, [created(), ...Array.from({ length: 999 }, (_, n) => notice(`n${n}`))]);
    const seen: number[] = [];
    for (const event of store.events(id)) {
      seen.push(event.seq);
      if (event.seq === 500) {
        assert.equal([...store.events(id, 900)].length, 100);
        store.append(id, [notice("late")]);
      }
    }
    assert.deepEqual(seen, Array.from({ length: 1001 }, (_, n) => n + 1));
  });

  test("eventsSince() follows all sessions, also after the newest was deleted", (open) => {
    using store = open();
    using other = open();
    const [a, b] = [newId<SessionId>(), newId<SessionId>()];
    store.append(a, [created()]);
    const start = store.lastRowId();
    other.append(b, [created(), notice("b")]);
    store.append(a, [notice("a")]);
    const found = store.eventsSince(start);
    assert.deepEqual(found.map(({ event }) => [event.session, event.seq]), [[b, 1], [b, 2], [a, 2]]);
    const last = found.at(-1)?.rowId ?? 0;
    assert.equal(last, store.lastRowId());
    assert.deepEqual(store.eventsSince(start, 1), found.slice(0, 1));
    store.deleteSession(a);
    other.append(b, [notice("again")]);
    assert.deepEqual(store.eventsSince(last).map(({ event }) => event.seq), [3]);
  });

  test("session rows agree with the fold over their events", (open) => {
    using store = open();
    const id = newId<SessionId>();
    const check = (status: string) => {
      const row = store.session(id);
      const state = foldSession(id, store.events(id));
      assert.ok(row);
      assert.equal(row.status, status);
      assert.deepEqual(
        [row.workspace, row.profile, row.parent, row.title, row.createdAt, row.lastSeq],
        [state.workspace, state.profile, state.parent, state.title, state.createdAt, state.lastSeq],
      );
    };
    store.append(id, [created()]);
    check("empty");
    store.append(id, [input(`${"long first line ".repeat(10)}\nmore`), started]);
    check("running");
    store.append(id, [ended("failed"), input("second"), started]);
    check("running");
    store.append(id, [ended("done")]);
    check("done");
    assert.equal(store.session("nosuch" as SessionId), undefined);
  });

  test("sessions() lists the last used first, by workspace, in pages", (open) => {
    let now = Date.parse(NOW);
    using store = open(() => new Date(now += 1000));
    const ids = ["a", "b", "c"].map((id) => id as SessionId);
    for (const [n, id] of ids.entries()) store.append(id, [created(n === 1 ? "/other" : "/w")]);
    store.append("a" as SessionId, [notice("again")]);
    assert.deepEqual(store.sessions().map(({ id }) => id), ["a", "c", "b"]);
    assert.deepEqual(store.sessions({ workspace: "/w" }).map(({ id }) => id), ["a", "c"]);
    assert.deepEqual(store.sessions({ limit: 1, offset: 1 }).map(({ id }) => id), ["c"]);
    assert.deepEqual(store.sessions({ workspace: "/none" }), []);
  });

  test("matchSessions() finds by prefix and suffix and takes nothing as a pattern", (open) => {
    using store = open();
    for (const id of ["abc123", "abd123", "xyz789"]) store.append(id as SessionId, [created()]);
    const match = (text: string) => store.matchSessions(text).map(({ id }) => id).sort();
    assert.deepEqual(match("ab"), ["abc123", "abd123"]);
    assert.deepEqual(match("ABC"), ["abc123"]);
    assert.deepEqual(match("789"), ["xyz789"]);
    assert.deepEqual(match("xyz789"), ["xyz789"]);
    for (const none of ["", "%", "_bc", "bc1", "longer-than-any-id"]) assert.deepEqual(match(none), []);
  });

  test("fork() copies events under the same numbers and times and leaves the parent alone", (open) => {
    let now = Date.parse(NOW);
    using store = open(() => new Date(now += 1000));
    const [parent, child] = [newId<SessionId>(), newId<SessionId>()];
    store.append(parent, [created(), input("find the needle"), started, message("haystack")]);
    store.append(parent, [ended(), notice("after")]);
    const before = [...store.events(parent)];
    store.fork(parent, child, 5);
    const copy = [...store.events(child)];
    assert.deepEqual(copy.slice(1), before.slice(1, 5).map((event) => ({ ...event, session: child })));
    assert.equal(copy[0]?.type, "session.created");
    assert.deepEqual(copy[0]?.data, {
      workspace: "/w",
      profile: "default",
      parent,
      forkedAt: 5,
      title: "find the needle",
    });
    const row = store.session(child);
    assert.deepEqual([row?.parent, row?.status, row?.lastSeq, row?.title], [
      parent,
      "done",
      5,
      "find the needle",
    ]);
    assert.equal(store.append(child, [notice("own")])[0]?.seq, 6);
    assert.deepEqual([...store.events(parent)], before);
    assert.equal(store.search("haystack").length, 2);

    const cut = newId<SessionId>();
    store.fork(parent, cut, 3);
    assert.equal(store.session(cut)?.status, "interrupted");
    for (const at of [0, 7, 1.5]) throwsCode(() => store.fork(parent, newId(), at), "usage");
    throwsCode(() => store.fork("nosuch" as SessionId, newId(), 1), "not_found");
    throwsCode(() => store.fork(parent, child, 1), "conflict");
  });

  test("deleteSession() removes all of it but the audit log", (open) => {
    using store = open();
    const [id, kept] = [newId<SessionId>(), newId<SessionId>()];
    store.append(id, [created(), keyed("unrepeatable secret plan", "key"), message("noted")]);
    store.append(kept, [created(), input("another plan")]);
    store.writePartial(id, TURN, "partial");
    store.putApproval({ ...approval("ap"), session: id });
    store.putGrant(grant("g", { session: id, duration: { kind: "session" } }));
    store.audit("session", { session: id });
    {
      using _lease = store.lease(id);
      throwsCode(() => store.deleteSession(id), "session_busy");
    }
    store.deleteSession(id);
    assert.equal(store.session(id), undefined);
    assert.deepEqual([...store.events(id)], []);
    assert.deepEqual(store.search("plan").map(({ session }) => session), [kept]);
    assert.equal(store.partial(id), undefined);
    assert.equal(store.approval("ap" as ApprovalId), undefined);
    assert.deepEqual(store.grants({ now: NOW }), []);
    assert.equal(store.keyedInput("key"), undefined);
    store.append(kept, [keyed("again", "key")]);
    assert.equal(store.verifyAudit().entries, 1);
    throwsCode(() => store.append(id, [notice("too late")]), "not_found");
  });

  test("unusedContents() tells what no change of a file names", (open) => {
    using store = open();
    const [a, b] = [newId<SessionId>(), newId<SessionId>()];
    const changed = (before: string | null, after: string | null): EventDraft => ({
      type: "file.changed",
      turn: TURN,
      data: { call: "c", path: "/w/x", before, after },
    });
    store.append(a, [created(), changed(null, "h1"), changed("h1", "h2"), changed("h2", null)]);
    store.append(b, [created(), changed("h2", "h3")]);
    assert.deepEqual(store.unusedContents(["h1", "h2", "h3", "h4", "h4"]), ["h4"]);
    store.deleteSession(a);
    assert.deepEqual(store.unusedContents(["h1", "h2", "h3"]), ["h1"]);
    store.append(b, [{ type: "undone", turn: null, data: { paths: ["/w/x"], replaced: ["h5", "h6"] } }]);
    assert.deepEqual(store.unusedContents(["h5", "h6", "h7"]), ["h7"]);
    assert.deepEqual(store.unusedContents([]), []);
  });

  test("search() finds parts of words in what was said, answered and put out by tools", (open) => {
    using store = open();
    const id = newId<SessionId>();
    store.append(id, [
      created(),
      input("Where is the Café?"),
      message("In the side street, 100% sure."),
      tool("exit 0"),
    ]);
    const roles = (query: string) => store.search(query).map(({ role }) => role);
    assert.deepEqual(roles("cafe"), ["user"]);
    assert.deepEqual(roles("IDE STR"), ["assistant"]);
    assert.deepEqual(roles("exit"), ["tool"]);
    assert.deepEqual(roles("the"), ["assistant", "user"]);
    assert.deepEqual(roles("the street"), ["assistant"]);
    assert.deepEqual(roles('"side street"'), ["assistant"]);
    assert.deepEqual(roles('"street side"'), []);
    assert.deepEqual(roles("is"), ["user"]);
    assert.deepEqual(roles("in street"), ["assistant"]);
    assert.deepEqual(roles("0%"), ["assistant"]);
    assert.deepEqual(roles("__"), []);
    const [hit] = store.search("cafe");
    assert.deepEqual(hit && [hit.session, hit.seq, hit.snippet], [id, 2, "Where is the «Café»?"]);
    assert.equal(store.search("the", 1).length, 1);
  });

  test("search() takes nothing in a query as an operator", (open) => {
    using store = open();
    const id = newId<SessionId>();
    store.append(id, [created(), input(`say "hello" NOT bye* OR (x) ^y text:z -w a'b`)]);
    for (
      const query of [
        "NOT bye*",
        "(x)",
        "text:z",
        "^y",
        "-w",
        "a'b",
        '"hello',
        '""',
        "bye* OR",
        "*",
        '"',
        "\0",
        "",
      ]
    ) {
      assert.doesNotThrow(() => store.search(query), query);
    }
    assert.equal(store.search("NOT bye*").length, 1);
    assert.equal(store.search("bye* OR nothing-of-this").length, 0);
    assert.equal(store.search("text:z").length, 1);
  });

  test("search() shows one line around a hit in a long text and finds its head and tail", (open) => {
    using store = open();
    const id = newId<SessionId>();
    store.append(id, [created(), tool(`first\n${"filler line\n".repeat(2000)}needle here\nlast`)]);
    const [hit] = store.search("needle");
    assert.match(hit?.snippet ?? "", /^….*«needle» here last$/);
    assert.ok(!hit?.snippet.includes("\n"));
    assert.equal(store.search("first").length, 1);
  });

  test("lease() lets one writer in at a time", (open) => {
    using store = open();
    using other = open();
    const id = newId<SessionId>();
    store.append(id, [created()]);
    const lease = store.lease(id);
    const busy = throwsCode(() => other.lease(id), "session_busy");
    assert.match(busy.message, new RegExp(`pid ${Deno.pid}`));
    throwsCode(() => store.lease(id), "session_busy");
    assert.equal(other.session(id)?.holder, Deno.pid);
    store.lease(newId())[Symbol.dispose]();
    lease[Symbol.dispose]();
    lease[Symbol.dispose]();
    assert.equal(other.session(id)?.holder, undefined);
    const next = other.lease(id);
    lease[Symbol.dispose]();
    throwsCode(() => store.lease(id), "session_busy");
    next[Symbol.dispose]();
  });

  test("gives its leases back when it is disposed", (open) => {
    using store = open();
    const id = newId<SessionId>();
    const first = open();
    first.lease(id);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    store.lease(id);
  });

  test("append() stores one input of a key, and keyedInput() tells which", (open) => {
    using store = open();
    using other = open();
    const [id, late] = [newId<SessionId>(), newId<SessionId>()];
    assert.equal(store.keyedInput("k"), undefined);
    store.append(id, [created(), input("before"), keyed("the job", "k")]);
    const first = { session: id, turn: TURN, seq: 3 };
    assert.deepEqual(other.keyedInput("k"), first);
    other.append(late, [created()]);
    throwsCode(() => other.append(late, [notice("lost"), keyed("the job", "k")]), "conflict");
    throwsCode(() => store.append(id, [keyed("again", "k")]), "conflict");
    assert.equal(store.session(late)?.lastSeq, 1, "nothing of the refused append is stored");
    other.append(late, [keyed("another job", "k2")]);
    const copy = newId<SessionId>();
    store.fork(id, copy, 3);
    store.deleteSession(copy);
    assert.deepEqual(store.keyedInput("k"), first, "a copy has no part in it");
  });

  test("keeps one partial message until the message is whole", (open) => {
    using store = open(() => new Date(NOW));
    const id = newId<SessionId>();
    store.append(id, [created()]);
    assert.equal(store.partial(id), undefined);
    store.writePartial(id, TURN, "Hel");
    store.writePartial(id, TURN, "Hello");
    assert.deepEqual(store.partial(id), { turn: TURN, text: "Hello", at: NOW });
    store.append(id, [notice("still going")]);
    assert.ok(store.partial(id));
    store.append(id, [message("Hello!")]);
    assert.equal(store.partial(id), undefined);
    store.writePartial(id, TURN, "x");
    store.clearPartial(id);
    assert.equal(store.partial(id), undefined);
  });

  test("answerApproval() takes the first valid answer only", (open) => {
    using store = open();
    using other = open();
    store.putApproval(approval("a1"));
    store.putApproval(approval("a2"));
    assert.deepEqual(other.approval("a1" as ApprovalId), approval("a1"));
    assert.deepEqual(other.openApprovals().map(({ id }) => id), ["a1", "a2"]);
    const no: ApprovalAnswer = { ...ANSWER, verdict: "deny", note: "too broad" };
    assert.equal(other.answerApproval("a1" as ApprovalId, no, NOW), true);
    assert.equal(store.answerApproval("a1" as ApprovalId, ANSWER, NOW), false);
    assert.deepEqual(store.approval("a1" as ApprovalId), { ...approval("a1"), status: "denied", answer: no });
    throwsCode(() => store.putApproval(approval("a1")), "conflict");
    assert.equal(store.answerApproval("a2" as ApprovalId, ANSWER, LATER), false, "expired");
    assert.equal(store.answerApproval("nosuch" as ApprovalId, ANSWER, NOW), false);
    store.expireApproval("a2" as ApprovalId);
    assert.equal(store.approval("a2" as ApprovalId)?.status, "expired");
    assert.equal(store.answerApproval("a2" as ApprovalId, ANSWER, NOW), false);
    store.expireApproval("a1" as ApprovalId);
    assert.equal(store.approval("a1" as ApprovalId)?.status, "denied");
    assert.deepEqual(store.openApprovals(), []);
  });

  test("answerApproval() compares times, not text", (open) => {
    using store = open();
    store.putApproval(approval("a1", "2026-01-02T03:05:05Z"));
    assert.equal(store.answerApproval("a1" as ApprovalId, ANSWER, "2026-01-02T03:05:05.000Z"), false);
    assert.equal(store.answerApproval("a1" as ApprovalId, ANSWER, "2026-01-02T04:05:04.999+01:00"), true);
  });

  test("useGrant() counts uses and refuses what is used up, revoked or expired", (open) => {
    using store = open();
    using other = open();
    const use = (id: string, now = NOW) => store.useGrant(id as GrantId, now);
    store.putGrant(grant("g1", { usesLeft: 2 }));
    store.putGrant(grant("g2", { duration: { kind: "once" } }));
    store.putGrant(grant("g3", { duration: { kind: "until", at: LATER } }));
    store.putGrant(grant("g4"));
    assert.deepEqual([use("g1"), other.useGrant("g1" as GrantId, NOW), use("g1")], [true, true, false]);
    assert.deepEqual([use("g2"), use("g2")], [true, false]);
    assert.deepEqual([use("g3"), use("g3", LATER)], [true, false]);
    assert.deepEqual([use("g4"), use("nosuch")], [true, false]);
    assert.deepEqual(other.grants({ now: NOW }).map(({ id, uses }) => [id, uses]), [["g3", 1], ["g4", 1]]);
    assert.deepEqual(other.grants({ now: LATER }).map(({ id }) => id), ["g4"]);
    assert.equal(store.revokeGrant("g4" as GrantId, NOW), true);
    assert.equal(store.revokeGrant("g4" as GrantId, NOW), false);
    assert.equal(use("g4"), false);
    const all = store.grants({ now: LATER, all: true });
    assert.deepEqual(all[0], grant("g1", { usesLeft: 0, uses: 2 }));
    assert.deepEqual(all[3], grant("g4", { uses: 1, revokedAt: NOW }));
  });

  test("remembers the hash under which a folder is trusted", (open) => {
    using store = open();
    assert.equal(store.trustedHash("/w"), undefined);
    store.trust("/w", "h1", NOW);
    store.trust("/w", "h2", NOW);
    assert.equal(store.trustedHash("/w"), "h2");
    assert.deepEqual([store.untrust("/w"), store.untrust("/w")], [true, false]);
    assert.equal(store.trustedHash("/w"), undefined);
  });

  test("automationState() keeps text by key, for each automation apart, and across processes", (open) => {
    using store = open();
    using other = open();
    const a = store.automationState("/w\0a.pryx.ts");
    assert.deepEqual([a.get("n"), a.keys(""), a.remove("n")], [undefined, [], false]);
    a.set("n", "1");
    a.set("n", "2");
    a.set("empty", "");
    const same = other.automationState("/w\0a.pryx.ts");
    assert.deepEqual([same.get("n"), same.get("empty")], ["2", ""]);
    same.set("n", "3");
    assert.equal(a.get("n"), "3");
    const another = store.automationState("/w\0b.pryx.ts");
    assert.deepEqual([another.get("n"), another.remove("n")], [undefined, false]);
    assert.deepEqual([a.remove("n"), a.remove("n"), same.get("n")], [true, false, undefined]);
  });

  test("automationState().swap() lets one of two that saw the same go first", (open) => {
    using store = open();
    using other = open();
    const [a, b] = [store.automationState("x"), other.automationState("x")];
    assert.deepEqual([a.swap("n", undefined, "a"), b.swap("n", undefined, "b")], [true, false]);
    assert.deepEqual([b.swap("n", "a", "b"), a.swap("n", "a", "c"), a.get("n")], [true, false, "b"]);
    // A value is the same by its text alone.
    assert.deepEqual([a.swap("n", "B", "c"), a.swap("gone", "b", "c"), a.get("gone")], [
      false,
      false,
      undefined,
    ]);
  });

  test("automationState().keys() lists those that begin with a text, in order, and reads no pattern in it", (open) => {
    using store = open();
    const state = store.automationState("x");
    const keys = ["b", "a%c", "a", "a_c", "abc", "A", "é", "e\u0301", "😀 1", "a\nb", "a'b"];
    for (const key of keys) state.set(key, key);
    assert.deepEqual(state.keys("").sort(), [...keys].sort());
    assert.deepEqual(state.keys("a"), ["a", "a\nb", "a%c", "a'b", "a_c", "abc"]);
    assert.deepEqual(state.keys("a%"), ["a%c"]);
    assert.deepEqual(state.keys("a_"), ["a_c"]);
    assert.deepEqual(state.keys("😀"), ["😀 1"]);
    assert.deepEqual(state.keys("é"), ["é"]);
    assert.deepEqual(state.keys("z"), []);
    for (const key of keys) assert.equal(state.get(key), key);
  });

  test("automationState() refuses keys and values that are too long, and keeps what was there", (open) => {
    using store = open();
    const state = store.automationState("x");
    state.set("k".repeat(512), "long");
    state.set("v", "x".repeat(1_000_000));
    throwsCode(() => state.set("", "x"), "input_invalid");
    throwsCode(() => state.set("k".repeat(513), "x"), "input_invalid");
    throwsCode(() => state.set("v", "x".repeat(1_000_001)), "input_invalid");
    throwsCode(() => state.swap("v", "x".repeat(1_000_000), "x".repeat(1_000_001)), "input_invalid");
    assert.equal(state.get("v")?.length, 1_000_000);
    assert.deepEqual(state.keys("k").map(({ length }) => length), [512]);
  });

  test("audit() chains entries and lists them", (open) => {
    using store = open(() => new Date(NOW));
    using other = open(() => new Date(NOW));
    assert.deepEqual(store.verifyAudit(), { ok: true, entries: 0, head: "0".repeat(64) });
    const first = store.audit("decision", {
      b: 1,
      a: { d: [1, { z: 1, y: 2 }], c: undefined, text: "é\u0000" },
    });
    const second = other.audit("grant", {});
    assert.deepEqual([first.seq, first.previous], [1, "0".repeat(64)]);
    assert.deepEqual([second.seq, second.previous], [2, first.hash]);
    assert.deepEqual(first.data, { a: { d: [1, { y: 2, z: 1 }], text: "é\u0000" }, b: 1 });
    for (let n = 0; n < 600; n++) store.audit("decision", { n });
    assert.deepEqual([...store.auditEntries({ limit: 2 })], [first, second]);
    assert.deepEqual([...store.auditEntries({ last: 2 })].map(({ seq }) => seq), [601, 602]);
    assert.deepEqual([...store.auditEntries({ after: 300 })].length, 302);
    const verdict = store.verifyAudit();
    assert.deepEqual(verdict, {
      ok: true,
      entries: 602,
      head: [...store.auditEntries({ last: 1 })][0]?.hash,
    });
  });
}
