import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { type Asked, createGuest, here } from "./_guest.ts";

const answer = (over: Record<string, unknown> = {}) => ({
  text: "",
  data: { status: 200, url: "https://a.example/", headers: {}, text: "", ...over },
});
const base64 = (text: string | Uint8Array) => Buffer.from(text).toString("base64");

/** Sends a body in pieces, after its head. */
function streaming(pieces: readonly (string | Uint8Array)[], status = 200) {
  return ({ emit }: Asked) => {
    const head = { status, url: "https://a.example/", headers: {} };
    emit({ stream: "data", text: JSON.stringify(head) });
    for (const piece of pieces) emit({ stream: "data", text: base64(piece) });
    return { text: "", data: { ...head, text: "" } };
  };
}

Deno.test("http makes requests of its options", async () => {
  const { api: { http }, asked } = createGuest(() => answer());
  await http.get("https://a.example/x?a=1#part", {
    query: { b: "c d", n: 2, yes: true },
    headers: { "X-A": " v " },
  });
  await http.post("https://a.example/", {
    json: { a: [1] },
    timeout: "5s",
    redirect: "manual",
    maxBytes: 10,
  });
  await http.put("https://a.example/", { form: { a: "1&2", b: "é" } });
  await http.request("patch", "https://a.example/", { body: new Uint8Array([255]) });
  await http.delete("https://a.example/", { body: "text" });
  const common = { headers: {}, url: "https://a.example/" };
  assert.deepEqual(asked.map(({ params }) => params.args), [
    { ...common, method: "GET", url: "https://a.example/x?a=1&b=c+d&n=2&yes=true", headers: { "x-a": "v" } },
    {
      ...common,
      method: "POST",
      headers: { "content-type": "application/json" },
      text: '{"a":[1]}',
      timeoutMs: 5_000,
      redirect: "manual",
      maxBytes: 10,
    },
    {
      ...common,
      method: "PUT",
      headers: { "content-type": "application/x-www-form-urlencoded;charset=UTF-8" },
      text: "a=1%262&b=%C3%A9",
    },
    { ...common, method: "PATCH", base64: "/w==" },
    { ...common, method: "DELETE", text: "text" },
  ]);
});

Deno.test("http refuses requests that cannot be what was meant, before anything is asked", async () => {
  const { api: { http }, asked } = createGuest();
  const refused: readonly [() => Promise<unknown>, RegExp][] = [
    [() => http.get("/path"), /no whole URL/],
    [() => http.get("file:///etc/passwd"), /only http: and https:/],
    [() => http.get("https://me:secret@a.example/"), /^Cannot request a\.example: a name or password/],
    [() => http.get("https://a.example", { json: 1 }), /GET request has no body/],
    [() => http.post("https://a.example", { json: 1, body: "x" }), /one body, not both json and body/],
    [() => http.get("https://a.example", { headers: { "a b": "x" } }), /no name of a header/],
    [() => http.get("https://a.example", { headers: { a: "x\r\ny: z" } }), /line break/],
    [() => http.get("https://a.example", { retries: -1 }), /retries/],
    [() => http.get("https://a.example", { timeout: "soon" }), /timeout/],
    [() => http.request("GET /", "https://a.example"), /no method/],
  ];
  for (const [make, message] of refused) await assert.rejects(make, { message });
  assert.equal(asked.length, 0);
});

Deno.test("http puts marks where secrets stand, and nothing else can be read of them", async () => {
  const { api: { http, secrets }, asked } = createGuest(({ method, params, refuse }) =>
    method !== "secret" ? answer() : params.name === "none" ? refuse("secret_missing") : `MARK_${params.name}`
  );
  const token = secrets.use("github");
  assert.equal(asked.length, 0);
  await http.post("https://a.example", {
    headers: { authorization: token.prefix("Bearer "), "x-raw": token },
    form: { "a b": secrets.use("form").prefix("p&"), c: "d" },
  });
  await http.post("https://a.example", { json: { deep: [{ token }], text: "x" } });
  await http.post("https://a.example", { body: token });
  const sent = asked.filter(({ method }) => method === "tool").map(({ params }) => params.args);
  assert.deepEqual(sent[0].headers, {
    authorization: "Bearer MARK_github",
    "x-raw": "MARK_github",
    "content-type": "application/x-www-form-urlencoded;charset=UTF-8",
  });
  assert.equal(sent[0].text, "a+b=p%26MARK_form&c=d");
  assert.equal(sent[1].text, '{"deep":[{"token":"MARK_github"}],"text":"x"}');
  assert.equal(sent[2].text, "MARK_github");
  assert.equal(asked.filter(({ method }) => method === "secret").length, 2);
  assert.throws(() => `Bearer ${token}`, { message: /prefix\(\)/ });
  assert.equal(JSON.stringify({ token }), '{"token":"[secret github]"}');
  await assert.rejects(() => http.post("https://a.example", { body: secrets.use("none") }), {
    code: "secret_missing",
  });
});

Deno.test("http rejects with an HttpError that has the answer, unless it is told not to", async () => {
  const { api: { http, HttpError } } = createGuest(() =>
    answer({ status: 404, text: '{"error":"no such"}' })
  );
  await assert.rejects(() => http.get("https://a.example/x?token=1"), (error: unknown) => {
    assert.ok(error instanceof HttpError);
    assert.equal(error.message, 'GET https://a.example/x answered 404: {"error":"no such"}');
    assert.equal(error.status, 404);
    assert.equal(error.response.status, 404);
    return true;
  });
  const response = await http.get("https://a.example/x", { throws: false });
  assert.deepEqual([response.ok, response.status, here(await response.json())], [false, 404, {
    error: "no such",
  }]);
});

Deno.test("http reads bodies as text, bytes and JSON, more than once", async () => {
  const { api: { http } } = createGuest(({ params }) =>
    params.args.url.endsWith("bin")
      ? answer({ text: undefined, base64: base64(new Uint8Array([255, 97])) })
      : answer({ text: "é" })
  );
  const binary = await http.get("https://a.example/bin");
  assert.deepEqual([[...await binary.bytes()], await binary.text()], [[255, 97], "\ufffda"]);
  const text = await http.get("https://a.example/text");
  assert.deepEqual([[...await text.bytes()], await text.text()], [[0xc3, 0xa9], "é"]);
  await assert.rejects(() => http.json("https://a.example/text"), {
    code: "output_invalid",
    message: /is no JSON/,
  });
});

Deno.test("http tries again what passes, as long as Retry-After says, and nothing else", async () => {
  const script = (answers: readonly (() => unknown)[]) => {
    let at = 0;
    return createGuest(() => answers[at++]?.());
  };
  const busy = () => answer({ status: 503, headers: { "retry-after": "0" } });
  const twice = script([busy, busy, () => answer({ text: "there" })]);
  assert.equal(await (await twice.api.http.get("https://a.example")).text(), "there");
  assert.equal(twice.asked.length, 3);

  for (
    const [status, method, retries, times] of [
      [503, "POST", undefined, 1],
      [429, "POST", 1, 2],
      [404, "GET", undefined, 1],
      [503, "GET", 0, 1],
    ] as const
  ) {
    const guest = createGuest(() => answer({ status, headers: { "retry-after": "0" } }));
    await assert.rejects(() =>
      guest.api.http.request(method, "https://a.example", { ...(retries === undefined ? {} : { retries }) })
    );
    assert.equal(guest.asked.length, times, `${status} ${method}`);
  }
  const late = createGuest(() => answer({ status: 503, headers: { "retry-after": "86400" } }));
  await assert.rejects(() => late.api.http.get("https://a.example"), { status: 503 });
  const denied = createGuest(({ refuse }) => refuse("denied"));
  const unreachable = createGuest(({ refuse }) => refuse("io"));
  await assert.rejects(() => unreachable.api.http.get("https://a.example", { retries: 1 }), { code: "io" });
  assert.equal(unreachable.asked.length, 2);
  await assert.rejects(() => denied.api.http.get("https://a.example"), { code: "denied" });
  assert.deepEqual([late.asked.length, denied.asked.length], [1, 1]);
});

Deno.test("http.stream() gives pieces as they come, and an error of the answer instead of its body", async () => {
  const { api: { http } } = createGuest(streaming(["a", new Uint8Array([255])]));
  const pieces: number[] = [];
  for await (const piece of http.stream("https://a.example")) pieces.push(...piece);
  assert.deepEqual(pieces, [97, 255]);

  const failing = createGuest(streaming(["no ", "way"], 403));
  await assert.rejects(async () => {
    for await (const piece of failing.api.http.stream("https://a.example")) assert.fail(String(piece));
  }, { name: "HttpError", status: 403, message: "GET https://a.example/ answered 403: no way" });
});

Deno.test("http.events() reads event streams as the standard says, however they are cut", async () => {
  const text = "\ufeff: comment\r\ndata: one\rdata:two\n\nid: 7\nevent: add\ndata:  é🎉\r\n\r\n" +
    'event: empty\n\ndata\n\nid\ndata: {"a":1}\nretry: 5\nodd: x\n\ndata: cut off';
  const expected = [
    { event: "message", data: "one\ntwo", id: "" },
    { event: "add", data: " é🎉", id: "7" },
    { event: "message", data: "", id: "7" },
    { event: "message", data: '{"a":1}', id: "" },
  ];
  const bytes = new TextEncoder().encode(text);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 8 }), async (cuts) => {
      const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      const pieces = places.slice(1).map((to, i) => bytes.slice(places[i], to));
      const { api: { http }, asked } = createGuest(streaming(pieces));
      const events = [];
      for await (const event of http.events("https://a.example", { method: "POST", json: {} })) {
        events.push(here(event));
      }
      assert.deepEqual(events, expected);
      assert.equal(asked[0]?.params.args.headers.accept, "text/event-stream");
    }),
    { numRuns: 200 },
  );
});
