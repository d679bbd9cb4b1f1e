import { probing, script, type ScriptCase } from "../../_script.ts";

const vm = (
  id: string,
  title: string,
  answers: string,
  input: string,
  how: string,
  twin: string,
  attacks: readonly string[],
  works: string,
): ScriptCase =>
  script({
    id,
    title,
    answers,
    input,
    how,
    twin,
    layer: "context",
    attacks: () => attacks.map((text) => probing(text)),
    works: () => ({ text: works, prints: /^fine$/m }),
  });

/** Code that tries to leave the context it runs in. */
export const realm: readonly ScriptCase[] = [
  vm(
    "script-01",
    "everything that can be reached",
    "CVE-2023-37903",
    "all properties, getters and prototypes from `globalThis`, `module`, `require`, `arguments` and the API on",
    "no object of another realm is among them",
    "a script that uses the API",
    [
      `import * as api from "pryx";
      declare const module: unknown, require: unknown, exports: unknown;
      tell(search({ globalThis, api, module, require, exports, args: (function () { return arguments; })(),
        generator: (function* () {})(), promise: api.fs.read("x").catch(() => {}), error: new api.PryxError("x"),
        regexp: /x/[Symbol.matchAll]("x"), list: [][Symbol.iterator](), map: new Map()[Symbol.iterator](),
        url: new URL("http://x/"), search: new URLSearchParams("a=b").entries(), stack: new Error("x"),
        signal: AbortSignal.timeout(1e6).reason, command: api.sh\`ls\`, secret: api.secrets.use("X") }));
      api.exit(0);`,
    ],
    `import { workspace } from "pryx"; console.log(workspace.length > 0 ? "fine" : "");`,
  ),
  vm(
    "script-02",
    "constructors of functions",
    "CVE-2021-23449",
    "`this.constructor.constructor`, those of async functions and generators, by `Reflect.construct` and `extends`",
    "each throws; no text becomes code",
    "classes and `Reflect.construct` of them",
    [
      `const text = "return globalThis";
      const makers: any[] = [Function, (async () => {}).constructor, (function* () {}).constructor,
        (async function* () {}).constructor, (globalThis as any).constructor?.constructor, console.log.constructor,
        setTimeout.constructor, Object.getOwnPropertyDescriptor(Object.getPrototypeOf(() => {}), "constructor")?.value];
      let found = "";
      for (const make of makers.filter(Boolean)) {
        for (const way of [() => make(text), () => new make(text), () => Reflect.construct(make, [text]),
          () => Reflect.construct(Object, [], make).constructor(text), () => new (class extends make {})(text),
          () => make.call(null, text), () => make.bind(null)(text), () => new Proxy(make, {})(text)]) {
          try {
            const made = way();
            if (typeof made === "function") found = String(made);
          } catch { /* as it should be */ }
        }
      }
      tell(found);`,
    ],
    `class Point { constructor(readonly x: number) {} }
    console.log(Reflect.construct(Point, [3]).x === 3 && (() => {}) instanceof Function ? "fine" : "");`,
  ),
  vm(
    "script-03",
    "code in texts",
    "CWE-95",
    '`eval`, `(0, eval)`, `setTimeout("…")`, `setInterval("…")`, `queueMicrotask("…")`, event handlers',
    "each throws; no text becomes code",
    "the same with functions",
    [
      `let found = "";
      (globalThis as any).hit = () => found = "text was run";
      for (const way of [() => eval("hit()"), () => (0, eval)("hit()"), () => (setTimeout as any)("hit()", 0),
        () => (setInterval as any)("hit()", 0), () => (queueMicrotask as any)("hit()"),
        () => Reflect.apply(eval, undefined, ["hit()"]), () => [..."x"].map(eval as any, "hit()"),
        () => new EventTarget().addEventListener("x", "hit()" as any),
        () => "x".replace(/x/, eval as any)]) {
        try { way(); } catch { /* as it should be */ }
      }
      setTimeout(() => tell(found), 20);`,
    ],
    `setTimeout(() => queueMicrotask(() => console.log("fine")), 1);`,
  ),
  vm(
    "script-04",
    "frames of a stack as objects",
    "CVE-2022-36067",
    "`Error.prepareStackTrace`, on subclasses and prototypes too, with `getThis()` and `getFunction()` of every frame",
    "it is never called",
    "`error.stack` as text, `Error.captureStackTrace`",
    [
      `let found = "";
      const look = (_: unknown, frames: any[]) => {
        for (const frame of frames ?? []) {
          for (const name of ["getThis", "getFunction", "getTypeName", "getEvalOrigin"]) {
            try { found ||= leads(frame[name]?.()) || leads(frame); } catch { /* none */ }
          }
        }
        found ||= "it was called";
        return "";
      };
      const set = (on: any) => {
        try { on.prepareStackTrace = look; } catch { /* not writable */ }
        try { Object.defineProperty(on, "prepareStackTrace", { value: look, configurable: true }); } catch { /* not configurable */ }
      };
      const Twin = class extends Error {};
      for (const one of [Error, Twin, TypeError, RangeError, Object.prototype, Function.prototype, globalThis]) set(one);
      try { (globalThis as any).Error = Twin; } catch { /* not writable */ }
      try { Object.defineProperty(globalThis, "Error", { value: Twin }); } catch { /* not configurable */ }
      void new Error("x").stack, new Twin("x").stack;
      try { null!.x; } catch (error) { void (error as Error).stack; }
      try { new URL("no"); } catch (error) { void (error as Error).stack; }
      const held: any = {};
      Error.captureStackTrace?.(held);
      void held.stack;
      setTimeout(() => { void new Error("y").stack; tell(found); }, 1);`,
      `Object.defineProperty(Object.prototype, "prepareStackTrace", { value: (_: unknown, frames: any) => "FELL" + frames.length });
      Error.stackTraceLimit = Infinity;
      tell(new Error("x").stack!.includes("FELL") ? "it was called" : "");`,
    ],
    `console.log(/job\\.pryx\\.ts:1/.test(new Error("x").stack ?? "") ? "fine" : new Error("x").stack);`,
  ),
  vm(
    "script-05",
    "an error of the other realm by a full stack",
    "CVE-2019-10761",
    "recursion to the last frame, there each function that calls the outside",
    "what is thrown is of the context",
    "recursion that ends",
    [
      "console.log('')",
      "crypto.randomUUID()",
      "new URL('http://x/a?b')",
      "performance.now()",
      "setTimeout(() => {}, 0)",
      "crypto.getRandomValues(new Uint8Array(64))",
      "fs.read('x').catch(note)",
      "clearTimeout(setTimeout(() => {}, 5))",
      "structuredClone({ a: [1, new Map()] })",
      "log.info('x')",
      "new URL('http://x').searchParams.set('a', 'b')",
      "Date.now() + Math.random()",
      "sh`ls`.text().catch(note)",
      "queueMicrotask(() => {})",
      "AbortSignal.timeout(5)",
    ].map((call) =>
      `import { fs, log, sh, exit } from "pryx";
        let found = "";
        const note = (error: unknown) => {
          found ||= leads(error) || (error instanceof Error || (error as any) === undefined ? "" : "a foreign error: " + typeof error);
        };
        let budget = 400;
        function deep(left: number): void {
          try { if (left > 0) deep(left - 1); } catch (error) { note(error); }
          if (budget-- > 0) { try { ${call}; } catch (error) { note(error); } }
        }
        deep(100_000);
        void fs, log, sh;
        setTimeout(() => { tell(found); exit(0); }, 30);`
    ),
    `const sum = (n: number): number => n === 0 ? 0 : 1 + sum(n - 1); console.log(sum(500) === 500 ? "fine" : "");`,
  ),
  vm(
    "script-06",
    "thenables and asynchronous stacks",
    "CVE-2023-37466",
    "a `then` exported, returned, awaited, and put on `Object.prototype`; errors that calls reject with",
    "nothing foreign comes to them",
    "`await` of an object with a `then`",
    [
      `import { fs, sh, http, agent } from "pryx";
      let found = "";
      const look = (value: any) => { found ||= leads(value) || (value && leads(value.stack)) || ""; };
      export function then(resolve: any, reject: any) { look(resolve); look(reject); resolve(1); }
      const trap = { get then() { return (...given: any[]) => { given.forEach(look); given[0](undefined); }; } };
      await trap;
      await Promise.all([trap, Promise.resolve(trap), Promise.race([trap])]);
      for (const call of [() => fs.read("/etc/hostname"), () => sh\`id\`, () => http.get("http://127.0.0.1:1/"),
        () => agent.ask("x"), () => fs.list("..")]) {
        try { await call(); found ||= "it was allowed"; } catch (error: any) {
          look(error); look(error.cause); look(error.data); look(Object.getPrototypeOf(error));
          for (const key of Reflect.ownKeys(error)) look(error[key]);
        }
      }
      tell(found);`,
      `import { fs } from "pryx";
      let found = "", asked = 0;
      const say = console.log;
      Object.defineProperty(Object.prototype, "then", { configurable: true, get() { asked++; found ||= leads(this); return undefined; } });
      await fs.read("/etc/hostname").catch((error) => found ||= leads(error));
      delete (Object.prototype as any).then;
      void asked, say;
      tell(found);`,
    ],
    `const one = { then(resolve: (value: number) => void) { resolve(1); } }; console.log(await one as unknown === 1 ? "fine" : "");`,
  ),
  vm(
    "script-07",
    "proxies handed to everything",
    "CVE-2023-32314",
    "a `Proxy` of every kind as each argument of each function of the API and of the globals",
    "its traps see nothing foreign",
    "a `Proxy` of an array that is logged",
    [
      `import * as api from "pryx";
      let found = "", touched = 0;
      let inside = false;
      const look = (...values: unknown[]) => {
        touched++;
        // Looking at a proxy would ask it again.
        if (inside) return;
        inside = true;
        for (const value of values) found ||= leads(value);
        inside = false;
      };
      const handler: any = new Proxy({}, { get: (_, trap: string) => (...given: unknown[]) => {
        given.forEach((one) => look(one));
        return (Reflect as any)[trap](...given);
      } });
      const targets = () => [new Proxy({}, handler), new Proxy([], handler), new Proxy(function () {}, handler),
        new Proxy(new Error("x"), handler), new Proxy(new Map(), handler), new Proxy(new Uint8Array(2), handler)];
      const call = (run: any, self: unknown) => {
        for (const one of targets()) {
          for (const given of [[one], [one, one], ["x", one], ["x", "y", one]]) {
            try { Promise.resolve(run.apply(self, given)).catch(look); } catch (error) { look(error); }
            try { Reflect.construct(run, given); } catch (error) { look(error); }
          }
        }
      };
      const { exit, ...others } = api as any;
      for (const [name, part] of Object.entries(others) as [string, any][]) {
        if (typeof part === "function") call(part, undefined);
        if (part && typeof part === "object") {
          for (const key of Object.keys(part)) if (typeof part[key] === "function" && key !== "fail") call(part[key], part);
        }
      }
      for (const run of [URL, TextEncoder.prototype.encode, structuredClone, console.error, atob, btoa,
        crypto.getRandomValues, AbortSignal.any]) call(run, run === (TextEncoder.prototype as any).encode ? new TextEncoder() : crypto);
      tell(touched < 100 ? "hardly anything was touched: " + touched : found);
      exit(0);`,
    ],
    `console.log(new Proxy([1], {}).length === 1 ? "fine" : "");`,
  ),
  vm(
    "script-08",
    "conversions that look back",
    "CWE-913",
    "`Symbol.toPrimitive`, `valueOf`, `toString`, `toJSON`, iterators as arguments, with `arguments.callee.caller`",
    "they see nothing foreign",
    "an object that converts itself",
    [
      `import { fs, log, state, ui } from "pryx";
      let found = "", asked = 0;
      const look = function (this: unknown, ...given: unknown[]) {
        asked++;
        found ||= leads(this) || given.map(leads).find(Boolean) || "";
        try { found ||= leads((look as any).caller) || leads((look as any).arguments); } catch { /* strict */ }
        return "1";
      };
      const sly = new Function.prototype.constructor.prototype.constructor === 0 ? {} : {
        [Symbol.toPrimitive]: look, valueOf: look, toString: look, toJSON: look,
        get length() { look(); return 1; }, get name() { look(); return "x"; }, get message() { look(); return "x"; },
        [Symbol.iterator]: function* (this: unknown) { look.call(this); yield 1; }, get [Symbol.toStringTag]() { look(); return "x"; },
      } as any;
      for (const use of [() => new URL(sly), () => new URL("http://x", sly), () => setTimeout(() => {}, sly),
        () => clearTimeout(sly), () => new TextEncoder().encode(sly), () => new TextDecoder(sly), () => atob(sly),
        () => structuredClone(sly), () => crypto.getRandomValues(sly), () => console.error(sly, "%s %d %o", sly),
        () => new URLSearchParams(sly), () => new Date(sly), () => performance.now.call(sly), () => new DOMException(sly, sly),
        () => fs.read(sly), () => state.set(sly, sly), () => log.info(sly, sly), () => ui.input(sly),
        () => AbortSignal.timeout(sly), () => new Event(sly, sly), () => AbortSignal.any(sly), () => btoa(sly)]) {
        try { Promise.resolve(use()).catch((error) => found ||= leads(error)); } catch (error) { found ||= leads(error); }
      }
      setTimeout(() => tell(asked < 10 ? "hardly anything was asked: " + asked : found), 20);`.replace(
        "new Function.prototype.constructor.prototype.constructor === 0 ? {} : ",
        "",
      ),
    ],
    'console.log(`${{ toString: () => "fine" }}`);',
  ),
  vm(
    "script-09",
    "methods of the language replaced under the runtime",
    "CWE-1321",
    "`Array`, `Map`, `Promise`, `RegExp`, `String`, `Function`, `JSON` and iterator prototypes spied on during calls",
    "what they are handed is of the context; a call outside the manifest stays denied",
    "a method added to `Array.prototype`",
    [
      `import { fs, sh, state } from "pryx";
      let found = "", seen = 0;
      const { apply } = Reflect;
      const spy = (on: any, keys: PropertyKey[]) => {
        for (const key of keys) {
          const old = Object.getOwnPropertyDescriptor(on, key);
          if (typeof old?.value !== "function" || !old.configurable || key === "constructor") continue;
          let inside = false;
          Object.defineProperty(on, key, { ...old, value: function (this: any, ...given: any[]) {
            if (!inside) {
              inside = true;
              seen++;
              try { found ||= leads(this) || given.map(leads).find(Boolean) || ""; } catch { /* primitive */ }
              inside = false;
            }
            return apply(old.value, this, given);
          } });
        }
      };
      for (const on of [Map.prototype, Promise.prototype, RegExp.prototype, String.prototype, JSON, Promise,
        Object.getPrototypeOf([][Symbol.iterator]()), Uint8Array.prototype]) spy(on, Reflect.ownKeys(on));
      spy(Array.prototype, ["push", "join", "concat", "slice", Symbol.iterator]);
      const denied = await fs.read("/etc/hostname").then(() => "read", (error) => error.code);
      await state.set("key", { a: [1, new Map([[1, 2]])] });
      await sh\`id\`.text().catch(() => {});
      new URL("http://x/?a=b").searchParams.get("a");
      console.error("%o", { a: 1 });
      tell(seen === 0 ? "nothing was seen" : denied !== "denied" ? denied : found);`,
    ],
    `import { state } from "pryx"; (Array.prototype as any).last = function () { return this[this.length - 1]; };
    await state.set("a", 1); console.log(([1, 2] as any).last() === 2 && await state.get("a") === 1 ? "fine" : "");`,
  ),
  vm(
    "script-10",
    "prototypes polluted under calls",
    "CWE-1321",
    "`Object.prototype` with `ok`, `value`, `method`, `name`, `args`, `id`, `t`, `toJSON`, `error`, `signal`",
    "calls outside the manifest stay denied; nothing foreign comes",
    "an object of one's own with such keys",
    [
      ["ok", "true"],
      ["value", '"polluted"'],
      ["method", '"tools"'],
      ["name", '"fs_read"'],
      ["id", "1"],
      ["t", '"done"'],
      ["show", "true"],
      ["error", "null"],
      ["signal", "undefined"],
      ["data", "{ text: 'x' }"],
      ["code", '"done"'],
      ["toJSON", "function () { return { need: 'use=agent' }; }"],
      ["args", "{ path: 'readme.txt' }"],
      ["on", "(value: unknown) => value"],
      ["stack", "{}"],
    ].map(([key, value]) =>
      `import { fs } from "pryx";
      const say = console.log;
      Object.defineProperty(Object.prototype, "${key}", { value: ${value}, writable: true, configurable: true });
      let how = "";
      try { how = "read: " + await fs.read("/etc/hostname"); } catch (error: any) { how = leads(error); }
      delete (Object.prototype as any)["${key}"];
      void say;
      tell(how);`
    ),
    `const one = { ok: true, method: "x", t: "done" }; console.log(JSON.stringify(one).length > 10 ? "fine" : "");`,
  ),
  vm(
    "script-11",
    "globals replaced before calls",
    "CWE-1321",
    "`globalThis.JSON`, `Promise`, `Map`, `Object`, `Error`, `console` and `globalThis` itself replaced, getters in their place",
    "the runtime goes on with its own",
    "a global of one's own",
    [
      `import { fs } from "pryx";
      const names = ["JSON", "Promise", "Map", "Object", "Array", "String", "Reflect", "Symbol", "Number", "Set", "globalThis",
        "RegExp", "TypeError", "RangeError", "Uint8Array", "URL", "AbortController", "setTimeout", "TextEncoder"];
      const caught: unknown[] = [];
      const { defineProperty } = Object, all = globalThis;
      for (const name of names) {
        defineProperty(all, name, { configurable: true, get() { caught.push(this); return undefined; } });
      }
      let how = "";
      try { how = "read: " + await fs.read("/etc/hostname"); } catch (error: any) { how = leads(error) || (error.code === "denied" ? "" : error.code); }
      for (const one of caught) how ||= leads(one);
      tell(how);`,
    ],
    `(globalThis as any).mine = "fine"; console.log((globalThis as any).mine);`,
  ),
  vm(
    "script-12",
    "rejections that nobody handles, with hostile objects",
    "CVE-2023-30547",
    "promises rejected with proxies, getters, functions, revoked proxies, thenables",
    "told in one line; no trap sees the outside; exit 1",
    "a rejection that is handled",
    [],
    `await Promise.reject(new Error("x")).catch(() => console.log("fine"));`,
  ),
  vm(
    "script-13",
    "callbacks of the garbage collector",
    "CWE-913",
    "`FinalizationRegistry` and `WeakRef` under pressure",
    "they see nothing foreign",
    "`WeakRef.deref()`",
    [
      `let found = "", called = 0;
      const registry = new FinalizationRegistry(function (this: unknown, ...given: unknown[]) {
        called++;
        found ||= leads(this) || given.map(leads).find(Boolean) || "";
      });
      const refs: WeakRef<object>[] = [];
      for (let round = 0; round < 40; round++) {
        for (let index = 0; index < 500; index++) {
          const big = { data: new Array(500).fill(index) };
          registry.register(big, { held: index });
          refs.push(new WeakRef(big));
        }
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      for (const ref of refs) found ||= leads(ref.deref());
      tell(found);`,
    ],
    `const one = {}; console.log(new WeakRef(one).deref() === one ? "fine" : "");`,
  ),
  vm(
    "script-14",
    "powers that are simply asked for",
    "CWE-749",
    '`Deno`, `process`, `Buffer`, `fetch`, `WebAssembly`, `SharedArrayBuffer`, `Atomics`, `Worker`, `BroadcastChannel`, `require("node:fs")`',
    "none is there",
    "the globals that there are",
    [
      `declare const require: (name: string) => unknown;
      const names = ["Deno", "process", "Buffer", "global", "fetch", "WebSocket", "EventSource", "XMLHttpRequest", "WebAssembly",
        "SharedArrayBuffer", "Atomics", "Worker", "BroadcastChannel", "MessageChannel", "MessagePort", "navigator", "self",
        "window", "caches", "localStorage", "sessionStorage", "indexedDB", "Cache", "importScripts", "postMessage", "close",
        "alert", "prompt", "Request", "Response", "WebTransport", "gc", "escape", "setImmediate", "__filename", "Bun"];
      let found = names.filter((name) => name in globalThis).join(" ");
      const get = require;
      for (const name of ["node:fs", "fs", "node:child_process", "node:sqlite", "node:vm", "ext:core/ops", "./probe.ts\\0",
        "constructor", "__proto__", "toString", "hasOwnProperty", "../outside/plan.txt", "file:///etc/passwd"]) {
        try { const got = get(name); if (got !== undefined) found += " " + name; } catch { /* as it should be */ }
      }
      tell(found);`,
    ],
    `console.log(typeof URL === "function" && typeof crypto.randomUUID === "function" ? "fine" : "");`,
  ),
].map((one): ScriptCase => one.id === "script-12" ? unhandled(one) : one);

/** These end the run. */
function unhandled(one: ScriptCase): ScriptCase {
  const reasons = [
    `new Proxy({}, { get(_, key) { spy(this); return key === "message" ? "FE" + "LL" : undefined; }, getPrototypeOf() { spy(this); return null; } })`,
    `Object.defineProperties(new Error("x"), { stack: { get() { spy(this); return "FE" + "LL"; } }, message: { get() { spy(this); return "FE" + "LL"; } } })`,
    `(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })()`,
    `function hostile() {}`,
    `{ then: 1, name: { toString() { return "FE" + "LL"; } }, code: "denied\\u001b]0;x\\u0007", stack: 5 }`,
    `Object.create(null)`,
    `Symbol("x")`,
    `new AggregateError([new Error("inner")], "many")`,
    `1n`,
  ];
  return {
    ...one,
    attacks: () =>
      reasons.flatMap((reason) =>
        [
          `void Promise.reject(${reason}); await new Promise((resolve) => setTimeout(resolve, 50));`,
          `throw ${reason};`,
          `setTimeout(() => { throw ${reason}; }, 1);`,
        ].map((text) =>
          probing(
            `const spy = (self: unknown) => { if (leads(self)) console.log("FE" + "LL"); };\nvoid spy, search, tell;\n${text}`,
            { code: 1, prints: /job\.pryx\.ts failed/ },
          )
        )
      ),
  };
}
