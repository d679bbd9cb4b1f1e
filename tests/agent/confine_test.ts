import assert from "node:assert/strict";
import { join } from "node:path";
import type { Refusal } from "../../core/domain/envelope.ts";
import type { ApprovalId } from "../../core/domain/id.ts";
import type { Need } from "../../core/domain/need.ts";
import type { ApprovalAnswer } from "../../core/domain/policy.ts";
import type { ProcessSpec, Sandbox } from "../../core/sandbox/sandbox.ts";
import { scriptedProvider } from "../support/scripted_provider.ts";
import { type TestPryx, testPryx } from "../support/test_pryx.ts";

const shell = (command: string) => ({ calls: [["shell", { command }]] as const });

const ALLOW: ApprovalAnswer = {
  verdict: "allow",
  duration: { kind: "once" },
  scope: "workspace",
  by: "human:test",
};

/** A sandbox that falls short and refuses as told, and keeps what it was asked to run. */
function sandboxThat(
  { reach = [], refuse = () => [] }: {
    reach?: readonly Need[] | ((workspaceNeeds: number) => readonly Need[]);
    refuse?: (spec: ProcessSpec, run: number) => readonly Refusal[];
  },
): { specs: ProcessSpec[]; sandbox: (real: Sandbox) => Sandbox } {
  const specs: ProcessSpec[] = [];
  return {
    specs,
    sandbox: (real) => ({
      files: real.files,
      fetch: real.fetch,
      baseline: () => Promise.resolve({ read: ["/usr"], temp: "/nowhere/tmp" }),
      layers: real.layers,
      cell: real.cell,
      tempFolder: real.tempFolder,
      shortfall: () => Promise.resolve(typeof reach === "function" ? reach(specs.length) : reach),
      async run(spec) {
        specs.push(spec);
        const { envelope: _, accepted: __, ...bare } = spec;
        const result = await real.run(bare);
        return { ...result, refusals: refuse(spec, specs.length) };
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
  };
}

function allowEverything(test: TestPryx): string[] {
  const shown: string[] = [];
  test.pryx.listen((event) => {
    if (event.type !== "approval.requested") return;
    shown.push(event.data.summary);
    void test.pryx.decide(event.data.approval as ApprovalId, ALLOW);
  });
  return shown;
}

Deno.test("a command runs with the envelope that policy made, and the approval shows it", async () => {
  const { specs, sandbox } = sandboxThat({});
  const provider = scriptedProvider([shell("echo hi"), { text: "ok" }]);
  await using test = await testPryx({ provider, preset: "workspace", sandbox });
  const shown = allowEverything(test);
  const end = await test.run("go", { attended: true });
  const envelope = specs[0]?.envelope;
  assert.equal(envelope?.access(join(test.workspace, "a")), "write");
  assert.equal(envelope?.access(join(test.workspace, ".env")), "none");
  assert.equal(envelope?.access(join(test.folder, "home", "x")), "none");
  assert.equal(envelope?.network, "none");
  assert.deepEqual(specs[0]?.accepted, []);
  assert.match(
    shown[0] ?? "",
    /may:\n {2}read and run: the system's programs.*\n {2}write: .*work.*\n {2}network: none/,
  );
  const [requested] = test.events(end.session, "tool.requested");
  assert.equal(requested?.data.summary, shown[0]);
  const [finished] = test.events(end.session, "tool.finished");
  assert.equal(typeof finished?.data.confineMs, "number");
});

Deno.test("a tool that starts a program of its own gives it the stated needs alone", async () => {
  const { specs, sandbox } = sandboxThat({ reach: [{ kind: "net", target: "**", reach: "it is open" }] });
  const provider = scriptedProvider([{ calls: [["grep", { pattern: "x", path: "." }]] }, { text: "ok" }]);
  await using test = await testPryx({ provider, preset: "workspace", sandbox, allow: ["net=example.org"] });
  const end = await test.run("go");
  assert.equal(test.events(end.session, "tool.finished")[0]?.data.status, "done");
  const envelope = specs[0]?.envelope;
  assert.equal(envelope?.access(join(test.workspace, "a")), "read");
  assert.deepEqual([envelope?.write, envelope?.network, specs[0]?.accepted], [[], "none", undefined]);
});

Deno.test("what the sandbox cannot keep from a command is asked before it runs, with the flag that accepts it", async () => {
  const provider = scriptedProvider([shell("echo hi"), { text: "ok" }]);
  const reached = (folder: string): Need => ({
    kind: "read",
    target: join(folder, "work", ".env"),
    reach: "it cannot be closed here",
  });
  let folder = "";
  const { specs, sandbox } = sandboxThat({ reach: () => [reached(folder)] });
  await using test = await testPryx({ provider, preset: "workspace", allow: ["run=echo"], sandbox });
  folder = test.folder;
  const end = await test.run("go");
  assert.equal(specs.length, 0);
  assert.deepEqual(end.data.unapproved, [`read=${join(test.workspace, ".env")}`]);
  const [decision] = test.events(end.session, "decision");
  assert.match(decision?.data.judgements[1]?.reason ?? "", /it cannot be closed here/);
});

Deno.test("what was accepted of a shortfall goes with the command, and nothing else", async () => {
  const provider = scriptedProvider([shell("echo hi"), { text: "ok" }]);
  let folder = "";
  const { specs, sandbox } = sandboxThat({
    reach: () => [{ kind: "read", target: join(folder, "work", ".env"), reach: "it cannot be closed here" }],
  });
  await using test = await testPryx({ provider, allow: ["run=echo", "read=.env"], sandbox });
  folder = test.folder;
  const end = await test.run("go");
  assert.equal(test.events(end.session, "tool.finished")[0]?.data.status, "done");
  assert.deepEqual(specs[0]?.accepted?.map(({ target }) => target), [join(test.workspace, ".env")]);
});

Deno.test("what the sandbox refused is asked for, and the command runs again with it", async () => {
  const provider = scriptedProvider([shell("echo run; exit 1"), { text: "ok" }]);
  let target = "";
  const { specs, sandbox } = sandboxThat({
    refuse: (_, run) => run === 1 ? [{ need: { kind: "write", target }, evidence: "touch: denied" }] : [],
  });
  await using test = await testPryx({ provider, allow: ["run=echo", "run=exit"], sandbox });
  target = join(test.folder, "elsewhere");
  const shown = allowEverything(test);
  const end = await test.run("go", { attended: true });
  assert.equal(specs.length, 2);
  assert.equal(specs[0]?.envelope?.access(target), "none");
  assert.equal(specs[1]?.envelope?.access(target), "write");
  assert.equal(shown.length, 1);
  assert.match(
    shown[0] ?? "",
    /refused it \(touch: denied\)\. The command failed \(exit code 1\); allowing this runs all of it again/,
  );
  const [finished] = test.events(end.session, "tool.finished");
  assert.match(
    finished?.data.text ?? "",
    /^run\n\n\[exit code 1; run again with what the sandbox had refused/,
  );
});

Deno.test("a refusal that nobody can lift is said with its flag, and the run is one of missing approvals", async () => {
  const provider = scriptedProvider([shell("echo run; exit 1"), { text: "ok" }]);
  let target = "";
  const { specs, sandbox } = sandboxThat({
    refuse: () => [{ need: { kind: "write", target }, evidence: "touch: denied" }],
  });
  await using test = await testPryx({ provider, allow: ["run=echo", "run=exit"], sandbox });
  target = join(test.folder, "elsewhere");
  const end = await test.run("go");
  assert.equal(specs.length, 1);
  assert.deepEqual(end.data.unapproved, [`write=${target}`]);
  const [finished] = test.events(end.session, "tool.finished");
  assert.match(finished?.data.text ?? "", /^run\n\n\[exit code 1; the sandbox refused write=.*elsewhere/);
});

Deno.test("a refusal of a secret file is a denial: nobody is asked", async () => {
  const provider = scriptedProvider([shell("cat x"), { text: "ok" }]);
  let target = "";
  const { specs, sandbox } = sandboxThat({
    refuse: () => [{ need: { kind: "read", target }, evidence: "cat: denied" }],
  });
  await using test = await testPryx({ provider, preset: "workspace", allow: ["run=cat"], sandbox });
  target = join(test.workspace, ".env");
  const shown = allowEverything(test);
  const end = await test.run("go", { attended: true });
  assert.deepEqual([specs.length, shown.length, end.data.unapproved], [1, 0, []]);
  const [finished] = test.events(end.session, "tool.finished");
  assert.match(finished?.data.text ?? "", /environment files hold secrets/);
});

Deno.test("a command that is refused again and again ends", async () => {
  const provider = scriptedProvider([shell("echo run; exit 1"), { text: "ok" }]);
  let folder = "";
  const { specs, sandbox } = sandboxThat({
    refuse: (_, run) => [{ need: { kind: "write", target: join(folder, `x${run}`) }, evidence: "denied" }],
  });
  await using test = await testPryx({ provider, allow: ["run=echo", "run=exit"], sandbox });
  folder = test.folder;
  allowEverything(test);
  await test.run("go", { attended: true });
  assert.equal(specs.length, 4);
});

Deno.test("hosts that a command names are decided before it runs", async () => {
  const { specs, sandbox } = sandboxThat({});
  const provider = scriptedProvider([shell("curl -s http://192.0.2.1:9/"), { text: "ok" }]);
  await using test = await testPryx({ provider, allow: ["run=curl"], sandbox });
  const end = await test.run("go");
  assert.equal(specs.length, 0);
  assert.deepEqual(end.data.unapproved, ["net=192.0.2.1:9"]);
});

Deno.test("hosts that only rules name do not make every command ask where they cannot be told apart", async () => {
  const open: Need = { kind: "net", target: "**", reach: "the whole network is open or none of it" };
  const specs: ProcessSpec[] = [];
  const sandbox = (real: Sandbox): Sandbox => ({
    ...sandboxThat({}).sandbox(real),
    shortfall: ({ network }) => Promise.resolve(typeof network === "string" ? [] : [open]),
    run(spec) {
      specs.push(spec);
      const { envelope: _, accepted: __, ...bare } = spec;
      return real.run(bare);
    },
  });
  const provider = scriptedProvider([shell("echo hi"), shell("curl -s api.test:81"), { text: "ok" }]);
  const allow = ["run=echo", "run=curl", "net=api.test"];
  await using test = await testPryx({ provider, preset: "workspace", allow, sandbox });
  const end = await test.run("go");
  assert.deepEqual(specs.map(({ envelope }) => envelope?.network), ["none"]);
  assert.deepEqual(end.data.unapproved, ["net=**"]);
});

Deno.test("what comes within reach with a refused need is asked in the same breath, and goes with the command", async () => {
  const opened: Need = { kind: "net", target: "**", reach: "hosts cannot be told apart here" };
  const parts = () =>
    sandboxThat({
      reach: (runs) => runs === 0 ? [] : [opened],
      refuse: (_, run) =>
        run === 1 ? [{ need: { kind: "net", target: "a.example" }, evidence: "no such host" }] : [],
    });
  const turns = () => scriptedProvider([shell("echo run; exit 1"), { text: "ok" }]);
  const alone = parts();
  {
    await using test = await testPryx({
      provider: turns(),
      allow: ["run=echo", "run=exit"],
      sandbox: alone.sandbox,
    });
    const end = await test.run("go");
    assert.deepEqual(end.data.unapproved, ["net=a.example", "net=**"]);
    assert.equal(alone.specs.length, 1);
  }
  const attended = parts();
  await using test = await testPryx({
    provider: turns(),
    allow: ["run=echo", "run=exit"],
    sandbox: attended.sandbox,
  });
  const shown = allowEverything(test);
  await test.run("go", { attended: true });
  assert.equal(shown.length, 1);
  assert.match(
    shown[0] ?? "",
    /net=a\.example\n {2}net=\*\* \(within reach: hosts cannot be told apart here\)/,
  );
  assert.deepEqual(attended.specs[1]?.accepted?.map((need) => need.target), ["**"]);
});

Deno.test("a preset that allows everything names no address: where a name leads is still judged", async () => {
  const turns = () =>
    scriptedProvider([{ calls: [["fetch", { url: "http://a.example/" }]] }, { text: "ok" }]);
  for (const [allow, wanted] of [[[], false], [["net=127.0.0.1"], true]] as const) {
    const reached: [string, boolean][] = [];
    const sandbox = (real: Sandbox): Sandbox => ({
      ...real,
      fetch(_url, { named }) {
        for (const host of ["a.example", "127.0.0.1"]) reached.push([host, named(host, 80)]);
        return Promise.resolve(new Response("text", { headers: { "content-type": "text/plain" } }));
      },
    });
    await using test = await testPryx({
      provider: turns(),
      preset: "dangerously-full",
      allow: [...allow],
      sandbox,
    });
    const end = await test.run("go");
    assert.equal(test.events(end.session, "tool.finished")[0]?.data.status, "done");
    assert.deepEqual(reached, [["a.example", true], ["127.0.0.1", wanted]]);
  }
});

Deno.test("what a command reached through the proxy taints the session", async () => {
  const provider = scriptedProvider([
    shell("echo hi"),
    { calls: [["fetch", { url: "https://b.example/" }]] },
    { text: "ok" },
  ]);
  const { sandbox } = sandboxThat({});
  const connecting = (real: Sandbox): Sandbox => {
    const held = sandbox(real);
    return { ...held, run: async (spec) => ({ ...await held.run(spec), connected: ["a.example:80"] }) };
  };
  await using test = await testPryx({ provider, allow: ["run=echo", "net=*"], sandbox: connecting });
  const end = await test.run("go");
  const decisions = test.events(end.session, "decision").map(({ data }) => data);
  assert.deepEqual(decisions.map(({ verdict }) => verdict), ["allow", "ask"]);
  assert.match(decisions[1]?.judgements[0]?.reason ?? "", /content from a\.example:80/);
});

Deno.test("what is refused although it was granted is said, and not asked again", async () => {
  const provider = scriptedProvider([shell("echo run; exit 1"), { text: "ok" }]);
  const need: Need = { kind: "net", target: "inside.test:80" };
  const { specs, sandbox } = sandboxThat({ refuse: () => [{ need, evidence: "it leads to 10.0.0.1" }] });
  await using test = await testPryx({ provider, allow: ["run=echo", "run=exit"], sandbox });
  const shown = allowEverything(test);
  const end = await test.run("go", { attended: true });
  assert.deepEqual([specs.length, shown.length], [2, 1]);
  const [finished] = test.events(end.session, "tool.finished");
  assert.match(
    finished?.data.text ?? "",
    /refused net=inside.test:80 although it is allowed \(it leads to 10/,
  );
});
