import { constants } from "node:os";
import { messageOf } from "../domain/error.ts";
import { formatPlace } from "../domain/need.ts";
import { readPlace, withoutBrackets } from "./addresses.ts";
import { parseHead, readHead, Unreadable, writeAll } from "./_proxy_head.ts";
import { type End, relay } from "./_proxy_relay.ts";

/** Of a connection on which nothing moves. The proxy's own limit is shorter. */
const IDLE_MS = 20 * 60_000;
const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"] as const;

/**
 * The command line that runs a program behind the bridge, inside a network namespace without a way out. `self`: how this
 * very program is started. `hosts`: what was granted; those of this machine that name a port are offered inside on the
 * same address and port, for programs that know no proxy (databases).
 */
export function bridgeArgv(
  self: readonly [string, ...string[]],
  socketPath: string,
  hosts: readonly string[],
  program: readonly string[],
): readonly [string, ...string[]] {
  const [first, ...rest] = self;
  const forwards = loopbackPlaces(hosts).map((place) => `--forward=${place}`);
  return [first, ...rest, "__bridge", socketPath, ...forwards, "--", ...program];
}

/** Granted places of this machine with a port, as `host:port`. */
function loopbackPlaces(hosts: readonly string[]): readonly string[] {
  return hosts.flatMap((pattern) => {
    const place = readPlace(pattern.trim().toLowerCase());
    if (place?.port === undefined) return [];
    const host = withoutBrackets(place.host);
    const known = host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/u.test(host);
    return known ? [formatPlace(host, place.port)] : [];
  });
}

/**
 * `pryx __bridge SOCKET [--forward=HOST:PORT]... -- PROGRAM ARGS…`: listens on loopback inside the namespace, sends what
 * comes there to the proxy's socket outside, and runs the program with its own input and output. Returns the program's
 * exit code, 128+n for a signal.
 */
export async function runBridge(args: readonly string[]): Promise<number> {
  const split = args.indexOf("--");
  const [socketPath, ...options] = args.slice(0, split < 0 ? 0 : split);
  const [program, ...rest] = args.slice(split + 1);
  if (split < 0 || socketPath === undefined || program === undefined) {
    return fail("__bridge is a part of the sandbox: __bridge SOCKET -- PROGRAM");
  }
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  forwardAll(listener, socketPath);
  for (const option of options) {
    const place = readPlace(option.replace(/^--forward=/u, ""));
    if (place?.port === undefined) return fail(`__bridge cannot read ${option}`);
    const host = withoutBrackets(place.host);
    for (const hostname of host === "localhost" ? ["127.0.0.1", "::1"] : [host]) {
      try {
        const one = Deno.listen({ hostname, port: place.port });
        forwardAll(one, socketPath, formatPlace(host, place.port));
      } catch {
        // A namespace without IPv6, or a port that needs rights: the proxy still reaches it.
      }
    }
  }
  return await run(program, rest, proxyEnvironment((listener.addr as Deno.NetAddr).port));
}

/**
 * What makes programs use the proxy. Loopback inside the namespace is the program's own (its test servers), so it is
 * exempt: what was granted there is offered on its own port.
 */
function proxyEnvironment(port: number): Record<string, string> {
  const url = `http://127.0.0.1:${port}`;
  const env: Record<string, string> = { NODE_USE_ENV_PROXY: "1" };
  for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]) env[name] = env[name.toLowerCase()] = url;
  env.NO_PROXY = env.no_proxy = "localhost,127.0.0.1,::1";
  return env;
}

async function run(program: string, args: readonly string[], env: Record<string, string>): Promise<number> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args: [...args],
      env,
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
  } catch (error) {
    return fail(`Cannot run ${program}: ${messageOf(error)}`);
  }
  for (const signal of SIGNALS) {
    Deno.addSignalListener(signal, () => {
      try {
        child.kill(signal);
      } catch {
        // It has ended.
      }
    });
  }
  const { code, signal } = await child.status;
  const numbers: Readonly<Record<string, number | undefined>> = constants.signals;
  return signal === null ? code : 128 + (numbers[signal] ?? 0);
}

/** Sends every connection to the proxy's socket; with `place`, through a tunnel to there. */
function forwardAll(listener: Deno.Listener, socketPath: string, place?: string): void {
  void (async () => {
    for await (const conn of listener) void forward(conn, socketPath, place);
  })();
}

async function forward(conn: Deno.Conn, socketPath: string, place?: string): Promise<void> {
  let outside: Deno.UnixConn | undefined;
  try {
    outside = await Deno.connect({ transport: "unix", path: socketPath });
    if (place !== undefined) await tunnel(outside, place);
    const end: End = conn as Deno.TcpConn;
    await relay(end, outside, { idleMs: IDLE_MS, signal: new AbortController().signal });
  } catch {
    outside?.close();
    conn.close();
  }
}

async function tunnel(conn: Deno.Conn, place: string): Promise<void> {
  await writeAll(conn, new TextEncoder().encode(`CONNECT ${place} HTTP/1.1\r\nHost: ${place}\r\n\r\n`));
  const { text } = await readHead(conn, { exact: true });
  if (!parseHead(text).start.startsWith("HTTP/1.1 200 ")) throw new Unreadable("the proxy refused");
}

function fail(why: string): number {
  Deno.stderr.writeSync(new TextEncoder().encode(`pryx: ${why}\n`));
  return 125;
}
