import assert from "node:assert/strict";
import fc from "fast-check";
import type { Guest } from "../../core/automation/guest/guest.ts";
import { createGuest } from "./_guest.ts";

/** The codec of a context, through a module: values are made there from what `make` says, and come back as text. */
async function encoded(make: string): Promise<string> {
  const guest = createGuest((guest: Guest) => ({ encode: guest.encode, decode: guest.decode }));
  guest.load(
    `const { encode, decode } = require("pryx"); const value = await (${make}); console.log(encode(value)); ` +
      `console.log(encode(decode(encode(value))) === encode(value));`,
  );
  const end = await guest.over;
  if (end.t === "failed") return `${end.error.name}: ${end.error.message}`;
  const [text = "", same = ""] = guest.text().split("\n");
  assert.equal(same, "true", text);
  return text;
}

/** JavaScript source of any value that can be sent. */
const source: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.string({ unit: "binary" }).map((text) => JSON.stringify(text)),
    fc.double().map((number) => Object.is(number, -0) ? "-0" : String(number)),
    fc.bigInt().map((number) => `${number}n`),
    fc.constantFrom("null", "undefined", "true", "false", "NaN", "-Infinity", "new Date(NaN)", "/a[/]\\n/gu"),
    fc.integer().map((at) => `new Date(${at})`),
    fc.uint8Array().map((bytes) => `new Uint8Array([${bytes}])`),
    fc.uint8Array().map((bytes) => `new Uint8Array([${bytes}]).buffer`),
    fc.array(fc.double({ noNaN: true }), { maxLength: 3 }).map((list) => `new Float64Array([${list}])`),
    fc.array(tie("value"), { maxLength: 4 }).map((list) => `[${list}]`),
    fc.array(tie("value"), { maxLength: 4 }).map((list) => `new Set([${list}])`),
    fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 3 })
      .map((list) => `new Map([${list.map(([key, value]) => `[${key}, ${value}]`)}])`),
    fc.array(
      fc.tuple(
        fc.oneof(fc.string(), fc.constantFrom("__proto__", "$", "constructor", "toJSON2")),
        tie("value"),
      ),
      { maxLength: 4 },
    ).map((list) => `{${list.map(([key, value]) => `[${JSON.stringify(key)}]: ${value}`)}}`),
  ),
})).value;

Deno.test("encode() and decode() keep every value that can be sent", async () => {
  await fc.assert(
    fc.asyncProperty(source, async (make) => {
      const guest = createGuest((guest: Guest) => ({ encode: guest.encode, decode: guest.decode }));
      // Compared inside, where the values are: by a structure that tells apart what the codec must tell apart.
      guest.load(`const { encode, decode } = require("pryx");
        const same = (a, b) => {
          if (Object.is(a, b)) return true;
          if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
          if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
          if (a instanceof Date) return Object.is(a.getTime(), b.getTime());
          if (a instanceof RegExp) return String(a) === String(b);
          if (a instanceof ArrayBuffer) return same(new Uint8Array(a), new Uint8Array(b));
          const [x, y] = a instanceof Map ? [[...a].flat(), [...b].flat()] : a instanceof Set ? [[...a], [...b]] : [a, b];
          const [keys, others] = [Object.keys(x), Object.keys(y)];
          return keys.length === others.length && keys.every((key, at) => key === others[at] && same(x[key], y[key]));
        };
        const value = (${make}); const text = encode(value); JSON.parse(text);
        console.log(same(value, decode(text)));`);
      const end = await guest.over;
      assert.equal(end.t, "done", end.t === "failed" ? end.error.message : "");
      assert.equal(guest.text(), "true\n");
    }),
    { numRuns: 120 },
  );
});

Deno.test("encode() leaves plain JSON as it is", async () => {
  const value = '{"a":[1,null,true,"x"],"b":{"c":1.5}}';
  assert.equal(await encoded(value), value);
});

Deno.test("encode() names the place of what cannot be sent", async () => {
  const cases: Record<string, string> = {
    "{ a: [() => {}] }": "Cannot send value.a[0]: it is a function",
    "{ 'b c': Symbol('x') }": 'Cannot send value["b c"]: it is a symbol',
    "(() => { const a = { b: {} }; a.b.c = a; return a })()":
      "Cannot send value.b.c: it is inside itself (a cycle)",
    "new Map([['k', () => {}]])": "Cannot send value.k: it is a function",
    "{ p: Promise.resolve() }": "Cannot send value.p: it is a promise: await it",
    "(() => { let a = []; for (let i = 0; i < 600; i++) a = [a]; return a })()": "more than 500 levels deep",
  };
  for (const [make, message] of Object.entries(cases)) {
    assert.match(
      await encoded(make),
      new RegExp(message.replace(/[.[\]()"]/g, "\\$&").replace(/^Cannot/, "^TypeError: Cannot")),
      make,
    );
  }
});

Deno.test("encode() takes what toJSON gives, errors with their code, and shared values twice", async () => {
  assert.equal(await encoded('new URL("https://a.org/x")'), '"https://a.org/x"');
  assert.equal(await encoded("(() => { const a = [1]; return [a, a] })()"), "[[1],[1]]");
  assert.match(await encoded('new TypeError("no")'), /^\{"\$":\["error",\{"name":"TypeError","message":"no"/);
});

Deno.test("decode() refuses what it did not write", async () => {
  for (const text of ['{"$":["nothing"]}', '{"$":["Uint8Array","*"]}', "{", '{"$":["constructor","AA=="]}']) {
    const guest = createGuest((guest: Guest) => ({ decode: guest.decode }));
    guest.load(`require("pryx").decode(${JSON.stringify(text)})`);
    assert.equal((await guest.over).t, "failed", text);
  }
});
