import assert from "node:assert/strict";
import { join } from "node:path";
import { PROGRAM, withModel } from "../support/built_pryx.ts";
import { NOTHING_HOLDS } from "../support/kernel_layers.ts";

/** Deno itself writes down every access that a program asks for; a compiled program has no such log. */
const ignore = NOTHING_HOLDS || (await Deno.readFile(PROGRAM)).length > 100_000;

Deno.test("pryx speaks to the configured provider and to nobody else", { ignore }, async () => {
  await using pryx = await withModel([
    {
      calls: [{ name: "shell", args: { command: "echo hi" } }, {
        name: "read_file",
        args: { path: "a.txt" },
      }],
    },
    { text: "done" },
  ]);
  await pryx.write("a.txt", "a\n");
  const file = join(pryx.home, "access.jsonl");
  const hosts = async (...args: string[]) => {
    await Deno.remove(file).catch(() => {});
    const { code, stderr } = await pryx.run(args, { env: { DENO_AUDIT_PERMISSIONS: file } });
    assert.equal(code, 0, stderr);
    const lines = (await Deno.readTextFile(file)).trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.ok(lines.some((line) => line.permission === "read"), "the log is there");
    return [...new Set(lines.filter((line) => line.permission === "net").map((line) => String(line.value)))];
  };
  const seen = await hosts("run", "do it", "--allow", "run=echo");
  assert.deepEqual(seen, [`${pryx.server.url}/chat/completions`]);
  for (
    const args of [["tour"], ["sessions", "list"], ["audit", "verify"], ["config", "get", "model"], [
      "--help",
    ]]
  ) {
    assert.deepEqual(await hosts(...args), [], args.join(" "));
  }
});
