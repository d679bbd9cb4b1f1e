import { PryxError } from "../domain/error.ts";
import { formatPlace } from "../domain/need.ts";
import type { WebRequest } from "./sandbox.ts";
import { type HostName, isOutside, parseAddress, parseHostName, textOf } from "./addresses.ts";
import { withoutBrackets } from "./addresses.ts";
import { dial, type DialOptions, HostRefused } from "./_proxy_dial.ts";
import {
  type Head,
  parseHead,
  readHead,
  shut,
  Unreadable,
  valuesOf,
  type Wire,
  writeAll,
} from "./_proxy_head.ts";

type Connecting = Pick<DialOptions, "env" | "resolve" | "connect" | "ownAddresses">;

/**
 * One HTTP request over a connection of its own, to the very address that was judged (see `_proxy_dial.ts`). The runtime's
 * own `fetch` resolves a name once more after any check. Follows nothing, keeps nothing. The body is unpacked as it is
 * read, never ahead. Rejects with `denied` where the host may not be reached.
 */
export async function fetchPinned(url: URL, request: WebRequest, options: Connecting): Promise<Response> {
  const { signal } = request;
  signal.throwIfAborted();
  const { head: headText, body } = composeRequest(url, request);
  const secure = url.protocol === "https:";
  const host = parseHostName(url.hostname);
  const port = Number(url.port) || (secure ? 443 : 80);
  const line = await reachHost(host, port, !secure, request, options);
  let conn: Deno.Conn = line.conn;
  const stop = () => shut(conn);
  signal.addEventListener("abort", stop, { once: true });
  const end = () => {
    signal.removeEventListener("abort", stop);
    shut(conn);
  };
  try {
    signal.throwIfAborted();
    if (secure) {
      conn = await Deno.startTls(line.conn as Deno.TcpConn, {
        hostname: withoutBrackets(url.hostname),
        alpnProtocols: ["http/1.1"],
      });
    }
    await writeAll(conn, headText(line.via));
    // A server may answer, and stop reading, before it has all of the body.
    const sent = body === undefined ? undefined : writeAll(conn, body);
    sent?.catch(() => {});
    const { head, status, rest } = await readResponseHead(conn);
    const empty = request.method === "HEAD" || [204, 205, 304].includes(status);
    const bytes = empty ? null : bodyStream(conn, rest, head, signal, end);
    if (empty) end();
    return respond(head, status, bytes);
  } catch (error) {
    end();
    signal.throwIfAborted();
    throw error;
  }
}

async function reachHost(
  host: HostName,
  port: number,
  plain: boolean,
  request: WebRequest,
  options: Connecting,
): ReturnType<typeof dial> {
  const outside = request.from !== undefined && isOutside(parseHostName(new URL(request.from).hostname));
  const text = host.kind === "invalid" ? "" : textOf(host);
  const reach: DialOptions["reach"] = (asked, at) => {
    // A page from outside chose this place: what a person granted for themselves was not granted to it.
    if (outside && !isOutside(parseHostName(asked))) return "none";
    if (request.named(asked, at)) return "named";
    return asked === text && parseAddress(asked) === undefined ? "matched" : "none";
  };
  try {
    return await dial(host, port, { ...options, reach, plain, signal: request.signal });
  } catch (error) {
    request.signal.throwIfAborted();
    if (!(error instanceof HostRefused)) throw error;
    const why = outside ? `${error.message} (and not by a redirect from outside)` : error.message;
    throw new PryxError("denied", `Cannot reach ${formatPlace(text || "that host", port)}: ${why}`);
  }
}

/** What frames a message, names its place, or is between two ends of a connection: pryx's own to say. */
const OWN_HEADERS = new Set(
  ("host content-length transfer-encoding te trailer connection keep-alive proxy-connection proxy-authorization " +
    "proxy-authenticate upgrade expect accept-encoding").split(" "),
);
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/u;
/** These make of a connection or a server something else. */
const REFUSED_METHODS = new Set(["CONNECT", "TRACE", "TRACK"]);
const BODY_EXPECTED = new Set(["POST", "PUT", "PATCH"]);

/** The request as it is sent; the head once it is known whether a proxy reads it. Throws `input_invalid`. */
function composeRequest(url: URL, { method = "GET", headers = {}, body }: WebRequest) {
  const refuse = (why: string) => new PryxError("input_invalid", `Cannot send the request: ${why}`);
  if (!TOKEN.test(method) || REFUSED_METHODS.has(method.toUpperCase())) {
    throw refuse(`${JSON.stringify(method.slice(0, 40))} is no method for that`);
  }
  for (const name of Object.keys(headers)) {
    if (!TOKEN.test(name)) throw refuse(`${JSON.stringify(name.slice(0, 80))} is no name of a header`);
    if (OWN_HEADERS.has(name.toLowerCase())) throw refuse(`the header ${name} is pryx's own to set`);
  }
  if (body !== undefined && (method === "GET" || method === "HEAD")) throw refuse(`${method} takes no body`);
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const length = bytes?.length ?? (BODY_EXPECTED.has(method) ? 0 : undefined);
  const head = (via: { authorization?: string } | undefined) => {
    const lines = [
      `${method} ${via ? url.origin : ""}${url.pathname}${url.search} HTTP/1.1`,
      `Host: ${url.host}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      ...(length === undefined ? [] : [`Content-Length: ${length}`]),
      "Accept-Encoding: gzip",
      ...(via?.authorization === undefined ? [] : [`Proxy-Authorization: ${via.authorization}`]),
      "Connection: close",
    ];
    if (lines.some((line) => /[\r\n\0]/u.test(line))) throw new Unreadable("a header has a line break in it");
    return new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`);
  };
  return { head, body: bytes };
}

/** Skips interim answers (RFC 9110, section 15.2). */
async function readResponseHead(wire: Wire): Promise<{ head: Head; status: number; rest: Uint8Array }> {
  let start: Uint8Array | undefined;
  for (let interim = 0; interim < 8; interim++) {
    const { text, rest } = await readHead(wire, start === undefined ? {} : { start });
    const head = parseHead(text);
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/u.exec(head.start)?.[1] ?? NaN);
    if (!(status >= 100 && status < 600)) throw new Unreadable("what answers does not speak HTTP/1.1");
    if (status >= 200) return { head, status, rest };
    if (status === 101) throw new Unreadable("the server speaks another protocol");
    start = rest;
  }
  throw new Unreadable("the server answers without end");
}

function respond(head: Head, status: number, bytes: ReadableStream<Uint8Array> | null): Response {
  const headers = new Headers();
  for (const [name, value] of head.fields) headers.append(name, value);
  const codings = valuesOf(head, "content-encoding").flatMap((value) => value.split(","))
    .map((value) => value.trim().toLowerCase()).filter((value) => value !== "" && value !== "identity");
  if (codings.length > 3) throw new Unreadable("its content is packed too often");
  if (codings.length > 0) {
    headers.delete("content-encoding");
    headers.delete("content-length");
  }
  const body = bytes && codings.reduceRight(unpack, bytes);
  const statusText = head.start.replace(/^\S+ \d{3} ?/u, "");
  return new Response(body, { status, statusText, headers });
}

/** No brotli: a few bytes of it may become gigabytes at once. It is not asked for, and servers send what is asked for. */
const UNPACK: Readonly<Record<string, "gzip" | "deflate">> = {
  "gzip": "gzip",
  "x-gzip": "gzip",
  "deflate": "deflate",
};

/** A piece becomes at most a thousand times as much (DEFLATE's limit), and no piece is unpacked before it is read. */
const PIECE_BYTES = 2 * 1024;

function unpack(packed: ReadableStream<Uint8Array>, coding: string): ReadableStream<Uint8Array> {
  const format = Object.hasOwn(UNPACK, coding) ? UNPACK[coding] : undefined;
  if (!format) throw new Unreadable(`its content is packed in a way that is not known: ${coding}`);
  const cutter = new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>(
    {
      transform(bytes, controller) {
        for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
          controller.enqueue(new Uint8Array(bytes.subarray(at, at + PIECE_BYTES)));
        }
      },
    },
    undefined,
    { highWaterMark: 0 },
  );
  return packed.pipeThrough(cutter).pipeThrough(new DecompressionStream(format));
}

/** The body as its framing says (RFC 9112, section 6.3). Calls `end` when it is over. */
function bodyStream(
  wire: Wire,
  rest: Uint8Array,
  head: Head,
  signal: AbortSignal,
  end: () => void,
): ReadableStream<Uint8Array> {
  const pieces = framed(wire, rest, head);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await pieces.next();
        if (!done) return controller.enqueue(value);
        end();
        controller.close();
      } catch (error) {
        end();
        controller.error(signal.aborted ? signal.reason : error);
      }
    },
    cancel: end,
  }, { highWaterMark: 0 });
}

async function* framed(wire: Wire, rest: Uint8Array, head: Head): AsyncGenerator<Uint8Array, void> {
  const input = createInput(wire, rest);
  const coding = valuesOf(head, "transfer-encoding").join(",").trim().toLowerCase();
  if (coding === "chunked") {
    for (;;) {
      const line = await input.line();
      const size = /^([0-9a-f]{1,8})[ \t]*(?:;.*)?$/iu.exec(line)?.[1];
      if (size === undefined) throw new Unreadable("a piece of the answer has no length");
      const length = parseInt(size, 16);
      // Fields after the body say nothing that is used.
      if (length === 0) return;
      yield* input.bytes(length);
      if (await input.line() !== "") throw new Unreadable("a piece of the answer is longer than it says");
    }
  }
  if (coding !== "") throw new Unreadable("its transfer coding is not known");
  const lengths = new Set(valuesOf(head, "content-length").flatMap((value) => value.split(/,\s*/u)));
  const [length = ""] = lengths;
  if (lengths.size === 0) return yield* input.bytes(Infinity);
  if (lengths.size > 1 || !/^\d{1,15}$/u.test(length)) throw new Unreadable("its length cannot be read");
  yield* input.bytes(Number(length));
}

function createInput(wire: Wire, rest: Uint8Array) {
  let held = rest;
  /** False at the end of the connection. */
  const fill = async (): Promise<boolean> => {
    if (held.length > 0) return true;
    const buffer = new Uint8Array(16 * 1024);
    const read = await wire.read(buffer);
    held = buffer.subarray(0, read ?? 0);
    return read !== null;
  };
  return {
    async line(): Promise<string> {
      let text = "";
      while (await fill()) {
        const at = held.indexOf(10);
        const part = held.subarray(0, at < 0 ? held.length : at);
        held = held.subarray(at < 0 ? held.length : at + 1);
        text += new TextDecoder("latin1").decode(part);
        if (text.length > 4_096) break;
        if (at >= 0) return text.replace(/\r$/u, "");
      }
      throw new Unreadable("the answer ends too early");
    },
    async *bytes(length: number): AsyncGenerator<Uint8Array, void> {
      let left = length;
      while (left > 0) {
        if (!await fill()) {
          if (length === Infinity) return;
          throw new Unreadable("the answer ends too early");
        }
        const piece = held.slice(0, Math.min(left, held.length));
        held = held.subarray(piece.length);
        left -= piece.length;
        yield piece;
      }
    },
  };
}
