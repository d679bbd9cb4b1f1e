import { lookup } from "node:dns/promises";
import { messageOf } from "../domain/error.ts";
import { formatPlace } from "../domain/need.ts";
import { type Address, type HostName, isLoopbackName, isOutside, parseAddress, textOf } from "./addresses.ts";
import type { ReachOf } from "./_proxy_grants.ts";
import { parseHead, readHead, writeAll } from "./_proxy_head.ts";
import { findUpstream, type Upstream } from "./_proxy_upstream.ts";

export interface DialOptions {
  readonly reach: ReachOf;
  /** Where the user's own proxy is named. */
  readonly env: Readonly<Record<string, string>>;
  /** All addresses of a name. Default: the system's resolver. Rejects when there is none. */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
  /** Opens a connection to an address. Default: TCP. */
  readonly connect?: (address: string, port: number) => Promise<Deno.Conn>;
  /** Addresses of this machine's own interfaces, which reach its services however public they are. */
  readonly ownAddresses?: () => readonly string[];
  readonly connectTimeoutMs?: number;
}

/** An open way to a host. */
export interface Line {
  readonly conn: Deno.Conn;
  /** The address that it leads to; undefined when the user's own proxy chose it. */
  readonly address: string | undefined;
  /** Set when a plain request must name the whole URL, because a proxy of the user's reads it. */
  readonly via?: Upstream;
}

/** A host that may not be reached. The message is for people. */
export class HostRefused extends Error {}
/** A host that may be reached and could not be. */
class HostUnreachable extends Error {}

/** From when a name is looked up to when one of its addresses has answered. */
const CONNECT_TIMEOUT_MS = 15_000;

/**
 * Decides where a host leads and opens a connection to exactly that: the name is resolved once, each address is judged,
 * and one that was judged good is connected to. `plain`: an HTTP request follows, else a tunnel.
 */
export async function dial(
  host: HostName,
  port: number,
  options: DialOptions & { readonly plain: boolean; readonly signal: AbortSignal },
): Promise<Line> {
  if (host.kind === "invalid") throw new HostRefused(host.why);
  const limit = AbortSignal.any([
    options.signal,
    AbortSignal.timeout(options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS),
  ]);
  const text = textOf(host);
  const upstream = isOutside(host) ? upstreamFor(text, port, options) : undefined;
  let targets: readonly string[];
  try {
    targets = await locate(host, port, options, limit);
  } catch (error) {
    // Where everything goes through a proxy, names of the outside are often unknown inside.
    if (upstream === undefined || !(error instanceof HostUnreachable)) throw error;
    targets = [];
  }
  if (upstream === undefined) return await firstOf(targets, text, port, options, limit);
  const conn = await reachUpstream(upstream, limit);
  if (options.plain) return { conn, address: undefined, via: upstream };
  await tunnel(conn, upstream, formatPlace(text, port), limit);
  return { conn, address: undefined };
}

/** The addresses that may be connected to, best first; never empty. */
async function locate(
  host: Exclude<HostName, { kind: "invalid" }>,
  port: number,
  options: DialOptions,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { reach } = options;
  const own = new Set(options.ownAddresses?.() ?? interfaceAddresses());
  const grantOf = (address: string) => `--allow net=${formatPlace(address, port)}`;
  if (host.kind === "address") {
    const { text, scope } = host.address;
    if (reach(text, port) === "named") return [text];
    const why = scope === "public" ? "" : ` (${describe(host.address, own)})`;
    throw new HostRefused(
      `${formatPlace(text, port)} was not granted${why}; ` +
        `an address is reached only by a grant that names it: ${grantOf(text)}`,
    );
  }
  const { name, local } = host;
  const granted = reach(name, port);
  if (granted === "none" || (local !== undefined && granted !== "named")) {
    const why = local === undefined ? "" : ` (${local})`;
    throw new HostRefused(`${formatPlace(name, port)} was not granted${why}; it would take ${grantOf(name)}`);
  }
  if (isLoopbackName(name)) return ["127.0.0.1", "::1"];
  const answers = await resolve(name, options, signal);
  const addresses = answers.map(parseAddress).filter((address) => address !== undefined);
  const open = addresses.filter((address) =>
    (address.scope === "public" && !own.has(address.text)) || reach(address.text, port) === "named"
  );
  const [first] = addresses;
  if (open.length === 0 && first) {
    throw new HostRefused(
      `${name} leads to ${first.text}, ${describe(first, own)}; a name reaches public addresses only, ` +
        `beside it the address itself must be granted: ${grantOf(first.text)}`,
    );
  }
  if (open.length === 0) throw new HostUnreachable(`${name} has no address`);
  return open.map(({ text }) => text);
}

function describe({ text, scope }: Address, own: ReadonlySet<string>): string {
  if (scope === "public") return own.has(text) ? "an address of this machine" : "a public address";
  return `an address that is not public: ${scope}`;
}

async function resolve(name: string, options: DialOptions, signal: AbortSignal): Promise<readonly string[]> {
  const ask = options.resolve ?? (async (asked: string) => {
    const found = await lookup(asked, { all: true, verbatim: true });
    return found.map(({ address }) => address);
  });
  try {
    return await untilAborted(ask(name), signal);
  } catch (error) {
    throw new HostUnreachable(`the name ${name} could not be resolved`, { cause: error });
  }
}

function interfaceAddresses(): readonly string[] {
  return Deno.networkInterfaces().map(({ address }) => parseAddress(address)?.text ?? address);
}

async function firstOf(
  targets: readonly string[],
  name: string,
  port: number,
  options: DialOptions,
  signal: AbortSignal,
): Promise<Line> {
  const connect = options.connect ?? ((hostname: string, at: number) => Deno.connect({ hostname, port: at }));
  let last: unknown;
  for (const address of targets) {
    try {
      return { conn: await connected(connect(address, port), signal), address };
    } catch (error) {
      last = error;
      if (signal.aborted) break;
    }
  }
  throw new HostUnreachable(`${formatPlace(name, port)} does not answer: ${reasonOf(last)}`, { cause: last });
}

function upstreamFor(
  host: string,
  port: number,
  options: DialOptions & { plain: boolean },
): Upstream | undefined {
  const found = findUpstream(options.env, { secure: !options.plain, host, port });
  if (typeof found === "string") throw new HostUnreachable(found);
  return found;
}

async function reachUpstream({ hostname, port, secure }: Upstream, signal: AbortSignal): Promise<Deno.Conn> {
  const opening: Promise<Deno.Conn> = secure
    ? Deno.connectTls({ hostname, port })
    : Deno.connect({ hostname, port });
  try {
    return await connected(opening, signal);
  } catch (error) {
    const place = formatPlace(hostname, port);
    throw new HostUnreachable(`the proxy ${place} does not answer: ${reasonOf(error)}`, { cause: error });
  }
}

/** Asks the user's proxy for a tunnel. */
async function tunnel(
  conn: Deno.Conn,
  { authorization }: Upstream,
  place: string,
  signal: AbortSignal,
): Promise<void> {
  const stop = () => conn.close();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const lines = [`CONNECT ${place} HTTP/1.1`, `Host: ${place}`];
    if (authorization !== undefined) lines.push(`Proxy-Authorization: ${authorization}`);
    await writeAll(conn, new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
    const { text } = await readHead(conn, { exact: true });
    const [, status = ""] = parseHead(text).start.split(" ");
    if (!/^2\d\d$/u.test(status)) throw new HostUnreachable(`the proxy answered ${status} for ${place}`);
  } catch (error) {
    signal.removeEventListener("abort", stop);
    if (!signal.aborted) conn.close();
    if (error instanceof HostUnreachable) throw error;
    throw new HostUnreachable(`the proxy opens no way to ${place}: ${reasonOf(error)}`, { cause: error });
  }
  signal.removeEventListener("abort", stop);
}

/** A connection that comes too late is closed. */
async function connected(opening: Promise<Deno.Conn>, signal: AbortSignal): Promise<Deno.Conn> {
  try {
    return await untilAborted(opening, signal);
  } catch (error) {
    opening.then((late) => late.close(), () => {});
    throw error;
  }
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

export function reasonOf(error: unknown): string {
  return messageOf(error).replace(/\.$/u, "");
}
