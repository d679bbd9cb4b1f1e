import assert from "node:assert/strict";
import { builtPryx } from "../support/built_pryx.ts";

const TESTS = `import { assert, sh, test } from "pryx";
export const permissions = { run: ["printf"] };
test("adds", () => assert.equal(1 + 1, 2));
test("runs a command", async () => assert.equal(await sh\`printf hi\`.text(), "hi"));
test("is denied what it does not declare", async () => {
  await assert.rejects(sh\`ls\`.text(), "denied");
});
`;
const BROKEN = `import { assert, test } from "pryx";
test("is wrong", () => {
  console.log("on the way");
  assert.equal([1, 2], [1, 3]);
});
test("is right", () => {});
`;
const JOB = `import { args, sh } from "pryx";
export const permissions = { run: ["printf"] };
console.log("said", await sh\`printf %s \${args.positional[0] ?? "x"}\`.text());
`;

type Report = {
  passed: number;
  failed: number;
  tests: { file: string; name: string; status: string; error?: string }[];
};

Deno.test("test runs files of tests and recordings, and says what failed and where", async () => {
  await using pryx = await builtPryx();
  await pryx.write("pryx.lock", "");
  await pryx.write("good.test.pryx.ts", TESTS);
  await pryx.write("bad.test.pryx.ts", BROKEN);
  await pryx.write("job.pryx.ts", JOB);
  const allow = ["--allow", "run=printf"];
  const recorded = await pryx.run([
    "run",
    ...allow,
    "--record",
    "job.one.cassette.jsonl",
    "job.pryx.ts",
    "word",
  ]);
  assert.equal(recorded.code, 0, recorded.stderr);

  const { code, stdout, stderr } = await pryx.run(["test", ...allow]);
  assert.equal(code, 1, stderr);
  assert.match(
    stdout,
    /^FAILED {2}bad\.test\.pryx\.ts: is wrong\n {2}AssertionError: The values are not equal/,
  );
  assert.match(stdout, /at .*bad\.test\.pryx\.ts:4:\d+/);
  assert.match(stdout, /It printed:\n {4}on the way/);
  assert.match(stdout, /\n5 passed, 1 failed \(3 files, [\d.]+ s\)\n$/);
  assert.match(stderr, /✓ job\.one\.cassette\.jsonl {2}1 passed/);

  const json = await pryx.run(["test", ...allow, "--json", "--filter", "is "]);
  assert.equal(json.code, 1);
  const report = JSON.parse(json.stdout) as Report;
  assert.deepEqual(
    report.tests.map(({ file, name, status }) => `${file} ${name}: ${status}`),
    [
      "bad.test.pryx.ts is wrong: failed",
      "bad.test.pryx.ts is right: passed",
      "good.test.pryx.ts is denied what it does not declare: passed",
    ],
  );
  const denied = await pryx.run(["test", "good.test.pryx.ts"]);
  assert.equal(denied.code, 1);
  assert.match(denied.stdout, /runs a command[\s\S]*Denied/);
});

Deno.test("test compares what a recorded automation asks for, prints and ends with; --update keeps what it prints", async () => {
  await using pryx = await builtPryx();
  await pryx.write("pryx.lock", "");
  await pryx.write("job.pryx.ts", JOB);
  await pryx.run(["run", "--allow", "run=printf", "--record", "job.cassette.jsonl", "job.pryx.ts"]);
  const test = (...args: string[]) => pryx.run(["test", ...args]);
  assert.equal((await test()).code, 0);

  await pryx.write("job.pryx.ts", JOB.replace('"said"', '"says"'));
  const printed = await test();
  assert.equal(printed.code, 1);
  assert.match(
    printed.stdout,
    /something else \(line 1 of standard output\)\n.*- recorded: "said x"\n.*\+ now: {6}"says x"/,
  );
  const updated = await test("--update");
  assert.equal(updated.code, 0);
  assert.match(updated.stdout, /1 updated/);
  assert.match((await test()).stdout, /^1 passed, 0 failed \(/);

  await pryx.write("job.pryx.ts", JOB.replace("%s", "%q"));
  const before = await pryx.read("job.cassette.jsonl");
  const asked = await test("--update");
  assert.equal(asked.code, 1);
  assert.match(
    asked.stdout,
    /- recorded: sh: printf %s x\n.*\+ now: {6}sh: printf %q x\n.*at .*job\.pryx\.ts:3:\d+/,
  );
  assert.equal(await pryx.read("job.cassette.jsonl"), before);
});

Deno.test("test says what is wrong with a file instead of leaving it out, and exits 2 where there is none", async () => {
  await using pryx = await builtPryx();
  await pryx.write("pryx.lock", "");
  const none = await pryx.run(["test"]);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /There is no test here/);
  for (const path of ["nowhere", "pryx.lock"]) assert.equal((await pryx.run(["test", path])).code, 2);

  await pryx.write("syntax.test.pryx.ts", "const = 1;");
  await pryx.write("empty.test.pryx.ts", "export {};");
  await pryx.write("throws.test.pryx.ts", 'throw new Error("at once");');
  await pryx.write(
    "orphan.cassette.jsonl",
    `{"v":1,"type":"cassette","createdAt":"2026-01-01T00:00:00Z"}
{"kind":"automation","file":"gone.pryx.ts","graph":"0","api":1,"args":[],"now":"2026-01-01T00:00:00Z","seed":"x"}
`,
  );
  await pryx.write("agent.cassette.jsonl", '{"v":1,"type":"cassette","createdAt":"2026-01-01T00:00:00Z"}\n');
  const { code, stdout } = await pryx.run(["test", "--json"]);
  assert.equal(code, 1);
  const errors = (JSON.parse(stdout) as Report).tests.map(({ file, error = "" }) =>
    `${file}: ${error.split("\n")[0]}`
  );
  assert.equal(errors.length, 4);
  assert.match(errors[0] ?? "", /^empty.*registers no test/);
  assert.match(errors[1] ?? "", /^orphan.*recording of gone\.pryx\.ts, which is not beside it/);
  assert.match(errors[2] ?? "", /^syntax.*Cannot run syntax\.test\.pryx\.ts/);
  assert.match(errors[3] ?? "", /^throws.*at once/);
});
