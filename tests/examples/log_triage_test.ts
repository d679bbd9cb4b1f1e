import assert from "node:assert/strict";
import { builtPryx, withModel } from "../support/built_pryx.ts";
import { runExample, withExamples } from "./_project.ts";

Deno.test("log_triage --offline groups lines by shape, from a file and from standard input", async () => {
  await using pryx = await builtPryx();
  await withExamples(pryx);
  const { code, stdout, stderr } = await runExample(pryx, "log_triage", ["data/app.log", "--offline"]);
  assert.equal(code, 1, stderr);
  assert.match(stdout, /15 lines of 8 shapes/);
  assert.match(
    stdout,
    /HIGH {2}3× {2}ERROR order <number> of <mail> was not saved: no connection\n {4}first in line 6/,
  );
  const fine = await runExample(pryx, "log_triage", ["--offline"], { stdin: "INFO all is well\n" });
  assert.equal(fine.code, 0, fine.stderr);
  assert.equal((await runExample(pryx, "log_triage", ["--offline"], { stdin: "" })).code, 2);
});

Deno.test("log_triage asks the agent about shapes alone, and ends by the severity that it found", async () => {
  const finding = (shape: number, severity: string) => ({
    shape,
    severity,
    cause: "the pool is too small",
    next: "its size",
  });
  const findings = [finding(1, "critical"), finding(2, "high"), finding(3, "low"), finding(4, "medium")];
  await using pryx = await withModel([{ text: JSON.stringify({ findings }) }], { repeat: true });
  await withExamples(pryx);
  const args = ["data/app.log", "--fail-on", "critical", "--json"];
  const { code, stdout, stderr } = await runExample(pryx, "log_triage", args);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /1 of 4 shapes are critical or worse/);
  const report = JSON.parse(stdout);
  assert.deepEqual(report.map(({ severity }: { severity: string }) => severity), [
    "critical",
    "high",
    "medium",
    "low",
  ]);
  assert.equal(report[0].cause, "the pool is too small");
  assert.equal((await runExample(pryx, "log_triage", ["data/app.log", "--fail-on", "never"])).code, 0);

  const sent = JSON.stringify(pryx.server.requests.map(({ body }) => body));
  assert.match(sent, /connect to <url> failed/);
  for (const value of ["hunter2", "ann@example.org", "5512"]) assert.ok(!sent.includes(value), value);
});
