import assert from "node:assert/strict";
import { runGuest } from "./_guest.ts";

const shown: readonly (readonly [expression: string, text: string])[] = [
  ["'top'", "top"],
  ["['it\\'s', \"a\\\"b\"]", `[ "it's", 'a"b' ]`],
  ["[1, -0, 2n, null, undefined, true, Symbol('s')]", "[ 1, -0, 2n, null, undefined, true, Symbol(s) ]"],
  ["[, 1, , ,]", "[ <1 empty item>, 1, <2 empty items> ]"],
  ["{ a: 1, 'b-c': { d: [] } }", "{ a: 1, 'b-c': { d: [] } }"],
  [
    "{ get a() { throw 1 }, set b(x) {}, get c() {}, set c(x) {} }",
    "{ a: [Getter], b: [Setter], c: [Getter/Setter] }",
  ],
  ["new (class Point { x = 1 })()", "Point { x: 1 }"],
  ["Object.create(null)", "[Object: null prototype] {}"],
  [
    "[class A {}, class extends Array {}, function f() {}, () => {}]",
    "[ [class A], [class (anonymous)], [Function: f], [Function (anonymous)] ]",
  ],
  ["new Map([['a', { b: 1 }]])", "Map(1) { 'a' => { b: 1 } }"],
  ["new Set([1, [2]])", "Set(2) { 1, [ 2 ] }"],
  ["[new Date(0), new Date(NaN), /x/g]", "[ 1970-01-01T00:00:00.000Z, Invalid Date, /x/g ]"],
  ["new Uint8Array([1, 2])", "Uint8Array(2) [ 1, 2 ]"],
  ["new ArrayBuffer(3)", "ArrayBuffer { byteLength: 3 }"],
  ["(() => { const a = {}; a.self = a; return a })()", "{ self: [Circular] }"],
  ["{ a: { b: { c: { d: { e: { f: 1 } } } } } }", "{ a: { b: { c: { d: { e: [Object] } } } } }"],
  ["{ [Symbol('k')]: 1 }", "{ [Symbol(k)]: 1 }"],
  ["new URLSearchParams('a=1')", "URLSearchParams { a: '1' }"],
  ["new Proxy({}, { ownKeys() { throw 1 } })", "[not to be inspected]"],
  ["new Proxy({}, { getPrototypeOf() { throw 1 } })", "[not to be inspected]"],
];

Deno.test("console.log shows values as people read them", async () => {
  for (const [expression, text] of shown) {
    assert.equal(await runGuest(`console.log(${expression})`), `${text}\n`, expression);
  }
});

Deno.test("console.log puts what is long on lines of its own", async () => {
  const text = await runGuest("console.log({ first: 'x'.repeat(50), second: 'y'.repeat(50) })");
  assert.equal(text, `{\n  first: '${"x".repeat(50)}',\n  second: '${"y".repeat(50)}'\n}\n`);
});

Deno.test("console.log is bounded whatever it is given", async () => {
  const text = await runGuest(`
    console.log(Array.from({ length: 1e6 }, (_, at) => at));
    const wide = Array.from({ length: 100 }, () => Array.from({ length: 100 }, () => Array.from({ length: 100 }, () => "x".repeat(1000))));
    console.log(wide);
    let deep = {}; for (let at = 0; at < 1e5; at++) deep = { deep }; console.log(deep);
    console.log({ s: "y".repeat(1e6) });
  `);
  assert.match(text, /\.\.\. 999900 more items/);
  assert.ok(text.length < 6_000_000, String(text.length));
});

Deno.test("an error is shown with the user's own lines and its causes", async () => {
  const text = await runGuest(`function work() {
  throw new RangeError("too far", { cause: new Error("inner") });
}
try { work() } catch (error) { console.log(error) }`);
  assert.equal(
    text,
    `RangeError: too far
    at work (job.pryx.ts:2:9)
    at job.pryx.ts:4:7
  [cause]: Error: inner
      at work (job.pryx.ts:2:44)
      at job.pryx.ts:4:7
`,
  );
});
