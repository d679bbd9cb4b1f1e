import assert from "node:assert/strict";
import type { GrantId, SessionId } from "../../core/domain/id.ts";
import type { Grant } from "../../core/domain/policy.ts";
import { scriptedProvider } from "../support/scripted_provider.ts";
import { testPryx } from "../support/test_pryx.ts";

const GRANT: Grant = {
  id: "g1" as GrantId,
  needs: [{ kind: "write", pattern: "a.txt" }],
  scope: "workspace",
  duration: { kind: "forever" },
  uses: 0,
  untrusted: false,
  createdAt: "2030-01-01T00:00:00.000Z",
  by: "human:test",
};

/** The verdict over a write of a.txt in a new session, with one grant stored. */
async function verdictWith(grant: Partial<Grant>): Promise<string | undefined> {
  const call = { calls: [["write_file", { path: "a.txt", content: "x" }]] as const };
  await using test = await testPryx({ provider: scriptedProvider([call, { text: "ok" }]) });
  test.store.putGrant({ ...GRANT, ...grant });
  const { session } = await test.run("go");
  return test.events(session, "decision")[0]?.data.verdict;
}

Deno.test("a grant holds in its own session and workspace, and in no other", async () => {
  assert.equal(await verdictWith({}), "allow");
  assert.equal(await verdictWith({ session: "another" as SessionId, duration: { kind: "session" } }), "ask");
  assert.equal(await verdictWith({ workspace: "/another" }), "ask");
  assert.equal(await verdictWith({ workspace: "/another", scope: "host" }), "ask");
});

Deno.test("a grant that is revoked, used up or past its time allows nothing", async () => {
  assert.equal(await verdictWith({ revokedAt: "2030-01-01T00:00:00.000Z" }), "ask");
  assert.equal(await verdictWith({ usesLeft: 0 }), "ask");
  assert.equal(await verdictWith({ duration: { kind: "until", at: "2020-01-01T00:00:00.000Z" } }), "ask");
  assert.equal(await verdictWith({ duration: { kind: "until", at: "2999-01-01T00:00:00.000Z" } }), "allow");
});
