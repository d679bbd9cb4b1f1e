import assert from "node:assert/strict";
import { PryxError } from "../../core/domain/error.ts";
import { validate } from "../../core/domain/schema.ts";
import { CONFIG_SCHEMA } from "../../core/config/schema.ts";
import { Machine } from "./_config_context.ts";

Deno.test("config get shows the value in force, and where it comes from", async () => {
  await using machine = new Machine();
  machine.at.user({ model: "openai/gpt-5", limits: { timeout: "600" }, policy: { deny: ["run=rm"] } });
  machine.at.env = { PRYX_MAX_COST: "2.5" };
  for (
    const [key, text, origin] of [
      ["model", "openai/gpt-5", "~/.config/pryx/config.jsonc:2 (user)"],
      ["limits.timeout", "10m", "~/.config/pryx/config.jsonc:4 (user)"],
      ["limits.cost", "2.5", "PRYX_MAX_COST (environment)"],
      ["limits.turns", "100", "default"],
      ["sandbox", "auto", "default"],
      ["providers.ollama.baseUrl", "http://127.0.0.1:11434/v1", "default"],
      ["profiles.work.model", "not set", "default"],
      ["policy.deny", '[\n  "run=rm"\n]', "deny run=rm: ~/.config/pryx/config.jsonc:8 (user)"],
    ] as const
  ) {
    machine.notes.length = 0;
    const result = await machine.run("config get", { key });
    assert.equal(result.text, text, key);
    assert.deepEqual(machine.notes, [origin], key);
    assert.deepEqual((result.data as { origins: string[] }).origins, [origin], key);
  }
});

Deno.test("config get without a key shows everything, in the shape of the file", async () => {
  await using machine = new Machine();
  machine.at.user({ model: "openai/gpt-5", limits: { cost: 1 } });
  const { data, text } = await machine.run("config get");
  const { values, origins } = data as { values: Record<string, unknown>; origins: Record<string, unknown> };
  assert.deepEqual(validate(CONFIG_SCHEMA, values), []);
  assert.deepEqual(JSON.parse(text ?? ""), values);
  assert.deepEqual(Object.keys(origins), ["model", "limits.cost"]);
});

Deno.test("config get, set and unset name the nearest key", async () => {
  await using machine = new Machine();
  for (const name of ["config get", "config set", "config unset"]) {
    await assert.rejects(machine.run(name, { key: "limits.trns", value: "1" }), (error) => {
      assert.ok(error instanceof PryxError);
      assert.equal(error.exitCode, 2);
      return error.fix === "Did you mean limits.turns?";
    });
  }
  assert.deepEqual(machine.audit(), []);
});

Deno.test("config set and unset change the file and are audited", async () => {
  await using machine = new Machine();
  await machine.run("config set", { key: "limits.turns", value: "7" });
  await machine.run("config set", { key: "policy.deny", value: "run=rm", add: true });
  const added = await machine.run("config set", { key: "policy.deny", value: "run=dd", add: true });
  assert.equal(added.text, 'policy.deny = ["run=rm","run=dd"]');
  assert.equal((await machine.at.load()).limits.turns, 7);
  assert.equal((await machine.run("config unset", { key: "limits.turns" })).text, "limits.turns is unset");
  assert.match((await machine.run("config unset", { key: "limits.turns" })).text ?? "", /was not set/);
  assert.deepEqual(
    machine.audit().map(({ kind, data }) => [kind, data.action, data.key, data.value]),
    [
      ["config", "set", "limits.turns", 7],
      ["config", "set", "policy.deny", ["run=rm"]],
      ["config", "set", "policy.deny", ["run=rm", "run=dd"]],
      ["config", "unset", "limits.turns", undefined],
    ],
  );
  assert.equal(machine.store.verifyAudit().ok, true);
});

Deno.test("config set says when something stronger decides", async () => {
  await using machine = new Machine();
  machine.at.env = { PRYX_MODEL: "openai/env" };
  const { data } = await machine.run("config set", { key: "model", value: "openai/mine" });
  assert.deepEqual(machine.notes, ["model is set, but PRYX_MODEL (environment) decides"]);
  assert.equal((data as { overriddenBy: string }).overriddenBy, "PRYX_MODEL (environment)");
});

Deno.test("config set refuses a pasted key, and neither repeats nor audits it", async () => {
  await using machine = new Machine();
  machine.at.user({});
  const pasted = "sk-proj-abcdefghij1234567890ABCDEFGHIJ";
  await assert.rejects(machine.run("config set", { key: "providers.openai.key", value: pasted }), (error) => {
    assert.ok(error instanceof PryxError);
    assert.match(error.fix ?? "", /pryx secrets set openai --provider openai/);
    return !JSON.stringify(error).includes(pasted);
  });
  assert.ok(!machine.shown().includes(pasted));
});

Deno.test("config path works with a malformed file, and config schema prints what the file may hold", async () => {
  await using machine = new Machine();
  machine.at.user("{");
  assert.equal((await machine.run("config path")).text, machine.at.paths.configFile);
  const all = await machine.run("config path", { all: true });
  for (const part of ["policy.jsonc", "config.local.jsonc", machine.at.paths.state]) {
    assert.ok(all.text?.includes(part), part);
  }
  const { data } = await machine.run("config schema");
  const schema = data as {
    properties: Record<string, { additionalProperties?: unknown }>;
    additionalProperties: boolean;
  };
  assert.equal(schema.additionalProperties, false);
  assert.equal(schema.properties.limits?.additionalProperties, false);
  assert.deepEqual(Object.keys(schema.properties), Object.keys(CONFIG_SCHEMA.properties));
});
