import { PryxError } from "../domain/error.ts";
import type { Need } from "../domain/need.ts";
import { secretMarks } from "../domain/secret_mark.ts";
import type { ToolContext } from "./tool.ts";

const MAX_REDIRECTS = 10;

/** Throws `input_invalid` on what is not a plain web address. */
export function parseUrl(text: string): URL {
  const refuse = (why: string) => new PryxError("input_invalid", `Cannot fetch "${text}": ${why}`);
  if (!URL.canParse(text)) {
    throw refuse(
      URL.canParse(`https://${text}`) ? "it has no scheme; begin with https://" : "it is not a URL",
    );
  }
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw refuse("only http: and https: are fetched");
  }
  if (url.username !== "" || url.password !== "") {
    throw new PryxError("input_invalid", "Cannot fetch a URL with a user name or password in it");
  }
  // `example.org.` is the same host: no rule may be passed by spelling it so.
  const host = url.hostname.replace(/\.+$/, "");
  if (host === "") throw refuse("it names no host");
  url.hostname = host;
  url.hash = "";
  return url;
}

/** The need for the place of a URL. */
export function hostNeed(url: URL): Need {
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return { kind: "net", target: `${url.hostname}:${port}` };
}

/** A request as it is made, or made again somewhere else. Names of headers are in lower case. */
export interface Outgoing {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface Answer {
  /** After redirects. */
  readonly url: URL;
  readonly response: Response;
}

/**
 * Goes from redirect to redirect; each new place is decided before it is asked. `problem`: why it stopped on the way. What a
 * redirect makes of a request is the Fetch standard's (section 4.4), but for secrets: they go to the first origin alone.
 */
export async function follow(
  start: Outgoing,
  ctx: ToolContext,
  signal: AbortSignal,
): Promise<Answer | { readonly problem: string }> {
  const decided = new Set([hostNeed(start.url).target]);
  let at = start;
  let from: string | undefined;
  for (let hops = 0;; hops++) {
    const { url, ...request } = at;
    const response = await ctx.fetch(url.href, {
      ...request,
      signal,
      ...(from === undefined ? {} : { from }),
    });
    const location = response.headers.get("location");
    if (!isRedirect(response.status) || location === null) return { url, response };
    await response.body?.cancel();
    if (hops === MAX_REDIRECTS) return { problem: `more than ${MAX_REDIRECTS} redirects` };
    if (!URL.canParse(location, url)) return { problem: "it redirects to something that is not a URL" };
    const next = parseUrl(new URL(location, url).href);
    if (url.protocol === "https:" && next.protocol === "http:") {
      return { problem: `it redirects from https to http (${next.origin})` };
    }
    const redirected = redirect(at, next, response.status);
    if (next.origin !== url.origin && holdsSecret(redirected.body)) {
      return { problem: `it redirects a body with a secret in it to another origin (${next.origin})` };
    }
    const need = hostNeed(next);
    if (!decided.has(need.target)) {
      ctx.emit(`redirected to ${next.origin}\n`, "progress");
      await ctx.require(need);
      decided.add(need.target);
    }
    from = url.href;
    at = redirected;
  }
}

export function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

/** Said of whoever asks, not of what is asked for. */
const CREDENTIALS = new Set(["authorization", "cookie"]);
const OF_THE_BODY = new Set(["content-encoding", "content-language", "content-location", "content-type"]);

function redirect({ url, method, headers, body }: Outgoing, next: URL, status: number): Outgoing {
  const asGet = (status === 301 || status === 302) && method === "POST" ||
    status === 303 && method !== "GET" && method !== "HEAD";
  const leaves = next.origin !== url.origin;
  const kept = Object.entries(headers).filter(([name, value]) =>
    !(asGet && OF_THE_BODY.has(name)) && !(leaves && (CREDENTIALS.has(name) || holdsSecret(value)))
  );
  return {
    url: next,
    method: asGet ? "GET" : method,
    headers: Object.fromEntries(kept),
    ...(asGet || body === undefined ? {} : { body }),
  };
}

function holdsSecret(text: string | Uint8Array | undefined): boolean {
  return typeof text === "string" && secretMarks(text).length > 0;
}

/** The innermost cause says it shortest. */
export function reasonOf(error: unknown): string {
  let at: unknown = error;
  while (at instanceof Error && at.cause instanceof Error) at = at.cause;
  const text = at instanceof Error ? at.message : String(at);
  return text.replace(/^error sending request for url \([^)]*\): /, "").replace(/\.$/, "");
}
