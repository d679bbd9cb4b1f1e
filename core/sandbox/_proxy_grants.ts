import { parseHostName, readPlace, textOf } from "./addresses.ts";

/** `named`: a grant spells out exactly this host. `matched`: a wildcard covers it. */
export type Reach = "named" | "matched" | "none";

/**
 * Whether a host may be reached on a port. The host is in its one spelling: lower case, no trailing dot, no brackets,
 * an address as {@link parseHostName} writes it. Policy owns the grammar of patterns; this is what is asked of it.
 */
export type ReachOf = (host: string, port: number) => Reach;

/**
 * Reads granted hosts in the grammar of `net`: `host`, `host:port`, `*.host`, `*.host:port`, `*`, `**`. A wildcard never
 * means an address or a name of this machine. A pattern that cannot be read grants nothing.
 */
export function hostReach(hosts: readonly string[]): ReachOf {
  const grants = hosts.map(readGrant).filter((grant) => grant !== undefined);
  return (host, port) => {
    const open = grants.filter((grant) => grant.port === undefined || grant.port === port);
    if (open.some((grant) => grant.name === host)) return "named";
    const asked = parseHostName(host);
    if (asked.kind !== "name" || asked.local !== undefined) return "none";
    const matched = open.some(({ suffix }) => suffix !== undefined && host.endsWith(suffix));
    return matched ? "matched" : "none";
  };
}

interface Grant {
  readonly name?: string;
  /** Empty for every name. */
  readonly suffix?: string;
  readonly port: number | undefined;
}

function readGrant(pattern: string): Grant | undefined {
  const text = pattern.trim().toLowerCase();
  if (text === "*" || text === "**") return { suffix: "", port: undefined };
  const place = readPlace(text.startsWith("*.") ? text.slice(2) : text);
  if (!place || text.slice(2).includes("*")) return undefined;
  const host = parseHostName(place.host);
  if (host.kind === "invalid") return undefined;
  if (!text.startsWith("*.")) {
    return { name: textOf(host), port: place.port };
  }
  return host.kind === "name" ? { suffix: `.${host.name}`, port: place.port } : undefined;
}
