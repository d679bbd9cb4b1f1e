import assert from "node:assert/strict";
import fc from "fast-check";
import { prepareEvaluation } from "../../core/automation/_evaluation.ts";
import { completionTarget } from "../../core/automation/_completion.ts";
import { createGuest } from "./_guest.ts";

/** Evaluates inputs one after another in a context of this process; the text of each value. */
async function evaluateAll(inputs: readonly string[]): Promise<string[]> {
  const guest = createGuest();
  guest.entry.start(JSON.stringify({ entry: "", args: [], workspace: "/" }));
  const texts: string[] = [];
  for (const input of inputs) {
    const prepared = prepareEvaluation(input);
    if (prepared.kind !== "code") {
      texts.push(prepared.kind);
      continue;
    }
    const answered = new Promise<string>((resolve) => {
      guest.answer = (message) => {
        if (message.t !== "reply") return;
        resolve(message.ok ? (message.value as { text: string }).text : `${message.error.name}`);
      };
    });
    const params = { code: prepared.code };
    guest.entry.receive(JSON.stringify({ t: "call", id: 1, name: "evaluate", params }));
    texts.push(await answered);
  }
  return texts;
}

const KINDS: readonly (readonly [typed: string, kind: string])[] = [
  ["", "empty"],
  [" \n // nothing", "empty"],
  ["1", "code"],
  ["{", "incomplete"],
  ["{ a: 1", "incomplete"],
  ["function f() {", "incomplete"],
  ["class A {\n x: number", "incomplete"],
  ["`open ${1", "incomplete"],
  ["`open", "incomplete"],
  ["/* open", "incomplete"],
  ["fs.", "incomplete"],
  ["1 +", "incomplete"],
  ["if (x)", "incomplete"],
  ["const", "incomplete"],
  ["[1,\n2,", "incomplete"],
  ["interface A {", "incomplete"],
  ["'open", "problem"],
  ["1 2", "problem"],
  ["(]", "problem"],
  ["x = )", "problem"],
  ["return 1", "problem"],
  ["import a from './a.ts'", "problem"],
  ["await import('x')", "problem"],
  ["import.meta", "problem"],
  ["namespace A { export const x = 1 }", "problem"],
  ["using a = b", "problem"],
];

Deno.test("prepareEvaluation() tells what goes on in a next line from what is wrong", () => {
  for (const [typed, kind] of KINDS) assert.equal(prepareEvaluation(typed).kind, kind, typed);
});

const VALUES: readonly (readonly [inputs: readonly string[], value: string])[] = [
  [["1 + 1;"], "2"],
  [["1; 2 // three"], "2"],
  [["5;;"], "5"],
  [["{ a: 1 }"], "{ a: 1 }"],
  [["{ a: 1 };"], "1"],
  [["{ a: 1 }.a"], "1"],
  [["{}"], "{}"],
  [["`a${1}`"], "'a1'"],
  [["(x => x + 1)(2)"], "3"],
  [["await Promise.resolve(3)"], "3"],
  [["Promise.resolve(3)"], "3"],
  [["let x = 1", "x++", "x"], "2"],
  [["let x", "x"], "undefined"],
  [["let x\n[x] = [4]", "x"], "4"],
  [["const f = () => {}\n(1)", "typeof f"], "'function'"],
  [["foo\nfunction foo() {}\n(1)"], "1"],
  [["const { a, b: [c = 2], ...rest } = { a: 1, b: [], d: 3 }", "[a, c, rest]"], "[ 1, 2, { d: 3 } ]"],
  [["const [a, { b }] = await Promise.resolve([1, { b: 2 }]), c = 3", "a + b + c"], "6"],
  [["var v = 1; var v", "v"], "1"],
  [["for (var i = 0; i < 3; i++) { var last = i }", "[i, last]"], "[ 3, 2 ]"],
  [["for (const k of [1]) var seen = k", "seen"], "1"],
  [["for (var key in { z: 1 }) ;", "key"], "'z'"],
  [["if (false) { var never = 1 }", "never"], "undefined"],
  [["if (1) 'yes'; else 'no'"], "'yes'"],
  [["try { null.x } catch { 'caught' }"], "'caught'"],
  [["{ const inner = 1; inner + 1 }"], "2"],
  [["f(2); function f(n) { return n * 2 }"], "undefined"],
  [["later(2)\nfunction later(n) { return n * 2 }", "later(4)"], "8"],
  [["f(2)\nasync function* f(n) { yield n }", "(await f(1).next()).value"], "1"],
  [[
    "function rec(n) { return n && rec(n - 1) }",
    "const old = rec; function rec() { return 'new' }",
    "old(1)",
  ], "'new'"],
  [["class A { static n = 1 }", "class B extends A {}", "B.n"], "1"],
  [["class A {}", "class A { x = 1 }", "new A().x"], "1"],
  [["enum Color { Red, Green }", "Color.Green"], "1"],
  [["const n: number = '5' as unknown as number", "typeof n"], "'string'"],
  [["type T = { a: 1 }; interface U {}; declare const z: T", "typeof z"], "'undefined'"],
  [["function id<T>(value: T): T { return value!; }", "id<string>('a')"], "'a'"],
  [["class P { constructor(private readonly q = 3) {} }", "new P().q"], "3"],
  [["const make = function () {}; class K {}; [make.name, (() => {}).name, K.name]"], "[ 'make', '', 'K' ]"],
  [["export const kept = 1; export default kept + 1"], "2"],
  [["import { PryxError as E, type Json } from 'pryx'", "E.name"], "'PryxError'"],
  [["import * as all from 'pryx'; typeof all.fs.read"], "'function'"],
  [["typeof sh + typeof fs.read + typeof workspace"], "'functionfunctionstring'"],
  [["const fs = 1", "fs"], "1"],
  [["const $ = 1, _x = 2", "$ + _x"], "3"],
  [["x = 5", "delete x", "typeof x"], "'undefined'"],
  [["7", "_ * 2", "_ * 2"], "28"],
  [["7", "const a = 1", "_"], "7"],
  [["let n = 1; const get = () => n", "n = 2", "get()"], "2"],
  [["missing"], "ReferenceError"],
  [["label: for (;;) { break label }"], "undefined"],
  [["for await (const x of [Promise.resolve(1)]) globalThis.got = x", "got"], "1"],
  [["'use strict'"], "'use strict'"],
];

Deno.test("what is evaluated gives what it gives in a REPL", async () => {
  for (const [inputs, value] of VALUES) {
    assert.equal((await evaluateAll(inputs)).at(-1), value, inputs.join(" ⏎ "));
  }
});

const name = fc.constantFrom("a", "b", "$", "_c", "été", "of", "async", "get", "fs", "undefined_");
const value = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.array(fc.integer(), { maxLength: 3 }));
const declared = fc.tuple(
  name,
  value,
  fc.constantFrom("const", "let", "var", "{}", "[]", "function", "class"),
);

Deno.test("whatever is declared, however often, is there in every later input", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(declared, { minLength: 1, maxLength: 8 }), async (declarations) => {
      const expected = new Map<string, string>();
      const inputs = declarations.map(([name, value, how]) => {
        const json = JSON.stringify(value);
        expected.set(name, json);
        if (how === "{}") return `const { x: ${name} } = { x: ${json} }`;
        if (how === "[]") return `let [, ${name} = ${json}] = []`;
        if (how === "function") return `function ${name}() {}; ${name} = (() => (${json}))()`;
        if (how === "class") return `class ${name} { static v = ${json} }; ${name} = ${name}.v`;
        return `${how} ${name} = ${json};`;
      });
      const names = [...expected.keys()];
      const all = await evaluateAll([
        ...inputs,
        `JSON.stringify([${names.join()}]) === ${JSON.stringify(`[${[...expected.values()].join()}]`)}`,
      ]);
      assert.equal(all.at(-1), "true", inputs.join("\n"));
    }),
    { numRuns: 40 },
  );
});

Deno.test("prepareEvaluation() leads places of its code back to what was typed", () => {
  const typed =
    "function f<T>(value: T): never {\n  throw value as T;\n}\nconst a: number = 1, mark = 2; { mark }";
  const prepared = prepareEvaluation(typed);
  assert.ok(prepared.kind === "code");
  const { code, origin } = prepared;
  const placeOf = (text: string, word: string, from = 0) => {
    const before = text.slice(0, text.indexOf(word, from)).split("\n");
    return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  };
  for (const word of ["throw", "value", "mark = 2"]) {
    assert.deepEqual(origin(placeOf(code, word)), placeOf(typed, word), word);
  }
  // Of any place of any text: a place of what was typed.
  for (const place of [{ line: 1, column: 1 }, { line: 99, column: 1 }, { line: 1, column: 9_999 }]) {
    assert.ok(origin(place).line <= 4);
  }
});

Deno.test("prepareEvaluation() ends on what is made to take for ever", () => {
  const nested = "(".repeat(40) + "a: b" + ") => {}".repeat(40);
  assert.equal(prepareEvaluation(nested).kind, "problem");
  assert.equal(prepareEvaluation("[".repeat(20_000)).kind, "problem");
});

const TARGETS: readonly (readonly [text: string, path: readonly string[] | undefined, prefix?: string])[] = [
  ["", [], ""],
  ["fo", [], "fo"],
  ["a = fo", [], "fo"],
  ["fs.", ["fs"], ""],
  ["await fs . re", ["fs"], "re"],
  ["a?.b.c", ["a", "b"], "c"],
  ["a[0]['k'].c", ["a", "0", "k"], "c"],
  ["[...fs.re", ["fs"], "re"],
  ["[...a", [], "a"],
  ["`${a.b", ["a"], "b"],
  ["`${{ x: `${a.b", ["a"], "b"],
  ["'x'; a.b", ["a"], "b"],
  ["/* x */ a.b", ["a"], "b"],
  ["f().b", undefined],
  ["f(a).b.c", undefined],
  ["'a.b", undefined],
  ["`a.b", undefined],
  ["// a.b", undefined],
  ["/* a.b", undefined],
  ["1.", undefined],
  ["0x1f", undefined],
];

Deno.test("completionTarget() names what can be looked at without running anything", () => {
  for (const [text, path, prefix] of TARGETS) {
    assert.deepEqual(completionTarget(text), path && { path, prefix }, text);
  }
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."a.?[]'\"`${}/* \\\n0") }), (text) => {
    completionTarget(text);
  }));
});
