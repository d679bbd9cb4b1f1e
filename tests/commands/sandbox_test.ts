import assert from "node:assert/strict";
import { createPolicyView } from "../../core/agent/policy_view.ts";
import type { CommandContext, CommandResult, Overrides } from "../../core/commands/command.ts";
import { commands } from "../../core/commands/sandbox.ts";
import type { Envelope, Refusal } from "../../core/domain/envelope.ts";
import { PryxError } from "../../core/domain/error.ts";
import type { Need } from "../../core/domain/need.ts";
import { parseNeed } from "../../core/domain/need.ts";
import type { Json } from "../../core/domain/schema.ts";
import { createPolicy } from "../../core/policy/create_policy.ts";
import type { ProcessResult, ProcessSpec, Sandbox, SandboxLayer } from "../../core/sandbox/sandbox.ts";
import { openStore } from "../../core/store/sqlite.ts";
import { PRESETS, Workspace } from "../config/_workspace.ts";
import { loadConfig } from "../../core/config/load_config.ts";
import { fakeContext, fakeSurface } from "../support/fake_pryx.ts";

const NOTHING = { head: new Uint8Array(), tail: new Uint8Array(), dropped: 0 };
const DONE: ProcessResult = {
  code: 0,
  signal: null,
  timedOut: false,
  stdout: NOTHING,
  stderr: NOTHING,
  ms: 1,
};
const LANDLOCK: SandboxLayer = { name: "landlock", active: true, detail: "files" };
const BWRAP_OFF: SandboxLayer = {
  name: "bubblewrap",
  active: false,
  detail: "not there",
  fix: "apt install bubblewrap",
};

/** `pryx sandbox` over real rules and files; what the kernel would say is scripted. */
class Machine implements AsyncDisposable {
  readonly at = new Workspace();
  readonly workspace = Deno.realPathSync(this.at.repository);
  readonly store = openStore({ path: this.at.paths.database });
  readonly notes: string[] = [];
  readonly specs: ProcessSpec[] = [];
  layers: readonly SandboxLayer[] = [LANDLOCK, BWRAP_OFF];
  reach: readonly Need[] = [];
  result: ProcessResult | Error = DONE;
  stdin: Uint8Array | undefined;

  async run(input: Readonly<Record<string, Json>>): Promise<CommandResult> {
    const [command] = commands;
    assert.ok(command);
    return await command.run({ json: true, ...input }, this.#context({}));
  }

  get envelope(): Envelope {
    const envelope = this.specs.at(-1)?.envelope;
    assert.ok(envelope);
    return envelope;
  }

  #context(overrides: Overrides): CommandContext {
    const { paths, env } = this.at;
    const cwd = this.workspace;
    const config = () => loadConfig({ paths, env, cwd, flags: overrides, presets: PRESETS });
    const sandbox: Partial<Sandbox> = {
      baseline: () => Promise.resolve({ read: ["/usr", "/etc"], temp: `${this.at.root}/private` }),
      shortfall: () => Promise.resolve(this.reach),
      layers: () => Promise.resolve(this.layers),
      run: (spec) => {
        this.specs.push(spec);
        return this.result instanceof Error ? Promise.reject(this.result) : Promise.resolve(this.result);
      },
    };
    const surface = fakeSurface({
      note: (text) => void this.notes.push(text),
      input: () => Promise.resolve(this.stdin),
    });
    return fakeContext(surface, new AbortController().signal, {
      cwd,
      config,
      sandbox: () => Promise.resolve(sandbox as Sandbox),
      policy: async () =>
        createPolicyView({
          policy: createPolicy({ ...await config(), workspace: cwd, home: paths.home, protectedPaths: [] }),
          workspace: cwd,
          home: paths.home,
          searchPath: "/usr/bin:/bin",
          tools: [],
          store: this.store,
          sandbox: () => Promise.resolve(sandbox as Sandbox),
          now: () => new Date(),
        }),
      with: (more) => this.#context({ ...overrides, ...more }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.store[Symbol.dispose]();
    await this.at[Symbol.asyncDispose]();
  }
}

const needOf = (text: string): Need => {
  const need = parseNeed(text);
  if (typeof need === "string") throw new Error(need);
  return need;
};
const reaching = (text: string): Need => ({
  ...needOf(text),
  reach: "no bubblewrap (apt install bubblewrap)",
});
const refusal = (text: string, evidence = "sh: Permission denied"): Refusal => ({
  need: needOf(text),
  evidence,
});
const failing = (refusals: readonly Refusal[]): ProcessResult => ({ ...DONE, code: 1, refusals });

const hostsOf = ({ network }: Envelope) => typeof network === "object" ? network.hosts : network;

Deno.test("sandbox gives the command what preset and flags open, and asks nobody", async () => {
  await using machine = new Machine();
  const { exitCode } = await machine.run({ command: ["ls", "-l"] });
  assert.equal(exitCode, 0);
  const [spec] = machine.specs;
  assert.deepEqual(spec?.argv, ["ls", "-l"]);
  assert.equal(spec?.cwd, machine.workspace);
  assert.deepEqual(spec?.accepted, []);
  assert.equal(machine.envelope.access(`${machine.workspace}/a`), "read");
  assert.equal(hostsOf(machine.envelope), "none");
  await machine.run({ command: ["ls"], preset: "workspace", deny: ["write=src"] });
  assert.equal(machine.envelope.access(`${machine.workspace}/a`), "write");
  assert.equal(machine.envelope.access(`${machine.workspace}/.env`), "none");
  assert.equal(machine.envelope.access(`${machine.workspace}/src/a`), "read");
  await machine.run({ command: ["ls"], allow: ["net=example.org"] });
  assert.deepEqual(hostsOf(machine.envelope), ["example.org"]);
});

Deno.test("sandbox does not open what the command's own words name", async () => {
  await using machine = new Machine();
  await machine.run({ command: ["sh", "-c", "cat /home/other > /srv/x; curl example.org"] });
  assert.equal(machine.envelope.access("/srv/x"), "none");
  assert.equal(machine.envelope.access("/home/other"), "none");
  assert.equal(machine.envelope.network, "none");
});

for (
  const [title, result, code] of [
    ["its own code", { code: 42 }, 42],
    ["128 and the number of a signal", { code: null, signal: "SIGKILL" }, 137],
    ["124 when the time was up", { code: null, signal: "SIGTERM", timedOut: true }, 124],
  ] as const
) {
  Deno.test(`sandbox ends with ${title}`, async () => {
    await using machine = new Machine();
    machine.result = { ...DONE, ...result };
    const { exitCode, data } = await machine.run({ command: ["x"], timeout: "30s" });
    assert.equal(exitCode, code);
    assert.equal((data as { exitCode: number }).exitCode, code);
    assert.equal(machine.specs[0]?.timeoutMs, 30_000);
  });
}

for (const [code, exitCode] of [["not_found", 127], ["io", 126]] as const) {
  Deno.test(`sandbox ends with ${exitCode} when the command cannot be started (${code}), and says why`, async () => {
    await using machine = new Machine();
    machine.result = new PryxError(code, "Cannot run npm test: no program of that name is on PATH");
    assert.equal((await machine.run({ command: ["npm test"] })).exitCode, exitCode);
    assert.match(machine.notes.join("\n"), /no program of that name/);
    assert.match(machine.notes.join("\n"), /pryx sandbox -- npm test; .*sh -c 'npm test'/);
  });
}

Deno.test("sandbox explains what was refused, with the line that would open it", async () => {
  await using machine = new Machine();
  const { workspace } = machine;
  machine.at.user({ policy: { deny: ["write=/srv"] } });
  machine.result = failing([
    refusal("read=/home/x y", "cat: '/home/x y': Permission denied"),
    refusal(`read=${workspace}/.env`),
    refusal("write=/srv/a"),
  ]);
  const { exitCode, data } = await machine.run({
    command: ["cat", "a b"],
    preset: "workspace",
    allow: ["read=/opt"],
  });
  assert.equal(exitCode, 1);
  const [note = ""] = machine.notes;
  assert.match(
    note,
    /^The sandbox refused 3 things:\n {2}read=\/home\/x y {2}\(cat: '\/home\/x y': Permission denied\)\n {4}nothing allows it$/m,
  );
  assert.match(note, /^ {4}by the rule deny read=\.env\*/m);
  assert.match(note, /write=\/srv\/a.*\n {4}it stays closed: by the rule deny write=\/srv \(~\/\.config/m);
  const line =
    `to allow it: pryx sandbox --preset workspace --allow read=/opt --allow 'read=/home/x y' --allow '`;
  assert.ok(note.includes(line), note);
  assert.ok(note.endsWith(" -- cat 'a b'"), note);
  assert.ok(!note.includes("--allow write=/srv"), note);
  assert.equal((data as { refused: Json[] }).refused.length, 3);
});

Deno.test("sandbox refuses with code 6 what the machine cannot keep, unless flags accept it", async () => {
  await using machine = new Machine();
  machine.reach = [reaching(`read=${machine.workspace}/.env`), reaching("net=**")];
  await assert.rejects(machine.run({ command: ["ls"] }), (error: PryxError) => {
    assert.equal(error.exitCode, 6);
    assert.match(
      error.message,
      /It could reach\n {2}read=.*\.env, net=\*\*: no bubblewrap$/,
    );
    assert.match(
      error.fix ?? "",
      /^apt install bubblewrap\nOr accept it: --allow .*\.env'? --allow 'net=\*\*'/,
    );
    return true;
  });
  assert.equal(machine.specs.length, 0);
  const one = { command: ["ls"], allow: [`read=${machine.workspace}/.env`] };
  await assert.rejects(machine.run(one), { code: "sandbox", fix: /accept it: --allow 'net=\*\*'/ });
  await machine.run({ ...one, allow: [...one.allow, "net=**"] });
  assert.deepEqual(machine.specs[0]?.accepted, machine.reach);
  assert.equal(machine.envelope.network, "all");
});

Deno.test("sandbox refuses without a kernel layer where one is required, whatever is accepted", async () => {
  await using machine = new Machine();
  machine.layers = [BWRAP_OFF];
  machine.at.user({ sandbox: "required" });
  await assert.rejects(machine.run({ command: ["ls"], preset: "dangerously-full" }), {
    code: "sandbox",
    message: /requires the kernel's sandbox/,
    fix: /apt install bubblewrap/,
  });
  machine.at.user({});
  assert.equal((await machine.run({ command: ["ls"], preset: "dangerously-full" })).exitCode, 0);
});

Deno.test("sandbox --show says what the command could touch, and runs nothing", async () => {
  await using machine = new Machine();
  machine.reach = [reaching("net=**")];
  const { text = "", data } = await machine.run({ show: true, allow: ["write=out"] });
  assert.match(text, /^Preset {5}read-only: /m);
  assert.match(text, new RegExp(`^Read and run\n  ${machine.workspace}$`, "m"));
  assert.match(text, new RegExp(`^Write\n  ${machine.workspace}/out$`, "m"));
  assert.match(text, /^Closed\n(?: {2}.*\n)* {2}.*\/\.ssh$/m);
  assert.match(text, /^Network\n {2}none$/m);
  assert.match(text, /^ {2}off bubblewrap: not there$/m);
  assert.match(text, /^Cannot be kept from it here \(refused\)\n {2}net=\*\*: no bubblewrap$/m);
  assert.equal((data as { preset: string }).preset, "read-only");
  assert.equal(machine.specs.length, 0);
});

Deno.test("sandbox hands its input on, and gives output back as JSON, cut characters whole", async () => {
  await using machine = new Machine();
  machine.stdin = new TextEncoder().encode("in");
  const bytes = new TextEncoder().encode("aé");
  machine.result = { ...DONE, stdout: { head: bytes.subarray(0, 2), tail: bytes.subarray(2), dropped: 0 } };
  const { data } = await machine.run({ command: ["cat"] });
  assert.equal((data as { stdout: string }).stdout, "aé");
  assert.deepEqual(machine.specs[0]?.stdin, machine.stdin);
});

Deno.test("sandbox says how a command is written when it is given none, and what a time is", async () => {
  await using machine = new Machine();
  await assert.rejects(machine.run({}), { code: "usage", fix: /pryx sandbox -- npm test/ });
  await assert.rejects(machine.run({ command: ["x"], timeout: "soon" }), { code: "usage" });
});
