import assert from "node:assert/strict";
import { join } from "node:path";
import { commands } from "../../core/commands/why.ts";
import type { EventData } from "../../core/domain/event.ts";
import type { SessionId, TurnId } from "../../core/domain/id.ts";
import { openStore } from "../../core/store/sqlite.ts";
import { created, ended, input, started } from "../contract/store_contract.ts";
import { fakeContext, fakeSurface } from "../support/fake_pryx.ts";

Deno.test("why tells what was stopped before what failed on the way, with the flag to paste", async () => {
  const folder = await Deno.makeTempDir();
  const store = openStore({ path: join(folder, "pryx.db") });
  try {
    const session = "0session" as SessionId;
    const turn = "t1" as TurnId;
    const call = (
      id: string,
      title: string,
      judgement: EventData<"decision">["judgements"][number],
      unapproved = false,
    ) =>
      [
        {
          type: "tool.requested",
          turn,
          data: { call: id, name: "shell", args: {}, needs: [judgement.need], origin: "model", title },
        },
        {
          type: "decision",
          turn,
          data: { call: id, verdict: judgement.verdict, by: "policy", judgements: [judgement], unapproved },
        },
      ] as const;
    const rule = "deny run=rm (user)";
    const run = (target: string) => ({ kind: "run", target }) as const;
    store.append(session, [
      created("/w"),
      input("clean up"),
      started,
      ...call("c1", "make", { need: run("make"), verdict: "allow", reason: "a rule" }),
      {
        type: "tool.finished",
        turn,
        data: { call: "c1", name: "shell", status: "failed", text: "no Makefile\n\n[exit code 2]", ms: 1 },
      },
      ...call("c2", "rm -r x", {
        need: run("rm -r x"),
        verdict: "deny",
        reason: `by the rule ${rule}`,
        rule,
      }),
      ...call("c3", "ls 'x'", { need: run("ls 'x'"), verdict: "ask", reason: "no rule matches" }, true),
      ended("done"),
    ]);
    const context = fakeContext(fakeSurface(), new AbortController().signal, {
      cwd: "/w",
      store: () => Promise.resolve(store),
    });
    const { text = "" } = await commands[0]?.run({}, context) ?? {};
    assert.deepEqual(text.split("\n").slice(1), [
      "Asked: clean up",
      "",
      "shell rm -r x: denied",
      `  because  by the rule ${rule}`,
      "  fix      change that rule, or leave it: a deny is final (pryx policy explain)",
      "",
      "shell ls 'x': denied",
      "  because  no rule matches, and nobody was there to answer",
      "  fix      --allow 'run=ls '\\''x'\\'''",
      "",
      "shell make: failed",
      "  because  no Makefile",
      "           [exit code 2]",
      "",
      `All of it: pryx sessions show ${session}`,
    ]);
  } finally {
    store[Symbol.dispose]();
    await Deno.remove(folder, { recursive: true });
  }
});
