import type { ProviderConfig } from "../config/config.ts";
import type { JsonObject } from "./_answer.ts";

/** The longest error body that is read, bytes. */
const MAX_ERROR_BODY = 100_000;

/** An answer with an HTTP status that is none of success. */
class HttpFailure extends Error {
  override readonly name = "HttpFailure";

  constructor(
    readonly status: number,
    readonly headers: Headers,
    /** The server's error: the `error` of its JSON, else all of it; undefined when it is not JSON. */
    readonly error: unknown,
    message: string,
  ) {
    super(message);
  }
}

/** What every request to a provider needs beside its address and body. */
export interface HttpOptions {
  readonly key: string | undefined;
  readonly signal: AbortSignal;
  readonly fetch: typeof fetch;
  /** How long the server may stay silent before its answer begins, milliseconds. */
  readonly startTimeoutMs: number;
}

/** One request to a provider: `body` as JSON by POST, without it GET. Rejects with {@link HttpFailure} or what fetch throws. */
export async function request(
  config: ProviderConfig,
  path: string,
  body: JsonObject | undefined,
  options: HttpOptions,
): Promise<Response> {
  const headers = new Headers({ "User-Agent": "pryx", "Accept": "application/json" });
  if (body) headers.set("Content-Type", "application/json");
  if (options.key !== undefined) headers.set("Authorization", `Bearer ${options.key}`);
  for (const [name, value] of Object.entries(config.headers)) headers.set(name, value);

  const silent = new AbortController();
  const timer = setTimeout(
    () => silent.abort(new DOMException("The request timed out", "TimeoutError")),
    options.startTimeoutMs,
  );
  try {
    const response = await options.fetch(config.baseUrl.replace(/\/+$/, "") + path, {
      method: body ? "POST" : "GET",
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
      // A key goes to the server that the person named, nowhere else.
      redirect: "manual",
      signal: AbortSignal.any([options.signal, silent.signal]),
    });
    if (response.ok) return response;
    throw await failureOf(response);
  } finally {
    clearTimeout(timer);
  }
}

async function failureOf(response: Response): Promise<HttpFailure> {
  const text = await firstOf(response);
  try {
    const body: unknown = JSON.parse(text);
    const inner = typeof body === "object" && body !== null && "error" in body ? body.error : body;
    return new HttpFailure(response.status, response.headers, inner ?? body, "");
  } catch {
    return new HttpFailure(response.status, response.headers, undefined, text.slice(0, 1_000));
  }
}

async function firstOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > MAX_ERROR_BODY) break;
    }
  } catch {
    // What came is enough to say what failed.
  }
  return text;
}
