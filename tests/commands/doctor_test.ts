import assert from "node:assert/strict";
import type { CommandContext, CommandResult } from "../../core/commands/command.ts";
import { commands } from "../../core/commands/doctor.ts";
import { PryxError } from "../../core/domain/error.ts";
import type { Json } from "../../core/domain/schema.ts";
import { createSandbox } from "../../core/sandbox/create_sandbox.ts";
import type { Sandbox, SandboxLayer } from "../../core/sandbox/sandbox.ts";
import { createFileSecrets } from "../../core/secrets/file.ts";
import { createEnvSecrets } from "../../core/secrets/env.ts";
import { createSecrets } from "../../core/secrets/create_secrets.ts";
import { openStore } from "../../core/store/sqlite.ts";
import { Workspace } from "../config/_workspace.ts";
import { fakeContext, fakeSurface } from "../support/fake_pryx.ts";

interface Check {
  readonly name: string;
  readonly status: string;
  readonly detail: string;
  readonly fix?: string;
}

const LANDLOCK: SandboxLayer = { name: "landlock", active: true, detail: "files" };
const BWRAP_OFF: SandboxLayer = {
  name: "bubblewrap",
  active: false,
  detail: "not there",
  fix: "apt install bubblewrap",
};

/** `pryx doctor` over real files. */
async function doctor(
  at: Workspace,
  only: readonly string[],
  parts: Partial<CommandContext> = {},
): Promise<CommandResult & { checks: Check[] }> {
  const [command] = commands;
  assert.ok(command);
  const stores = [createEnvSecrets(at.env), createFileSecrets(`${at.paths.data}/secrets`)];
  const context = fakeContext(fakeSurface(), new AbortController().signal, {
    cwd: at.repository,
    paths: at.paths,
    config: () => at.load(),
    secrets: () => Promise.resolve(createSecrets({ env: at.env, paths: at.paths, stores })),
    ...parts,
  });
  const result = await command.run({ only: [...only] }, context);
  return { ...result, checks: (result.data as unknown as { checks: Check[] }).checks };
}

const withLayers = (layers: readonly SandboxLayer[], more: Partial<Sandbox> = {}) => ({
  sandbox: () => Promise.resolve({ layers: () => Promise.resolve(layers), ...more } as Sandbox),
});

/** The real sandbox, but `run` forgets what it should confine. */
function unconfined(sandbox: Sandbox): Partial<Sandbox> {
  return {
    shortfall: () => Promise.resolve([]),
    run: ({ envelope: _, accepted: __, ...spec }) => sandbox.run(spec),
  };
}

Deno.test("doctor says what is fine on a machine where nothing was done yet, and makes nothing", async () => {
  await using at = new Workspace();
  at.user({ secretStore: "file", model: "ollama/qwen" });
  const { text = "", exitCode, checks } = await doctor(at, ["program", "config", "data", "model", "disk"]);
  assert.equal(exitCode, 0, text);
  assert.deepEqual(checks.map(({ name, status }) => [name, status]), [
    ["program", "ok"],
    ["config", "ok"],
    ["data", "ok"],
    ["model", "ok"],
    ["disk", "ok"],
  ]);
  assert.match(text, /^ok {4}program {2}pryx \d.*from source/m);
  assert.match(text, /^ok {4}config {3}valid; preset read-only; .*config\.jsonc$/m);
  assert.equal(text.split("\n").at(-1), "5 ok, 0 warnings, 0 failures");
  await assert.rejects(Deno.stat(at.paths.data), Deno.errors.NotFound);
});

Deno.test("doctor names what is wrong with the settings, and goes on", async () => {
  await using at = new Workspace();
  at.user('{ "preset": "wide" }');
  const { text = "", exitCode, checks } = await doctor(at, ["config", "model", "disk"]);
  assert.equal(exitCode, 1);
  assert.deepEqual(checks.map(({ status }) => status), ["fail", "warn", "ok"]);
  assert.match(text, /^fail {2}config .*config\.jsonc:1:13: preset must be one of/m);
  assert.match(text, /^ {15}fix: /m);
});

Deno.test("doctor finds a database that others may read, or that is none", async () => {
  await using at = new Workspace();
  const { data, database } = at.paths;
  const store = openStore({ path: database });
  try {
    const opened = { store: () => Promise.resolve(store) };
    assert.deepEqual((await doctor(at, ["data"], opened)).checks.map(({ status }) => status), ["ok"]);
    Deno.chmodSync(database, 0o644);
    Deno.chmodSync(data, 0o755);
    const { checks, exitCode } = await doctor(at, ["data"], opened);
    assert.equal(exitCode, 0);
    assert.deepEqual(checks.map(({ status, fix = "" }) => [status, fix]), [
      ["ok", ""],
      ["warn", `chmod go-rwx ${JSON.stringify(data)}`],
      ["warn", `chmod go-rwx ${JSON.stringify(database)}`],
    ]);
  } finally {
    store[Symbol.dispose]();
  }
  const broken = new PryxError("database_corrupt", "Cannot open it: it is damaged", { fix: "restore it" });
  const { checks, exitCode } = await doctor(at, ["data"], { store: () => Promise.reject(broken) });
  assert.equal(exitCode, 1);
  assert.deepEqual([checks[0]?.status, checks[0]?.fix], ["fail", "restore it"]);
});

Deno.test("doctor says whether the model's key is there, without asking any server", async () => {
  await using at = new Workspace();
  const model = async () => (await doctor(at, ["model"])).checks[0];
  assert.deepEqual((await model())?.status, "warn");
  at.user({ model: "openai/gpt-5" });
  assert.match((await model())?.detail ?? "", /its key is not there \(env:OPENAI_API_KEY\)/);
  at.env = { OPENAI_API_KEY: "x" };
  assert.equal((await model())?.status, "ok");
  assert.ok(!JSON.stringify(await model()).includes('"x"'));
  at.user({ model: "nobody/gpt-5" });
  assert.match((await model())?.detail ?? "", /there is no provider "nobody"/);
});

Deno.test("doctor warns of a secret store that does not work", async () => {
  await using at = new Workspace();
  at.user({ secretStore: "file" });
  const { checks } = await doctor(at, ["secrets"]);
  assert.match(checks[0]?.detail ?? "", /^file answers; 0 secrets in it/);
  const failing = {
    ...createFileSecrets(`${at.paths.data}/secrets`),
    get: () => Promise.reject(new PryxError("io", "Cannot reach it", { fix: "use another" })),
  };
  const secrets = createSecrets({ env: {}, paths: at.paths, stores: [failing] });
  const other = await doctor(at, ["secrets"], { secrets: () => Promise.resolve(secrets) });
  assert.deepEqual(other.checks, [{
    name: "secrets",
    status: "warn",
    detail: "Cannot reach it",
    fix: "use another",
  }]);
  assert.equal(other.exitCode, 0);
});

Deno.test("doctor --only sandbox names every layer, how to get it, and what it means to have none", async () => {
  await using at = new Workspace();
  const none = withLayers([{ name: "process", active: true, detail: "groups" }, BWRAP_OFF]);
  const { text = "", exitCode } = await doctor(at, ["sandbox"], none);
  assert.equal(exitCode, 0);
  assert.match(text, /^ok {4}sandbox {2}process: groups$/m);
  assert.match(text, /^warn {2}sandbox {2}bubblewrap: off; not there\n {15}fix: apt install bubblewrap$/m);
  assert.match(text, /^warn {2}sandbox {2}commands run with all your rights/m);
  at.user({ sandbox: "required" });
  const required = await doctor(at, ["sandbox"], none);
  assert.equal(required.exitCode, 1);
  assert.match(required.text ?? "", /^fail {2}sandbox .*the configuration requires one$/m);
});

Deno.test("doctor --only sandbox fails for each thing that a child could do although a layer is active", async () => {
  await using at = new Workspace();
  const env = { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", HOME: at.paths.home };
  await using sandbox = createSandbox({ home: at.paths.home, env });
  const { text = "", checks, exitCode } = await doctor(
    at,
    ["sandbox"],
    withLayers([LANDLOCK], unconfined(sandbox)),
  );
  assert.equal(exitCode, 1);
  const tried = checks.filter(({ detail }) => detail.includes("tried to")).map(({ status }) => status);
  assert.equal(tried.length + checks.filter(({ detail }) => detail.startsWith("not tried")).length, 5, text);
  assert.ok(tried.length >= 3 && tried.every((status) => status === "fail"), text);
});

Deno.test("doctor --only sandbox warns where the sandbox says itself that it cannot keep something", async () => {
  await using at = new Workspace();
  const env = { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", HOME: at.paths.home };
  await using sandbox = createSandbox({ home: at.paths.home, env });
  const reach = ["read=/", "write=/", "net=**", "net=unix"].map((text) => {
    const [kind = "", target = ""] = text.split("=");
    return { kind: kind as "read", target, reach: "nothing holds it" };
  });
  const parts = withLayers([LANDLOCK], { ...unconfined(sandbox), shortfall: () => Promise.resolve(reach) });
  const { text = "", exitCode } = await doctor(at, ["sandbox"], parts);
  assert.equal(exitCode, 0, text);
  assert.match(
    text,
    /^warn {2}sandbox {2}a confined child tried to read a closed file.*nothing holds it here$/m,
  );
});

Deno.test("doctor --only sandbox proves nothing by a child that cannot even do what it may", async () => {
  await using at = new Workspace();
  const capped = { head: new Uint8Array(), tail: new Uint8Array(), dropped: 0 };
  const parts = withLayers([LANDLOCK], {
    shortfall: () => Promise.resolve([]),
    run: () =>
      Promise.resolve({ code: 0, signal: null, timedOut: false, stdout: capped, stderr: capped, ms: 1 }),
  });
  const { checks, exitCode } = await doctor(at, ["sandbox"], parts);
  assert.equal(exitCode, 1);
  assert.match(checks.at(-1)?.detail ?? "", /could not do what it may/);
});

Deno.test("doctor's data is for programs", async () => {
  await using at = new Workspace();
  const { data } = await doctor(at, ["program"]);
  const { ok, warn, fail, checks } = data as { ok: number; warn: number; fail: number; checks: Json[] };
  assert.deepEqual([ok, warn, fail, checks.length], [1, 0, 0, 1]);
});
