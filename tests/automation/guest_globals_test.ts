import assert from "node:assert/strict";
import { GUEST_GLOBALS } from "../../core/automation/guest/globals.ts";
import { runGuest } from "./_guest.ts";

/** Evaluates each expression in a context; what it gives is as JSON would have it. */
async function evaluated(...expressions: string[]): Promise<unknown[]> {
  const code = expressions.map((one) =>
    `console.log(JSON.stringify(await (async () => (${one}))()) ?? "undefined");`
  );
  const text = await runGuest(code.join("\n"));
  return text.trim().split("\n").map((line) => line === "undefined" ? undefined : JSON.parse(line));
}

Deno.test("the context has the globals that are listed and no other", async () => {
  const [names] = await evaluated("Object.getOwnPropertyNames(globalThis).sort()");
  assert.deepEqual(names, GUEST_GLOBALS);
  const [chain] = await evaluated(
    "(() => { const found = []; for (let at = Object.getPrototypeOf(globalThis); at; at = Object.getPrototypeOf(at)) " +
      "found.push(...Reflect.ownKeys(at).map(String)); return found.filter((name) => !Reflect.has({}, name)) })()",
  );
  assert.deepEqual(chain, []);
});

Deno.test("names of the machine are not there", async () => {
  for (
    const name of [
      "Deno",
      "process",
      "require2",
      "fetch",
      "WebAssembly",
      "SharedArrayBuffer",
      "Atomics",
      "Buffer",
    ]
  ) {
    assert.deepEqual(await evaluated(`typeof ${name}`), ["undefined"]);
  }
});

Deno.test("eval and the function constructors say why they are off", async () => {
  const tries = [
    `eval("1")`,
    `(0, eval)("1")`,
    `Function("return 1")()`,
    `new Function("return 1")()`,
    `(() => {}).constructor("return 1")()`,
    `(async () => {}).constructor("return 1")()`,
    `(function* () {}).constructor("yield 1")()`,
    `(async function* () {}).constructor("yield 1")()`,
    `Reflect.construct((() => {}).constructor, ["return 1"])`,
    `class_()`,
  ];
  for (const one of tries) {
    const code = `function class_() { return new (class extends Function {})("return 1") }
      try { ${one}; console.log("ran") } catch (error) { console.log(error.name, error instanceof EvalError) }`;
    assert.equal(await runGuest(code), "EvalError true\n", one);
  }
});

Deno.test("import() rejects with an error of the context", async () => {
  if (Deno.version.deno.startsWith("2.6.")) return;
  const code =
    `const error = await import("node:fs").catch((error) => error); console.log(error instanceof TypeError, error.message)`;
  assert.equal(await runGuest(code), "true import() is not available in an automation\n");
});

Deno.test("console writes each kind to its stream, indents groups, counts and makes tables", async () => {
  const text = await runGuest(`
    console.log("a %s %d %% %j", "b", 1, { c: [2] }, "rest");
    console.group("group"); console.info("in\\nside"); console.groupEnd(); console.debug("out");
    console.count(); console.count(); console.count("x"); console.countReset(); console.count();
    console.assert(true, "never"); console.dir({ a: { b: { c: {} } } }, { depth: 0 });
    console.table([{ a: 1, b: "x" }, { a: 2 }]); console.table(["one"]); console.table(5);
  `);
  assert.equal(
    text,
    `a b 1 % {"c":[2]} rest
group
  in
  side
out
default: 1
default: 2
x: 1
default: 1
{ a: [Object] }
┌─────────┬───┬─────┐
│ (index) │ a │ b   │
├─────────┼───┼─────┤
│ 0       │ 1 │ 'x' │
│ 1       │ 2 │     │
└─────────┴───┴─────┘
┌─────────┬────────┐
│ (index) │ Values │
├─────────┼────────┤
│ 0       │ 'one'  │
└─────────┴────────┘
5
`,
  );
});

Deno.test("timers run in the order of their time, repeat, and can be cleared", async () => {
  const text = await runGuest(`
    const seen = [];
    setTimeout((...rest) => seen.push(...rest), 20, "late", 2);
    setTimeout(() => seen.push("soon"), 1);
    const never = setTimeout(() => seen.push("never"), 1); clearTimeout(never);
    queueMicrotask(() => seen.push("micro")); seen.push("now");
    let times = 0;
    await new Promise((resolve) => { const id = setInterval(() => { if (++times === 3) { clearInterval(id); resolve() } }, 1) });
    setTimeout(() => console.log(seen.join(), times), 40);
  `);
  assert.equal(text, "now,micro,soon,late,2 3\n");
});

Deno.test("URL and URLSearchParams do what those of the runtime do", async () => {
  const urls = [
    ["https://user:pw@example.org:8080/a/../b?x=1&y=%20+z#h"],
    ["../c", "https://example.org/a/b/"],
    ["http://EXAMPLE.org:80"],
    ["data:text/plain,hello"],
    ["not a url"],
    ["//host", "https://x.org"],
    ["http://ex ample.org"],
    ["file:///C:/a"],
    ["http://[::1]:3/"],
    ["http://münchen.de/ä?ö#ü"],
  ];
  const names = [
    "href",
    "origin",
    "protocol",
    "username",
    "password",
    "host",
    "hostname",
    "port",
    "pathname",
    "search",
  ];
  for (const [href = "", base] of urls) {
    const code = `(() => { try { const url = new URL(${JSON.stringify(href)}, ${JSON.stringify(base)});
      return [${
      JSON.stringify(names)
    }.map((name) => url[name]), url.hash, String(url.searchParams), [...url.searchParams]]
    } catch (error) { return error.name } })()`;
    let wanted: unknown;
    try {
      const url = new URL(href, base);
      const of = url as unknown as Record<string, string>;
      wanted = [names.map((name) => of[name]), url.hash, String(url.searchParams), [...url.searchParams]];
    } catch (error) {
      wanted = error instanceof Error ? error.name : "";
    }
    assert.deepEqual(await evaluated(code), [wanted], href);
  }
  const steps = `(() => { const url = new URL("https://a.org/?b=1&a=2&b=3"); const { searchParams } = url;
    searchParams.append("c", "ä &="); searchParams.delete("b", "3"); searchParams.set("a", "9"); searchParams.sort();
    url.hash = "x y"; url.port = "99"; url.pathname = "/p q"; url.host = "";
    const after = [url.href, searchParams.size, searchParams.get("a"), searchParams.getAll("b"), searchParams.has("c")];
    url.search = "?z=1"; return [...after, url.href, [...searchParams.keys()], URL.canParse("x:"), URL.parse("no"),
    String(new URLSearchParams({ q: "1 2", r: "%" })), String(new URLSearchParams([["a", "b"]])),
    JSON.stringify({ url }), Object.prototype.toString.call(url)] })()`;
  assert.deepEqual(await evaluated(steps), [JSON.parse(JSON.stringify((0, eval)(steps)))]);
});

Deno.test("TextEncoder and TextDecoder do what those of the runtime do", async () => {
  const bytes = [
    [0xef, 0xbb, 0xbf, 0x61],
    [0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80],
    [0xff, 0x61, 0xc3],
    [0xe2, 0x82, 0x61],
    [0xf0, 0x80, 0x80, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xc0, 0x80],
    [],
  ];
  for (const list of bytes) {
    const wanted = [
      new TextDecoder().decode(new Uint8Array(list)),
      new TextDecoder("utf8", { ignoreBOM: true }).decode(new Uint8Array(list)),
    ];
    const data = `new Uint8Array(${JSON.stringify(list)})`;
    const found = await evaluated(
      `[new TextDecoder().decode(${data}), new TextDecoder("utf8", { ignoreBOM: true }).decode(${data})]`,
    );
    assert.deepEqual(found, [wanted], list.join());
  }
  const expression =
    `(() => { const streamed = new TextDecoder(); const piece = (list) => new Uint8Array(list);
    const parts = [streamed.decode(piece([0xe2]), { stream: true }), streamed.decode(piece([0x82]), { stream: true }),
      streamed.decode(piece([0xac, 0x62]), { stream: true }), streamed.decode(piece([0xe2]), { stream: true }), streamed.decode()];
    let fatal; try { new TextDecoder("utf-8", { fatal: true }).decode(piece([0xff])) } catch (error) { fatal = error.name }
    const into = new Uint8Array(5);
    return [parts, fatal, [...new TextEncoder().encode("a€\\ud800b😀")], new TextEncoder().encodeInto("€€€", into), [...into]] })()`;
  assert.deepEqual(await evaluated(expression), [JSON.parse(JSON.stringify((0, eval)(expression)))]);
  assert.deepEqual(
    await evaluated(`(() => { try { new TextDecoder("latin1") } catch (error) { return error.name } })()`),
    ["RangeError"],
  );
});

Deno.test("atob and btoa do what those of the runtime do", async () => {
  for (const text of ["", "a", "ab", "abc", "\0ÿ", "€"]) {
    const code = `(() => { try { return btoa(${
      JSON.stringify(text)
    }) } catch (error) { return error.name } })()`;
    assert.deepEqual(await evaluated(code), [(0, eval)(code)], text);
  }
  for (const text of ["", "YQ==", "YQ", " Y Q = =", "YWI=", "YWJj", "Y", "YQ=", "*", "YQ==YQ=="]) {
    const code = `(() => { try { return atob(${
      JSON.stringify(text)
    }) } catch (error) { return error.name } })()`;
    assert.deepEqual(await evaluated(code), [(0, eval)(code)], text);
  }
});

Deno.test("events and abort signals do what the standard says", async () => {
  const expression = `(() => { const seen = []; const target = new EventTarget();
    const both = (event) => seen.push(event.type, event.target === target, event.eventPhase);
    target.addEventListener("x", both); target.addEventListener("x", both);
    target.addEventListener("x", { handleEvent() { seen.push("object") } }, { once: true });
    const event = new Event("x", { cancelable: true });
    target.addEventListener("x", (event) => event.preventDefault());
    seen.push(target.dispatchEvent(event), event.defaultPrevented, target.dispatchEvent(new Event("x")));
    target.removeEventListener("x", both); target.dispatchEvent(new Event("x"));
    const controller = new AbortController(); const { signal } = controller;
    signal.onabort = () => seen.push("onabort"); signal.addEventListener("abort", () => seen.push("listener"));
    const any = AbortSignal.any([new AbortController().signal, signal]); any.onabort = () => seen.push("any " + any.reason);
    target.addEventListener("y", () => seen.push("never"), { signal });
    controller.abort("why"); controller.abort("again"); target.dispatchEvent(new Event("y"));
    seen.push(signal.aborted, signal.reason, AbortSignal.abort().reason.name, AbortSignal.any([signal]).reason);
    try { signal.throwIfAborted() } catch (error) { seen.push("thrown " + error) }
    const error = new DOMException("m", "AbortError"); seen.push(error.code, error.name, error instanceof Error, String(error));
    return seen })()`;
  assert.deepEqual(await evaluated(expression), [JSON.parse(JSON.stringify((0, eval)(expression)))]);
  assert.deepEqual(
    await evaluated(
      `new Promise((resolve) => { const signal = AbortSignal.timeout(1); signal.onabort = () => resolve(signal.reason.name) })`,
    ),
    ["TimeoutError"],
  );
});

Deno.test("structuredClone copies what the standard copies, and moves buffers", async () => {
  const expression =
    `(() => { const shared = { x: 1 }; const value = { a: [1, , undefined], m: new Map([[shared, new Set([shared])]]),
      d: new Date(5), r: /a/gi, e: new RangeError("bad"), b: new Uint8Array([1, 2]).subarray(1), n: null, big: 5n, boxed: Object("s"),
      ["__proto__"]: 1 }; value.self = value; value.again = shared;
    const copy = structuredClone(value); const key = [...copy.m.keys()][0];
    const buffer = new ArrayBuffer(8); const moved = structuredClone({ buffer }, { transfer: [buffer] });
    const refused = [() => {}, Symbol("s"), new WeakMap(), Promise.resolve()].map((one) => {
      try { structuredClone(one) } catch (error) { return error.name } });
    return [copy.self === copy, copy !== value, key === copy.again, copy.m.get(key).has(key), copy.a.length, 1 in copy.a,
      copy.d.getTime(), String(copy.r), copy.e instanceof RangeError, copy.e.message, [...copy.b], copy.b.byteOffset, String(copy.big),
      typeof copy.boxed, Object.keys(copy), buffer.byteLength, moved.buffer.byteLength, refused] })()`;
  assert.deepEqual(await evaluated(expression), [JSON.parse(JSON.stringify((0, eval)(expression)))]);
});

Deno.test("random bytes and ids are as the standard has them", async () => {
  const [id, sizes, tooMany, wrong] = await evaluated(
    "crypto.randomUUID()",
    "[1, 7, 65536].map((size) => crypto.getRandomValues(new Uint8Array(size)).length)",
    "(() => { try { crypto.getRandomValues(new Uint8Array(65537)) } catch (error) { return error.name } })()",
    "(() => { try { crypto.getRandomValues(new Float32Array(1)) } catch (error) { return error.name } })()",
  );
  assert.match(String(id), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual([sizes, tooMany, wrong], [[1, 7, 65536], "QuotaExceededError", "TypeMismatchError"]);
});
