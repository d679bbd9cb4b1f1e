import assert from "node:assert/strict";
import { createPolicyView } from "../../core/agent/policy_view.ts";
import type { CommandResult } from "../../core/commands/command.ts";
import { commands } from "../../core/commands/policy.ts";
import type { Json } from "../../core/domain/schema.ts";
import { createPolicy } from "../../core/policy/create_policy.ts";
import { openStore } from "../../core/store/sqlite.ts";
import { Workspace } from "../config/_workspace.ts";
import { fakeContext, fakeSurface } from "../support/fake_pryx.ts";

/** `policy test` over real config files. */
async function runTest(at: Workspace, input: Readonly<Record<string, Json>> = {}): Promise<CommandResult> {
  const command = commands.find((one) => one.name === "policy test");
  assert.ok(command);
  const store = openStore({ path: at.paths.database });
  try {
    const workspace = await Deno.realPath(at.repository);
    const config = await at.load();
    const view = createPolicyView({
      policy: createPolicy({ ...config, workspace, home: at.paths.home, protectedPaths: [] }),
      workspace,
      home: at.paths.home,
      searchPath: "/usr/bin:/bin",
      tools: [],
      store,
      now: () => new Date(),
      sandbox: () => Promise.reject(new Error("nothing runs here")),
    });
    const context = fakeContext(fakeSurface(), new AbortController().signal, {
      cwd: workspace,
      config: () => Promise.resolve(config),
      policy: () => Promise.resolve(view),
    });
    return await command.run(input, context);
  } finally {
    store[Symbol.dispose]();
  }
}

/** Each is right; what an allow matches is the whole, what a deny matches is any part. */
const RIGHT = {
  allow: [
    {
      rule: "run=git log",
      match: ["git log", "git log --oneline | git log -3"],
      not_match: [
        "git push",
        "git -c core.pager=x log",
        "git log > out",
        "git log | sh",
        "git log $(id)",
        "nothing 'open",
      ],
    },
    { rule: "write=src", match: ["src", "src/a/b.ts"], not_match: ["lib/src/a.ts", "/src"] },
    {
      rule: "net=*.example.org",
      match: ["a.example.org:443"],
      not_match: ["example.org", "a.example.org.evil.net"],
    },
    { rule: "use=mcp/github", match: ["mcp/github/list"], not_match: ["mcp/gitlab/list"] },
  ],
  deny: [
    { rule: "run=rm", match: ["ls && rm -r x", "/bin/rm x"], not_match: ["rmdir x", "ls"] },
    { rule: "read=*.pem", match: ["deep/a.pem", "/etc/b.pem"], not_match: ["a.pems"] },
  ],
  ask: [{ rule: "env=AWS_*", match: ["AWS_PROFILE"], not_match: ["HOME"] }],
};

Deno.test("policy test without arguments checks the examples of every rule in force", async () => {
  await using at = new Workspace();
  at.user({ policy: RIGHT });
  const { text = "", data, exitCode } = await runTest(at);
  const all = [...RIGHT.allow, ...RIGHT.deny, ...RIGHT.ask];
  const amount = all.reduce((sum, one) => sum + one.match.length + one.not_match.length, 0);
  assert.doesNotMatch(text, /WRONG/, text);
  assert.equal(exitCode, 0);
  assert.equal((data as { passed: number }).passed, amount);
  assert.match(text, /^ok {4}allow run=git log {2}does not match {2}git push$/m);
  assert.equal(text.split("\n").at(-1), `${amount} of ${amount} as expected`);
});

Deno.test("policy test finds every example that is turned around, with its file and line, and exits 1", async () => {
  await using at = new Workspace();
  const turned = (rules: typeof RIGHT.deny) =>
    rules.map(({ rule, match, not_match }) => ({ rule, match: not_match, not_match: match }));
  at.user({ policy: { allow: turned(RIGHT.allow), deny: turned(RIGHT.deny), ask: turned(RIGHT.ask) } });
  const { text = "", data, exitCode } = await runTest(at);
  const { passed, failed } = data as { passed: number; failed: number };
  assert.equal(exitCode, 1);
  assert.equal(passed, 0);
  assert.ok(failed > 20);
  const lines = Deno.readTextFileSync(at.paths.configFile).split("\n");
  const line = lines.findIndex((one) => one.includes('"git push"')) + 1;
  assert.ok(line > 0);
  assert.ok(
    text.includes(
      `WRONG allow run=git log  does not match  git push\n      ~/.config/pryx/config.jsonc:${line} says that it matches`,
    ),
    text,
  );
});

Deno.test("policy test checks expectations and examples together, from managed and project files too", async () => {
  await using at = new Workspace();
  at.managedPolicy({ deny: [{ rule: "run=curl", match: ["curl x"] }] });
  at.project({ policy: { ask: [{ rule: "run=make", match: ["mak"] }] } });
  const { text = "", data, exitCode } = await runTest(at, { expectations: ["deny shell curl x"] });
  assert.equal(exitCode, 1);
  assert.deepEqual({ ...data as { passed: number; failed: number } }.passed, 2);
  assert.match(text, /^ok {4}deny shell curl x$/m);
  assert.match(
    text,
    /WRONG ask run=make {2}does not match {2}mak\n.*\.pryx\/config\.jsonc:\d+ says that it matches$/m,
  );
});

Deno.test("policy test follows links in rules and in their examples", async () => {
  await using at = new Workspace();
  Deno.mkdirSync(`${at.root}/real`);
  Deno.symlinkSync(`${at.root}/real`, `${at.paths.home}/notes`);
  at.user({ policy: { allow: [{ rule: "read=~/notes", match: [`${at.paths.home}/notes/a`] }] } });
  assert.equal((await runTest(at)).exitCode, 0);
});

Deno.test("policy test says what to do when no rule has an example", async () => {
  await using at = new Workspace();
  at.user({ policy: { deny: ["run=rm"] } });
  await assert.rejects(runTest(at), { code: "usage", message: /no rule has an example/ });
});
