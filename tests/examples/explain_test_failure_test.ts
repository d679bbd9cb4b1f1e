import assert from "node:assert/strict";
import { withModel } from "../support/built_pryx.ts";
import { runExample, withExamples } from "./_project.ts";

const SUM = "total() {\n  echo $(( $1 - $2 ))\n}\n";
const TEST =
  '. ./sum.sh\n[ "$(total 1 2)" = 3 ] || { echo "FAILED: total 1 2 is $(total 1 2)" >&2; exit 1; }\necho passed\n';

Deno.test("explain_test_failure has the agent read the source, and names file and line", async () => {
  const failures = [
    { test: "total 1 2", file: "sum.sh", line: 2, cause: "it subtracts", fix: "write + instead of -" },
    { test: "total 1 2", file: "sum.sh", line: 99, cause: "made up", fix: "none" },
  ];
  await using pryx = await withModel([
    { calls: [{ name: "read_file", args: { path: "sum.sh" } }] },
    { text: JSON.stringify({ summary: "The sum is a difference.", failures }) },
  ]);
  await withExamples(pryx);
  await pryx.write("sum.sh", SUM);
  await pryx.write("test.sh", TEST);
  const { code, stdout, stderr } = await runExample(pryx, "explain_test_failure", ["--", "sh", "test.sh"]);
  assert.equal(code, 1, stderr);
  assert.match(
    stdout,
    /^The sum is a difference\.\n\nsum\.sh:2: total 1 2\n {2}why: it subtracts\n {2}fix: write \+ instead of -\n/,
  );
  assert.match(stdout, /sum\.sh:99 \(there is no such line\)/);
  const [first, second] = pryx.server.requests.map(({ body }) => body);
  assert.match(JSON.stringify(first.messages), /FAILED: total 1 2 is -1/);
  assert.match(JSON.stringify(second.messages.at(-1)), /echo \$\(\(/);
  const offered = first.tools.map((tool: { function: { name: string } }) => tool.function.name).sort();
  assert.deepEqual(offered, ["glob", "grep", "list_dir", "read_file"]);
});

Deno.test("explain_test_failure ends 0 when the tests pass, asks nobody, and runs no other command", async () => {
  await using pryx = await withModel([]);
  await withExamples(pryx);
  await pryx.write("sum.sh", SUM.replace("-", "+"));
  await pryx.write("test.sh", TEST);
  const passed = await runExample(pryx, "explain_test_failure", ["--", "sh", "test.sh"]);
  assert.equal(passed.code, 0, passed.stderr);
  assert.match(passed.stderr, /sh test\.sh passed in/);
  const other = await runExample(pryx, "explain_test_failure", ["--", "sh", "other.sh"]);
  assert.equal(other.code, 3, other.stderr);
  const unknown = await runExample(pryx, "explain_test_failure");
  assert.equal(unknown.code, 2, unknown.stderr);
  assert.equal(pryx.server.requests.length, 0);
});
