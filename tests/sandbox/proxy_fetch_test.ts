import assert from "node:assert/strict";
import { fetchPinned } from "../../core/sandbox/_proxy_fetch.ts";
import { parseHostName } from "../../core/sandbox/addresses.ts";

type Answering = (conn: Deno.Conn, head: string) => Promise<void>;

interface Wire extends Disposable {
  readonly heads: string[];
  readonly dialled: string[];
  /** Asks for a URL at this server, wherever its name leads. */
  get(url: string, options?: GetOptions): Promise<Response>;
}

interface GetOptions {
  readonly from?: string;
  readonly named?: readonly string[];
  readonly signal?: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
  readonly headers?: Record<string, string>;
  readonly method?: string;
  readonly body?: string | Uint8Array;
}

const NAMES: Readonly<Record<string, readonly string[]>> = {
  "public.test": ["93.184.216.34"],
  "inside.test": ["10.1.2.3"],
  "mixed.test": ["::1", "93.184.216.34"],
};

/** A server that answers with bytes as a test gives them. */
function wire(answer: string | Uint8Array | Answering): Wire {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const heads: string[] = [];
  const dialled: string[] = [];
  void (async () => {
    for await (const conn of listener) {
      const buffer = new Uint8Array(16 * 1024);
      const head = new TextDecoder().decode(buffer.subarray(0, await conn.read(buffer) ?? 0));
      heads.push(head);
      if (typeof answer === "function") await answer(conn, head).catch(() => {});
      else {await conn.write(typeof answer === "string" ? new TextEncoder().encode(answer) : answer).catch(
          () => {},
        );}
      try {
        conn.close();
      } catch {
        // The test closed it.
      }
    }
  })();
  return {
    heads,
    dialled,
    get: (
      url,
      { from, named = [], signal = new AbortController().signal, env = {}, headers = {}, ...sent } = {},
    ) =>
      fetchPinned(
        new URL(url),
        {
          ...sent,
          signal,
          headers,
          named: (host) => named.includes(host),
          ...(from === undefined ? {} : { from }),
        },
        {
          env,
          resolve: (name) => NAMES[name] ? Promise.resolve(NAMES[name]) : Promise.reject(new Error("none")),
          connect(address, at) {
            dialled.push(`${address} ${at}`);
            return Deno.connect({ hostname: "127.0.0.1", port });
          },
          ownAddresses: () => ["127.0.0.1"],
        },
      ),
    [Symbol.dispose]: () => listener.close(),
  };
}

const OK = "HTTP/1.1 200 OK\r\n";

Deno.test("fetchPinned() connects to the address that was judged, and to no other", async () => {
  using server = wire(`${OK}Content-Length: 2\r\n\r\nhi`);
  const response = await server.get("http://public.test/a?b=c#d", { headers: { accept: "text/plain" } });
  assert.equal(await response.text(), "hi");
  assert.match(
    server.heads[0] ?? "",
    /^GET \/a\?b=c HTTP\/1\.1\r\nHost: public\.test\r\naccept: text\/plain\r\n/,
  );
  assert.equal(await (await server.get("http://mixed.test:81/")).text(), "hi");
  assert.deepEqual(server.dialled, ["93.184.216.34 80", "93.184.216.34 81"]);
});

Deno.test("fetchPinned() reaches what is not public only where it is named", async () => {
  using server = wire(`${OK}Content-Length: 2\r\n\r\nhi`);
  const refused: readonly (readonly [string, GetOptions])[] = [
    ["http://inside.test/", {}],
    ["http://inside.test/", { named: ["inside.test"] }],
    ["http://127.0.0.1/", {}],
    ["http://[::ffff:127.0.0.1]/", { named: ["::ffff:7f00:1"] }],
    ["http://[64:ff9b::7f00:1]/", {}],
    ["http://0/", { named: ["127.0.0.1"] }],
    ["http://localhost/", {}],
    ["http://printer/", {}],
    ["http://169.254.169.254/latest/meta-data/", {}],
    ["http://8.8.8.8/", {}],
    ["http://127.0.0.1/", { named: ["127.0.0.1"], from: "http://public.test/" }],
    ["http://localhost/", { named: ["localhost"], from: "http://8.8.8.8/" }],
    ["http://inside.test/", { named: ["inside.test", "10.1.2.3"], from: "https://public.test/" }],
  ];
  for (const [url, options] of refused) {
    await assert.rejects(server.get(url, options), { code: "denied" }, `${url} ${JSON.stringify(options)}`);
  }
  assert.deepEqual(server.dialled, []);
  const reached: readonly (readonly [string, GetOptions])[] = [
    ["http://inside.test/", { named: ["10.1.2.3"] }],
    ["http://127.0.0.1/", { named: ["127.0.0.1"] }],
    ["http://[::ffff:127.0.0.1]/", { named: ["127.0.0.1"] }],
    ["http://localhost/", { named: ["localhost"] }],
    ["http://8.8.8.8/", { named: ["8.8.8.8"] }],
    ["http://public.test/", { from: "http://127.0.0.1/" }],
    ["http://127.0.0.1/", { named: ["127.0.0.1"], from: "http://localhost/" }],
  ];
  for (const [url, options] of reached) {
    assert.equal(await (await server.get(url, options)).text(), "hi", url);
  }
  assert.equal(server.dialled.length, reached.length);
});

Deno.test("fetchPinned() reads bodies however they are framed", async () => {
  const bodies: readonly (readonly [string, string])[] = [
    [`${OK}\r\nto the end`, "to the end"],
    [`${OK}Content-Length: 4\r\n\r\nfour and more`, "four"],
    [`${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: 1\r\n\r\n`, "abcde"],
    [
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}Content-Length: 1\r\n\r\nx`,
      "x",
    ],
    ["HTTP/1.1 204 No Content\r\n\r\n", ""],
    ["HTTP/1.0 200\r\n\r\nold", "old"],
  ];
  for (const [bytes, wanted] of bodies) {
    using server = wire(bytes);
    assert.equal(await (await server.get("http://public.test/")).text(), wanted, bytes);
  }
});

Deno.test("fetchPinned() rejects answers that are broken or cut short", async () => {
  const broken = [
    "",
    "SSH-2.0-OpenSSH_9.9\r\n\r\n",
    "HTTP/2 200\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "HTTP/1.1 999 What\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n".repeat(20),
    `${OK}Content-Length: 9\r\n\r\nshort`,
    `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`,
    `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nabc`,
    `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n`,
    `${OK}Transfer-Encoding: chunked\r\n\r\nfffffffffff\r\n`,
    `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    `${OK}Content-Encoding: br\r\n\r\nxxxx`,
    `${OK}Content-Encoding: gzip\r\n\r\nnot packed`,
    `${OK}X: ${"a".repeat(100_000)}\r\n\r\n`,
  ];
  for (const bytes of broken) {
    using server = wire(bytes);
    await assert.rejects(
      async () => await (await server.get("http://public.test/")).text(),
      bytes.slice(0, 80),
    );
  }
  using often = wire(`${OK}Content-Encoding: gzip, gzip\r\nContent-Encoding: gzip, gzip\r\n\r\n`);
  await assert.rejects(async () => await often.get("http://public.test/"), /packed too often/);
});

Deno.test("fetchPinned() unpacks what is read and no more, and ends the connection with it", async () => {
  const gone = Promise.withResolvers<number>();
  const stream = new Blob([new Uint8Array(64 * 1024 * 1024)]).stream().pipeThrough(
    new CompressionStream("gzip"),
  );
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  using server = wire(async (conn) => {
    let sent = 0;
    try {
      await conn.write(new TextEncoder().encode(`${OK}Content-Encoding: gzip\r\n\r\n`));
      // A small file that says it is endless.
      for (;;) {
        for (let rest = packed; rest.length > 0;) rest = rest.subarray(await conn.write(rest));
        sent += packed.length;
      }
    } catch {
      gone.resolve(sent);
    }
  });
  const response = await server.get("http://public.test/");
  assert.equal(response.headers.get("content-encoding"), null);
  const reader = response.body?.getReader();
  const first = await reader?.read();
  assert.ok(first?.value && first.value.length > 0 && first.value.length <= 4 * 1024 * 1024);
  await reader?.cancel();
  await gone.promise;
});

Deno.test("fetchPinned() ends when it is cancelled: before, while it waits, and in the middle of a body", async () => {
  const cancelled = AbortSignal.abort(new Error("stopped"));
  using server = wire(async (conn, head) => {
    if (head.startsWith("GET /part")) {
      await conn.write(new TextEncoder().encode(`${OK}Content-Length: 9\r\n\r\npart`));
    }
    // Until the other side goes away.
    await conn.read(new Uint8Array(1));
  });
  await assert.rejects(server.get("http://public.test/", { signal: cancelled }), /stopped/);
  assert.deepEqual(server.dialled, []);
  const waiting = new AbortController();
  const asked = server.get("http://public.test/wait", { signal: waiting.signal });
  queueMicrotask(() => waiting.abort(new Error("stopped")));
  await assert.rejects(asked, /stopped/);
  const reading = new AbortController();
  const response = await server.get("http://public.test/part", { signal: reading.signal });
  const reader = response.body?.getReader();
  await reader?.read();
  reading.abort(new Error("stopped"));
  await assert.rejects(async () => await reader?.read(), /stopped/);
});

Deno.test("fetchPinned() sends no header that breaks out of its line", async () => {
  using server = wire(`${OK}\r\n`);
  await assert.rejects(
    server.get("http://public.test/", { headers: { x: "a\r\nHost: other.test" } }),
    /line break/,
  );
  assert.deepEqual(server.heads, []);
});

Deno.test("fetchPinned() sends a method and a body with its length, to the address that was judged", async () => {
  using server = wire(`${OK}Content-Length: 2\r\n\r\nhi`);
  await (await server.get("http://public.test/", { method: "PUT", body: "grün" })).text();
  assert.match(server.heads[0] ?? "", /^PUT \/ HTTP\/1\.1\r\n[^]*Content-Length: 5\r\n[^]*\r\n\r\ngrün$/u);
  await (await server.get("http://public.test/", { method: "POST" })).text();
  assert.match(server.heads[1] ?? "", /\r\nContent-Length: 0\r\n/u);
  await (await server.get("http://public.test/", { method: "DELETE" })).text();
  assert.doesNotMatch(server.heads[2] ?? "", /Content-Length/u);
  const head = await server.get("http://public.test/", { method: "HEAD" });
  assert.deepEqual([head.body, head.headers.get("content-length")], [null, "2"]);
  await assert.rejects(server.get("http://inside.test/", { method: "POST", body: "x" }), { code: "denied" });
});

Deno.test("fetchPinned() dials nobody for what would frame a message, or is no method", async () => {
  using server = wire(`${OK}\r\n`);
  const refused: GetOptions[] = [
    { headers: { "Content-Length": "1" } },
    { headers: { "transfer-encoding": "chunked" } },
    { headers: { HOST: "other.test" } },
    { headers: { connection: "upgrade" } },
    { headers: { "a:b": "" } },
    { method: "connect" },
    { method: "GET / HTTP/1.1\r\nHost: other.test\r\n\r\nGET" },
    { method: "GET", body: "x" },
  ];
  for (const one of refused) {
    await assert.rejects(
      server.get("http://public.test/", one),
      { code: "input_invalid" },
      JSON.stringify(one),
    );
  }
  assert.deepEqual(server.dialled, []);
});

Deno.test("a name that ends in a number is an address to URLs, and read the same way here", () => {
  for (const text of ["127.1", "0x7f.1", "2130706433", "0x7f000001", "127.0.0.1."]) {
    const host = parseHostName(text);
    assert.equal(host.kind === "address" && host.address.text, new URL(`http://${text}/`).hostname, text);
  }
});
