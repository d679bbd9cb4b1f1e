import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadConfig } from "../../core/config/load_config.ts";
import { PRESETS, Workspace } from "./_workspace.ts";

Deno.test("loadConfig() has defaults when there is no file", async () => {
  await using at = new Workspace();
  const config = await at.load();
  assert.equal(config.model, undefined);
  assert.equal(config.profile, "default");
  assert.equal(config.preset, "read-only");
  assert.deepEqual(config.rules, []);
  assert.deepEqual(config.limits, {
    turns: 100,
    cost: undefined,
    timeoutMs: undefined,
    approvalTimeoutMs: 0,
  });
  assert.equal(config.sandbox, "auto");
  assert.equal(config.secretStore, "keychain");
  assert.deepEqual(config.files, []);
  assert.deepEqual(config.origins, {});
  assert.deepEqual(Object.keys(config.providers), ["openai", "ollama"]);
});

Deno.test("loadConfig() lets the strongest layer decide, for each layer in turn", async () => {
  await using at = new Workspace();
  const model = async (flags = {}) => {
    const config = await at.load(flags);
    return [config.model, config.origins.model?.layer, config.origins.model?.source];
  };
  at.user({ model: "openai/user", profiles: { work: { model: "openai/profile" } } });
  assert.deepEqual(await model(), ["openai/user", "user", "~/.config/pryx/config.jsonc:2"]);
  assert.deepEqual(await model({ profile: "work" }), [
    "openai/profile",
    "profile",
    "~/.config/pryx/config.jsonc:5",
  ]);
  at.project({ model: "openai/project" });
  assert.deepEqual((await model({ profile: "work" })).slice(0, 2), ["openai/project", "project"]);
  at.local({ model: "openai/local" });
  assert.deepEqual((await model({ profile: "work" })).slice(0, 2), ["openai/local", "local"]);
  at.env = { PRYX_MODEL: "ollama/environment" };
  assert.deepEqual(await model(), ["ollama/environment", "environment", "PRYX_MODEL"]);
  assert.deepEqual(await model({ model: "ollama/flag" }), ["ollama/flag", "flag", "--model"]);
  at.managed({ model: "openai/managed" });
  assert.deepEqual((await model({ model: "ollama/flag" })).slice(0, 2), ["openai/managed", "managed"]);
});

Deno.test("loadConfig() keeps the rules of every layer, strongest first, with their places", async () => {
  await using at = new Workspace();
  at.managedPolicy('{\n  // ours\n  "deny": ["net=managed.test"],\n}');
  at.env = { PRYX_DENY: "run=env one; run=env two\nrun=env three", PRYX_ALLOW: "net=env.test" };
  at.local({ policy: { ask: ["run=local"] } });
  at.project({ policy: { deny: ["read=secret/**"], ask: ["run=project"] } });
  at.user({
    policy: { allow: ["run=git log"] },
    profiles: { default: { policy: { ask: ["run=profile"] } } },
  });
  const config = await at.load({ allow: ["net=flag.test", "net=*"], deny: ["run=rm"] });
  assert.deepEqual(
    config.rules.map(({ layer, verdict, kind, pattern }) => `${layer} ${verdict} ${kind}=${pattern}`),
    [
      "managed deny net=managed.test",
      "flag deny run=rm",
      "flag allow net=flag.test",
      "flag allow net=*",
      "environment deny run=env one",
      "environment deny run=env two",
      "environment deny run=env three",
      "environment allow net=env.test",
      "local ask run=local",
      "project deny read=secret/**",
      "project ask run=project",
      "profile ask run=profile",
      "user allow run=git log",
    ],
  );
  const place = (pattern: string) => config.rules.find((rule) => rule.pattern === pattern)?.source;
  assert.equal(place("net=managed.test".slice(4)), `${join(at.paths.managed, "policy.jsonc")}:3`);
  assert.equal(place("rm"), "--deny");
  assert.equal(place("env two"), "PRYX_DENY");
  assert.equal(place("git log"), "~/.config/pryx/config.jsonc:4");
});

Deno.test("loadConfig() holds under taint only what a flag names as a host", async () => {
  await using at = new Workspace();
  at.user({ policy: { allow: ["net=user.test"] } });
  const config = await at.load({ allow: ["net=a.test", "net=*.b.test", "run=x"], deny: ["net=c.test"] });
  assert.deepEqual(
    config.rules.filter((rule) => rule.untrusted).map((rule) => rule.pattern),
    ["a.test"],
  );
});

Deno.test("loadConfig() refuses every widening by a project, with file, line and column", async (t) => {
  const cases: readonly [string, string, RegExp][] = [
    [
      "allow rules",
      '{\n  "policy": {\n    "allow": ["run=rm"]\n  }\n}',
      /:3:5: a project may not allow anything/,
    ],
    ["an empty allow list", '{"policy": {"allow": []}}', /:1:13: a project may not allow/],
    [
      "a wider preset",
      '{\n  "preset": "workspace"\n}',
      /:2:13: a project may not widen the preset: "workspace"/,
    ],
    ["the widest preset", '{"preset": "dangerously-full"}', /may not widen the preset/],
    ["a profile", '{"profile": "mine"}', /:1:2: a project may not set profile/],
    ["profiles", '{"profiles": {"default": {"preset": "dangerously-full"}}}', /may not set profiles/],
    ["providers", '{"providers": {"openai": {"baseUrl": "https://thief.test"}}}', /may not set providers/],
    ["hosts", '{"networkAllowlist": ["thief.test"]}', /may not set networkAllowlist/],
    ["the secret store", '{"secretStore": "file"}', /may not set secretStore/],
    ["the context window", '{"contextWindow": 9999}', /may not set contextWindow/],
    ["a laxer sandbox", '{"sandbox": "auto"}', /may only set sandbox to required/],
  ];
  for (const layer of ["project", "local"] as const) {
    for (const [what, text, message] of cases) {
      await t.step(`${layer}: ${what}`, async () => {
        await using at = new Workspace();
        at.user({ profiles: { mine: { preset: "dangerously-full" } } });
        const file = at[layer](text);
        const error = await at.failure();
        assert.equal(error.code, "config_invalid");
        assert.ok(error.message.startsWith(`${file}:`), error.message);
        assert.match(error.message, message);
      });
    }
  }
});

Deno.test("loadConfig() lets a project narrow the preset, limits and sandbox", async () => {
  await using at = new Workspace();
  at.user({ preset: "dangerously-full", limits: { turns: 50, cost: 10, timeout: "1h" } });
  at.project({
    preset: "workspace",
    limits: { turns: 20, cost: 20, timeout: "2h", approvalTimeout: "5m" },
    sandbox: "required",
  });
  const config = await at.load();
  assert.equal(config.preset, "workspace");
  assert.equal(config.sandbox, "required");
  assert.deepEqual(config.limits, {
    turns: 20,
    cost: 10,
    timeoutMs: 3_600_000,
    approvalTimeoutMs: 0,
  });
  assert.equal(config.origins["limits.turns"]?.layer, "project");
  assert.equal(config.origins["limits.cost"]?.layer, "user");
  assert.equal(config.notices?.length, 3, config.notices?.join("\n"));
});

Deno.test("loadConfig() a wider preset in a project is no error once it was chosen by hand", async () => {
  await using at = new Workspace();
  at.project({ preset: "workspace" });
  assert.equal((await at.load({ preset: "workspace" })).preset, "workspace");
  assert.equal((await at.load({ preset: "dangerously-full" })).preset, "dangerously-full");
  assert.equal((await at.failure({ preset: "read-only" })).code, "config_invalid");
});

Deno.test("loadConfig() managed settings are upper bounds that nothing exceeds and anything may undercut", async () => {
  await using at = new Workspace();
  at.managedPolicy({ preset: "workspace" });
  at.managed({ limits: { cost: 5, turns: 10 }, sandbox: "required" });
  at.env = { PRYX_SANDBOX: "auto" };
  const wide = await at.load({ preset: "dangerously-full", maxCost: 50, maxTurns: 3 });
  assert.equal(wide.preset, "workspace");
  assert.equal(wide.limits.cost, 5);
  assert.equal(wide.limits.turns, 3);
  assert.equal(wide.sandbox, "required");
  assert.match(
    wide.notices?.join("\n") ?? "",
    /preset dangerously-full \(--preset\) is more than your administrator/,
  );
  assert.equal((await at.load({ preset: "read-only" })).preset, "read-only");
  assert.equal((await at.load()).preset, "workspace");
});

Deno.test("loadConfig() a project may pick a model of the provider in force, not another provider", async () => {
  await using at = new Workspace();
  at.project({ model: "openai/small" });
  assert.equal((await at.load()).model, "openai/small");
  at.user({ model: "openai/large" });
  assert.equal((await at.load()).model, "openai/small");
  at.user({ model: "ollama/local" });
  const config = await at.load();
  assert.equal(config.model, "ollama/local");
  assert.match(config.notices?.[0] ?? "", /a project may not change the provider/);
});

Deno.test("loadConfig() reads every project file from the workspace up to the git root, and none above", async () => {
  await using at = new Workspace();
  const deep = join(at.repository, "packages", "one");
  at.write(join(at.root, ".pryx", "config.jsonc"), { policy: { deny: ["run=above"] } });
  at.project({
    limits: { turns: 9 },
    policy: { deny: ["run=root", "read=keys/**", "read=*.pem", "read=."] },
  });
  at.write(join(deep, ".pryx", "config.jsonc"), { limits: { turns: 7 }, policy: { deny: ["run=deep"] } });
  const config = await at.load({}, deep);
  assert.equal(config.limits.turns, 7);
  assert.deepEqual(config.rules.map((rule) => rule.pattern), [
    "deep",
    "root",
    // Patterns belong to the folder of their file, which is not the workspace here.
    join(at.repository, "keys/**"),
    "*.pem",
    at.repository,
  ]);
});

Deno.test("loadConfig() reads only the workspace itself where there is no git root", async () => {
  await using at = new Workspace();
  await Deno.remove(join(at.repository, ".git"));
  const below = join(at.repository, "below");
  at.project({ policy: { deny: ["run=x"] } });
  await Deno.mkdir(below);
  assert.equal((await at.load()).rules.length, 1);
  assert.equal((await at.load({}, below)).rules.length, 0);
});

Deno.test("loadConfig() does not take the user's own settings in ~/.pryx for a project's", async () => {
  await using at = new Workspace();
  const home = join(at.paths.home, ".pryx");
  const paths = { ...at.paths, config: home, configFile: join(home, "config.jsonc") };
  at.write(paths.configFile, { preset: "workspace", policy: { allow: ["run=git"] } });
  const config = await loadConfig({ paths, env: {}, cwd: at.paths.home, flags: {}, presets: PRESETS });
  assert.equal(config.preset, "workspace");
  assert.deepEqual(config.rules.map((rule) => rule.layer), ["user"]);
});

Deno.test("loadConfig() OPENAI_API_KEY and OPENAI_BASE_URL work with no config", async () => {
  await using at = new Workspace();
  at.env = { OPENAI_API_KEY: "sk-not-read", OPENAI_BASE_URL: "http://127.0.0.1:9/v1/" };
  const { openai } = (await at.load()).providers;
  assert.equal(openai?.baseUrl, "http://127.0.0.1:9/v1");
  assert.equal(openai?.key, "env:OPENAI_API_KEY");
  assert.equal(openai?.api, "chat", "another server is only sure to speak Chat Completions");
  assert.equal(openai?.local, false, "a proxy on loopback is not free");
});

Deno.test("loadConfig() does not send a key of the environment to an address with its own key", async () => {
  await using at = new Workspace();
  at.user({ providers: { openai: { baseUrl: "https://proxy.test/v1", key: "keychain:proxy" } } });
  at.env = { OPENAI_API_KEY: "sk-real" };
  assert.equal((await at.load()).providers.openai?.key, "keychain:proxy");
  at.env = { OPENAI_API_KEY: "sk-real", OPENAI_BASE_URL: "https://other.test/v1" };
  const { openai } = (await at.load()).providers;
  assert.deepEqual([openai?.baseUrl, openai?.key], ["https://other.test/v1", "env:OPENAI_API_KEY"]);
});

Deno.test("loadConfig() joins providers setting by setting", async () => {
  await using at = new Workspace();
  at.user({
    providers: {
      openai: { key: "keychain:openai", contextWindows: { a: 1, b: 2 } },
      work: { preset: "openai", key: "file:work" },
      lan: {
        baseUrl: "http://10.0.0.5:8080/v1",
        headers: { "x-team": "a" },
        prices: { m: { input: 1, output: 2 } },
      },
      here: { baseUrl: "http://localhost:8080/v1" },
    },
  });
  at.managed({ providers: { openai: { baseUrl: "https://gateway.test/v1", contextWindows: { b: 3 } } } });
  const { openai, work, lan, here } = (await at.load()).providers;
  assert.equal(openai?.baseUrl, "https://gateway.test/v1");
  assert.deepEqual(openai?.contextWindows, { a: 1, b: 3 });
  assert.deepEqual([work?.baseUrl, work?.api, work?.key], [
    "https://api.openai.test/v1",
    "responses",
    "file:work",
  ]);
  assert.deepEqual([lan?.local, lan?.api, lan?.key, lan?.prices.m?.output], [false, "chat", undefined, 2]);
  assert.equal(here?.local, true);
});

Deno.test("loadConfig() names the nearest well-known provider and profile", async () => {
  await using at = new Workspace();
  at.user('{\n  "providers": {\n    "opnai": {"key": "env:X"}\n  }\n}');
  const error = await at.failure();
  assert.match(error.message, /config\.jsonc:3:14: providers\.opnai needs a baseUrl/);
  assert.match(error.fix ?? "", /openai/);
  at.user({ providers: { work: { preset: "olama" } } });
  assert.match((await at.failure()).message, /"olama" is not a well-known provider; did you mean "ollama"\?/);
  at.user({ profile: "wrok", profiles: { work: {} } });
  assert.match((await at.failure()).message, /no profile "wrok"; did you mean "work"\?/);
  const typed = await at.failure({ profile: "worc" });
  assert.equal(typed.code, "usage");
  assert.match(typed.message, /--profile: there is no profile "worc"; did you mean "work"\?/);
});

Deno.test("loadConfig() makes rules of networkAllowlist under its preset only", async () => {
  await using at = new Workspace();
  at.user({ networkAllowlist: ["docs.test", "*.api.test"] });
  assert.deepEqual((await at.load()).rules, []);
  const { rules } = await at.load({ preset: "network-allowlist" });
  // A host that is named stays open when content from outside is in the conversation; a pattern does not.
  assert.deepEqual(
    rules.map(({ pattern, verdict, layer, untrusted }) => [pattern, verdict, layer, untrusted]),
    [
      ["docs.test", "allow", "user", true],
      ["*.api.test", "allow", "user", undefined],
    ],
  );
});

Deno.test("loadConfig() reads durations, and 0 as no time limit", async () => {
  await using at = new Workspace();
  at.user({ limits: { timeout: "1h30m", approvalTimeout: "90" } });
  assert.deepEqual((await at.load()).limits, {
    turns: 100,
    cost: undefined,
    timeoutMs: 5_400_000,
    approvalTimeoutMs: 90_000,
  });
  assert.equal((await at.load({ timeout: "0" })).limits.timeoutMs, undefined);
  assert.equal((await at.load({ timeout: "250ms" })).limits.timeoutMs, 250);
});

Deno.test("loadConfig() says what is wrong with flags and variables by their names", async () => {
  await using at = new Workspace();
  for (
    const [flags, message] of [
      [{ preset: "wide" }, /^--preset: preset must be one of/],
      [{ model: "gpt-5" }, /^--model: model must be provider\/model, such as/],
      [{ allow: ["frob=x"] }, /^--allow: "frob=x" is not kind=target/],
      [{ maxTurns: 0 }, /^--max-turns: .* must be 1 or more/],
      [{ maxCost: -1 }, /^--max-cost: .* must be 0 or more/],
      [{ timeout: "soon" }, /^--timeout: .* a duration such as/],
    ] as const
  ) {
    const error = await at.failure(flags);
    assert.equal(error.code, "usage");
    assert.equal(error.exitCode, 2);
    assert.match(error.message, message);
  }
  at.env = { PRYX_MAX_COST: "cheap", PRYX_PRESET: "none", PRYX_TIMEOUT: "" };
  const error = await at.failure();
  assert.equal(error.code, "config_invalid");
  assert.match(
    error.message,
    /^PRYX_PRESET: preset must be one of[^\n]*\nPRYX_MAX_COST: .* must be a number/,
  );
});

Deno.test("loadConfig() does not load the parser when there is no file", async () => {
  await using at = new Workspace();
  const program = `
    import { loadConfig } from ${JSON.stringify(import.meta.resolve("../../core/config/load_config.ts"))};
    const paths = JSON.parse(Deno.args[0]);
    const load = () => loadConfig({ paths, env: {}, cwd: Deno.args[1], flags: {}, presets: {} });
    await load();
    const { createRequire } = await import("node:module");
    const loaded = Object.keys(createRequire(import.meta.url).cache).some((name) => name.includes("jsonc-parser"));
    Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify({ loaded })));
  `;
  const file = at.write(join(at.root, "program.ts"), program);
  const run = async () => {
    const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--config", config, file, JSON.stringify(at.paths), at.repository],
    }).output();
    const text = new TextDecoder().decode(stdout);
    assert.notEqual(text, "", new TextDecoder().decode(stderr));
    return JSON.parse(text) as { loaded: boolean };
  };
  const without = await run();
  assert.equal(without.loaded, false);
  at.user({});
  assert.equal((await run()).loaded, true, "the check above must be able to fail");
});
