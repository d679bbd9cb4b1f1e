import assert from "node:assert/strict";
import type { Guest } from "../../core/automation/guest/guest.ts";
import { createGuest, runGuest } from "./_guest.ts";

/** Walks everything reachable from a value, and says whether an object of another realm is among it. */
const WALK = `
  const own = new Set([Object.prototype, Function.prototype, Array.prototype]);
  function foreign(root) {
    const seen = new Set(); const queue = [root];
    while (queue.length > 0 && seen.size < 20000) {
      const value = queue.pop();
      if (value === null || (typeof value !== "object" && typeof value !== "function") || seen.has(value)) continue;
      seen.add(value);
      let top = value; for (let up; (up = Object.getPrototypeOf(top)) !== null;) top = up;
      if (top !== Object.prototype && Object.getOwnPropertyNames(top).includes("hasOwnProperty")) return true;
      for (const key of Reflect.ownKeys(value)) {
        const found = Object.getOwnPropertyDescriptor(value, key);
        queue.push(found.value, found.get, found.set);
      }
      queue.push(Object.getPrototypeOf(value));
    }
    return false;
  }`;

const raw = (guest: Guest) => ({ call: guest.call, handle: guest.handle, encode: guest.encode });

Deno.test("nothing that an automation can reach is of another realm", async () => {
  const guest = createGuest(raw);
  guest.load(
    `${WALK} console.log(foreign(globalThis), foreign(require("pryx")), foreign([exports, module, require]));`,
  );
  assert.equal((await guest.over).t, "done");
  assert.equal(guest.text(), "false false false\n");
});

Deno.test("the search for objects of another realm finds one", async () => {
  const body = createGuest().compile("job.pryx.ts", `${WALK} exports.found = foreign({ deep: [exports] });`);
  assert.ok(typeof body === "function");
  // An object of this very realm, which no automation is ever given.
  const exports: Record<string, unknown> = {};
  await body(exports, () => undefined, { exports });
  assert.equal(exports.found, true);
});

const TRIES: Readonly<Record<string, string>> = {
  "frames of a stack by Error.prepareStackTrace": `
    let got; try { Error.prepareStackTrace = (_, frames) => got = frames } catch {}
    try { Object.defineProperty(Error, "prepareStackTrace", { value: (_, frames) => got = frames }) } catch {}
    try { globalThis.Error = { prepareStackTrace: (_, frames) => got = frames } } catch {}
    try { delete globalThis.Error; globalThis.Error = { prepareStackTrace: (_, frames) => got = frames } } catch {}
    try { null.x } catch (error) { error.stack } result = got;`,
  "frames by captureStackTrace": `
    class Mine extends Error { static prepareStackTrace(_, frames) { result = frames } } new Mine().stack;
    const holder = {}; Error.captureStackTrace(holder); result ??= holder.stack;`,
  "an overflow at every depth of every bridge": `
    const calls = [() => console.log("x"), () => new URL("http://a/b?c"), () => crypto.randomUUID(), () => performance.now(),
      () => setTimeout(() => {}, 1e9), () => structuredClone({ a: 1 }), () => require("pryx").encode({ a: [1] })];
    result = [];
    for (const call of calls) { const down = () => { try { down() } catch { } try { call() } catch (error) { result.push(error) } };
      const once = () => { try { once() } finally { try { call() } catch (error) { if (result.length < 500) result.push(error) } } };
      try { once() } catch (error) { result.push(error) } }`,
  "who called":
    `result = (function () { try { return [arguments.callee.caller, arguments.callee.caller?.caller] } catch (error) { return error } })();`,
  "a caller of a listener": `
    const target = new EventTarget(); target.addEventListener("x", function () { try { result = arguments.callee.caller } catch (error) { result = error } });
    target.dispatchEvent(new Event("x"));`,
  "what a thenable is given":
    `result = await new Promise((resolve) => resolve({ then(...given) { result = given; given[0](given) } }));`,
  "a getter on what is sent":
    `try { require("pryx").encode({ get a() { return arguments.callee.caller } }) } catch (error) { result = error }`,
  "a polluted Array.prototype": `
    const stolen = []; const { push, map, join, forEach } = Array.prototype;
    for (const name of ["push", "map", "join", "forEach"]) {
      Array.prototype[name] = function (...rest) { stolen[stolen.length] = [this, rest]; return [] };
    }
    console.log([1], { a: 1 }); new URL("http://a/?b=1").searchParams.append("c", "d");
    Object.assign(Array.prototype, { push, map, join, forEach }); result = stolen;`,
  "a polluted Function.prototype": `
    const stolen = []; for (const name of ["call", "apply", "bind"]) Function.prototype[name] = function (...rest) { stolen.push(this, rest) };
    console.log("x"); setTimeout(() => {}, 0); new URL("http://a"); result = stolen;`,
  "a polluted Promise": `
    const stolen = []; const { then } = Promise.prototype;
    Promise.prototype.then = function (...rest) { stolen.push(this, rest); return Reflect.apply(then, this, rest) };
    await require("pryx").call("stdin", null).catch(() => {}); await (async () => {})(); result = stolen; Promise.prototype.then = then;`,
  "symbols of species": `
    const stolen = []; class Mine extends Promise { static get [Symbol.species]() { return function (run) { stolen.push(run); run(() => {}, () => {}) } } }
    await Mine.resolve(1); try { Mine.resolve(1).then(() => {}) } catch (error) { stolen.push(error) } result = stolen;`,
};

for (const [what, code] of Object.entries(TRIES)) {
  Deno.test(`no object of another realm is had by ${what}`, async () => {
    const guest = createGuest(raw);
    guest.answer = (message) => {
      if (message.t !== "call") return;
      queueMicrotask(() =>
        guest.entry.receive(JSON.stringify({ t: "reply", id: message.id, ok: true, value: {} }))
      );
    };
    const log = "const { log } = console;";
    guest.load(`${log} ${WALK} let result; ${code}\n;log("found", foreign(result));
      setTimeout(() => { throw "end" }, 0);`);
    await guest.over;
    assert.match(guest.text(), /found false\n/);
  });
}

Deno.test("a polluted prototype does not change what is said to the host", async () => {
  const guest = createGuest(raw);
  guest.answer = (message) => {
    if (message.t !== "call") return;
    const reply = { t: "reply", id: message.id, ok: true, value: "answer" };
    queueMicrotask(() => guest.entry.receive(JSON.stringify(reply)));
  };
  guest.load(`const { call } = require("pryx");
    JSON.parse = JSON.stringify = Map.prototype.get = Map.prototype.set = Map.prototype.delete = String.prototype.slice = () => "bad";
    Object.defineProperty(Object.prototype, "method", { value: "forged" }); Object.keys = () => []; RegExp.prototype.exec = () => null;
    console.log(await call("env", { name: "A" }), { a: 1 });`);
  assert.equal((await guest.over).t, "done");
  assert.deepEqual(guest.said[0], { t: "call", id: 1, method: "env", params: { name: "A" } });
  assert.equal(guest.text(), "answer { a: 1 }\n");
});

Deno.test("errors that cannot be read are told all the same", async () => {
  for (
    const thrown of [
      "{ get message() { throw 1 } }",
      "new Proxy({}, { get() { throw 1 }, getOwnPropertyDescriptor() { throw 1 }, getPrototypeOf() { throw 1 } })",
      "Object.assign(new Error('x'), { name: { toString() { throw 1 } } })",
      "Symbol('s')",
      "() => {}",
      "undefined",
      "Object.create(null)",
      "Object.assign(new Error(), { message: 'm'.repeat(1e7) })",
    ]
  ) {
    await assert.rejects(
      runGuest(`throw ${thrown}`),
      (error: Error) => error.message.length < 200_000,
      thrown,
    );
  }
});
