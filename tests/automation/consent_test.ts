import assert from "node:assert/strict";
import { askConsent, patternsOf } from "../../core/automation/consent.ts";
import type { LinkedGraph, Permissions } from "../../core/domain/automation.ts";
import { formatNeed, type Need } from "../../core/domain/need.ts";
import type { PolicyView } from "../../core/policy/policy.ts";
import type { Verdict } from "../../core/domain/policy.ts";
import { openStore } from "../../core/store/sqlite.ts";
import type { Store } from "../../core/store/store.ts";
import { type FakeTurn, fakeTurn } from "./_fake_turn.ts";

const NOW = "2026-01-02T03:04:05.000Z";

interface Asked {
  readonly permissions?: Permissions;
  /** Absent: nobody is there. */
  readonly answers?: readonly string[];
  /** Stands for the text of the file. */
  readonly graph?: string;
  readonly session?: string;
  readonly root?: string;
  readonly entry?: string;
}

/** Consent over a real store, under a policy that is told what to say; it asks about the rest. */
function consent(verdicts: Readonly<Record<string, Verdict>> = {}): {
  readonly store: Store;
  readonly explained: string[];
  ask(asked: Asked): Promise<FakeTurn>;
} & Disposable {
  const folder = Deno.makeTempDirSync({ prefix: "pryx consent " });
  const store = openStore({ path: `${folder}/pryx.db` });
  const explained: string[] = [];
  const policy = {
    explain(needs: readonly Need[]) {
      const texts = needs.map(formatNeed);
      explained.push(...texts);
      const said = texts.map((text) => verdicts[text] ?? "ask");
      const verdict = said.find((one) => one === "deny") ?? said.find((one) => one === "ask") ?? "allow";
      return Promise.resolve({ verdict, judgements: [] });
    },
  } as unknown as PolicyView;
  return {
    store,
    explained,
    async ask(asked) {
      const { permissions = { write: ["out"] }, answers, graph = "1", session = "s1", root = "/w" } = asked;
      const { entry = "job.pryx.ts" } = asked;
      const turn = fakeTurn(answers, session);
      const hash = graph.repeat(64);
      const linked: LinkedGraph = {
        file: `${root}/${entry}`,
        root,
        entry,
        modules: [],
        hash,
        permissions,
        test: false,
      };
      await askConsent({
        graph: linked,
        mandate: { automation: entry, graph: hash, needs: patternsOf(permissions) },
        turn,
        policy,
        store,
        now: () => new Date(NOW),
      });
      return turn;
    },
    [Symbol.dispose]() {
      store[Symbol.dispose]();
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

const ALL: Permissions = {
  read: ["."],
  write: ["out"],
  run: ["git log"],
  net: ["api.example.org"],
  use: ["agent"],
};

Deno.test("askConsent() shows the whole manifest, and grants what policy asked about to exactly this graph", async () => {
  using at = consent({ "read=/w": "allow" });
  const turn = await at.ask({ permissions: ALL, answers: ["always"] });
  const [{ text, options } = { text: "", options: [] }] = turn.asked;
  for (const line of ["read  .", "write out", "run   git log", "net   api.example.org", "use   agent"]) {
    assert.ok(text.includes(line), text);
  }
  assert.deepEqual(options, ["always", "once", "no"]);
  const grants = at.store.grants({ now: NOW });
  assert.deepEqual(
    grants.flatMap(({ needs }) => needs.map(({ kind, pattern }) => `${kind}=${pattern}`)).sort(),
    [
      "net=api.example.org",
      "run=git log",
      "use=agent",
      "write=out",
    ],
  );
  assert.ok(
    grants.every(({ graph, workspace, duration, by, automation }) =>
      graph === "1".repeat(64) && workspace === "/w" && duration.kind === "forever" && by === "human:test" &&
      automation === "job.pryx.ts"
    ),
  );
  // A host that is spelled out was meant, whatever came in meanwhile.
  assert.deepEqual(grants.filter(({ untrusted }) => untrusted).map(({ needs }) => needs[0]?.pattern), [
    "api.example.org",
  ]);
  assert.deepEqual([...at.store.auditEntries()].map(({ kind }) => kind), ["grant", "grant"]);
});

Deno.test("askConsent() asks nothing where nobody is there, nothing is declared, or policy asks about nothing", async () => {
  using at = consent({ "read=/w": "allow", "write=/w/out": "deny" });
  assert.deepEqual((await at.ask({ permissions: ALL })).asked, []);
  assert.deepEqual((await at.ask({ permissions: {}, answers: [] })).asked, []);
  assert.deepEqual((await at.ask({ permissions: { read: ["."], write: ["out"] }, answers: [] })).asked, []);
  assert.deepEqual(at.store.grants({ now: NOW, all: true }), []);
});

Deno.test("askConsent() does not ask again after always, and asks in another project", async () => {
  using at = consent();
  await at.ask({ answers: ["always"] });
  assert.deepEqual((await at.ask({ answers: [], session: "s2" })).asked, []);
  assert.equal((await at.ask({ answers: ["once"], root: "/other" })).asked.length, 1);
});

Deno.test("askConsent() grants once to one run alone, and asks the next", async () => {
  using at = consent();
  await at.ask({ answers: ["once"], session: "s1" });
  const [grant] = at.store.grants({ now: NOW });
  assert.deepEqual([grant?.session, grant?.duration], ["s1", { kind: "session" }]);
  assert.equal((await at.ask({ answers: ["once"], session: "s2" })).asked.length, 1);
});

Deno.test("askConsent() does not take a revoked grant for consent", async () => {
  using at = consent();
  await at.ask({ answers: ["always"] });
  for (const { id } of at.store.grants({ now: NOW })) at.store.revokeGrant(id, NOW);
  assert.equal((await at.ask({ answers: ["once"] })).asked.length, 1);
});

for (const answer of ["no", "", "nope", "ALWAYS?"]) {
  Deno.test(`askConsent() grants nothing when a person answers ${JSON.stringify(answer)}`, async () => {
    using at = consent();
    await assert.rejects(at.ask({ answers: [answer] }), { code: "denied" });
    assert.deepEqual(at.store.grants({ now: NOW, all: true }), []);
  });
}

Deno.test("askConsent() asks again when the code changed, and says that what it may do did not", async () => {
  using at = consent();
  await at.ask({ permissions: ALL, answers: ["always"] });
  const turn = await at.ask({ permissions: ALL, answers: ["always"], graph: "2" });
  assert.match(turn.asked[0]?.text ?? "", /has changed since you allowed it/);
  assert.doesNotMatch(turn.asked[0]?.text ?? "", /may now|may no longer/);
  // The grants of the text that is gone are gone.
  assert.ok(at.store.grants({ now: NOW }).every(({ graph }) => graph === "2".repeat(64)));
});

Deno.test("askConsent() says what an automation may do now that it could not before, and what no longer", async () => {
  using at = consent({ "read=/w": "allow" });
  await at.ask({ permissions: { ...ALL, run: ["git log", "git tag"] }, answers: ["always"] });
  const turn = await at.ask({
    permissions: { ...ALL, run: ["git log", "git push"] },
    answers: ["no"],
    graph: "2",
  }).catch(() => undefined);
  assert.equal(turn, undefined);
  const again = await at.ask({
    permissions: { ...ALL, run: ["git log", "git push"] },
    answers: ["once"],
    graph: "2",
  });
  const lines = (again.asked[0]?.text ?? "").split("\n").filter((line) =>
    /may (?:now|no longer)/u.test(line)
  );
  assert.deepEqual(lines, [
    "  job.pryx.ts may now run any `git push …`",
    "  job.pryx.ts may no longer run any `git tag …`",
  ]);
});

Deno.test("askConsent() lets no text of a manifest act on a terminal", async () => {
  using at = consent();
  const turn = await at.ask({ permissions: { run: ["echo \u001b[2J"] }, answers: ["once"] });
  assert.ok(!turn.asked[0]?.text.includes("\u001b"));
});

Deno.test("askConsent() judges a pattern by the folder of its wildcards", async () => {
  using at = consent();
  await at.ask({ permissions: { read: ["src/**/*.ts", "/abs/*.txt"], write: ["*"] }, answers: ["once"] });
  assert.deepEqual(at.explained, ["read=/w/src", "read=/abs", "write=/w"]);
});

Deno.test("askConsent() does not take a pattern for hosts as meant for what comes in meanwhile", async () => {
  using at = consent();
  await at.ask({ permissions: { net: ["*.example.org"] }, answers: ["always"] });
  assert.deepEqual(at.store.grants({ now: NOW }).map(({ untrusted }) => untrusted), [false]);
});

Deno.test("askConsent() shows a file's name as it is, whatever it does to a terminal", async () => {
  using at = consent();
  const { asked } = await at.ask({ entry: "job\u202e\u001b[2K.pryx.ts", answers: ["once"] });
  assert.ok(!/[\p{Cf}\p{Cc}]/u.test((asked[0]?.text ?? "").replaceAll("\n", "")), asked[0]?.text);
});
