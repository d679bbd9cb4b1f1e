/** A host with its port, as needs and patterns name it. */
export interface Host {
  /** Lower case, no brackets, no trailing dot. */
  readonly name: string;
  readonly port: number | undefined;
  /** True for IP addresses, names of this machine and `**`, which holds them: only a rule that spells them out means them. */
  readonly literalOnly: boolean;
}

/** A compiled pattern of `net`. */
export interface NetPattern {
  /** The host, when it is one; absent for `*` and `*.host`. */
  readonly name?: string;
  /** `.host` of `*.host`. */
  readonly suffix?: string;
  matches(host: Host): boolean;
}

/** The whole network without the proxy: addresses and this machine's own services too. */
const EVERYTHING = "**";
/** Sockets of this machine: docker, D-Bus, ssh-agent. */
const UNIX = "unix";

/** Reads `host`, `host:port`, `[v6]`, `[v6]:port`. Undefined when it is none of them. */
export function parseHost(text: string): Host | undefined {
  const lower = text.trim().toLowerCase();
  const bracketed = /^\[([0-9a-f:.%]+)\](?::(\d{1,5}))?$/u.exec(lower);
  const plain = /^([^\s/?#@:[\]\\]+?)\.?(?::(\d{1,5}))?$/u.exec(lower);
  const bare6 = /^[0-9a-f:.%]+$/u.test(lower) && (lower.match(/:/gu)?.length ?? 0) > 1 ? lower : undefined;
  const name = bracketed?.[1] ?? bare6 ?? plain?.[1];
  if (name === undefined || name === "") return undefined;
  const digits = bracketed ? bracketed[2] : bare6 ? undefined : plain?.[2];
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port < 1 || port > 65535)) return undefined;
  const literalOnly = name.includes(":") || isNumeric(name) || isThisMachine(name) || name === EVERYTHING ||
    name === UNIX;
  return { name, port, literalOnly };
}

/**
 * Compiles `host`, `host:port`, `*.host`, `*.host:port`, `*`, `**` or `unix`. A pattern without a port holds for every
 * port. `*` and `*.host` never mean an IP address or this machine in an allow; in a deny or ask (`broad`) `*` means
 * everything, as `**` always does, but for Unix sockets in an allow.
 * Returns what is wrong, as text.
 */
export function compileNet(pattern: string, broad: boolean): NetPattern | string {
  const text = pattern.trim().toLowerCase();
  if (text === EVERYTHING) return { matches: (host) => broad || host.name !== UNIX };
  if (text === "*") return { matches: (host) => broad || !host.literalOnly };
  if (text.includes("://")) return `write the host alone: net=${hostOfUrl(text)}`;
  if (text.includes("/")) return "it names a path or a range of addresses; write the host alone";
  if (text.startsWith("*.")) return compileSuffix(text.slice(2));
  if (text.includes("*")) return "a wildcard stands only alone or first: *, ** or *.host";
  const host = parseHost(text);
  if (!host) return "it is not host, host:port, *.host or *";
  return {
    name: host.name,
    matches: (other) => other.name === host.name && portMatches(host.port, other.port, broad),
  };

  function compileSuffix(rest: string): NetPattern | string {
    const parent = rest.includes("*") ? undefined : parseHost(rest);
    if (!parent || parent.name.includes(":")) return "after *. a host must follow";
    if (isNumeric(parent.name)) return "addresses are named one by one, without a wildcard";
    const suffix = `.${parent.name}`;
    return {
      suffix,
      matches: (other) =>
        other.name.endsWith(suffix) && (broad || !isNumeric(other.name)) &&
        portMatches(parent.port, other.port, broad),
    };
  }
}

/** Where the port of a need is not known, a deny for one port holds and an allow for one port does not. */
function portMatches(wanted: number | undefined, actual: number | undefined, broad: boolean): boolean {
  return wanted === undefined || wanted === actual || (broad && actual === undefined);
}

/** As URLs are read (WHATWG URL, "ends in a number"): such a host is an IPv4 address, however it is spelled. */
function isNumeric(name: string): boolean {
  return /^(?:\d+|0x[0-9a-f]*)$/u.test(name.slice(name.lastIndexOf(".") + 1));
}

function isThisMachine(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost");
}

function hostOfUrl(text: string): string {
  return URL.canParse(text) ? new URL(text).host : "HOST";
}
