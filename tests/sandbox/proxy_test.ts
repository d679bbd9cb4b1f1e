import assert from "node:assert/strict";
import { join } from "node:path";
import { hostReach } from "../../core/sandbox/_proxy_grants.ts";
import { createProxy, type ProxyLimits, type ProxyNotice } from "../../core/sandbox/proxy.ts";

interface Answer {
  readonly status: number;
  readonly text: string;
}

interface TestProxy extends AsyncDisposable {
  readonly socketPath: string;
  readonly notices: ProxyNotice[];
  readonly resolved: string[];
  readonly dialled: string[];
  connect(): Promise<Deno.UnixConn>;
  /** Sends bytes as they are, then reads until the end. */
  ask(text: string): Promise<Answer>;
}

/** Names and where they lead. Public addresses are stood in for by the server that a test gives. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "public.test": ["93.184.216.34"],
  "www.wide.test": ["93.184.216.34"],
  "two.test": ["10.1.2.3", "93.184.216.34"],
  "inside.test": ["10.1.2.3"],
  "rebind.test": ["127.0.0.1", "::1"],
  "mapped.test": ["::ffff:127.0.0.1"],
  "metadata.test": ["169.254.169.254"],
  "own.test": ["93.184.216.99"],
  "broken.test": ["not an address"],
};

async function testProxy(
  options: {
    readonly hosts: readonly string[];
    readonly server?: number;
    readonly limits?: Partial<ProxyLimits>;
    readonly env?: Readonly<Record<string, string>>;
    readonly resolve?: (name: string) => readonly string[] | undefined;
  },
): Promise<TestProxy> {
  const folder = await Deno.makeTempDir({ prefix: "pryx proxy " });
  const socketPath = join(folder, "s");
  const notices: ProxyNotice[] = [];
  const resolved: string[] = [];
  const dialled: string[] = [];
  const proxy = await createProxy({
    socketPath,
    reach: hostReach(options.hosts),
    env: options.env ?? {},
    limits: options.limits ?? {},
    onNotice: (notice) => notices.push(notice),
    resolve(name) {
      resolved.push(name);
      const found = options.resolve?.(name) ?? NAMES[name];
      return found ? Promise.resolve(found) : Promise.reject(new Error("no such name"));
    },
    connect(address, port) {
      dialled.push(`${address} ${port}`);
      return Deno.connect({ hostname: "127.0.0.1", port: options.server ?? port });
    },
    ownAddresses: () => ["127.0.0.1", "93.184.216.99"],
  });
  const connect = () => Deno.connect({ transport: "unix", path: socketPath });
  return {
    socketPath,
    notices,
    resolved,
    dialled,
    connect,
    async ask(text) {
      using conn = await connect();
      await conn.write(new TextEncoder().encode(text));
      return await readAnswer(conn);
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function readAnswer(conn: Deno.Conn): Promise<Answer> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(4_096);
  for (;;) {
    const read = await conn.read(buffer).catch(() => null);
    if (read === null) break;
    parts.push(buffer.slice(0, read));
  }
  const text = new TextDecoder().decode(new Uint8Array(parts.flatMap((part) => [...part])));
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text };
}

/** Answers every request with its own text, and ends. */
function echoServer(): AsyncDisposable & { port: number; seen: string[] } {
  const seen: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const url = new URL(request.url);
    seen.push(
      `${request.method} ${url.pathname}${url.search} ${request.headers.get("host")} ${await request.text()}`,
    );
    return Response.json(Object.fromEntries(request.headers));
  });
  return { port: server.addr.port, seen, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** A TCP server that gives back what it gets until the other side ends, then says how much that was. */
function tcpServer(): Disposable & { port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  void (async () => {
    for await (const conn of listener) {
      void (async () => {
        const buffer = new Uint8Array(64 * 1024);
        let length = 0;
        for (;;) {
          const read = await conn.read(buffer);
          if (read === null) break;
          length += read;
        }
        await conn.write(new TextEncoder().encode(`got ${length}`));
        conn.close();
      })();
    }
  })();
  return { port: (listener.addr as Deno.NetAddr).port, [Symbol.dispose]: () => listener.close() };
}

const connectTo = (place: string) => `CONNECT ${place} HTTP/1.1\r\nHost: ${place}\r\n\r\n`;
const getFrom = (place: string, path = "/", more = "") =>
  `GET http://${place}${path} HTTP/1.1\r\nHost: ${place}\r\n${more}\r\n`;

Deno.test("the proxy passes a plain request to a granted name, at the address it resolved once", async () => {
  await using server = echoServer();
  await using proxy = await testProxy({ hosts: ["public.test"], server: server.port });
  const more =
    "X-One: 1\r\nProxy-Authorization: Basic c2VjcmV0\r\nConnection: X-Drop\r\nX-Drop: 1\r\nUpgrade: h2c\r\n";
  const { status, text } = await proxy.ask(getFrom("public.test", "/a?b=1", more));
  assert.equal(status, 200);
  assert.deepEqual(server.seen, ["GET /a?b=1 public.test "]);
  assert.match(text, /"x-one":"1"/);
  assert.doesNotMatch(text, /c2VjcmV0|x-drop|h2c/i);
  assert.deepEqual(proxy.resolved, ["public.test"]);
  assert.deepEqual(proxy.dialled, ["93.184.216.34 80"]);
  assert.deepEqual(proxy.notices, [
    { kind: "connected", host: "public.test", port: 80, address: "93.184.216.34" },
  ]);
});

Deno.test("the proxy passes on the body of a request and nothing after it", async () => {
  await using server = echoServer();
  await using proxy = await testProxy({ hosts: ["public.test"], server: server.port });
  const first = "POST http://public.test/p HTTP/1.1\r\nHost: public.test\r\nContent-Length: 5\r\n\r\nhello";
  const { status } = await proxy.ask(first + getFrom("public.test", "/smuggled"));
  assert.equal(status, 200);
  assert.deepEqual(server.seen, ["POST /p public.test hello"]);
});

Deno.test("the proxy tunnels both ways, and keeps each side open until it ends", async () => {
  using server = tcpServer();
  await using proxy = await testProxy({ hosts: ["*.wide.test:443"], server: server.port });
  using conn = await proxy.connect();
  await conn.write(new TextEncoder().encode(connectTo("www.wide.test:443") + "early"));
  const block = new Uint8Array(1024 * 1024).fill(7);
  for (let sent = 0; sent < 64; sent++) {
    for (let rest = block; rest.length > 0;) rest = rest.subarray(await conn.write(rest));
  }
  await conn.closeWrite();
  const { text } = await readAnswer(conn);
  assert.equal(text, `HTTP/1.1 200 Connection established\r\n\r\ngot ${64 * 1024 * 1024 + 5}`);
});

Deno.test("the proxy reaches no address that a name was made to lead to, unless the address is granted as well", async () => {
  await using server = echoServer();
  const names = ["rebind.test", "mapped.test", "metadata.test", "inside.test", "own.test", "broken.test"];
  await using proxy = await testProxy({ hosts: [...names, "two.test"], server: server.port });
  for (const name of names) {
    const { status, text } = await proxy.ask(getFrom(name));
    assert.equal(status, name === "broken.test" ? 502 : 403, name);
    if (name !== "broken.test") assert.match(text, /--allow net=/);
  }
  assert.deepEqual([proxy.dialled, server.seen], [[], []]);
  assert.equal((await proxy.ask(getFrom("two.test"))).status, 200);
  assert.deepEqual(proxy.dialled, ["93.184.216.34 80"]);

  await using granted = await testProxy({ hosts: ["inside.test", "10.1.2.3"], server: server.port });
  assert.equal((await granted.ask(getFrom("inside.test"))).status, 200);
  assert.deepEqual(granted.dialled, ["10.1.2.3 80"]);
});

Deno.test("the proxy does not ask again where a name leads: a second answer changes nothing", async () => {
  await using server = echoServer();
  let asked = 0;
  await using proxy = await testProxy({
    hosts: ["flip.test"],
    server: server.port,
    resolve: () => asked++ === 0 ? ["93.184.216.34"] : ["127.0.0.1"],
  });
  assert.equal((await proxy.ask(getFrom("flip.test"))).status, 200);
  assert.equal(asked, 1);
  assert.deepEqual(proxy.dialled, ["93.184.216.34 80"]);
  assert.equal((await proxy.ask(getFrom("flip.test"))).status, 403);
});

Deno.test("the proxy reads every spelling of an address, and reaches one only by a grant that names it", async () => {
  await using server = echoServer();
  const { port } = server;
  await using proxy = await testProxy({ hosts: ["*", `127.0.0.1:${port}`, `localhost:${port}`] });
  for (
    const host of [
      "127.0.0.1",
      "127.1",
      "2130706433",
      "0x7f.1",
      "[::ffff:127.0.0.1]",
      "localhost",
      "LOCALHOST.",
    ]
  ) {
    assert.equal((await proxy.ask(getFrom(`${host}:${port}`))).status, 200, host);
  }
  const refused = [
    `127.0.0.2:${port}`,
    `0.0.0.0:${port}`,
    `[::]:${port}`,
    `[::1]:${port}`,
    `[64:ff9b::7f00:1]:${port}`,
    `127.0.0.1:${port + 1}`,
    `0177.0.0.1:${port}`,
    `127.0.0.1%25lo:${port}`,
    `app.localhost:${port}`,
    "169.254.169.254",
    "8.8.8.8",
    "printer",
    "nas.local",
    "metadata.google.internal",
  ];
  for (const place of refused) {
    const { status } = await proxy.ask(getFrom(place));
    assert.ok(status === 403 || status === 400, `${place} ${status}`);
  }
  assert.equal(proxy.dialled.length, 7);
});

Deno.test("the proxy names what it refused, and why", async () => {
  await using proxy = await testProxy({ hosts: ["public.test:443"] });
  assert.equal((await proxy.ask(connectTo("other.test:443"))).status, 403);
  assert.equal((await proxy.ask(connectTo("public.test:22"))).status, 403);
  assert.equal((await proxy.ask(connectTo("127.0.0.1:6379"))).status, 403);
  assert.deepEqual(proxy.notices.map(({ kind, host, port }) => `${kind} ${host} ${port}`), [
    "refused other.test 443",
    "refused public.test 22",
    "refused 127.0.0.1 6379",
  ]);
  assert.deepEqual([proxy.resolved, proxy.dialled], [[], []]);
});

const HOSTILE: Readonly<Record<string, readonly [number, string]>> = {
  "no port": [400, connectTo("public.test")],
  "port 0": [400, connectTo("public.test:0")],
  "a port too large": [400, connectTo("public.test:65536")],
  "a port that is none": [400, connectTo("public.test:80x")],
  "a user name": [400, connectTo("a@public.test:443")],
  "a user name in a URL": [400, getFrom("a:b@public.test")],
  "a request that is for the proxy itself": [400, "GET / HTTP/1.1\r\nHost: public.test\r\n\r\n"],
  "https in the clear": [400, "GET https://public.test/ HTTP/1.1\r\nHost: public.test\r\n\r\n"],
  "another Host": [400, "GET http://public.test/ HTTP/1.1\r\nHost: other.test\r\n\r\n"],
  "two Hosts": [400, "GET http://public.test/ HTTP/1.1\r\nHost: public.test\r\nHost: public.test\r\n\r\n"],
  "another Host of a tunnel": [400, "CONNECT public.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n"],
  "two lengths": [
    400,
    "POST http://public.test/ HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
  ],
  "length and chunks": [
    400,
    "POST http://public.test/ HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
  "chunks": [411, "POST http://public.test/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  "an unknown coding": [501, "POST http://public.test/ HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n"],
  "a negative length": [400, "POST http://public.test/ HTTP/1.1\r\nContent-Length: -1\r\n\r\n"],
  "a body of CONNECT": [400, "CONNECT public.test:443 HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd"],
  "a folded line": [400, "GET http://public.test/ HTTP/1.1\r\nX: a\r\n b\r\n\r\n"],
  "a space before the colon": [400, "GET http://public.test/ HTTP/1.1\r\nHost : public.test\r\n\r\n"],
  "a bare line feed": [400, "GET http://public.test/ HTTP/1.1\r\nX: a\nHost: other.test\r\n\r\n"],
  "a NUL": [400, "GET http://public.test/ HTTP/1.1\r\nX: a\0b\r\n\r\n"],
  "HTTP/2": [400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  "nonsense": [400, "\x16\x03\x01\x02\x00\r\n\r\n"],
  "too long a head": [431, `GET http://public.test/ HTTP/1.1\r\nX: ${"a".repeat(90_000)}`],
  "too many fields": [431, `GET http://public.test/ HTTP/1.1\r\n${"X: a\r\n".repeat(300)}\r\n`],
};

Deno.test("the proxy refuses what two programs would read differently, and goes on serving", async () => {
  await using server = echoServer();
  await using proxy = await testProxy({ hosts: ["public.test"], server: server.port });
  for (const [what, [status, text]] of Object.entries(HOSTILE)) {
    assert.equal((await proxy.ask(text)).status, status, what);
  }
  assert.deepEqual(proxy.dialled, []);
  assert.equal((await proxy.ask(getFrom("public.test"))).status, 200);
});

Deno.test("the proxy gives up on a client that does not finish its request", async () => {
  await using server = echoServer();
  await using proxy = await testProxy({
    hosts: ["public.test"],
    server: server.port,
    limits: { headMs: 50 },
  });
  using slow = await proxy.connect();
  await slow.write(new TextEncoder().encode("GET http://public.test/ HTTP/1.1\r\nX: "));
  assert.equal((await readAnswer(slow)).status, 408);
  assert.equal((await proxy.ask(getFrom("public.test"))).status, 200);
});

Deno.test("the proxy ends a tunnel on which nothing moves", async () => {
  using server = tcpServer();
  await using proxy = await testProxy({
    hosts: ["public.test"],
    server: server.port,
    limits: { idleMs: 60 },
  });
  assert.equal((await proxy.ask(connectTo("public.test:443"))).status, 200);
});

Deno.test("the proxy holds a bounded number of connections, and serves again when one ends", async () => {
  await using server = echoServer();
  await using proxy = await testProxy({
    hosts: ["public.test"],
    server: server.port,
    limits: { connections: 2 },
  });
  const held = [await proxy.connect(), await proxy.connect()];
  const over = await proxy.connect();
  assert.equal((await readAnswer(over)).status, 503);
  over.close();
  const [first] = held;
  assert.ok(first);
  await first.write(new TextEncoder().encode(getFrom("public.test")));
  assert.equal((await readAnswer(first)).status, 200);
  for (const conn of held) conn.close();
});

Deno.test("the socket of the proxy is this user's alone, and goes with it", async () => {
  const proxy = await testProxy({ hosts: [] });
  assert.equal(((await Deno.stat(proxy.socketPath)).mode ?? 0) & 0o777, 0o600);
  await proxy[Symbol.asyncDispose]();
  await assert.rejects(Deno.stat(proxy.socketPath), Deno.errors.NotFound);
  await assert.rejects(
    createProxy({ socketPath: `/tmp/${"long/".repeat(40)}s`, reach: () => "none", env: {} }),
    { code: "sandbox" },
  );
});

Deno.test("the proxy goes through the user's own, after its own judgement, and never for this machine", async () => {
  const asked: string[] = [];
  await using server = echoServer();
  // Stands for the proxy of a company: one head is read, then everything goes to the server.
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const upstream = (async () => {
    for await (const conn of listener) {
      const buffer = new Uint8Array(4_096);
      const read = await conn.read(buffer) ?? 0;
      asked.push(new TextDecoder().decode(buffer.subarray(0, read)));
      await conn.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
      conn.close();
    }
  })();
  const url = `http://me:p%40ss@127.0.0.1:${(listener.addr as Deno.NetAddr).port}`;
  const env = { https_proxy: url, HTTP_PROXY: url, NO_PROXY: "direct.test" };
  const hosts = ["unknown.test", "public.test", "rebind.test", `127.0.0.1:${server.port}`];
  await using proxy = await testProxy({ hosts, env });
  assert.equal((await proxy.ask(connectTo("unknown.test:443"))).status, 200);
  assert.equal((await proxy.ask(getFrom("public.test", "/x"))).status, 200);
  assert.match(
    asked[0] ?? "",
    /^CONNECT unknown\.test:443 HTTP\/1\.1\r\n[^]*Proxy-Authorization: Basic bWU6cEBzcw==\r\n/,
  );
  assert.match(
    asked[1] ?? "",
    /^GET http:\/\/public\.test\/x HTTP\/1\.1\r\nHost: public\.test\r\n[^]*Proxy-Authorization: Basic/,
  );
  assert.equal((await proxy.ask(getFrom("rebind.test"))).status, 403);
  assert.equal((await proxy.ask(getFrom(`127.0.0.1:${server.port}`))).status, 200);
  assert.equal(asked.length, 2);
  listener.close();
  await upstream;
});
