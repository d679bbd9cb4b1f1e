import assert from "node:assert/strict";
import { PryxError } from "../../core/domain/error.ts";
import { commands } from "../../core/commands/secrets.ts";
import { Machine } from "./_config_context.ts";

const VALUE = "hunter2-hunter2-hunter2";
const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("secrets set takes no value from the command line", () => {
  const set = commands.find((command) => command.name === "secrets set");
  assert.deepEqual(Object.keys(set?.input.properties ?? {}), ["name", "store", "provider"]);
  assert.deepEqual(set?.positionals, ["name"]);
});

Deno.test("secrets set reads standard input, dropping one newline, and shows the value nowhere", async () => {
  for (
    const [piped, stored] of [[`${VALUE}\n`, VALUE], [`${VALUE}\r\n`, VALUE], [
      `${VALUE}\n\n`,
      `${VALUE}\n`,
    ]] as const
  ) {
    await using machine = new Machine();
    machine.at.user({});
    machine.stdin = bytes(piped);
    const set = await machine.run("secrets set", { name: "mine", store: "file" });
    const list = await machine.run("secrets list");
    assert.equal(await Deno.readTextFile(`${machine.at.paths.data}/secrets/mine`), stored);
    const removed = await machine.run("secrets remove", { name: "mine" });
    assert.ok(!machine.shown(set, list, removed).includes("hunter2"), machine.shown(set, list, removed));
    assert.equal((set.data as { reference: string }).reference, "file:mine");
    assert.ok(machine.notes.some((note) => /not encrypted/.test(note)), "the warning is said");
    assert.deepEqual(machine.audit().map(({ kind, data }) => [kind, data.action, data.name, data.store]), [
      ["secret", "set", "mine", "file"],
      ["secret", "remove", "mine", "file"],
    ]);
  }
});

Deno.test("secrets set asks a person without showing what is typed", async () => {
  await using machine = new Machine();
  machine.at.user({});
  machine.typed = VALUE;
  const set = await machine.run("secrets set", { name: "openai" });
  assert.deepEqual(machine.questions, [{ question: "Value of openai (not shown): ", secret: true }]);
  assert.equal((set.data as { store: string }).store, "keychain", "the default store");
  assert.ok(!machine.shown(set).includes("hunter2"));
});

Deno.test("secrets set makes it the key of the provider of that name, unless another key was chosen", async () => {
  await using machine = new Machine();
  machine.stdin = bytes(VALUE);
  const first = await machine.run("secrets set", { name: "openai" });
  assert.match(first.text ?? "", /the key of openai/);
  assert.equal((await machine.at.load()).providers.openai?.key, "keychain:openai");
  machine.stdin = bytes(VALUE);
  await machine.run("secrets set", { name: "mine", provider: "openai" });
  machine.stdin = bytes(VALUE);
  const again = await machine.run("secrets set", { name: "openai" });
  assert.match(again.text ?? "", /pryx config set providers\.openai\.key keychain:openai/);
  assert.equal((await machine.at.load()).providers.openai?.key, "keychain:mine");
});

Deno.test("secrets set --provider makes it the provider's key", async () => {
  await using machine = new Machine();
  machine.stdin = bytes(VALUE);
  await machine.run("secrets set", { name: "mine", provider: "openai" });
  assert.equal((await machine.at.load()).providers.openai?.key, "keychain:mine");
  const { data } = await machine.run("secrets list");
  assert.deepEqual(data, [
    { reference: "keychain:mine", name: "mine", store: "keychain", present: true, providers: ["openai"] },
  ]);
  await machine.run("secrets remove", { name: "mine" });
  assert.match(machine.notes.join(), /openai still refers to keychain:mine/);
  assert.match((await machine.run("secrets list")).text ?? "", /keychain:mine\s+MISSING, used by openai/);
});

Deno.test("secrets set stores nothing when the config file could not be changed after it", async () => {
  await using machine = new Machine();
  machine.at.user("{");
  machine.stdin = bytes(VALUE);
  await assert.rejects(
    machine.run("secrets set", { name: "mine", store: "file", provider: "openai" }),
    (error) => error instanceof PryxError && error.code === "config_invalid",
  );
  await assert.rejects(Deno.stat(`${machine.at.paths.data}/secrets/mine`), Deno.errors.NotFound);
  assert.deepEqual(machine.audit(), []);
});

Deno.test("secrets set refuses no value, an empty one, and bytes", async () => {
  for (
    const [stdin, code] of [
      [undefined, "usage"],
      [bytes("\n"), "input_invalid"],
      [new Uint8Array([0xff, 0xfe, 0x41]), "input_invalid"],
    ] as const
  ) {
    await using machine = new Machine();
    machine.stdin = stdin;
    await assert.rejects(
      machine.run("secrets set", { name: "a", store: "file" }),
      (error) => error instanceof PryxError && error.code === code,
    );
    assert.deepEqual(machine.audit(), []);
  }
});

Deno.test("secrets list shows variables that a provider uses, by name", async () => {
  await using machine = new Machine();
  machine.at.env = { OPENAI_API_KEY: VALUE, GITHUB_TOKEN: VALUE };
  const result = await machine.run("secrets list");
  assert.deepEqual(result.data, [
    {
      reference: "env:OPENAI_API_KEY",
      name: "OPENAI_API_KEY",
      store: "env",
      present: true,
      providers: ["openai"],
    },
  ]);
  assert.ok(!JSON.stringify(result).includes("hunter2"));
});

Deno.test("secrets remove asks which store when two have the name, and says when none has", async () => {
  await using machine = new Machine();
  machine.stdin = bytes(VALUE);
  await machine.run("secrets set", { name: "a", store: "file" });
  await machine.run("secrets set", { name: "a", store: "keychain" });
  await assert.rejects(machine.run("secrets remove", { name: "a" }), (error) => {
    return error instanceof PryxError && error.fix === "Say which: --store keychain or --store file";
  });
  await machine.run("secrets remove", { name: "a", store: "keychain" });
  await machine.run("secrets remove", { name: "a" });
  await assert.rejects(
    machine.run("secrets remove", { name: "a" }),
    (error) => error instanceof PryxError && error.code === "not_found",
  );
});
