import { parseHostName, readPlace, withoutBrackets } from "./addresses.ts";

/** A proxy of the user's own, from the environment: everything goes through it, as with other programs. */
export interface Upstream {
  readonly hostname: string;
  readonly port: number;
  /** The way to the proxy itself is encrypted. */
  readonly secure: boolean;
  /** Value of `Proxy-Authorization`. */
  readonly authorization?: string;
}

/**
 * The proxy that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY name for a request, lower case first. Undefined where
 * there is none; text when what they name cannot be used.
 */
export function findUpstream(
  env: Readonly<Record<string, string>>,
  request: { readonly secure: boolean; readonly host: string; readonly port: number },
): Upstream | string | undefined {
  const name = request.secure ? "https_proxy" : "http_proxy";
  const [variable, value] = [name, name.toUpperCase(), "all_proxy", "ALL_PROXY"]
    .map((one) => [one, env[one]?.trim() ?? ""] as const).find(([, text]) => text !== "") ?? [];
  if (variable === undefined || value === undefined) return undefined;
  if (isExempt(env.no_proxy ?? env.NO_PROXY ?? "", request.host, request.port)) return undefined;
  const text = value.includes("://") ? value : `http://${value}`;
  if (!URL.canParse(text)) return `${variable} names no proxy`;
  const url = new URL(text);
  const secure = url.protocol === "https:";
  if (!secure && url.protocol !== "http:") {
    const kind = url.protocol.slice(0, -1);
    return `${variable} names a proxy of the kind ${kind}, and only http and https are spoken`;
  }
  const user = `${decode(url.username)}:${decode(url.password)}`;
  return {
    hostname: withoutBrackets(url.hostname),
    port: Number(url.port) || (secure ? 443 : 80),
    secure,
    ...(user === ":" ? {} : { authorization: `Basic ${base64(user)}` }),
  };
}

/** NO_PROXY as curl reads it: `*`, a host with what is below it, an address, a range of IPv4 addresses; a port if one is named. */
function isExempt(list: string, host: string, port: number): boolean {
  return list.split(/[\s,]+/u).some((entry) => {
    if (entry === "*") return true;
    const range = /^(\d+\.\d+\.\d+\.\d+)\/(\d{1,2})$/u.exec(entry);
    if (range) return inRange(host, range[1] ?? "", Number(range[2]));
    const place = readPlace(entry.replace(/^\*?\./u, ""));
    if (!place || (place.port !== undefined && place.port !== port)) return false;
    const named = parseHostName(place.host);
    if (named.kind === "address") return named.address.text === host;
    return named.kind === "name" && (host === named.name || host.endsWith(`.${named.name}`));
  });
}

function inRange(host: string, start: string, bits: number): boolean {
  const value = (text: string) => text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  if (!/^\d+\.\d+\.\d+\.\d+$/u.test(host) || bits > 32) return false;
  const size = 2 ** (32 - bits);
  return Math.floor(value(host) / size) === Math.floor(value(start) / size);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
