import type * as Api from "../api.d.ts";
import type { Calls } from "./asking.ts";
import type { Guest } from "./guest.ts";
import type { Secrets } from "./secrets.ts";

/** What the host's tool `http` answers. With `stream` the same comes first as a piece of JSON, without a body; then that in pieces of base64. */
export interface HttpData {
  readonly status: number;
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text?: string;
  readonly base64?: string;
}

/** HTTP requests. */
export function httpApi(
  guest: Guest,
  { _calls: calls, _secrets: secrets, sleep }: {
    readonly _calls: Calls;
    readonly _secrets: Secrets;
    readonly sleep: typeof Api.sleep;
  },
) {
  interface Request {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly text?: string;
    readonly base64?: string;
  }

  const PASSING = [408, 425, 429];
  /** Codes of errors when no answer came. */
  const NO_ANSWER = ["io", "timeout"];
  const MAX_WAIT_MS = 600_000;

  const invalid = (message: string) => new guest.PryxError(message, { code: "input_invalid" });
  /** Without the query, which may hold what is nobody's business. */
  const shown = (request: { method: string; url: string }) =>
    `${request.method} ${request.url.split(/[?#]/, 1)[0]}`;

  class HttpError extends guest.PryxError {
    readonly status: number;
    declare readonly response: Api.HttpResponse;

    constructor(request: Request, data: HttpData, response: Api.HttpResponse) {
      const said = (data.text ?? "").trim().slice(0, 200);
      super(`${shown(request)} answered ${data.status}${said === "" ? "" : `: ${said}`}`, {
        code: "tool_failed",
      });
      this.status = data.status;
      // Not shown with the error: it has everything that was answered.
      Object.defineProperty(this, "response", { value: response });
      Object.defineProperty(this, "data", { value: { status: data.status, url: data.url, body: said } });
    }
  }
  calls.named(HttpError, "HttpError");

  const urlOf = (url: unknown, query: Api.HttpOptions["query"]): string => {
    if (typeof url !== "string" && Object.prototype.toString.call(url) !== "[object URL]") {
      throw new TypeError(`A URL is text, not ${guest.inspect(url)}`);
    }
    let parsed: URL;
    try {
      parsed = new URL(String(url));
    } catch {
      throw invalid(
        `Cannot request ${guest.inspect(url)}: it is no whole URL, as in https://example.org/path`,
      );
    }
    if (parsed.protocol !== "https:" && parsed.protocol !== "http:") {
      throw invalid(`Cannot request ${guest.inspect(url)}: only http: and https: can be`);
    }
    if (parsed.username !== "" || parsed.password !== "") {
      throw invalid(
        `Cannot request ${parsed.host}: a name or password in the URL would be logged; use a header`,
      );
    }
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value === undefined || value === null) continue;
      if (!["string", "number", "boolean"].includes(typeof value)) {
        throw new TypeError(
          `The query's ${name} is text, a number or a boolean, not ${guest.inspect(value)}`,
        );
      }
      parsed.searchParams.append(name, String(value));
    }
    parsed.hash = "";
    return parsed.href;
  };

  const textOf = async (value: unknown, what: string): Promise<string> => {
    if (typeof value === "string") return value;
    if (!secrets.is(value)) throw new TypeError(`${what} is text or a secret, not ${guest.inspect(value)}`);
    const { prefix, mark } = await secrets.mark(value);
    return prefix + mark;
  };

  const headersOf = async (given: Api.HttpOptions["headers"]) => {
    const headers = new Map<string, string>();
    for (const [name, value] of Object.entries(given ?? {})) {
      if (value === undefined) continue;
      if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
        throw invalid(`${guest.inspect(name)} is no name of a header`);
      }
      const text = (await textOf(value, `The header ${name}`)).trim();
      if (/[\0\r\n]/.test(text)) throw invalid(`The header ${name} has a line break or NUL in it`);
      headers.set(name.toLowerCase(), text);
    }
    return headers;
  };

  // Encoded as the standard says for forms, but for a mark: the host encodes what it stands for.
  const formOf = async (form: Readonly<Record<string, unknown>>) => {
    const fields: string[] = [];
    for (const [name, value] of Object.entries(form)) {
      if (value === undefined) continue;
      const key = new URLSearchParams([[name, ""]]).toString();
      if (secrets.is(value)) {
        const { prefix, mark } = await secrets.mark(value);
        fields.push(`${key}${new URLSearchParams([["", prefix]]).toString().slice(1)}${mark}`);
      } else {
        fields.push(new URLSearchParams([[name, await textOf(value, `The field ${name}`)]]).toString());
      }
    }
    return fields.join("&");
  };

  const jsonOf = async (value: unknown) => {
    const marks = new Map<unknown, string>();
    const found: Api.Secret[] = [];
    JSON.stringify(value, function (this: Record<string, unknown>, key, item) {
      const before = this[key];
      if (secrets.is(before)) found.push(before);
      return item;
    });
    for (const secret of found) marks.set(secret, await textOf(secret, "A secret"));
    const text = JSON.stringify(value, function (this: Record<string, unknown>, key, item) {
      return marks.get(this[key]) ?? item;
    });
    if (text === undefined) throw new TypeError(`${guest.inspect(value)} is no JSON`);
    return text;
  };

  const requestOf = async (method: unknown, url: unknown, options: Api.HttpOptions): Promise<Request> => {
    const verb = calls.text(method, "The method of a request").toUpperCase();
    if (!/^[A-Z]{1,20}$/.test(verb)) throw invalid(`${guest.inspect(method)} is no method of a request`);
    const bodies = (["json", "form", "body"] as const).filter((name) => options[name] !== undefined);
    if (bodies.length > 1) throw new TypeError(`A request has one body, not both ${bodies.join(" and ")}`);
    if (bodies.length > 0 && (verb === "GET" || verb === "HEAD")) {
      throw new TypeError(`A ${verb} request has no body: ${bodies[0]} cannot go with it`);
    }
    const target = urlOf(url, options.query);
    const headers = await headersOf(options.headers);
    const typed = (type: string) => headers.has("content-type") || headers.set("content-type", type);
    let body: { text: string } | { base64: string } | Record<never, never> = {};
    if (options.json !== undefined) {
      typed("application/json");
      body = { text: await jsonOf(options.json) };
    } else if (options.form !== undefined) {
      typed("application/x-www-form-urlencoded;charset=UTF-8");
      body = { text: await formOf(options.form) };
    } else if (options.body !== undefined) {
      const bytes = calls.bytesOf(options.body);
      body = bytes === undefined
        ? { text: await textOf(options.body, "The body of a request") }
        : { base64: guest.toBase64(bytes) };
    }
    return { method: verb, url: target, headers: Object.fromEntries(headers), ...body };
  };

  const argsOf = (request: Request, options: Api.HttpOptions) => ({
    ...request,
    timeoutMs: options.timeout === undefined
      ? undefined
      : calls.milliseconds(options.timeout, "The timeout of a request"),
    redirect: options.redirect,
    maxBytes: options.maxBytes,
  });

  const responseOf = (request: Request, data: HttpData): Api.HttpResponse => {
    const bytes = () =>
      data.base64 === undefined ? new TextEncoder().encode(data.text ?? "") : guest.fromBase64(data.base64);
    const text = () =>
      data.base64 === undefined ? data.text ?? "" : new TextDecoder().decode(guest.fromBase64(data.base64));
    return {
      status: data.status,
      ok: data.status >= 200 && data.status < 300,
      url: data.url,
      headers: data.headers,
      text: () => Promise.resolve(text()),
      bytes: () => Promise.resolve(bytes()),
      // deno-lint-ignore require-await -- what it throws is a rejection
      async json() {
        try {
          return JSON.parse(text());
        } catch (error) {
          throw new guest.PryxError(
            `${shown(request)} answered ${data.status}, which is no JSON: ${calls.message(error)}`,
            { code: "output_invalid" },
          );
        }
      },
    };
  };

  /** Milliseconds to wait before the next attempt. `attempt` from 0. */
  const waitOf = (attempt: number, headers: HttpData["headers"] | undefined): number => {
    const told = headers?.["retry-after"];
    if (told !== undefined) {
      const ms = /^\d+$/.test(told.trim()) ? Number(told) * 1_000 : Date.parse(told) - Date.now();
      if (!Number.isNaN(ms)) return Math.max(0, ms);
    }
    // Half of it by chance, so that many who failed together do not come again together.
    return 500 * 2 ** attempt * (0.5 + Math.random() / 2);
  };

  async function request(
    method: string,
    url: string,
    options: Api.HttpOptions = {},
  ): Promise<Api.HttpResponse> {
    const made = await requestOf(method, url, options);
    const args = argsOf(made, options);
    const retries = options.retries ?? (made.method === "GET" || made.method === "HEAD" ? 2 : 0);
    if (!Number.isInteger(retries) || retries < 0) {
      throw new TypeError("retries is a whole number, 0 or more");
    }
    for (let attempt = 0;; attempt++) {
      let wait: number;
      try {
        const data = await calls.data<HttpData>("http", args);
        wait = waitOf(attempt, data.headers);
        const passes = data.status >= 500 || PASSING.includes(data.status);
        if (!passes || attempt >= retries || wait > MAX_WAIT_MS) {
          const response = responseOf(made, data);
          if (data.status >= 400 && options.throws !== false) throw new HttpError(made, data, response);
          return response;
        }
      } catch (error) {
        if (attempt >= retries || !calls.hasCode(error, ...NO_ANSWER)) throw error;
        wait = waitOf(attempt, undefined);
      }
      await sleep(wait);
    }
  }

  async function* stream(
    url: string,
    options: Api.HttpOptions & { readonly method?: string } = {},
  ): AsyncGenerator<Uint8Array, undefined> {
    const made = await requestOf(options.method ?? "GET", url, options);
    // The time limit is for the head: a stream lasts as long as it lasts.
    const args = { ...argsOf(made, options), stream: true };
    const fails = (answer: HttpData | undefined) =>
      answer !== undefined && answer.status >= 400 && options.throws !== false;
    let head: HttpData | undefined;
    const failed: Uint8Array[] = [];
    const pieces = calls.pieces<Uint8Array>(async (push, signal) => {
      const answer = await calls.tool("http", args, {
        signal,
        on({ stream, text }) {
          if (stream !== "data") return;
          if (head === undefined) head = JSON.parse(text);
          else if (fails(head)) failed.push(guest.fromBase64(text));
          else push(guest.fromBase64(text));
        },
      });
      const data = answer.data as unknown as HttpData;
      if (!fails(data)) return;
      const said = new Uint8Array(failed.flatMap((bytes) => [...bytes]));
      const response = responseOf(made, failed.length > 0 ? { ...data, base64: guest.toBase64(said) } : data);
      throw new HttpError(made, { ...data, text: await response.text() }, response);
    });
    yield* pieces;
  }

  /** Fields of events, as the HTML standard reads them (9.2.6, "Interpreting an event stream"). */
  async function* events(
    url: string,
    options: Api.HttpOptions & { readonly method?: string } = {},
  ): AsyncGenerator<{ event: string; data: string; id: string }, undefined> {
    const headers = { accept: "text/event-stream", ...options.headers };
    const decoder = new TextDecoder();
    let rest = "";
    let event = "";
    let data = "";
    let id = "";
    for await (const bytes of stream(url, { ...options, headers })) {
      rest += decoder.decode(bytes, { stream: true });
      while (true) {
        const end = rest.search(/[\r\n]/);
        // A \r at the end may be the first half of \r\n.
        if (end < 0 || (rest[end] === "\r" && end === rest.length - 1)) break;
        const line = rest.slice(0, end);
        rest = rest.slice(rest.startsWith("\r\n", end) ? end + 2 : end + 1);
        if (line === "") {
          if (data !== "") yield { event: event || "message", data: data.slice(0, -1), id };
          event = "";
          data = "";
          continue;
        }
        const colon = line.indexOf(":");
        const field = colon < 0 ? line : line.slice(0, colon);
        const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        if (field === "event") event = value;
        else if (field === "data") data += `${value}\n`;
        else if (field === "id" && !value.includes("\0")) id = value;
      }
    }
  }

  const http: typeof Api.http = {
    get: (url, options) => request("GET", url, options),
    head: (url, options) => request("HEAD", url, options),
    post: (url, options) => request("POST", url, options),
    put: (url, options) => request("PUT", url, options),
    patch: (url, options) => request("PATCH", url, options),
    delete: (url, options) => request("DELETE", url, options),
    request,
    async json(url, options = {}) {
      const headers = { accept: "application/json", ...options.headers };
      return await (await request("GET", url, { ...options, headers })).json();
    },
    stream,
    events,
  };

  return { http, HttpError: HttpError as unknown as typeof Api.HttpError } satisfies Pick<
    typeof Api,
    "http" | "HttpError"
  >;
}
