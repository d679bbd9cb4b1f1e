import { join } from "node:path";
import type { EventDraft } from "../../core/domain/event.ts";
import { newId, type SessionId, type TurnId } from "../../core/domain/id.ts";
import { openStore } from "../../core/store/sqlite.ts";
import type { Bench, Measurement } from "./_measure.ts";
import { rate } from "./_measure.ts";

/** What one step of a turn with one tool call stores. */
function stepEvents(turn: TurnId): EventDraft[] {
  const need = {
    kind: "run",
    target: "echo hello",
    argv: ["echo", "hello"],
    executable: "/usr/bin/echo",
  } as const;
  const reason = "Allowed by --allow run=echo";
  const usage = { input: 1200, output: 30, cached: 0, reasoning: 0 };
  const call = "call_1";
  return [
    { type: "model.requested", turn, data: { step: 1, model: "openai/bench", reserved: null } },
    {
      type: "message",
      turn,
      data: {
        text: "I will say hello.",
        calls: [{ id: call, name: "shell", args: '{"command":"echo hello"}' }],
        finish: "tool_calls",
      },
    },
    {
      type: "model.settled",
      turn,
      data: { model: "openai/bench", usage, cost: null, ms: 900, firstMs: 400 },
    },
    {
      type: "tool.requested",
      turn,
      data: { call, name: "shell", args: { command: "echo hello" }, needs: [need], origin: "model" },
    },
    {
      type: "decision",
      turn,
      data: { call, verdict: "allow", by: "policy", judgements: [{ need, verdict: "allow", reason }] },
    },
    { type: "tool.finished", turn, data: { call, name: "shell", status: "done", text: "hello\n", ms: 3 } },
  ];
}

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
  const step = stepEvents(turn);
  const value = rate(step.length * 20, () => {
    for (let i = 0; i < 20; i++) {
      for (const event of step) store.append(session, [event]);
    }
  });
  return {
    name: "Event append",
    value,
    unit: "/s",
    limit: { least: 20_000 },
    detail: "the events of a tool turn, each in its own transaction, with the search index",
  };
}
