import assert from "node:assert/strict";
import { builtPryx } from "../support/built_pryx.ts";

Deno.test("eval keeps state from input to input, and prints values as they come", async () => {
  await using pryx = await builtPryx();
  await pryx.write("a.txt", "hello");
  const { code, stdout, stderr } = await pryx.run([
    "eval",
    "const text: string = await fs.read('a.txt')",
    "text.length",
    "console.log('said'); _ * 2",
    "(await fs.list('.')).map(({ name }) => name)",
  ]);
  assert.equal(stderr, "");
  assert.equal(code, 0);
  assert.equal(stdout, "5\nsaid\n10\n[ 'a.txt' ]\n");
});

Deno.test("eval reads inputs of several lines from standard input", async () => {
  await using pryx = await builtPryx();
  const stdin =
    "function twice(n: number) {\n  return n * 2;\n}\n\n// a comment\ntwice(4)\n{\n  a: `x\ny`\n}\n";
  const { code, stdout } = await pryx.run(["eval"], { stdin });
  assert.equal(code, 0);
  assert.equal(stdout, "8\n{ a: 'x\\ny' }\n");
});

Deno.test("eval is held by policy, and names the flags that would have done it", async () => {
  await using pryx = await builtPryx();
  const denied = await pryx.run(["eval", "await fs.write('a.txt', 'x')"]);
  assert.equal(denied.code, 3);
  assert.match(denied.stderr, /--allow '?write=.*a\.txt'?\n/);
  assert.doesNotMatch(denied.stderr, /\*\*/);
  const allowed = await pryx.run(["eval", "await fs.write('a.txt', 'x')", "--allow", "write=a.txt"]);
  assert.equal(allowed.code, 0, allowed.stderr);
  assert.equal(await pryx.read("a.txt"), "x");
  const sealed = await pryx.run(["eval", "[typeof Deno, typeof process, typeof fetch]"]);
  assert.equal(sealed.stdout, "[ 'undefined', 'undefined', 'undefined' ]\n");
});

Deno.test("eval --json gives every result and what was printed, also before an error", async () => {
  await using pryx = await builtPryx();
  const { code, stdout } = await pryx.run(["eval", "--json", "console.log('said'); 1", "\n  null.x", "2"]);
  assert.equal(code, 1);
  const { results, printed } = JSON.parse(stdout);
  assert.equal(printed, "said\n");
  assert.deepEqual(results[0], { text: "1", type: "number" });
  assert.match(results[1].error.text, /^TypeError: .*\n {4}at >2:8$/);
  assert.equal(results.length, 2);
});

Deno.test("eval ends what never ends: at its time limit, and on an interrupt", async () => {
  await using pryx = await builtPryx();
  const late = await pryx.run(["eval", "--timeout", "1s", "for (;;);"]);
  assert.equal(late.code, 124, late.stderr);
  await using waiting = pryx.start(["eval", "console.log('waits'); await new Promise(() => {})"]);
  await waiting.printed("waits");
  waiting.kill("SIGINT");
  assert.equal((await waiting.finished()).code, 130);
});
