import nodeAssert from "node:assert/strict";
import { createGuest, here, type TestGuest } from "./_guest.ts";

Deno.test("assert.equal() knows what is equal", async () => {
  const guest = createGuest();
  await guest.run(`
    const { assert } = pryx;
    const loop = () => { const a = { x: 1 }; a.self = a; return a; };
    class A { constructor() { this.x = 1 } }
    const equal = [
      [NaN, NaN], [0, -0], ["a", "a"], [[1, [2]], [1, [2]]], [{ a: 1, b: 2 }, { b: 2, a: 1 }],
      [new Date(5), new Date(5)], [/a/g, /a/g], [new Map([[{ k: 1 }, 2]]), new Map([[{ k: 1 }, 2]])],
      [new Set([1, { a: 1 }]), new Set([{ a: 1 }, 1])], [new Uint8Array([1]), new Uint8Array([1])],
      [new Float64Array([NaN]), new Float64Array([NaN])], [loop(), loop()], [new Error("x"), new Error("x")],
      [Object.create(null), {}], [new A(), new A()], [1n, 1n], [new Set([[1], [2]]), new Set([[2], [1]])],
    ];
    const other = [
      [1, "1"], [null, undefined], [[1], { 0: 1 }], [{ a: undefined }, {}], [[1], [1, 2]], [new Date(5), new Date(6)],
      [/a/g, /a/], [new Map([[1, 2]]), new Map([[1, 3]])], [new Map([[1, 2]]), new Map()], [new Set([1]), new Set([2])],
      [new Uint8Array([1]), new Uint8Array([2])], [new Uint8Array([1]), new Int8Array([1])],
      [new Error("x"), new Error("y")], [new A(), { x: 1 }], [1n, 1], [new Set([[1], [1]]), new Set([[1], [2]])],
      [[undefined], [,]], [new Date(NaN), new Date(0)],
    ];
    for (const [a, b] of equal) { assert.equal(a, b); assert.equal(b, a); }
    for (const [a, b] of other) {
      for (const [x, y] of [[a, b], [b, a]]) {
        let threw = false;
        try { assert.equal(x, y) } catch (error) { threw = error.name === "AssertionError" }
        if (!threw) throw new Error("taken for equal: " + String(x) + " " + String(y));
      }
    }
  `);
});

Deno.test("assert says where values differ, and the line that asked", async () => {
  const guest = createGuest();
  const messageOf = async (code: string) => {
    const error = await guest.run(`try {\n${code}\n} catch (error) { return error }`) as Error;
    nodeAssert.match(error.stack ?? "", /^AssertionError: [^]*\n {4}at [^\n]*job\.pryx\.ts:3:/);
    return error.message;
  };
  nodeAssert.equal(
    await messageOf("pryx.assert.equal({ users: [{ name: 'x' }] }, { users: [{ name: 'y' }] }, 'Names')"),
    'Names\nThe values are not equal\n  at .users[0].name\n  actual:   "x"\n  expected: "y"',
  );
  nodeAssert.equal(
    await messageOf("pryx.assert.equal('one\\ntwo', 'one\\n2')"),
    'The values are not equal\n  line 2\n  actual:   "two"\n  expected: "2"',
  );
  nodeAssert.match(
    await messageOf("pryx.assert.equal([1, 2], [1])"),
    /at \.length\n {2}actual: {3}2\n {2}expected: 1/,
  );
  nodeAssert.match(
    await messageOf("pryx.assert.equal({ a: undefined }, {})"),
    /at \.a \(is there in one of them only\)/,
  );
  nodeAssert.equal(await messageOf("pryx.assert(0)"), "Expected something that holds, not 0");
  nodeAssert.equal(await messageOf("pryx.assert('' , 'Has text')"), "Has text");
  nodeAssert.match(await messageOf("pryx.assert.match('abc', /x/)"), /does not match \/x\/\n {2}text: "abc"/);
  nodeAssert.match(
    await messageOf("await pryx.assert.rejects(Promise.resolve(5))"),
    /Expected an error, and got 5/,
  );
  nodeAssert.match(
    await messageOf(
      "await pryx.assert.rejects(() => { throw new pryx.PryxError('m', { code: 'io' }) }, 'denied')",
    ),
    /the code denied, not io: m/,
  );
});

Deno.test("assert.rejects() gives the error, and match() forgets where it was", async () => {
  const api: TestGuest["api"] = createGuest().api;
  const error = new Error("x");
  nodeAssert.equal(await api.assert.rejects(Promise.reject(error)), error);
  nodeAssert.equal(
    await api.assert.rejects(() => {
      throw error;
    }),
    error,
  );
  const pattern = /a/g;
  api.assert.match("a", pattern);
  api.assert.match("a", pattern);
  api.assert(true);
});

Deno.test("test() registers tests that the host runs by name", async () => {
  const { api: { test }, registered, answer } = createGuest();
  const ran: string[] = [];
  test("one", () => void ran.push("one"));
  test("two", () => Promise.reject(new Error("two fails")));
  nodeAssert.deepEqual(here(registered.tests), ["one", "two"]);
  nodeAssert.equal(await answer("test", { name: "one" }), null);
  nodeAssert.deepEqual(ran, ["one"]);
  await nodeAssert.rejects(answer("test", { name: "two" }), { message: "two fails" });
  await nodeAssert.rejects(answer("test", { name: "three" }), { code: "not_found" });
  nodeAssert.throws(() => test("one", () => {}), { name: "TypeError" });
});
