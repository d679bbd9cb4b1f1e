import assert from "node:assert/strict";
import { createPolicyView } from "../../core/agent/policy_view.ts";
import { readFile } from "../../core/tools/read_file.ts";
import type { CommandContext, CommandResult, Overrides } from "../../core/commands/command.ts";
import { commands as grantCommands } from "../../core/commands/grants.ts";
import { commands as policyCommands } from "../../core/commands/policy.ts";
import { commands as trustCommands } from "../../core/commands/trust.ts";
import type { Config } from "../../core/config/config.ts";
import type { GrantId } from "../../core/domain/id.ts";
import type { Need } from "../../core/domain/need.ts";
import type { Layer, Rule, Verdict } from "../../core/domain/policy.ts";
import type { Json } from "../../core/domain/schema.ts";
import { createPolicy } from "../../core/policy/create_policy.ts";
import { parseRule } from "../../core/policy/rules.ts";
import type { Sandbox } from "../../core/sandbox/sandbox.ts";
import { openStore } from "../../core/store/sqlite.ts";
import { fakeContext, fakeSurface } from "../support/fake_pryx.ts";
import { grant } from "../policy/_policy.ts";

function rules(layer: Layer, verdict: Verdict, texts: readonly string[]): Rule[] {
  return texts.map((text) => {
    const rule = parseRule(text, { layer, verdict, source: `--${verdict}` });
    if (typeof rule === "string") throw new Error(rule);
    return rule;
  });
}

/** The commands about policy over a real store and folder. */
async function openMachine() {
  const root = await Deno.realPath(await Deno.makeTempDir());
  const workspace = `${root}/ws`;
  await Deno.mkdir(workspace);
  const store = openStore({ path: `${root}/data/pryx.db` });
  const notes: string[] = [];
  const machine = {
    workspace,
    store,
    notes,
    /** What a person answers; undefined: nobody is there. */
    answer: undefined as boolean | undefined,
    stdin: undefined as Uint8Array | undefined,
    /** What the sandbox cannot keep. */
    reach: [] as Need[],
    async run(name: string, input: Readonly<Record<string, Json>> = {}): Promise<CommandResult> {
      const command = [...policyCommands, ...grantCommands, ...trustCommands].find((one) =>
        one.name === name
      );
      assert.ok(command, name);
      return await command.run(input, context({}));
    },
    [Symbol.asyncDispose]: async () => {
      store[Symbol.dispose]();
      await Deno.remove(root, { recursive: true });
    },
  };
  const layers = [{ name: "deno", active: true, detail: "file tools" }] as const;
  const sandbox = {
    layers: () => Promise.resolve(layers),
    baseline: () => Promise.resolve({ read: ["/usr"], temp: `${root}/private` }),
    shortfall: () => Promise.resolve(machine.reach),
  } as unknown as Sandbox;
  const context = (overrides: Overrides): CommandContext =>
    fakeContext(
      fakeSurface({
        attended: machine.answer !== undefined,
        note: (text: string) => void notes.push(text),
        input: () => Promise.resolve(machine.stdin),
        confirm: (question: string) => {
          notes.push(question);
          return Promise.resolve(machine.answer ?? false);
        },
      }),
      new AbortController().signal,
      {
        cwd: workspace,
        store: () => Promise.resolve(store),
        sandbox: () => Promise.resolve(sandbox),
        config: () => Promise.resolve({ rules: [] } as unknown as Config),
        policy: () =>
          Promise.resolve(createPolicyView({
            policy: createPolicy({
              preset: overrides.preset ?? "read-only",
              workspace,
              home: `${root}/home`,
              rules: [
                ...rules("flag", "allow", overrides.allow ?? []),
                ...rules("flag", "deny", overrides.deny ?? []),
              ],
              protectedPaths: [],
            }),
            workspace,
            home: `${root}/home`,
            searchPath: "/usr/bin:/bin",
            tools: [readFile],
            store,
            now: () => new Date(),
            sandbox: () => Promise.resolve(sandbox),
          })),
        with: (more: Overrides) => context({ ...overrides, ...more }),
      },
    );
  return machine;
}

Deno.test("policy show lists preset, rules, defaults and the sandbox's layers", async () => {
  await using machine = await openMachine();
  const { text, data } = await machine.run("policy show", { allow: ["net=example.org"] });
  assert.match(text ?? "", /^Preset {5}read-only: reads in the workspace; everything else asks$/mu);
  assert.match(text ?? "", /^Layer flag\n {2}allow net=example\.org {2}\(--allow; under taint too\)$/mu);
  assert.match(text ?? "", /deny {2}1 pattern: environment files hold secrets/u);
  assert.match(text ?? "", /^ {2}ask {3}write$/mu);
  assert.match(text ?? "", /^ {2}on {2}deno: file tools$/mu);
  const { preset, rules: all } = data as { preset: string; rules: { pattern: string }[] };
  assert.equal(preset, "read-only");
  assert.ok(all.some((rule) => rule.pattern === "~/.ssh"));
  assert.match((await machine.run("policy show", { all: true })).text ?? "", /deny {2}read=~\/\.ssh/u);
  assert.match((await machine.run("policy show", { preset: "workspace" })).text ?? "", /allow write=\./u);
});

Deno.test("policy explain names the rule that decided and the others that matched", async () => {
  await using machine = await openMachine();
  const { text, data } = await machine.run("policy explain", {
    needs: ["read=.env", "write=a.ts"],
    preset: "workspace",
    allow: ["read=/**"],
  });
  assert.match(
    text ?? "",
    /^deny {2}read=.*\/ws\/\.env\n {6}by the rule deny read=\.env\* \(preset workspace\)/mu,
  );
  assert.match(text ?? "", /also matched: allow read=\/\*\* {2}\(--allow\)/u);
  assert.match(text ?? "", /^allow write=.*\/ws\/a\.ts$/mu);
  assert.match(text ?? "", /^together: deny$/mu);
  assert.equal((data as { verdict: string }).verdict, "deny");
});

Deno.test("policy explain takes a command line and a tool call apart", async () => {
  await using machine = await openMachine();
  const shell = await machine.run("policy explain", { shell: "ls | sudo tee out", allow: ["run=ls"] });
  assert.match(shell.text ?? "", /^allow run=ls$/mu);
  assert.match(
    shell.text ?? "",
    /^ask {3}run=sudo tee out\n.*sudo.*\n {6}only a person/mu,
  );
  const tool = await machine.run("policy explain", { tool: "read_file", args: '{"path":"a.ts"}' });
  assert.match(tool.text ?? "", /^allow read=.*\/ws\/a\.ts$/mu);
});

Deno.test("policy explain says what a command line may touch here, and what is within its reach all the same", async () => {
  await using machine = await openMachine();
  machine.reach = [{ kind: "net", target: "**", reach: "no network namespace here" }];
  const { text = "", data } = await machine.run("policy explain", { shell: "ls", allow: ["run=ls"] });
  assert.match(text, /^allow run=ls$/mu);
  assert.match(text, /^ask {3}net=\*\*$/mu);
  assert.match(text, /no network namespace here/u);
  assert.match(
    text,
    /^together: ask\n\nOnce allowed, it may\n {2}read and run: .*\/ws.*\n {2}write: a temporary folder/mu,
  );
  assert.equal((data as { may: Json[] }).may.length, 3);
});

for (
  const [title, input] of [
    ["nothing", {}],
    ["a need that is none", { needs: ["frob=x"] }],
    ["arguments without a tool", { args: "{}" }],
    ["arguments that are not JSON", { tool: "read_file", args: "{" }],
    ["a tool there is not", { tool: "nope" }],
  ] as const
) {
  Deno.test(`policy explain says what to do when it is given ${title}`, async () => {
    await using machine = await openMachine();
    await assert.rejects(machine.run("policy explain", input), (error: { code: string; fix: string }) => {
      assert.equal(error.code, "usage");
      assert.ok(error.fix);
      return true;
    });
  });
}

Deno.test("policy test exits 1 and says what is decided otherwise", async () => {
  await using machine = await openMachine();
  const good = await machine.run("policy test", {
    expectations: ["deny read=.env", "ask shell git push", "allow read=src/a b.ts"],
  });
  assert.equal(good.exitCode, 0);
  assert.match(good.text ?? "", /3 of 3 as expected/u);
  const bad = await machine.run("policy test", { expectations: ["allow read=.env", "deny read=.env"] });
  assert.equal(bad.exitCode, 1);
  assert.match(bad.text ?? "", /^WRONG allow read=\.env\n {6}is deny: by the rule/mu);
  assert.equal((bad.data as { failed: number }).failed, 1);
  await assert.rejects(machine.run("policy test", { expectations: ["maybe read=x"] }), { code: "usage" });
  await assert.rejects(machine.run("policy test"), { code: "usage" });
});

Deno.test("policy test reads expectations from a file and from standard input", async () => {
  await using machine = await openMachine();
  const text = "# what must hold\r\n\ndeny read=.env\n  ask write=a\n";
  await Deno.writeTextFile(`${machine.workspace}/policy.test`, text);
  const fromFile = await machine.run("policy test", { file: "policy.test" });
  assert.equal((fromFile.data as { passed: number }).passed, 2);
  machine.stdin = new TextEncoder().encode("allow write=a");
  const piped = await machine.run("policy test", { file: "-", preset: "workspace" });
  assert.equal((piped.data as { passed: number }).passed, 1);
  await assert.rejects(machine.run("policy test", { file: "missing" }), { code: "usage" });
});

Deno.test("grants list shows those that hold, and all when asked", async () => {
  await using machine = await openMachine();
  assert.match((await machine.run("grants list")).text ?? "", /No grants/u);
  machine.store.putGrant(grant(["run==git push"], { id: "aaaa1111" as GrantId, usesLeft: 2 }));
  machine.store.putGrant(
    grant(["net=example.org"], {
      id: "bbbb2222" as GrantId,
      duration: { kind: "until", at: "2020-01-01T00:00:00.000Z" },
    }),
  );
  const { text, data } = await machine.run("grants list");
  assert.match(
    text ?? "",
    /^aaaa1111 {2}run=git push \(exactly\)\n {2}on this host; until revoked; used 0 times, 2 left; by human:test/u,
  );
  assert.equal((data as unknown[]).length, 1);
  const all = await machine.run("grants list", { all: true });
  assert.match(all.text ?? "", /bbbb2222 {2}net=example\.org\n.*no longer valid/u);
});

Deno.test("grants revoke takes back by id or its end, once, and keeps an audit entry", async () => {
  await using machine = await openMachine();
  for (const id of ["aaaa1111", "bbbb1111", "cccc2222"]) {
    machine.store.putGrant(grant(["run=git"], { id: id as GrantId }));
  }
  await assert.rejects(machine.run("grants revoke"), { code: "usage" });
  await assert.rejects(machine.run("grants revoke", { ids: ["1111"] }), {
    code: "not_found",
    message: /2 grants/u,
  });
  await assert.rejects(machine.run("grants revoke", { ids: ["2222", "nope"] }), { code: "not_found" });
  const valid = () =>
    machine.store.grants({ now: new Date().toISOString() }).map(({ id }) => String(id)).sort();
  assert.deepEqual(valid(), ["aaaa1111", "bbbb1111", "cccc2222"], "a wrong id changes nothing");
  const one = await machine.run("grants revoke", { ids: ["2222"] });
  assert.deepEqual(one.data, { revoked: ["cccc2222"] });
  const rest = await machine.run("grants revoke", { all: true });
  assert.equal((rest.data as { revoked: string[] }).revoked.length, 2);
  assert.deepEqual(valid(), []);
  const kinds = [...machine.store.auditEntries()].map((entry) => entry.kind);
  assert.deepEqual(kinds, ["revoke", "revoke", "revoke"]);
});

Deno.test("trust shows what is there without changing anything", async () => {
  await using machine = await openMachine();
  assert.match((await machine.run("trust")).text ?? "", /nothing to trust/u);
  await Deno.writeTextFile(`${machine.workspace}/AGENTS.md`, "Be kind\u001b[2K\u202e");
  const { text } = await machine.run("trust", { show: true });
  assert.match(text ?? "", /── AGENTS\.md\nBe kind\\u\{1b\}\[2K\\u\{202e\}/u);
  assert.match(text ?? "", /^trusted no$/mu);
  assert.equal(machine.store.trustedHash(machine.workspace), undefined);
});

Deno.test("trust asks the person who is there, and a change asks again", async () => {
  await using machine = await openMachine();
  await Deno.writeTextFile(`${machine.workspace}/AGENTS.md`, "one");
  machine.answer = false;
  assert.match((await machine.run("trust")).text ?? "", /stay inert/u);
  machine.answer = true;
  const { data } = await machine.run("trust");
  assert.equal((data as { trusted: boolean }).trusted, true);
  assert.match(machine.notes.join("\n"), /AGENTS\.md/u);
  assert.match((await machine.run("trust")).text ?? "", /Already trusted/u);
  await Deno.writeTextFile(`${machine.workspace}/AGENTS.md`, "two");
  assert.equal(((await machine.run("trust", { show: true })).data as { trusted: boolean }).trusted, false);
  const removed = await machine.run("trust", { remove: true });
  assert.equal((removed.data as { removed: boolean }).removed, true);
  assert.equal(((await machine.run("trust", { remove: true })).data as { removed: boolean }).removed, false);
  assert.deepEqual([...machine.store.auditEntries()].map(({ kind, data }) => [kind, data.hash === null]), [
    ["trust", false],
    ["trust", true],
  ]);
});

Deno.test("trust takes a hash where nobody is there, and only the right one", async () => {
  await using machine = await openMachine();
  await Deno.writeTextFile(`${machine.workspace}/CLAUDE.md`, "one");
  await assert.rejects(machine.run("trust"), (error: { code: string; fix: string }) => {
    assert.equal(error.code, "usage");
    assert.match(error.fix, /pryx trust --trust [0-9a-f]{64}/u);
    return true;
  });
  await assert.rejects(machine.run("trust", { trust: "0".repeat(64) }), { code: "conflict" });
  const { hash } = (await machine.run("trust", { show: true })).data as { hash: string };
  const { data } = await machine.run("trust", { trust: hash });
  assert.equal((data as { trusted: boolean }).trusted, true);
  assert.equal(machine.store.trustedHash(machine.workspace), hash);
  await assert.rejects(machine.run("trust", { show: true, remove: true }), { code: "usage" });
});
