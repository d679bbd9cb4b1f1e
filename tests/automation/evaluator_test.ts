import assert from "node:assert/strict";
import { join } from "node:path";
import type { Cell, Sandbox } from "../../core/sandbox/sandbox.ts";
import { foldSession } from "../../core/domain/session.ts";
import { testEvaluator } from "./_evaluator.ts";

Deno.test("evaluate() keeps state, waits for promises, and keeps the last value and the last error", async () => {
  await using prompt = await testEvaluator();
  const { see } = prompt;
  assert.equal(
    await see("const a: number = 20; function twice(x: number) { return x * factor }"),
    "undefined",
  );
  assert.equal(await see("let factor = 2"), "undefined");
  assert.equal(await see("twice(a) // forty"), "40");
  assert.equal(await see("_ + 2"), "42");
  assert.equal(await see("factor = 3; twice(a)"), "60");
  assert.equal(await see("const a = 'again'; a"), "'again'");
  assert.equal(await see("{ a, b: [await Promise.resolve(1)] }"), "{ a: 'again', b: [ 1 ] }");
  assert.equal(await see("new Promise((resolve) => setTimeout(() => resolve(7), 1))"), "7");
  assert.equal(await see("class Point { constructor(public x = 1) {} }; new Point()"), "Point { x: 1 }");
  assert.equal(await see("throw new RangeError('no')"), "RangeError: no\n    at >1:7");
  assert.equal(await see("_error.message"), "'no'");
  assert.equal(await see("const _ = 'mine'; 5"), "5");
  assert.equal(await see("_"), "'mine'");
  assert.equal(await see("const $ = 1; $ + 1"), "2");
  assert.equal(await see("const fn = () => {}; fn.name"), "'fn'");
  assert.equal(await see("// nothing"), "empty");
  assert.equal(await see("if (a) {"), "incomplete");
});

Deno.test("evaluate() says where in what was typed an error is, also in what was typed before", async () => {
  await using prompt = await testEvaluator();
  const { see } = prompt;
  assert.equal(
    await see("const value: unknown = null as unknown;\n(value as { x: number }).x"),
    "TypeError: Cannot read properties of null (reading 'x')\n    at >2:26",
  );
  await see("function fail(why: string): never { throw new Error(why) }");
  await see("1");
  assert.equal(await see("  fail('x')"), "Error: x\n    at fail (>1:43, 2 inputs before)\n    at >1:3");
  const failed = await prompt.evaluator.evaluate("let x = 1;\nlet y = );");
  assert.equal(failed.kind, "error");
  assert.deepEqual(failed.kind === "error" && failed.place, { line: 2, column: 9 });
});

Deno.test("evaluate() has all of the API, with and without an import, under policy", async () => {
  await using prompt = await testEvaluator({ preset: "read-only" });
  const { see, workspace } = prompt;
  await Deno.writeTextFile(join(workspace, "a.txt"), "hello");
  assert.equal(await see('await fs.read("a.txt")'), "'hello'");
  assert.equal(
    await see('import { fs as files, type Json } from "pryx"; (await files.read("a.txt")).length'),
    "5",
  );
  assert.equal(
    await see('import { nothing } from "pryx"'),
    'SyntaxError: "pryx" has no export "nothing"\n    at >1:1',
  );
  assert.match(
    await see('import x from "./x.ts"'),
    /^SyntaxError: Only pryx can be imported here\n {4}at >1:1$/,
  );
  const denied = await prompt.evaluator.evaluate('await fs.write("a.txt", "x")');
  assert.equal(denied.kind === "error" && denied.error.code, "denied");
  assert.deepEqual(prompt.evaluator.unanswered().unapproved, [`write=${workspace}/a.txt`]);
  assert.equal(await Deno.readTextFile(join(workspace, "a.txt")), "hello");
  await see('console.log("out", { a: 1 }); console.error("err")');
  assert.deepEqual(prompt.said, ["stdout: out { a: 1 }\n", "stderr: err\n"]);
  await prompt.evaluator.close();
  const { lastTurn } = foldSession(prompt.evaluator.session, prompt.store.events(prompt.evaluator.session));
  assert.equal(lastTurn?.end.status, "done");
  assert.equal(lastTurn?.end.text, "out { a: 1 }\n");
  assert.equal(prompt.events(prompt.evaluator.session, "input")[0]?.data.principal, "human");
});

Deno.test("evaluate() stays within a mandate where there is one", async () => {
  await using prompt = await testEvaluator({ preset: "workspace" }, {
    mandate: { automation: "note", graph: "c".repeat(64), needs: [{ kind: "read", pattern: "." }] },
  });
  const refused = await prompt.see('await fs.write("a.txt", "x")');
  assert.match(refused, /note does not declare it in its permissions/);
});

Deno.test("an interruption ends what is waited for and keeps the state", async () => {
  await using prompt = await testEvaluator({ preset: "dangerously-full" });
  const { interrupt, see } = prompt;
  await see("const kept = 5; const mine = signal");
  for (const text of ["await new Promise(() => {})", "await sh`sleep 1000`", "await sleep(1e8)"]) {
    const { name, stateLost, text: said } = await interrupt(`console.log("waits"); ${text}`);
    assert.deepEqual([name, stateLost, said], ["PryxError", undefined, "Interrupted"]);
  }
  assert.equal(await see("[kept, mine.aborted, signal.aborted]"), "[ 5, true, false ]");
  assert.equal(await see("(await sh`echo works`.text()).trim()"), "'works'");
});

Deno.test("what does not give way loses its process, says so, and leaves a prompt that works", async () => {
  await using prompt = await testEvaluator();
  const { evaluator, interrupt, see } = prompt;
  await see("const gone = 1");
  const going = interrupt("console.log('spins'); await null; for (;;);");
  const names = evaluator.complete("conso");
  const ended = await going;
  assert.equal(ended.stateLost, true);
  assert.match(ended.text, /^Interrupted\. It did not give way, .* what was defined is gone$/);
  assert.ok(Array.isArray(await names));
  assert.equal(await see("typeof gone"), "'undefined'");
});

Deno.test("a process that dies is an error, and the next input gets a new one", async () => {
  const cells: Cell[] = [];
  await using prompt = await testEvaluator({
    sandbox: (real) =>
      Object.assign(Object.create(real) as Sandbox, {
        async cell() {
          const cell = await real.cell();
          cells.push(cell);
          return cell;
        },
      }),
  }, { say: () => cells[0]?.kill() });
  const dead = await prompt.evaluator.evaluate(
    "const gone = 1; console.log('here'); await new Promise(() => {})",
  );
  assert.ok(dead.kind === "error" && dead.stateLost, JSON.stringify(dead));
  assert.match(dead.text, /^The process of shell ended \(SIGKILL\)/);
  assert.equal(await prompt.see("typeof gone"), "'undefined'");
  assert.equal(cells.length, 2);
});

Deno.test("what fails with nobody to catch it is said, and ends nothing", async () => {
  await using prompt = await testEvaluator();
  const { see, said } = prompt;
  await see("setTimeout(() => { throw new Error('late') }, 1); await sleep(20)");
  assert.match(said.join(""), /^stderr: Uncaught Error: late/);
  assert.equal(await see("1"), "1");
  assert.deepEqual(await prompt.evaluator.evaluate("exit(3)"), { kind: "exit", code: 3 });
  assert.equal(await see("2"), "2");
});

Deno.test("complete() gives members without running anything", async () => {
  await using prompt = await testEvaluator();
  const { evaluator, see } = prompt;
  await see(
    "const box = { leaf: 1, 'no name': 2, get bomb() { globalThis.ran = true; return { x: 1 } }, list: [{ deep: 1 }] }",
  );
  assert.deepEqual(await evaluator.complete("1 + box."), ["leaf", "bomb", "list"]);
  assert.deepEqual(await evaluator.complete("box.l"), ["leaf", "list"]);
  assert.deepEqual(await evaluator.complete("box?.list[0].d"), ["deep"]);
  assert.deepEqual(await evaluator.complete("`a ${box.le"), ["leaf"]);
  for (const nothing of ["box.bomb.", "f().", "'box.", "// box.", "`box.", "1.", "box.bomb().x"]) {
    assert.deepEqual(await evaluator.complete(nothing), [], nothing);
  }
  assert.equal(await see("typeof ran"), "'undefined'");
  assert.deepEqual(await evaluator.complete("bo"), ["box"]);
  assert.ok((await evaluator.complete("await fs.re")).includes("read"));
  const all = await evaluator.complete("");
  assert.ok(["sh", "fs", "agent", "console", "Math"].every((name) => all.includes(name)));
  assert.ok(!all.includes("const"));
});

Deno.test("values of any shape are shown and none harms the host", async () => {
  await using prompt = await testEvaluator();
  const { see } = prompt;
  for (
    const text of [
      "({ get x() { throw 1 } })",
      "new Proxy({}, { ownKeys() { throw new Error('trap') } })",
      "const loop = {}; loop.loop = loop; loop",
      "'x'.repeat(5e6)",
      "10n ** 100n",
      "Symbol('s')",
      "({ toJSON() { return 'lie' } })",
      "Object.prototype.text = 1; JSON.stringify = () => 'x'; Promise.prototype.then = null; 1",
      "Object.create(null)",
      "throw null",
      "throw { get message() { throw 1 } }",
    ]
  ) await see(text);
  assert.equal(await see("1 + 1"), "2");
});
