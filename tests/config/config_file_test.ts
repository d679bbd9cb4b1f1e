import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openConfigFile } from "../../core/config/config_file.ts";
import { PryxError } from "../../core/domain/error.ts";
import { Workspace } from "./_workspace.ts";

const COMMENTED = `// my settings
{
  /* the one I like */
  "model": "openai/gpt-5", // fast
  "limits": {
    // a week's pay
    "cost": 5,
  },
}
`;

const modeOf = async (path: string) => ((await Deno.stat(path)).mode ?? 0) & 0o777;

async function refusal(work: Promise<unknown>): Promise<PryxError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof PryxError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

Deno.test("set() makes the file 0600 in a folder 0700, with the schema for editors beside it", async () => {
  await using at = new Workspace();
  const file = openConfigFile(at.paths.configFile);
  await file.set("model", "openai/gpt-5");
  assert.equal(await modeOf(at.paths.configFile), 0o600);
  assert.equal(await modeOf(at.paths.config), 0o700);
  assert.deepEqual(JSON.parse(await Deno.readTextFile(at.paths.configFile)), {
    $schema: "./config.schema.json",
    model: "openai/gpt-5",
  });
  const schema = JSON.parse(await Deno.readTextFile(join(at.paths.config, "config.schema.json")));
  assert.deepEqual(schema, file.schema());
  assert.equal((await at.load()).model, "openai/gpt-5");
});

Deno.test("set() and unset() keep comments, order and layout", async () => {
  await using at = new Workspace();
  at.user(COMMENTED);
  const file = openConfigFile(at.paths.configFile);
  await file.set("model", "ollama/qwen");
  await file.set("limits.turns", 7);
  await file.set("preset", "workspace");
  const text = await Deno.readTextFile(at.paths.configFile);
  for (const comment of ["// my settings", "/* the one I like */", "// fast", "// a week's pay"]) {
    assert.ok(text.includes(comment), `${comment} in\n${text}`);
  }
  assert.match(text, /"model": "ollama\/qwen", \/\/ fast/);
  const config = await at.load();
  assert.deepEqual([config.model, config.preset, config.limits.turns, config.limits.cost], [
    "ollama/qwen",
    "workspace",
    7,
    5,
  ]);
  assert.equal(await file.unset("limits.turns"), true);
  assert.equal(await file.unset("limits.turns"), false);
  assert.equal(await file.unset("preset"), true);
  await file.set("model", "openai/gpt-5");
  const back = await Deno.readTextFile(at.paths.configFile);
  for (const comment of ["// my settings", "/* the one I like */", "// fast", "// a week's pay"]) {
    assert.ok(back.includes(comment), `${comment} in\n${back}`);
  }
});

Deno.test("set() keeps tabs, CRLF, a byte order mark and a link to a file kept elsewhere", async () => {
  await using at = new Workspace();
  const elsewhere = at.write(join(at.root, "dotfiles", "pryx.jsonc"), '\uFEFF{\r\n\t"model": "a/b"\r\n}\r\n');
  await Deno.mkdir(at.paths.config, { recursive: true });
  await Deno.symlink(elsewhere, at.paths.configFile);
  await openConfigFile(at.paths.configFile).set("preset", "workspace");
  assert.equal(
    await Deno.readTextFile(elsewhere),
    '\uFEFF{\r\n\t"model": "a/b",\r\n\t"preset": "workspace"\r\n}\r\n',
  );
  assert.ok((await Deno.lstat(at.paths.configFile)).isSymlink);
  const left = await Array.fromAsync(Deno.readDir(join(at.root, "dotfiles")));
  assert.equal(left.length, 1, "no temporary file is left");
});

Deno.test("set() writes into a file of comments alone", async () => {
  await using at = new Workspace();
  at.user("// only a note with a { in it\n");
  await openConfigFile(at.paths.configFile).set("model", "a/b");
  assert.match(await Deno.readTextFile(at.paths.configFile), /^\/\/ only a note with a \{ in it\n\{/);
  assert.equal((await at.load()).model, "a/b");
});

Deno.test("set() from many processes at once loses nothing", async () => {
  await using at = new Workspace();
  at.user(COMMENTED);
  const program = at.write(
    join(at.root, "set.ts"),
    `import { openConfigFile } from ${
      JSON.stringify(import.meta.resolve("../../core/config/config_file.ts"))
    };
     const file = openConfigFile(Deno.args[0]);
     for (let i = 0; i < 5; i++) await file.set(\`providers.p\${Deno.args[1]}.contextWindows.m\${i}\`, i + 1);`,
  );
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  const file = openConfigFile(at.paths.configFile);
  const own = Array.from({ length: 10 }, (_, i) => file.set(`providers.own.contextWindows.m${i}`, i + 1));
  const others = ["1", "2", "3"].map((n) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--config", config, program, at.paths.configFile, n],
    }).output()
  );
  for (const { success, stderr } of await Promise.all(others)) {
    assert.ok(success, new TextDecoder().decode(stderr));
  }
  await Promise.all(own);
  const providers = await file.get("providers") as Record<string, { contextWindows: Record<string, number> }>;
  assert.deepEqual(
    Object.fromEntries(
      Object.entries(providers).map(([name, one]) => [name, Object.keys(one.contextWindows).length]),
    ),
    { own: 10, p1: 5, p2: 5, p3: 5 },
  );
  assert.ok((await Deno.readTextFile(at.paths.configFile)).includes("// a week's pay"));
  const left = await Array.fromAsync(Deno.readDir(at.paths.config), ({ name }) => name);
  assert.deepEqual(left, ["config.jsonc"], "no lock is left behind");
});

Deno.test("set() refuses a malformed file and leaves it as it is", async () => {
  await using at = new Workspace();
  const text = '{\n  "model": "a/b"\n  "profile": 1\n}';
  at.user(text);
  const file = openConfigFile(at.paths.configFile);
  for (const work of [() => file.set("model", "a/c"), () => file.unset("model"), () => file.get("model")]) {
    const error = await refusal(work());
    assert.equal(error.code, "config_invalid");
    assert.match(error.message, /config\.jsonc:3:3: expected a comma/);
  }
  assert.equal(await Deno.readTextFile(at.paths.configFile), text);
});

Deno.test("set() refuses what loading would refuse, and writes nothing", async () => {
  await using at = new Workspace();
  const file = openConfigFile(at.paths.configFile);
  for (
    const [key, value, code, message] of [
      ["preset", "wide", "config_invalid", /must be one of read-only/],
      ["limits.turns", 1.5, "config_invalid", /whole number/],
      ["limits", { turn: 1 }, "config_invalid", /"limits.turn" is not a known key; did you mean "turns"/],
      ["policy.deny", ["frob=x"], "config_invalid", /not kind=target/],
      ["providers.x.prices.m.input", 5, "config_invalid", /output is missing/],
      ["modle", "a/b", "usage", /"modle" is not a known key/],
      ["model.name", "a/b", "usage", /not a known key/],
      ["a..b", 1, "usage", /is not a key/],
    ] as const
  ) {
    const error = await refusal(file.set(key, value));
    assert.equal(error.code, code, `${key}: ${error.message}`);
    assert.match(error.message, message);
  }
  await assert.rejects(Deno.stat(at.paths.configFile), Deno.errors.NotFound);
});

Deno.test("set() refuses secrets, without repeating them", async () => {
  await using at = new Workspace();
  const file = openConfigFile(at.paths.configFile);
  const pasted = "sk-proj-abcdef1234567890abcdef12";
  for (
    const [key, value] of [
      ["providers.openai.key", pasted],
      ["providers.openai.key", "hunter2hunter2"],
      ["providers.openai", { key: "hunter2hunter2" }],
      ["providers.openai.headers.x-team", pasted],
      ["model", pasted],
    ] as const
  ) {
    const error = await refusal(file.set(key, value));
    assert.equal(error.code, "config_invalid");
    assert.ok(!`${error.message}${error.fix}`.includes("hunter2"), error.message);
    assert.ok(!`${error.message}${error.fix}`.includes(pasted), error.message);
    assert.match(error.fix ?? "", /pryx secrets set/);
  }
  await file.set("providers.openai.key", "keychain:openai");
  assert.equal(await file.get("providers.openai.key"), "keychain:openai");
});

Deno.test("setText() reads values by the schema", async () => {
  await using at = new Workspace();
  const file = openConfigFile(at.paths.configFile);
  for (
    const [key, text, value] of [
      ["model", "openai/gpt-5", "openai/gpt-5"],
      ["model", '"openai/gpt-5"', "openai/gpt-5"],
      ["limits.turns", "5", 5],
      ["limits.timeout", "10", "10"],
      ["providers.x.local", "true", true],
      ["policy.deny", '["run=rm", "net=*"]', ["run=rm", "net=*"]],
      ["limits", '{"cost": 2.5}', { cost: 2.5 }],
      ["providers.x.contextWindows.gpt-4.1", "1000", 1000],
      ['providers.x.prices["gpt-4.1"]', '{"input": 1, "output": 2}', { input: 1, output: 2 }],
      ["providers.x.prices.gpt-4.1.input", "3", 3],
    ] as const
  ) {
    assert.deepEqual(await file.setText(key, text), value, key);
    assert.deepEqual(await file.get(key), value, key);
  }
  assert.match((await refusal(file.setText("limits.turns", "many"))).message, /must be a number/);
  assert.match((await refusal(file.setText("policy.deny", "run=x"))).message, /a list in JSON/);
});

Deno.test("setText() with add puts a rule at the end of a list, once", async () => {
  await using at = new Workspace();
  const file = openConfigFile(at.paths.configFile);
  await file.setText("policy.ask", "run=git push", { add: true });
  await file.setText("policy.ask", "net=*", { add: true });
  await file.setText("policy.ask", "net=*", { add: true });
  assert.deepEqual(await file.get("policy.ask"), ["run=git push", "net=*"]);
  assert.equal((await refusal(file.setText("model", "a/b", { add: true }))).code, "usage");
});

Deno.test("unset() takes out what should not be there, which set() beside it does not mind", async () => {
  await using at = new Workspace();
  at.user('{\n  "modle": "a/b"\n}\n');
  const file = openConfigFile(at.paths.configFile);
  await file.set("preset", "workspace");
  assert.equal(await file.unset("modle"), true);
  assert.equal((await at.load()).preset, "workspace");
  assert.match((await refusal(file.unset("modle"))).fix ?? "", /Did you mean model\?/);
});

Deno.test("unset() takes out what it leaves empty, but not a comment", async () => {
  await using at = new Workspace();
  at.user('{\n  "model": "a/b",\n  "providers": { "x": { "prices": { "m": { "input": 1 } } } }\n}\n');
  const file = openConfigFile(at.paths.configFile);
  await file.set("limits.turns", 7);
  await file.set("limits.cost", 5);
  await file.unset("limits.turns");
  assert.deepEqual(await file.get("limits"), { cost: 5 });
  await file.unset("limits.cost");
  await file.unset("providers.x.prices.m.input");
  assert.deepEqual(JSON.parse(await Deno.readTextFile(at.paths.configFile)), { model: "a/b" });

  await Deno.writeTextFile(at.paths.configFile, COMMENTED);
  await file.unset("limits.cost");
  assert.equal(await file.get("limits.cost"), undefined);
  assert.match(await Deno.readTextFile(at.paths.configFile), /"limits": \{\n {4}\/\/ a week's pay\n {2}\}/);
  for (
    const text of ['{ "model": "a/b" /* one */ , }', '{\r\n\t"model": "a/b"\r\n}\r\n', '{"model":"a/b"}']
  ) {
    await Deno.writeTextFile(at.paths.configFile, text);
    assert.equal(await file.unset("model"), true);
    assert.equal(await file.get("model"), undefined);
  }
});

Deno.test("resolve() names the nearest known key", () => {
  const file = openConfigFile("/nowhere/config.jsonc");
  assert.deepEqual(file.resolve("providers.openai.key"), ["providers", "openai", "key"]);
  assert.deepEqual(file.resolve('providers["my.own"].key'), ["providers", "my.own", "key"]);
  assert.deepEqual(file.resolve("providers.my.own.key"), ["providers", "my.own", "key"]);
  for (
    const [key, meant] of [
      ["modle", "model"],
      ["limits.turn", "limits.turns"],
      ["limit.turns", "limits.turns"],
      ["turns", "limits.turns"],
      ["deny", "policy.deny"],
      ["secretstore", "secretStore"],
      ["providers.openai.kye", "providers.openai.key"],
      ["profiles.work.presett", "profiles.work.preset"],
    ] as const
  ) {
    assert.throws(() => file.resolve(key), (error) => {
      assert.ok(error instanceof PryxError);
      assert.equal(error.code, "usage");
      assert.equal(error.fix, `Did you mean ${meant}?`, key);
      return true;
    });
  }
});
