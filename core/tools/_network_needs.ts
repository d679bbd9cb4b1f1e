import type { Need } from "../domain/need.ts";

/** Programs that take addresses, with or without a scheme. */
const TAKES_ADDRESSES = new Set(["curl", "wget", "http", "https", "xh", "aria2c", "lynx", "w3m", "yt-dlp"]);

const PORTS: Readonly<Record<string, string>> = {
  "http:": "80",
  "https:": "443",
  "ssh:": "22",
  "git:": "9418",
  "ftp:": "21",
  "ws:": "80",
  "wss:": "443",
};

/**
 * The hosts that a command line names, as needs, so that they are decided before it runs. No more than a courtesy: what
 * it does not say, the sandbox refuses, and that is asked for when it happens.
 */
export function networkNeeds(needs: readonly Need[]): Need[] {
  const hosts = needs.flatMap((need) => need.kind === "run" && need.argv ? hostsOf(need.argv) : []);
  return [...new Set(hosts)].filter((host) => !isLoopback(host)).map((target) => ({ kind: "net", target }));
}

/** The commands' own network first of all: a server among them. The machine's is another, and asked for when it was meant. */
function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\]):\d+$/.test(host);
}

function hostsOf(argv: readonly string[]): string[] {
  const [first = "", ...args] = argv;
  const name = first.slice(first.lastIndexOf("/") + 1);
  const words = args.filter((arg) => !arg.startsWith("-"));
  if (TAKES_ADDRESSES.has(name)) return words.flatMap((word) => hostOf(word) ?? bareHost(word) ?? []);
  return name === "git" ? words.flatMap((word) => hostOf(word) ?? remoteHost(word) ?? []) : [];
}

function hostOf(word: string): string | undefined {
  if (!/^[a-z]+:\/\//i.test(word) || !URL.canParse(word)) return undefined;
  // Schemes that are not the web's keep the host as it is written.
  const { protocol, hostname, port } = new URL(word);
  const known = Object.hasOwn(PORTS, protocol) ? PORTS[protocol] : undefined;
  if (known === undefined || hostname === "") return undefined;
  return `${hostname.toLowerCase().replace(/\.+$/, "")}:${port || known}`;
}

/** `example.org/x`, `localhost:8080`: what a browser's address line takes. */
function bareHost(word: string): string | undefined {
  if (!/^(?:localhost|[\w-]+(?:\.[\w-]+)+|\[[0-9a-f:.]+\])(?::\d+)?(?:[/?#]|$)/i.test(word)) return undefined;
  return hostOf(`http://${word}`);
}

/** `git@host:path`. */
function remoteHost(word: string): string | undefined {
  const host = /^(?:[\w.-]+@)([\w.-]+):(?!\/\/)/.exec(word)?.[1];
  return host && `${host.toLowerCase()}:22`;
}
