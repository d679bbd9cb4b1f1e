import { PryxError } from "../domain/error.ts";
import { formatPlace } from "../domain/need.ts";
import { type HostName, parseHostName, readPlace, textOf } from "./addresses.ts";
import { dial, type DialOptions, HostRefused, type Line, reasonOf } from "./_proxy_dial.ts";
import { bodyLength, type Head, parseHead, readHead, shut, Unreadable } from "./_proxy_head.ts";
import { valuesOf, writeAll } from "./_proxy_head.ts";
import { type End, relay } from "./_proxy_relay.ts";

/** What became of a request for a host. `host` is as it was asked for, in one spelling where it could be read. */
export type ProxyNotice =
  | { readonly kind: "connected"; readonly host: string; readonly port: number; readonly address?: string }
  | { readonly kind: "refused"; readonly host: string; readonly port: number; readonly why: string }
  | { readonly kind: "failed"; readonly host: string; readonly port: number; readonly why: string };

export interface ProxyLimits {
  /** Connections at once; those beyond are answered 503. */
  readonly connections: number;
  /** Milliseconds for a request's head to arrive. */
  readonly headMs: number;
  /** Milliseconds that nothing may move on a connection. */
  readonly idleMs: number;
}

export interface ProxyOptions extends DialOptions {
  /** Absolute path of the Unix socket to make, at most 107 bytes, in a folder that only this user may enter. */
  readonly socketPath: string;
  readonly onNotice?: (notice: ProxyNotice) => void;
  readonly limits?: Partial<ProxyLimits>;
}

export interface Proxy extends AsyncDisposable {
  readonly socketPath: string;
}

const LIMITS: ProxyLimits = { connections: 256, headMs: 10_000, idleMs: 15 * 60_000 };

/**
 * An HTTP proxy on a Unix socket that opens ways to granted hosts alone: `CONNECT` and plain `http://` requests, one a
 * connection. Each name is resolved once, here; addresses that are not public are refused unless a grant names them;
 * the address that was judged is the one connected to. Bodies pass through and are never kept. What a child prints
 * after a `connected` notice comes from outside.
 */
export async function createProxy(options: ProxyOptions): Promise<Proxy> {
  const limits = { ...LIMITS, ...options.limits };
  const { socketPath } = options;
  const closing = new AbortController();
  const serving = new Set<Promise<void>>();
  let listener: Deno.UnixListener;
  try {
    listener = Deno.listen({ transport: "unix", path: socketPath });
    await Deno.chmod(socketPath, 0o600);
  } catch (error) {
    throw new PryxError("sandbox", `Cannot open the network proxy at ${socketPath}: ${reasonOf(error)}`, {
      fix: "set TMPDIR to a folder with a shorter path, where Unix sockets can be made",
      cause: error,
    });
  }
  const accepting = (async () => {
    for await (const conn of listener) {
      const work = serving.size >= limits.connections
        ? answer(conn, 503, "too many connections at once").finally(() => shut(conn))
        : serve(conn, options, limits, closing.signal);
      const one = work.catch(() => {}).finally(() => serving.delete(one));
      serving.add(one);
    }
  })().catch(() => {});

  return {
    socketPath,
    async [Symbol.asyncDispose]() {
      closing.abort();
      shut(listener);
      await accepting;
      await Promise.all(serving);
      await Deno.remove(socketPath).catch(() => {});
    },
  };
}

async function serve(
  conn: Deno.Conn,
  options: ProxyOptions,
  limits: ProxyLimits,
  closing: AbortSignal,
): Promise<void> {
  const stop = () => shut(conn);
  closing.addEventListener("abort", stop, { once: true });
  try {
    const asked = await inTime(readRequest(conn), limits.headMs);
    if (asked === undefined) return await answer(conn, 408, "no whole request came in time");
    const way = await open(asked, options, closing);
    if ("status" in way) return await answer(conn, way.status, way.why);
    const client = clientEnd(conn, asked);
    await pass(client, way.line, asked, { idleMs: limits.idleMs, signal: closing });
  } catch (error) {
    if (error instanceof Unreadable) {
      await answer(conn, error.status, `the request cannot be read: ${error.message}`);
    }
  } finally {
    closing.removeEventListener("abort", stop);
    shut(conn);
  }
}

interface Asked {
  readonly method: string;
  /** Set for a plain request: the path and query. */
  readonly path?: string;
  readonly host: HostName;
  readonly port: number;
  readonly head: Head;
  /** Bytes of the body; undefined for a tunnel, which has no end of its own. */
  readonly length?: number;
  readonly rest: Uint8Array;
}

async function readRequest(conn: Deno.Conn): Promise<Asked> {
  const { text, rest } = await readHead(conn);
  const head = parseHead(text);
  const line = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP\/1\.[01]$/u.exec(head.start);
  if (!line) throw new Unreadable("its first line is not METHOD TARGET HTTP/1.1");
  const [, method = "", target = ""] = line;
  const length = bodyLength(head);
  if (method === "CONNECT") {
    if (length !== undefined && length !== 0) throw new Unreadable("CONNECT has no body");
    const { host, port } = readTarget(target);
    if (port === undefined) throw new Unreadable("CONNECT names no port");
    checkHost(head, host, port, port);
    return { method, host, port, head, rest };
  }
  const absolute = /^http:\/\/([^/?#]*)([/?][^#]*)?$/iu.exec(target);
  if (!absolute) throw new Unreadable("this is a proxy: it wants CONNECT host:port or http://host/path");
  if (length === "chunked") throw new Unreadable("a plain request must state the length of its body", 411);
  const { host, port = 80 } = readTarget(absolute[1] ?? "");
  checkHost(head, host, port, 80);
  const path = absolute[2] ?? "/";
  const whole = path.startsWith("/") ? path : `/${path}`;
  return { method, path: whole, host, port, head, length: length ?? 0, rest };
}

function readTarget(authority: string): { host: HostName; port: number | undefined } {
  const place = authority.includes("@") ? undefined : readPlace(authority);
  if (!place) throw new Unreadable("its target is not host:port");
  return { host: parseHostName(place.host), port: place.port };
}

/** The server must not be told of another host than the one that was judged. */
function checkHost(head: Head, host: HostName, port: number, usual: number): void {
  const named = valuesOf(head, "host");
  if (named.length > 1) throw new Unreadable("it names its host twice");
  const [value] = named;
  if (value === undefined) return;
  const other = readTarget(value);
  if (textOf(other.host) !== textOf(host) || (other.port ?? usual) !== port) {
    throw new Unreadable("its Host is not its target");
  }
}

async function open(
  asked: Asked,
  options: ProxyOptions,
  signal: AbortSignal,
): Promise<{ line: Line } | { status: number; why: string }> {
  const { host, port } = asked;
  const place = { host: textOf(host), port };
  try {
    const line = await dial(host, port, { ...options, plain: asked.path !== undefined, signal });
    const address = line.address === undefined ? {} : { address: line.address };
    options.onNotice?.({ kind: "connected", ...place, ...address });
    return { line };
  } catch (error) {
    const why = reasonOf(error);
    const refused = error instanceof HostRefused;
    options.onNotice?.({ kind: refused ? "refused" : "failed", ...place, why });
    return { status: refused ? 403 : 502, why };
  }
}

/** Fields between two neighbours, which are not passed on (RFC 9110, section 7.6.1). */
const BETWEEN = ["host", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

async function pass(
  client: End,
  line: Line,
  asked: Asked,
  options: { idleMs: number; signal: AbortSignal },
): Promise<void> {
  const { conn, via } = line;
  try {
    if (asked.path === undefined) {
      await writeAll(client, encode("HTTP/1.1 200 Connection established\r\n\r\n"));
      return await relay(client, conn, options);
    }
    const dropped = new Set([...BETWEEN, ...valuesOf(asked.head, "connection").flatMap(namesIn)]);
    const place = formatPlace(textOf(asked.host), asked.port).replace(/:80$/u, "");
    const lines = [
      `${asked.method} ${via ? `http://${place}` : ""}${asked.path} HTTP/1.1`,
      `Host: ${place}`,
      ...asked.head.fields.filter(([name]) => !dropped.has(name) && !name.startsWith("proxy-"))
        .map(([name, value]) => `${name}: ${value}`),
      ...(via?.authorization === undefined ? [] : [`Proxy-Authorization: ${via.authorization}`]),
      "Connection: close",
    ];
    await writeAll(conn, encode(`${lines.join("\r\n")}\r\n\r\n`));
    // The server ends the answer; until then a half-closed way would look to it like a client that went away.
    const server: End = {
      read: (into) => conn.read(into),
      write: (bytes) => conn.write(bytes),
      close: () => conn.close(),
    };
    await relay(client, server, options);
  } finally {
    shut(conn);
  }
}

/** The client's side, beginning with what was read already; of a plain request exactly its body. */
function clientEnd(conn: Deno.Conn, { rest, length }: Asked): End {
  let held = rest;
  let left = length ?? Infinity;
  return {
    async read(into) {
      if (left === 0) return null;
      const room = into.subarray(0, Math.min(into.length, left));
      let read: number | null = Math.min(held.length, room.length);
      if (read > 0) {
        room.set(held.subarray(0, read));
        held = held.subarray(read);
      } else read = await conn.read(room);
      left -= read ?? 0;
      return read;
    },
    write: (bytes) => conn.write(bytes),
    close: () => conn.close(),
    ...(length === undefined ? { closeWrite: () => (conn as Deno.UnixConn).closeWrite() } : {}),
  };
}

async function answer(conn: Deno.Conn, status: number, why: string): Promise<void> {
  const body = `pryx: ${why}\n`;
  const length = new TextEncoder().encode(body).length;
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? "Refused"}`,
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${length}`,
    "Connection: close",
  ];
  await writeAll(conn, new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n${body}`)).catch(() => {});
}

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  408: "Request Timeout",
  411: "Length Required",
  431: "Request Header Fields Too Large",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
};

/** Undefined when the time is up; what goes on then ends with the connection. */
async function inTime<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  work.catch(() => {});
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Latin 1, as heads are read. */
function encode(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function namesIn(value: string): string[] {
  return value.split(",").map((name) => name.trim().toLowerCase());
}
