import assert from "node:assert/strict";
import { createPolicyView } from "../../core/agent/policy_view.ts";
import type { CommandContext, CommandResult, Overrides } from "../../core/commands/command.ts";
import { commands } from "../../core/commands/policy.ts";
import { PryxError } from "../../core/domain/error.ts";
import type { EventData, EventDraft } from "../../core/domain/event.ts";
import type { GrantId, SessionId, TurnId } from "../../core/domain/id.ts";
import type { Need } from "../../core/domain/need.ts";
import type { Json } from "../../core/domain/schema.ts";
import { loadConfig } from "../../core/config/load_config.ts";
import { createPolicy } from "../../core/policy/create_policy.ts";
import { openStore } from "../../core/store/sqlite.ts";
import { PRESETS, Workspace } from "../config/_workspace.ts";
import { created, started } from "../contract/store_contract.ts";
import { grant, need } from "../policy/_policy.ts";
import { fakeContext, fakeSurface } from "../support/fake_pryx.ts";
import { scriptedProvider } from "../support/scripted_provider.ts";
import { testPryx } from "../support/test_pryx.ts";

type Judgement = EventData<"decision">["judgements"][number];

const turn = "t1" as TurnId;

/** `policy replay` over real config files, a real store and real folders. */
class Archive implements AsyncDisposable {
  readonly at = new Workspace();
  readonly workspace = Deno.realPathSync(this.at.repository);
  clock = new Date("2026-01-02T03:04:05.000Z");
  readonly store = openStore({ path: this.at.paths.database, clock: () => this.clock });
  #calls = 0;

  session(id: string, drafts: readonly EventDraft[] = [], workspace = this.workspace): SessionId {
    const session = id as SessionId;
    this.store.append(session, [created(workspace), started, ...drafts]);
    return session;
  }

  /** A call and what policy decided about it. */
  call(judgements: readonly Judgement[], more: Partial<EventData<"decision">> = {}): EventDraft[] {
    const call = `c${++this.#calls}`;
    const verdict = judgements.some((one) => one.verdict === "deny")
      ? "deny"
      : judgements.some((one) => one.verdict === "ask")
      ? "ask"
      : "allow";
    const title = judgements[0]?.need.target ?? "nothing";
    return [
      {
        type: "tool.requested",
        turn,
        data: {
          call,
          name: "shell",
          args: {},
          needs: judgements.map((one) => one.need),
          origin: "model",
          title,
        },
      },
      { type: "decision", turn, data: { call, verdict, by: "policy", judgements: [...judgements], ...more } },
    ];
  }

  async replay(input: Readonly<Record<string, Json>> = {}): Promise<CommandResult & { lines: string[] }> {
    const command = commands.find((one) => one.name === "policy replay");
    assert.ok(command);
    const result = await command.run(input, this.#context({ cwd: this.workspace }));
    return { ...result, lines: (result.text ?? "").split("\n") };
  }

  #context(overrides: Overrides): CommandContext {
    const { paths, env } = this.at;
    const cwd = overrides.cwd ?? this.workspace;
    if (!existsFolder(cwd)) throw new PryxError("usage", `There is no folder ${cwd}`);
    const config = () =>
      loadConfig({
        paths: { ...paths, configFile: overrides.configFile ?? paths.configFile },
        env,
        cwd,
        flags: overrides,
        presets: PRESETS,
      });
    return fakeContext(fakeSurface(), new AbortController().signal, {
      cwd,
      config,
      store: () => Promise.resolve(this.store),
      policy: async () =>
        createPolicyView({
          policy: createPolicy({
            ...await config(),
            workspace: cwd,
            home: paths.home,
            protectedPaths: [],
          }),
          workspace: cwd,
          home: paths.home,
          searchPath: "/usr/bin:/bin",
          tools: [],
          store: this.store,
          now: () => this.clock,
          sandbox: () => Promise.reject(new Error("nothing runs here")),
        }),
      with: (more) => this.#context({ ...overrides, ...more }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.store[Symbol.dispose]();
    await this.at[Symbol.asyncDispose]();
  }
}

function existsFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

const judged = (
  text: string | Need,
  verdict: Judgement["verdict"],
  more: Partial<Judgement> = {},
): Judgement => ({
  need: typeof text === "string" ? need(text) : text,
  verdict,
  reason: "as it was",
  ...more,
});

const finished = (draft: EventDraft | undefined, taints?: string): EventDraft => ({
  type: "tool.finished",
  turn,
  data: {
    call: draft?.type === "tool.requested" ? draft.data.call : "",
    name: "fetch",
    status: "done",
    text: "",
    ms: 1,
    ...(taints === undefined ? {} : { taints }),
  },
});

Deno.test("policy replay finds nothing where the policy is the same, and exits 0", async () => {
  await using archive = new Archive();
  archive.at.user({ policy: { allow: ["run=ls"], deny: ["run=rm"] } });
  archive.session("s1", [
    ...archive.call([judged("run=ls", "allow"), judged("run=make", "ask")], { unapproved: true }),
    ...archive.call([judged("run=rm x", "deny")]),
    ...archive.call([]),
  ]);
  const { text, data, exitCode } = await archive.replay();
  assert.equal(text, "3 decisions in 1 session: none would differ");
  assert.equal(exitCode, 0);
  assert.deepEqual((data as { differences: Json }).differences, []);
});

Deno.test("policy replay shows by which rule each decision would differ under another file, and exits 1", async () => {
  await using archive = new Archive();
  archive.at.user({ policy: { allow: ["run=git"] } });
  const candidate = archive.at.write(`${archive.workspace}/new.jsonc`, {
    preset: "workspace",
    policy: { deny: ["run=git push"] },
  });
  const rule = "allow run=git (~/.config/pryx/config.jsonc:4)";
  const push = () =>
    archive.call([judged("run=ls", "allow", { rule }), judged("run=git push", "allow", { rule })]);
  archive.session("s1", [...push(), ...push(), ...archive.call([judged("run=git log", "allow", { rule })])]);
  archive.session("s2", archive.call([judged(`write=${archive.workspace}/a`, "ask")]));
  const { lines, data, exitCode } = await archive.replay({ policy: "new.jsonc" });
  assert.equal(exitCode, 1);
  assert.equal(lines.at(-1), "4 decisions in 2 sessions: 4 would differ");
  assert.deepEqual(lines.slice(0, 3), [
    "allow → deny  2 decisions",
    `  was       ${rule}`,
    `  would be  deny run=git push (${candidate}:5)`,
  ]);
  assert.match(lines[3] ?? "", /^ {4}2026-01-02 \d\d:04 {2}s1 {2}shell ls {2}\(run=git push\) {2}×2$/);
  const { differences } = data as unknown as {
    differences: {
      session: string;
      was: { verdict: string };
      wouldBe: { verdict: string; because: string };
      seqs: number[];
    }[];
  };
  assert.deepEqual(
    differences.map((one) => [one.session, one.was.verdict, one.wouldBe.verdict, one.seqs]),
    [["s1", "allow", "deny", [4, 6]], ["s1", "allow", "ask", [8]], ["s2", "ask", "allow", [4]]],
  );
  assert.match(differences[2]?.wouldBe.because ?? "", /^allow write=\. \(preset workspace\)$/);
});

Deno.test("policy replay leaves out what a person answered and what the loop guard asked", async () => {
  await using archive = new Archive();
  archive.at.user({ preset: "dangerously-full" });
  const reason = "the model makes this same call 3 times in a row";
  archive.session("s1", [
    ...archive.call([judged("run=make", "ask")], { by: "human:cli", verdict: "deny" }),
    ...archive.call([judged("run=make", "ask", { reason })]),
    ...archive.call([judged("run=make", "allow")]),
  ]);
  assert.equal((await archive.replay()).text, "1 decision in 1 session: none would differ");
});

Deno.test("policy replay takes what the agent itself records", async () => {
  await using archive = new Archive();
  const again = { calls: [["list_dir", { path: "." }] as const] };
  const provider = scriptedProvider([again, again, again, { calls: [["shell", { command: "ls" }]] }, {
    text: "done",
  }]);
  await using agent = await testPryx({ provider });
  const { session } = await agent.run("go");
  const kinds = agent.events(session, "decision").map(({ data }) => `${data.by} ${data.verdict}`);
  assert.deepEqual(kinds, ["policy allow", "policy allow", "policy ask", "policy ask"]);
  archive.store.append(session, [created(agent.workspace)]);
  for (const { type, turn, data } of [...agent.store.events(session)].slice(1)) {
    archive.store.append(session, [{ type, turn, data } as EventDraft]);
  }
  // The loop guard asked for the third time: policy would not have.
  assert.equal((await archive.replay()).text, "3 decisions in 1 session: none would differ");
  const full = await archive.replay({ preset: "dangerously-full" });
  assert.equal(full.lines.at(-1), "3 decisions in 1 session: 1 would differ");
});

Deno.test("policy replay judges with the taint and the grants of that time", async () => {
  await using archive = new Archive();
  archive.at.user({ policy: { allow: ["net=example.org"] } });
  const tick = (minute: number) => archive.clock = new Date(`2026-01-02T03:${minute}:00.000Z`);
  tick(10);
  const fetched = archive.call([judged("net=example.org", "allow")]);
  const session = archive.session("s1", [
    ...fetched,
    finished(fetched[0], "https://a.example/"),
    ...archive.call([judged("net=example.org", "ask")]),
  ]);
  tick(20);
  const id = "grant0001" as GrantId;
  archive.store.putGrant({ ...grant(["run==make"]), createdAt: archive.clock.toISOString() });
  tick(30);
  archive.store.append(session, archive.call([judged("run=make", "allow", { grant: id })]));
  archive.store.append(session, archive.call([judged("run=make", "allow")]));
  tick(40);
  archive.store.revokeGrant(id, archive.clock.toISOString());
  tick(50);
  archive.store.append(session, [
    ...archive.call([judged("run=make", "ask")]),
    { type: "compaction", turn, data: { summary: "", keepFrom: 100, tokensBefore: 1, tokensAfter: 1 } },
    ...archive.call([judged("net=example.org", "allow")]),
  ]);
  assert.equal((await archive.replay()).text, "6 decisions in 1 session: none would differ");
});

Deno.test("policy replay judges each session by the policy of its own folder, and names those that have gone", async () => {
  await using archive = new Archive();
  const other = `${archive.workspace}/other`;
  archive.at.write(`${other}/.pryx/config.jsonc`, { policy: { deny: ["run=make"] } });
  archive.session("s1", archive.call([judged("run=make", "ask")]));
  archive.session("s2", archive.call([judged("run=make", "ask")]), other);
  archive.session("s3", archive.call([judged("run=make", "allow")]), "/nowhere/at/all");
  const { lines, data } = await archive.replay();
  assert.equal(lines.at(-1), "2 decisions in 2 sessions: 1 would differ");
  assert.ok(lines.some((line) => line.includes("  s2  shell make")), lines.join("\n"));
  assert.ok(lines.includes("not judged: 1 session of /nowhere/at/all: There is no folder /nowhere/at/all"));
  assert.equal((data as { skipped: Json[] }).skipped.length, 1);
});

Deno.test("policy replay takes sessions by name, and only the last decisions", async () => {
  await using archive = new Archive();
  archive.session("old", archive.call([judged("run=make", "allow")]));
  archive.clock = new Date();
  archive.session("new", archive.call([judged("run=make", "allow")]));
  assert.match((await archive.replay()).lines.at(-1) ?? "", /^2 decisions in 2 sessions: 2/);
  assert.match((await archive.replay({ since: "1h" })).lines.at(-1) ?? "", /^1 decision in 1 session: 1/);
  assert.match(
    (await archive.replay({ session: ["old"] })).lines.at(-1) ?? "",
    /^1 decision in 1 session: 1/,
  );
  const full = await archive.replay({ session: ["old", "new"], preset: "dangerously-full" });
  assert.equal(full.text, "2 decisions in 2 sessions: none would differ");
});

Deno.test("policy replay counts what a fork shares with its parent once", async () => {
  await using archive = new Archive();
  const parent = archive.session("parent", archive.call([judged("run=make", "allow")]));
  archive.store.fork(parent, "fork" as SessionId, 4);
  assert.match((await archive.replay()).lines.at(-1) ?? "", /^1 decision in 1 session/);
  // By itself, or when its parent is gone, the fork is all there is.
  assert.match((await archive.replay({ session: ["fork"] })).lines.at(-1) ?? "", /^1 decision in 1 session/);
});

Deno.test("policy replay says what is wrong with its flags and with the candidate", async () => {
  await using archive = new Archive();
  archive.at.write(`${archive.workspace}/bad.jsonc`, { policy: { deny: ["rum=x"] } });
  await assert.rejects(archive.replay({ policy: "missing.jsonc" }), { code: "usage" });
  await assert.rejects(archive.replay({ policy: "bad.jsonc" }), {
    code: "config_invalid",
    message: /bad\.jsonc:\d+:\d+/,
  });
  await assert.rejects(archive.replay({ since: "soon" }), { code: "usage" });
  await assert.rejects(archive.replay({ session: ["nope"] }), { code: "not_found" });
});

Deno.test("policy replay goes through a large store", async () => {
  await using archive = new Archive();
  const session = archive.session("s1");
  const draft = archive.call([judged("run=make", "ask", { reason: "x".repeat(2_000) })]);
  for (let at = 0; at < 100; at++) {
    archive.store.append(session, Array.from({ length: 200 }, () => draft).flat());
  }
  const { text } = await archive.replay();
  assert.equal(text, "20,000 decisions in 1 session: none would differ");
});
