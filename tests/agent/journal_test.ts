import assert from "node:assert/strict";
import { createJournal, followSession } from "../../core/agent/journal.ts";
import type { EventDraft, PryxEvent } from "../../core/domain/event.ts";
import type { SessionId, TurnId } from "../../core/domain/id.ts";
import { openStore } from "../../core/store/sqlite.ts";

const session = "s" as SessionId;
const turn = "t" as TurnId;
const notice = (text: string): EventDraft => ({
  type: "notice",
  turn,
  data: { text, level: "warning" },
});

async function withJournal(
  work: (at: {
    journal: ReturnType<typeof createJournal>;
    other: ReturnType<typeof openStore>;
    follow: AsyncGenerator<PryxEvent>;
  }) => Promise<void>,
) {
  const folder = await Deno.makeTempDir();
  try {
    using store = openStore({ path: `${folder}/pryx.db` });
    using other = openStore({ path: `${folder}/pryx.db` });
    const journal = createJournal(store, () => new Date());
    const created = { workspace: "/w", profile: "default" };
    journal.append(session, [{ type: "session.created", turn: null, data: created }]);
    const stop = new AbortController();
    const follow = followSession(store, journal, session, 0, stop.signal);
    await work({ journal, other, follow });
    stop.abort();
    await follow.return(undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function read(follow: AsyncGenerator<PryxEvent>, count: number): Promise<string[]> {
  const seen: string[] = [];
  while (seen.length < count) {
    const { value } = await follow.next();
    if (!value) break;
    seen.push(value.type === "message.delta" ? `+${value.data.text}` : String(value.seq));
  }
  return seen;
}

Deno.test("a follower misses nothing that another process stored just before this one", async () => {
  await withJournal(async ({ journal, other, follow }) => {
    assert.deepEqual(await read(follow, 1), ["1"]);
    const next = read(follow, 3);
    other.append(session, [notice("two"), notice("three")]);
    journal.append(session, [notice("four")]);
    assert.deepEqual(await next, ["2", "3", "4"]);
  });
});

Deno.test("a follower that is behind is not shown pieces of a message that it was shown whole", async () => {
  await withJournal(async ({ journal, follow }) => {
    // As many as are read from the store at a time: the next page is read only after the last of these.
    journal.append(session, Array.from({ length: 255 }, (_, n) => notice(`${n}`)));
    assert.equal((await read(follow, 256)).at(-1), "256");
    const delta = (text: string) => journal.live(session, turn, "message.delta", { text, kind: "text" });
    delta("whole");
    journal.append(session, [{ type: "message", turn, data: { text: "whole", calls: [], finish: "stop" } }]);
    delta("next");
    assert.deepEqual(await read(follow, 2), ["257", "+next"]);
  });
});

Deno.test("a follower that is far behind holds little in memory, and is shown every stored event", async () => {
  await withJournal(async ({ journal, follow }) => {
    assert.deepEqual(await read(follow, 1), ["1"]);
    for (let i = 0; i < 20_000; i++) {
      journal.live(session, turn, "message.delta", { text: "x", kind: "text" });
    }
    journal.append(session, [notice("two")]);
    const seen = await read(follow, 10_001);
    assert.equal(seen.at(-1), "2");
    assert.equal(seen.filter((one) => one === "+x").length, 10_000);
  });
});
