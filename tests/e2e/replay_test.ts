import assert from "node:assert/strict";
import { builtPryx, withModel } from "../support/built_pryx.ts";
import type { ModelScript } from "../support/model_server.ts";

const JOB = `import { agent, args, env, fs, log, sh, sleep, state, stdin, ui, workspace } from "pryx";

export const permissions = {
  read: ["."],
  write: ["notes.md"],
  run: ["printf"],
  env: ["HOME"],
  use: ["agent"],
};

console.log(new Date().toString(), Math.random(), crypto.randomUUID());
console.log(Intl.DateTimeFormat().resolvedOptions().timeZone, (1234.5).toLocaleString());
const lines = await sh\`printf 'a\\nb\\n'\`.lines();
const [words, who] = await Promise.all([
  sh\`printf %s \${args.positional[0] ?? "none"}\`.text(),
  env.get("HOME"),
]);
log.info("asking", { words });
const schema = { type: "object", properties: { n: { type: "number" } }, required: ["n"] } as const;
const [one, two] = await Promise.all([
  agent.ask("first: " + words, { tools: [] }),
  agent.ask("second", { schema, tools: [] }),
]);
await sleep("2s");
await state.set("runs", ((await state.get<number>("runs")) ?? 0) + 1);
const text = [lines.join(), words, one.text, String(two.n), await stdin(), String(who !== undefined)].join("|");
await fs.write("notes.md", text + "\\n" + workspace + "\\n");
console.log(text, await state.get("runs"), await ui.confirm("go", "Go?", { default: true }));
console.log((await fs.list()).map(({ name }) => name).filter((name) => name.endsWith(".ts")));
`;

const ALLOW = [
  "--allow",
  "run=printf",
  "--allow",
  "write=notes.md",
  "--allow",
  "env=HOME",
  "--allow",
  "use=agent",
];

/** Answers of a model that is asked two things at once, in whichever order they come. */
const answer: ModelScript = ({ body }) =>
  JSON.stringify(body).includes("first: hi") ? { text: "ONE" } : { text: '{"n":2}' };

Deno.test("an automation that was recorded replays byte for byte in another folder, home, time zone and year", async () => {
  await using pryx = await withModel(answer);
  await pryx.write("job.pryx.ts", JOB);
  await pryx.write("pryx.lock", "");
  const recorded = await pryx.run(["run", ...ALLOW, "--record", "job.cassette.jsonl", "job.pryx.ts", "hi"], {
    stdin: "piped",
    env: { TZ: "America/New_York", LANG: "de_DE.UTF-8" },
  });
  assert.equal(recorded.code, 0, recorded.stderr);
  const cassette = await pryx.read("job.cassette.jsonl");
  for (const secret of ["sk-test-key", pryx.workspace, pryx.home]) {
    assert.ok(!cassette.includes(secret), `${secret} is in the cassette`);
  }
  assert.match(cassette, /^\{"kind":"call","id":\d+,"tool":"sh","args":\{"command":"printf %s hi"\}\}$/m);
  assert.match(cassette, /^\{"kind":"model",/m);

  const outputs: string[] = [];
  const places: Record<string, string>[] = [
    { TZ: "Asia/Tokyo", LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8" },
    { TZ: "UTC" },
  ];
  for (const env of places) {
    await using other = await builtPryx();
    await Deno.mkdir(`${other.workspace}/deep/er`, { recursive: true });
    await other.write("deep/er/job.pryx.ts", JOB);
    await other.write("deep/er/pryx.lock", "");
    await other.write("deep/er/job.cassette.jsonl", cassette);
    const cwd = `${other.workspace}/deep/er`;
    const before = await other.run(["sessions", "list", "--all", "--json"], { cwd, env });
    const replay = await other.run(["run", "--replay", "job.cassette.jsonl", "job.pryx.ts", "hi"], {
      cwd,
      env,
    });
    assert.equal(replay.code, 0, replay.stderr);
    assert.equal(replay.stdout, recorded.stdout);
    assert.match(replay.stderr, /^--- \/dev\/null\n\+\+\+ b\/notes\.md$/m);
    assert.ok(replay.stderr.includes(`+${cwd}\n`), replay.stderr);
    assert.equal(await Deno.stat(`${cwd}/notes.md`).catch(() => "none"), "none");
    const json = await other.run(["run", "--json", "--replay", "job.cassette.jsonl", "job.pryx.ts"], {
      cwd,
      env,
    });
    outputs.push(json.stdout.replaceAll(cwd, "HERE"));
    // No session keeps a replay.
    assert.equal(
      (await other.run(["sessions", "list", "--all", "--json"], { cwd, env })).stdout,
      before.stdout,
    );
    const test = await other.run(["test"], { cwd, env });
    assert.equal(test.code, 0, test.stdout);
    assert.match(test.stdout, /^1 passed, 0 failed/m);
  }
  assert.equal(outputs[0], outputs[1]);
  const types = outputs[0]?.trimEnd().split("\n").map((line) => JSON.parse(line).type) ?? [];
  assert.equal(types[0], "turn.started");
  assert.deepEqual(types.slice(-2), ["replay.changed", "turn.ended"]);
});

Deno.test("--replay-model answers the agent of an automation, whatever runs side by side; the tools really run", async () => {
  await using pryx = await withModel(answer);
  await pryx.write("job.pryx.ts", JOB);
  await pryx.write("pryx.lock", "");
  const run = (...flags: string[]) =>
    pryx.run(["run", ...ALLOW, ...flags, "job.pryx.ts", "hi"], { stdin: "piped" });
  const first = await run("--record", "tape.jsonl");
  assert.equal(first.code, 0, first.stderr);
  const asked = pryx.server.requests.length;
  await Deno.remove(`${pryx.workspace}/notes.md`);
  const second = await run("--replay-model", "tape.jsonl", "--record", "again.jsonl");
  assert.equal(second.code, 0, second.stderr);
  assert.equal(pryx.server.requests.length, asked);
  assert.match(await pryx.read("notes.md"), /^a,b\|hi\|ONE\|2\|piped\|true\n/);
  assert.match(await pryx.read("again.jsonl"), /^\{"kind":"model",/m);
});

Deno.test("recordings and flags that do not go together are refused before anything runs", async () => {
  await using pryx = await builtPryx();
  await pryx.write("job.pryx.ts", "console.log(1);");
  await pryx.write("note.txt", "precious");
  const cases: [string[], number, RegExp][] = [
    [["--replay", "a", "--replay-model", "b", "job.pryx.ts"], 2, /exclude each other/],
    [["--replay", "a", "--record", "b", "job.pryx.ts"], 2, /exclude each other/],
    [["--record", "a", "--replay-model", "a", "job.pryx.ts"], 2, /would write over/],
    [["--replay", "a", "do something"], 2, /for automations/],
    [["--replay", "none.jsonl", "job.pryx.ts"], 1, /no such file/],
    [["--replay", "note.txt", "job.pryx.ts"], 2, /not JSON/],
    [["--record", "note.txt", "job.pryx.ts"], 1, /is not a cassette/],
  ];
  for (const [args, code, message] of cases) {
    const ended = await pryx.run(["run", ...args]);
    assert.equal(ended.code, code, `${args.join(" ")}: ${ended.stderr}`);
    assert.match(ended.stderr, message);
    assert.equal(ended.stdout, "");
  }
  assert.equal(await pryx.read("note.txt"), "precious");
});
