type UrlPart =
  | "href"
  | "protocol"
  | "username"
  | "password"
  | "host"
  | "hostname"
  | "port"
  | "pathname"
  | "search"
  | "hash";

/**
 * The runtime's own reading of URLs, as JSON: href, origin, protocol, username, password, host, hostname, port, pathname,
 * search, hash. Empty when it is none. Never throws. `part`: read again after that was set to `value`.
 */
export function urlParts(href: string, base: string, part: string, value: string): string {
  try {
    const url = base === "" ? new URL(href) : new URL(href, base);
    if (part !== "") url[part as UrlPart] = value;
    const { protocol, username, password, host, hostname, port, pathname, search, hash, origin } = url;
    return JSON.stringify([
      url.href,
      origin,
      protocol,
      username,
      password,
      host,
      hostname,
      port,
      pathname,
      search,
      hash,
    ]);
  } catch {
    return "";
  }
}
