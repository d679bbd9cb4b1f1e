import { words } from "../domain/words.ts";

/**
 * Where a host leads, before anything is sent there. Every spelling that some resolver or URL parser takes for an
 * address is read as one (inet_aton's short, octal and hexadecimal forms, IPv6 with an IPv4 address inside, full-width
 * digits, percent escapes), so that none of them passes for a name.
 *
 * Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries; RFC 4291, 6890, 6761, 8375, 9637; WHATWG URL, "host parsing".
 */

/** `public`, or why an address is none. */
export type AddressScope =
  | "public"
  | "unspecified"
  | "loopback"
  | "private"
  | "shared"
  | "link-local"
  | "cloud metadata"
  | "unique local"
  | "site local"
  | "multicast"
  | "broadcast"
  | "documentation"
  | "benchmarking"
  | "discard"
  | "tunnel"
  | "reserved";

/** An IP address in its one spelling. */
export interface Address {
  readonly family: 4 | 6;
  /** Dotted decimal, or RFC 5952. An IPv4 address inside `::ffff:0:0/96` is that IPv4 address. */
  readonly text: string;
  readonly scope: AddressScope;
}

/** A host as a request names it. */
export type HostName =
  | { readonly kind: "address"; readonly address: Address }
  /** Lower case, ASCII, no trailing dot. `local`: why the name means nothing to the rest of the world. */
  | { readonly kind: "name"; readonly name: string; readonly local?: string }
  | { readonly kind: "invalid"; readonly why: string };

/** Reads a host, with or without brackets and without a port. */
export function parseHostName(text: string): HostName {
  const plain = unescape(text.trim());
  if (plain === undefined) return invalid("it is escaped in a way that programs read differently");
  const ascii = plain.normalize("NFKC").replace(/[\u3002\uff61]/gu, ".").replace(IGNORED, "").toLowerCase();
  const bracketed = /^\[(.*)\]$/u.exec(ascii);
  const bare = bracketed?.[1] ?? ascii;
  if (bare.includes(":")) {
    const [digits = "", zone] = bare.split("%", 2);
    if (zone !== undefined) return invalid("it names a network interface of this machine");
    const words = parseWords(digits);
    return words ? { kind: "address", address: sixth(words) } : invalid("it is no IPv6 address");
  }
  if (bracketed) return invalid("brackets are for IPv6 addresses");
  const host = bare.replace(/\.+$/u, "");
  if (host === "") return invalid("it names no host");
  if (endsInNumber(host)) {
    const value = parseFour(host);
    return typeof value === "string" ? invalid(value) : { kind: "address", address: fourth(value) };
  }
  if (host.length > 253 || !host.split(".").every((label) => LABEL.test(label))) {
    return invalid("it is no host name");
  }
  const local = localName(host);
  return { kind: "name", name: host, ...(local === undefined ? {} : { local }) };
}

/** The address that a resolver answered. Undefined when it is none. */
export function parseAddress(text: string): Address | undefined {
  const host = parseHostName(text);
  return host.kind === "address" ? host.address : undefined;
}

/** True for the names that always mean this machine (RFC 6761, section 6.3). They are never resolved. */
export function isLoopbackName(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost");
}

/** A host in its one spelling, without brackets; `?` for what names none. */
export function textOf(host: HostName): string {
  return host.kind === "name" ? host.name : host.kind === "address" ? host.address.text : "?";
}

/** True for what lies outside of this machine and its networks, as far as the name says. */
export function isOutside(host: HostName): boolean {
  return host.kind === "address"
    ? host.address.scope === "public"
    : host.kind === "name" && !isLoopbackName(host.name);
}

/** Splits `host`, `host:port`, `[v6]`, `[v6]:port` and a bare IPv6 address. Undefined when it is none of them. */
export function readPlace(text: string): { host: string; port: number | undefined } | undefined {
  const bare = (text.match(/:/gu)?.length ?? 0) > 1 && !text.startsWith("[");
  const parts = bare ? undefined : /^(\[[^\]]*\]|[^:[\]]+)(?::([0-9]{1,5}))?$/u.exec(text);
  if (!bare && !parts) return undefined;
  const port = parts?.[2] === undefined ? undefined : Number(parts[2]);
  if (port !== undefined && (port < 1 || port > 65535)) return undefined;
  return { host: parts?.[1] ?? text, port };
}

/** An IPv6 address as the system takes it. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/gu, "");
}

/** What IDNA drops without a trace: soft hyphen, zero-width characters, variation selectors. */
const IGNORED = /[\u00ad\u034f\u180b-\u180d\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]/gu;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/u;

function invalid(why: string): HostName {
  return { kind: "invalid", why };
}

/** Percent escapes, once. Undefined when they are broken or hide further ones. */
function unescape(text: string): string | undefined {
  // A zone id stands behind a bare percent sign: `fe80::1%eth0`.
  if (!text.includes("%") || /^\[?[0-9a-f:.]+%(?:25)?[\w.-]+\]?$/iu.test(text) && text.includes(":")) {
    return text;
  }
  try {
    const once = decodeURIComponent(text);
    return once.includes("%") ? undefined : once;
  } catch {
    return undefined;
  }
}

/** Why a name is not one of the public DNS; undefined for one that may be. */
function localName(name: string): string | undefined {
  if (isLoopbackName(name)) return "it is this machine";
  if (!name.includes(".")) return "a name without a dot is known in the local network only";
  const top = name.slice(name.lastIndexOf(".") + 1);
  if (LOCAL_TOPS.has(top) || name.endsWith(".home.arpa")) {
    return `names below .${top === "arpa" ? "home.arpa" : top} are known in the local network only`;
  }
  return undefined;
}

const LOCAL_TOPS = new Set(words("local internal localdomain lan home corp intranet private invalid"));

/** WHATWG URL: such a host is an IPv4 address or nothing. */
function endsInNumber(host: string): boolean {
  return /^(?:\d+|0x[0-9a-f]*)$/u.test(host.slice(host.lastIndexOf(".") + 1));
}

/** As inet_aton reads it: one to four parts, the last fills what is left. What is wrong, as text. */
function parseFour(host: string): number | string {
  const parts = host.split(".");
  if (parts.length > 4) return "it has more parts than an address";
  const numbers: number[] = [];
  for (const part of parts) {
    if (!/^(?:\d+|0x[0-9a-f]*)$/u.test(part)) return "it is neither an address nor a name";
    // `010` is 8 to some programs and 10 to others.
    if (/^0\d/u.test(part) && Number(part) !== parseInt(part, 8)) {
      return "numbers with a leading zero are read differently by different programs";
    }
    numbers.push(part === "0x" ? 0 : Number(part));
  }
  const last = numbers.pop() ?? 0;
  const room = 4 - numbers.length;
  if (last >= 256 ** room || numbers.some((number) => number > 255)) return "a number in it is too large";
  return numbers.reduce((sum, number, at) => sum + number * 256 ** (3 - at), last);
}

function fourth(value: number): Address {
  const text = [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
  return { family: 4, text, scope: scopeOfFour(value, text) };
}

/** The platforms' own services. Some lie in ranges that are public or shared. */
const METADATA = new Set([
  "169.254.169.254",
  "169.254.170.2",
  "169.254.170.23",
  "169.254.169.253",
  "168.63.129.16",
  "100.100.100.200",
  "192.0.0.192",
  "fd00:ec2::254",
  "fd00:ec2::23",
  "fd20:ce::254",
]);

const FOUR: readonly (readonly [string, number, AddressScope])[] = [
  ["0.0.0.0", 8, "unspecified"],
  ["10.0.0.0", 8, "private"],
  ["100.64.0.0", 10, "shared"],
  ["127.0.0.0", 8, "loopback"],
  ["169.254.0.0", 16, "link-local"],
  ["172.16.0.0", 12, "private"],
  ["192.0.0.0", 24, "reserved"],
  ["192.0.2.0", 24, "documentation"],
  ["192.88.99.0", 24, "tunnel"],
  ["192.168.0.0", 16, "private"],
  ["198.18.0.0", 15, "benchmarking"],
  ["198.51.100.0", 24, "documentation"],
  ["203.0.113.0", 24, "documentation"],
  ["224.0.0.0", 4, "multicast"],
  ["255.255.255.255", 32, "broadcast"],
  ["240.0.0.0", 4, "reserved"],
];

function scopeOfFour(value: number, text: string): AddressScope {
  if (METADATA.has(text)) return "cloud metadata";
  for (const [start, bits, scope] of FOUR) {
    const size = 2 ** (32 - bits);
    const from = start.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
    if (value >= from && value < from + size) return scope;
  }
  return "public";
}

/** The eight words of an IPv6 address. */
function parseWords(text: string): readonly number[] | undefined {
  const dotted = /^(.*:)(\d{1,3}(?:\.\d{1,3}){3})$/u.exec(text);
  let whole = text;
  if (dotted) {
    const value = parseFour(dotted[2] ?? "");
    if (typeof value === "string") return undefined;
    whole = `${dotted[1]}${Math.floor(value / 65536).toString(16)}:${(value % 65536).toString(16)}`;
  }
  const halves = whole.split("::");
  if (halves.length > 2) return undefined;
  const [before = [], after = []] = halves.map((half) => half === "" ? [] : half.split(":"));
  const missing = 8 - before.length - after.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const words = [...before, ...Array<string>(missing).fill("0"), ...after];
  return words.every((word) => /^[0-9a-f]{1,4}$/u.test(word))
    ? words.map((word) => parseInt(word, 16))
    : undefined;
}

function sixth(words: readonly number[]): Address {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = words;
  // IPv4-mapped: the system opens an IPv4 connection.
  if ((a | b | c | d | e) === 0 && f === 0xffff) return fourth(g * 65536 + h);
  const text = formatWords(words);
  return { family: 6, text, scope: scopeOfSix(words, text) };
}

const SIX: readonly (readonly [string, number, AddressScope])[] = [
  ["::", 128, "unspecified"],
  ["::1", 128, "loopback"],
  ["64:ff9b:1::", 48, "private"],
  ["100::", 64, "discard"],
  ["2001::", 32, "tunnel"],
  ["2001:2::", 48, "benchmarking"],
  ["2001::", 23, "reserved"],
  ["2001:db8::", 32, "documentation"],
  ["2002::", 16, "tunnel"],
  ["3fff::", 20, "documentation"],
  ["fc00::", 7, "unique local"],
  ["fe80::", 10, "link-local"],
  ["fec0::", 10, "site local"],
  ["ff00::", 8, "multicast"],
];

const NAT64: readonly number[] = [0x64, 0xff9b, 0, 0, 0, 0, 0, 0];
const SIX_RANGES = SIX.map(([start, bits, scope]) => ({ words: parseWords(start) ?? [], bits, scope }));

function scopeOfSix(words: readonly number[], text: string): AddressScope {
  if (METADATA.has(text)) return "cloud metadata";
  const [a = 0, , , , e = 0, f = 0, g = 0, h = 0] = words;
  // NAT64: the gateway sends it on to the IPv4 address inside.
  if (isWithin(words, NAT64, 96)) return fourth(g * 65536 + h).scope;
  const known = SIX_RANGES.find((range) => isWithin(words, range.words, range.bits));
  if (known) return known.scope;
  // ISATAP: another host's IPv4 address behind a router of the same network.
  if ((e === 0 || e === 0x200) && f === 0x5efe) return "tunnel";
  // Nothing else is given to anybody yet.
  return a >> 13 === 1 ? "public" : "reserved";
}

function isWithin(words: readonly number[], range: readonly number[], bits: number): boolean {
  return words.every((word, at) => {
    const wanted = Math.min(16, Math.max(0, bits - at * 16));
    const mask = 0xffff & ~(0xffff >> wanted);
    return (word & mask) === ((range[at] ?? 0) & mask);
  });
}

/** RFC 5952: the longest run of zeros shortened, the first of equal ones, never a single one. */
function formatWords(words: readonly number[]): string {
  let [start, length] = [0, 0];
  for (let at = 0; at < words.length; at++) {
    let run = 0;
    while (words[at + run] === 0) run++;
    if (run > length) [start, length] = [at, run];
  }
  const hex = words.map((word) => word.toString(16));
  if (length < 2) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}
