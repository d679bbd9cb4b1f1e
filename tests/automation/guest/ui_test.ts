import assert from "node:assert/strict";
import { createGuest, here } from "./_guest.ts";

Deno.test("ui asks, and takes only answers that there are", async () => {
  const answers: string[] = [];
  const { api: { ui }, asked } = createGuest(() => answers.shift());
  answers.push("yes", "NO", "maybe", "text", "b", "c", '["b","a"]', "b, a", "[]");
  assert.equal(await ui.confirm("go", "Go on?", { default: false }), true);
  assert.equal(await ui.confirm("go"), false);
  await assert.rejects(() => ui.confirm("go"), { code: "input_invalid" });
  assert.equal(await ui.input("name", undefined, { default: "x" }), "text");
  assert.equal(await ui.select("kind", ["a", "b"], { question: "Which?", default: "a" }), "b");
  await assert.rejects(() => ui.select("kind", ["a", "b"]), { message: /'c' is no answer.*one of a, b/ });
  assert.deepEqual(here(await ui.multiselect("kinds", ["a", "b", "c"], { default: ["c"] })), ["a", "b"]);
  assert.deepEqual(here(await ui.multiselect("kinds", ["a", "b", "c"])), ["a", "b"]);
  assert.deepEqual(here(await ui.multiselect("kinds", ["a", "b", "c"])), []);
  assert.deepEqual([0, 1, 3, 4, 6].map((at) => asked[at]?.params), [
    { name: "go", kind: "confirm", text: "Go on?", default: "no" },
    { name: "go", kind: "confirm", text: "go" },
    { name: "name", kind: "input", text: "name", default: "x" },
    { name: "kind", kind: "select", text: "Which?", choices: ["a", "b"], default: "a" },
    { name: "kinds", kind: "multiselect", text: "kinds", choices: ["a", "b", "c"], default: '["c"]' },
  ]);
  for (const name of ["", "a=b", "a b", "1"]) {
    await assert.rejects(() => ui.confirm(name), { name: "TypeError" });
  }
  await assert.rejects(() => ui.select("a", []), { name: "TypeError" });
  await assert.rejects(() => ui.select("a", ["x", "x"]), { name: "TypeError" });
});

Deno.test("ui.table() aligns whatever is in its cells", () => {
  const { api: { ui }, said } = createGuest();
  ui.table([
    { name: "漢字", size: 5, note: "a\nb\x1b[31m" },
    { name: "e\u0301🎉", size: 1234, extra: { a: 1 } },
    { name: null, size: undefined },
  ]);
  assert.deepEqual(said.join("").split("\n"), [
    "stdout: name  size  note     extra",
    "────  ────  ───────  ────────",
    "漢字     5  a b[31m",
    "e\u0301🎉   1234           { a: 1 }",
    "",
    "",
  ]);
  ui.table([{ a: 1, b: 2 }], ["b"]);
  assert.equal(said[1], "stdout: b\n─\n2\n");
  ui.table([]);
  assert.equal(said.length, 2);
});

Deno.test("ui.progress() says little, and always the end", () => {
  const { api: { ui }, asked } = createGuest();
  const progress = ui.progress("Files", 1000);
  for (let i = 0; i < 1000; i++) progress.update();
  progress.end();
  progress[Symbol.dispose]();
  progress.update();
  const shown = asked.map(({ params }) => params);
  assert.ok(shown.length < 50);
  assert.deepEqual(shown[0], { label: "Files", done: 0, total: 1000 });
  assert.deepEqual(shown.slice(-2), [{ label: "Files", done: 1000, total: 1000 }, null]);
});

Deno.test("log never fails, whatever it is given", () => {
  const { api: { log, ui }, asked } = createGuest(({ refuse }) => refuse("io"));
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  log.info("plain");
  log.warn("data", { a: 1 });
  log.error("cyclic", cyclic);
  log.debug(1 as unknown as string, 10n);
  ui.markdown("# Title");
  assert.deepEqual(
    asked.map(({ method, params }) => [method, params.level, params.text, typeof params.data]),
    [
      ["log", "info", "plain", "undefined"],
      ["log", "warn", "data", "object"],
      ["log", "error", "cyclic", "string"],
      ["log", "debug", "1", "string"],
      ["markdown", undefined, "# Title", "undefined"],
    ],
  );
});
