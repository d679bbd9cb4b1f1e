import { join } from "node:path";
import type { EventDraft } from "../../core/domain/event.ts";
import { newId, type SessionId, type TurnId } from "../../core/domain/id.ts";
import { openStore } from "../../core/store/sqlite.ts";
import type { Bench, Measurement } from "./_measure.ts";
import { rate } from "./_measure.ts";

/** Events appended one by one, each in its own transaction, to a database on disk. */
export async function append(bench: Bench): Promise<Measurement> {
  using store = openStore({ path: join(await bench.folder(), "pryx.db") });
  const session = newId<SessionId>();
  const turn = newId<TurnId>();
  using _lease = store.lease(session);
  const created: EventDraft = {
    type: "session.created",
    turn: null,
    data: { workspace: "/bench", profile: "default" },
  };
  store.append(session, [created]);
  const event: EventDraft = {
    type: "tool.finished",
    turn,
    data: { call: "call", name: "shell", status: "done", text: "hello\n".repeat(20), ms: 3 },
  };
  const value = rate(100, () => {
    for (let i = 0; i < 100; i++) store.append(session, [event]);
  });
  return {
    name: "Event append",
    value,
    unit: "/s",
    limit: { least: 20_000 },
    detail: "one event a transaction, with its search index",
  };
}
