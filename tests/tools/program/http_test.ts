import assert from "node:assert/strict";
import { http } from "../../../core/tools/program/http.ts";
import { secretMark } from "../../../core/domain/secret_mark.ts";
import { createRedactor } from "../../../core/secrets/redact.ts";
import { createToolContext, type TestToolContext } from "../../support/tool_context.ts";
import { programCalls } from "./_program_calls.ts";

interface HttpData {
  readonly status: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly text?: string;
  readonly base64?: string;
}

type Handler = (request: Request) => Response | Promise<Response>;

function serve(handler: Handler): AsyncDisposable & { origin: string; host: string } {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, onError: () => new Response() },
    handler,
  );
  const host = `127.0.0.1:${server.addr.port}`;
  return { origin: `http://${host}`, host, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** Answers with what it was asked, as JSON. */
const echo: Handler = async (request) =>
  Response.json({
    method: request.method,
    path: new URL(request.url).pathname,
    headers: Object.fromEntries(request.headers),
    body: await request.text(),
  });

async function ask(at: TestToolContext, args: Record<string, unknown>) {
  return (await at.call(http, args)).data as unknown as HttpData;
}

async function asked(at: TestToolContext, args: Record<string, unknown>) {
  const { text = "" } = await ask(at, args);
  return JSON.parse(text) as { method: string; path: string; headers: Record<string, string>; body: string };
}

Deno.test("http sends method, headers and body, and gives back status, headers and body, whatever the status", async () => {
  await using server = serve(async (request) => {
    const headers = new Headers({ "X-Got": request.headers.get("x-mine") ?? "" });
    headers.append("set-cookie", "a=1; Path=/");
    headers.append("set-cookie", "b=2");
    return new Response(`${request.method} ${await request.text()}`, { status: 418, headers });
  });
  await using at = await createToolContext();
  const url = `${server.origin}/x`;
  const result = await at.call(http, { method: "patch", url, headers: { "X-Mine": "yes" }, text: "grün" });
  const { status, headers, text, url: where } = result.data as unknown as HttpData;
  assert.deepEqual([status, text, where, headers["x-got"]], [418, "PATCH grün", url, "yes"]);
  assert.equal(headers["set-cookie"], "a=1; Path=/, b=2");
  assert.deepEqual([result.failed, result.taints], [undefined, url]);
  assert.equal(result.text, `HTTP 418 from ${url}, 11 bytes`);
  assert.deepEqual(await at.needs(http, { url }), [`net=${server.host}`]);
});

Deno.test("http carries bytes both ways, and answers without a body", async () => {
  await using server = serve(async (request) =>
    request.method === "HEAD" || request.method === "DELETE"
      ? new Response(null, { status: request.method === "HEAD" ? 200 : 204, headers: { "x-a": "b" } })
      : new Response(await request.bytes())
  );
  await using at = await createToolContext();
  const all = Uint8Array.from({ length: 256 }, (_, i) => i).toBase64();
  assert.equal((await ask(at, { method: "POST", url: server.origin, base64: all })).base64, all);
  const head = await ask(at, { method: "HEAD", url: server.origin });
  assert.deepEqual([head.status, head.text, head.headers["x-a"]], [200, "", "b"]);
  assert.equal((await ask(at, { method: "DELETE", url: server.origin })).status, 204);
});

Deno.test("http makes of a redirected request what the Fetch standard says", async () => {
  await using server = serve(async (request) => {
    const { pathname } = new URL(request.url);
    const status = Number(pathname.slice(1));
    if (status > 0) return new Response(null, { status, headers: { location: "/end" } });
    return await echo(request);
  });
  await using at = await createToolContext();
  const go = async (method: string, status: number) => {
    const body = method === "GET" ? {} : { text: "body", headers: { "content-type": "text/plain" } };
    const got = await asked(at, { method, url: `${server.origin}/${status}`, ...body });
    return `${got.method} ${got.body} ${got.headers["content-type"] ?? ""}`.trim();
  };
  assert.equal(await go("POST", 301), "GET");
  assert.equal(await go("POST", 302), "GET");
  assert.equal(await go("PUT", 302), "PUT body text/plain");
  assert.equal(await go("PUT", 303), "GET");
  assert.equal(await go("POST", 307), "POST body text/plain");
  assert.equal(await go("DELETE", 308), "DELETE body text/plain");
  const manual = await ask(at, { url: `${server.origin}/302`, redirect: "manual" });
  assert.deepEqual([manual.status, manual.headers.location], [302, "/end"]);
  const error = ask(at, { url: `${server.origin}/302`, redirect: "error" });
  await assert.rejects(error, { code: "tool_failed", message: /redirects to \/end/ });
});

Deno.test("http has each new place decided, and takes credentials to none of them", async () => {
  await using other = serve(echo);
  await using server = serve(() =>
    new Response(null, { status: 307, headers: { location: `${other.origin}/there` } })
  );
  const args = {
    method: "POST",
    url: server.origin,
    text: "body",
    headers: {
      Authorization: "Bearer x",
      cookie: "a=b",
      "x-other": "kept",
      "x-key": secretMark("k", "0".repeat(32)),
    },
  };
  await using closed = await createToolContext();
  await assert.rejects(closed.call(http, args), { code: "denied" });
  await using at = await createToolContext({ grant: [other.host] });
  const { headers, body, path } = await asked(at, args);
  assert.deepEqual([body, path, headers["x-other"]], ["body", "/there", "kept"]);
  for (const name of ["authorization", "cookie", "x-key"]) assert.equal(headers[name], undefined, name);
  assert.deepEqual(at.required.map(({ target }) => target), [other.host]);
  const marked = { ...args, text: `token=${secretMark("k", "0".repeat(32))}` };
  await assert.rejects(at.call(http, marked), { code: "tool_failed", message: /a body with a secret in it/ });
});

Deno.test("http refuses what would frame the message, and what is no request", async () => {
  await using server = serve(echo);
  await using at = await createToolContext();
  const refused: Record<string, unknown>[] = [
    { headers: { Host: "other.test" } },
    { headers: { "content-length": "3" } },
    { headers: { "Transfer-Encoding": "chunked" } },
    { headers: { "a b": "c" } },
    { method: "CONNECT" },
    { method: "GET x" },
    { method: "GET", text: "body" },
    { method: "POST", text: "a", base64: "YQ==" },
    { method: "POST", base64: "?" },
  ];
  for (const one of refused) {
    await assert.rejects(
      ask(at, { url: server.origin, ...one }),
      { code: "input_invalid" },
      JSON.stringify(one),
    );
  }
  await assert.rejects(ask(at, { url: server.origin, headers: { a: "b\r\nc: d" } }), { code: "io" });
  await assert.rejects(ask(at, { url: `${server.origin}/${secretMark("k", "0".repeat(32))}` }), {
    code: "input_invalid",
  });
  await assert.rejects(ask(at, { url: "file:///etc/passwd" }), { code: "input_invalid" });
});

Deno.test("http ends at its limits of time and size, when it is cancelled, and says so when nobody answers", async () => {
  const stop = Promise.withResolvers<void>();
  await using server = serve(async (request) => {
    if (new URL(request.url).pathname === "/large") return new Response("x".repeat(2_000));
    await stop.promise;
    return new Response();
  });
  using _stop = { [Symbol.dispose]: () => stop.resolve() };
  const controller = new AbortController();
  await using at = await createToolContext({ signal: controller.signal });
  await assert.rejects(ask(at, { url: server.origin, timeoutMs: 50 }), { code: "timeout" });
  const large = { url: `${server.origin}/large` };
  await assert.rejects(ask(at, { ...large, maxBytes: 1_999 }), {
    code: "tool_failed",
    message: /longer than 2.0 KB/,
  });
  assert.equal((await ask(at, { ...large, maxBytes: 2_000 })).text?.length, 2_000);
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = closed.addr;
  closed.close();
  await assert.rejects(ask(at, { url: `http://127.0.0.1:${port}` }), {
    code: "io",
    message: /refused/i,
  });
  const waiting = ask(at, { url: server.origin });
  controller.abort(new Error("enough"));
  await assert.rejects(waiting, { message: "enough" });
});

Deno.test("http with stream sends the head, then the body in pieces, to the program alone", async () => {
  await using server = serve(() =>
    new Response(ReadableStream.from(["one", "two"]).pipeThrough(new TextEncoderStream()))
  );
  await using at = await programCalls({ allow: [`net=${server.host}`] });
  const shown: string[] = [];
  using _listening = at.test.pryx.listen((event) => {
    if (event.type === "tool.output") shown.push(event.data.text);
  });
  const outcome = await at.call("http", { url: server.origin, stream: true });
  assert.equal(outcome.status, "done", outcome.text);
  assert.deepEqual(Object.keys(outcome.data as object), ["status", "url", "headers"]);
  assert.deepEqual(shown, []);
  await using direct = await createToolContext();
  await direct.call(http, { url: server.origin, stream: true });
  const [head, ...pieces] = direct.emitted.filter(({ stream }) => stream === "data").map(({ text }) => text);
  assert.equal(JSON.parse(head ?? "").status, 200);
  assert.equal(pieces.map((piece) => atob(piece)).join(""), "onetwo");
});

Deno.test("http takes an answer that comes before all of a large body was read", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served = (async () => {
    using conn = await listener.accept();
    await conn.read(new Uint8Array(1_024));
    await conn.write(new TextEncoder().encode("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"));
    // Until the other end goes, nothing more is read of the body than what lies in buffers.
    await conn.read(new Uint8Array(1));
  })();
  await using at = await createToolContext();
  const url = `http://127.0.0.1:${listener.addr.port}/`;
  const { status, text } = await ask(at, { method: "POST", url, text: "x".repeat(20_000_000) });
  assert.deepEqual([status, text], [413, "no"]);
  await served;
  listener.close();
});

const NONCE = "0123456789abcdef".repeat(2);
const VALUE = 'v"al&ue-of-the-secret';

/** A server that answers with whatever it got, in small pieces, and programs that hold marks. */
async function withSecrets(allow: readonly string[]) {
  const got: { headers: Headers; body: string }[] = [];
  const server = serve(async (request) => {
    const body = await request.text();
    got.push({ headers: request.headers, body });
    const all = `${request.headers.get("x-key")}|${body}|end`;
    const pieces = all.match(/[^]{1,7}/gu) ?? [];
    return new Response(ReadableStream.from(pieces).pipeThrough(new TextEncoderStream()), {
      headers: { "x-echo": request.headers.get("x-key") ?? "" },
    });
  });
  const redactor = createRedactor();
  const at = await programCalls({
    allow: [`net=${server.host}`, ...allow],
    redact: redactor.redact,
    revealer: {
      reveal({ name, nonce }) {
        if (name !== "github" || nonce !== NONCE) return Promise.resolve(undefined);
        redactor.add(VALUE);
        return Promise.resolve(VALUE);
      },
    },
  });
  return {
    got,
    at,
    post: (args: Record<string, unknown>) => at.call("http", { method: "POST", url: server.origin, ...args }),
    async [Symbol.asyncDispose]() {
      await at[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a secret becomes its value on the way out, as the body's type writes it, and nowhere else", async () => {
  await using one = await withSecrets(["use=secret/github"]);
  const mark = secretMark("github", NONCE);
  const bodies = [
    { type: "text/plain", text: `a ${mark} ${mark}`, sent: `a ${VALUE} ${VALUE}` },
    {
      type: "application/json; charset=utf-8",
      text: JSON.stringify({ t: mark }),
      sent: JSON.stringify({ t: VALUE }),
    },
    {
      type: "application/x-www-form-urlencoded",
      text: `t=${mark}&b=1`,
      sent: `t=${encodeURIComponent(VALUE)}&b=1`,
    },
  ];
  for (const { type, text, sent } of bodies) {
    const outcome = await one.post({ text, headers: { "Content-Type": type, "x-key": `Key ${mark}` } });
    assert.equal(outcome.status, "done", outcome.text);
    const last = one.got.at(-1);
    assert.deepEqual([last?.body, last?.headers.get("x-key")], [sent, `Key ${VALUE}`]);
    const data = outcome.data as unknown as HttpData;
    assert.match(data.text ?? "", /^Key \[redacted\]\|.*\[redacted\].*\|end$/s);
    assert.equal(data.headers["x-echo"], "Key [redacted]");
    const events = JSON.stringify([...one.at.test.store.events(outcome.session)]);
    for (const form of [VALUE, encodeURIComponent(VALUE), JSON.stringify(VALUE).slice(1, -1)]) {
      assert.ok(!events.includes(form) && !JSON.stringify(outcome).includes(form));
    }
  }
});

Deno.test("a secret's use is decided by its name, and a mark that was not made here stands for nothing", async () => {
  const args = { text: secretMark("github", NONCE), headers: { "x-key": "a" } };
  await using closed = await withSecrets([]);
  const denied = await closed.post(args);
  assert.deepEqual([denied.status, denied.unapproved, closed.got.length], [
    "denied",
    ["use=secret/github"],
    0,
  ]);
  await using one = await withSecrets(["use=secret/github"]);
  const forged = secretMark("github", "f".repeat(32));
  const outcome = await one.post({ ...args, text: forged });
  assert.equal(outcome.status, "done", outcome.text);
  assert.equal(one.got[0]?.body, forged);
  assert.match((outcome.data as unknown as HttpData).text ?? "", new RegExp(forged));
});
