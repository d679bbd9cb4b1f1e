import type { ProviderConfig } from "../config/config.ts";
import { type ErrorCode, PryxError } from "../domain/error.ts";
import { object, StreamFailure, string } from "./_answer.ts";

/** What a failed attempt means. */
export interface Failure {
  readonly error: PryxError;
  /** True when the same request may succeed a little later. */
  readonly transient: boolean;
  /** Milliseconds that the server asks to wait. */
  readonly waitMs?: number;
  /** What failed, in few words, for people who watch a retry. */
  readonly reason: string;
  readonly status?: number;
  /** True when the server has nothing at the address asked for. */
  readonly noRoute?: true;
}

/** The connection broke, or nothing came, while an answer was awaited or read. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** What came is not an answer of this API. */
export class BadAnswer extends Error {
  override readonly name = "BadAnswer";
}

const MODEL = /model/i;
const NO_MODEL =
  /(model|deployment)\b.{0,120}?\b(not exist|not found|unknown|not a valid|is invalid|not supported|not available|no longer|deprecated|decommissioned)|(unknown|invalid|no such|not a valid|unsupported) model|model_not_found|(not found|does not exist).{0,40}\bmodel/i;
const BAD_KEY =
  /(api[ _-]?key|token|credential).{0,40}(not valid|invalid|incorrect|expired|revoked|missing|not found)|(invalid|incorrect|expired|missing|no).{0,20}(api[ _-]?key|credential)/i;
const TOO_LONG =
  /context[_ -]?(length|window|size)|maximum context|context_length_exceeded|exceed_context_size|(prompt|input|request|messages?).{0,40}(too long|too large|exceeds?).{0,80}(token|context|limit|maximum|length)|prompt is too long|too many (input )?tokens|token count.{0,60}exceeds|reduce the length/i;
const NO_MONEY =
  /insufficient[_ ](quota|balance|funds|credits?)|exceeded your current quota|billing|credit balance/i;

/**
 * Makes sense of whatever a request threw: an HTTP status, an error of fetch, or of the stream.
 */
export function classify(thrown: unknown, config: ProviderConfig, model: string, key?: string): Failure {
  const say = (text: string) => sanitise(text, key);
  if (thrown instanceof StreamFailure) {
    const { message, code } = serverError(thrown.body);
    return fromStatus(statusOfCode(code, message), say(message), code, undefined, config, model);
  }
  if (thrown instanceof BadAnswer) {
    return {
      error: new PryxError(
        "provider",
        `The provider "${config.name}" at ${shownUrl(config)} did not answer as expected: ${
          say(thrown.message)
        }`,
        { fix: `Check \`providers.${config.name}.baseUrl\`; most end in /v1`, cause: thrown },
      ),
      transient: false,
      reason: say(thrown.message),
    };
  }
  const error = object(thrown);
  if (typeof error.status === "number") {
    const headers = error.headers instanceof Headers ? error.headers : undefined;
    const { message, code } = serverError(error.error);
    const text = say(message || string(error.message).replace(/^\d{3} /, ""));
    const failure = fromStatus(error.status, text, code || string(error.code), headers, config, model);
    return error.status === 404 && !MODEL.test(text) ? { ...failure, noRoute: true } : failure;
  }
  return fromNetwork(thrown, config, say);
}

/** An answer that broke off after part of it had been passed on. */
export function interrupted(failure: Failure, config: ProviderConfig): PryxError {
  return new PryxError(
    "provider_interrupted",
    `The provider "${config.name}" broke off in the middle of its answer: ${failure.reason}`,
    { fix: "What came is kept. Go on with `pryx run --continue`", cause: failure.error },
  );
}

/** The failure that ends a request, saying how often it was tried. */
export function afterAttempts({ error }: Failure, attempts: number): PryxError {
  if (attempts === 1) return error;
  return new PryxError(error.code, `${error.message} (tried ${attempts} times)`, {
    ...(error.fix === undefined ? {} : { fix: error.fix }),
    cause: error,
  });
}

function fromStatus(
  status: number,
  message: string,
  code: string,
  headers: Headers | undefined,
  config: ProviderConfig,
  model: string,
): Failure {
  const name = `"${config.name}"`;
  const said = message === "" ? "" : `: ${message}`;
  const all = `${code} ${message}`;
  const fail = (to: ErrorCode, text: string, fix?: string, more: Partial<Failure> = {}): Failure => ({
    error: new PryxError(to, text, fix === undefined ? {} : { fix }),
    transient: false,
    reason: status === 0 ? message || code || "an error" : `HTTP ${status}${said}`.slice(0, 200),
    status,
    ...more,
  });

  if (TOO_LONG.test(all) && (status === 400 || status === 422 || status === 0) || status === 413) {
    return fail(
      "context_overflow",
      `The conversation is too long for ${config.name}/${model}${said}`,
      "Start a new session, or choose a model with a larger context window",
    );
  }
  if (NO_MONEY.test(all) && [0, 402, 403, 429].includes(status) || status === 402) {
    return fail(
      "provider",
      `The provider ${name} refuses because of billing or quota${said}`,
      "Check the account's plan and credit at the provider",
    );
  }
  if (
    status === 404 && (MODEL.test(all) || code === "model_not_found") ||
    [0, 400, 403, 422].includes(status) && NO_MODEL.test(all)
  ) {
    return fail(
      "model_unknown",
      `The provider ${name} has no model "${model}"${said}`,
      modelFix(config, model),
    );
  }
  if (status === 401 || status === 403 || status === 400 && BAD_KEY.test(all)) {
    return fail("provider_auth", `The provider ${name} refused ${keyName(config)}${said}`, keyFix(config));
  }
  if (status === 404) {
    return fail(
      "model_unknown",
      `The provider ${name} at ${shownUrl(config)} answered "not found" for the model "${model}"${said}`,
      `Check \`providers.${config.name}.baseUrl\` (most end in /v1) and the model: \`pryx models ${config.name}\``,
    );
  }
  if (status >= 300 && status < 400) {
    const to = headers?.get("location");
    return fail(
      "provider",
      `The provider ${name} at ${shownUrl(config)} answered with a redirect${
        to ? ` to ${sanitise(to)}` : ""
      }`,
      `Set \`providers.${config.name}.baseUrl\` to the address it redirects to`,
    );
  }
  const asked = headers?.get("x-should-retry");
  const passes = status === 408 || status === 409 || status === 429 || (status >= 500 && status !== 501);
  const transient = asked === "true" || (passes && asked !== "false");
  const wait = retryAfter(headers);
  const more: Partial<Failure> = { transient, ...(wait === undefined ? {} : { waitMs: wait }) };
  if (status === 429) {
    return fail(
      "provider",
      `The provider ${name} limits the rate of requests${said}`,
      "Wait a little, or use another model",
      more,
    );
  }
  if (status >= 500) {
    return fail(
      "provider",
      `The provider ${name} failed (HTTP ${status})${said}`,
      "Try again later: `pryx run --continue`",
      more,
    );
  }
  return fail(
    "provider",
    `The provider ${name} refused the request${status === 0 ? "" : ` (HTTP ${status})`}${said}`,
    undefined,
    more,
  );
}

function fromNetwork(thrown: unknown, config: ProviderConfig, say: (text: string) => string): Failure {
  const text = chain(thrown);
  const at = shownUrl(config);
  const unreachable = (why: string, transient: boolean, fix = remoteFix(config)): Failure => ({
    error: new PryxError(
      "provider_unreachable",
      `Cannot reach the provider "${config.name}" at ${at}: ${why}`,
      {
        fix,
        cause: thrown,
      },
    ),
    transient,
    reason: why,
  });
  if (/connection refused|actively refused|ECONNREFUSED/i.test(text)) {
    const here = config.local || isLoopback(config.baseUrl);
    // Nothing listens on this machine: waiting a second will not change that, and a person wants to know now.
    return unreachable("connection refused", !here, here ? localFix(config) : remoteFix(config));
  }
  if (/dns error|failed to lookup|ENOTFOUND|EAI_AGAIN|name resolution/i.test(text)) {
    return unreachable("the host name is not known", true);
  }
  if (/certificate|\btls\b|\bssl\b|handshake/i.test(text)) {
    const why = /(invalid peer certificate[^)]*)/i.exec(text)?.[1] ?? "no secure connection can be made";
    return unreachable(
      say(why),
      false,
      "Check the address and the date of this machine; for a private certificate authority set DENO_CERT",
    );
  }
  if (/timed? ?out/i.test(text)) return unreachable("no answer in time", false);
  if (thrown instanceof ConnectionLost) return unreachable(thrown.message, true);
  if (/NotCapable|PermissionDenied|Requires net access/.test(text)) {
    return unreachable("this program may not use the network here", false);
  }
  const short = text.replace(/error sending request for url \([^)]*\):? ?/i, "");
  return unreachable(say(short).slice(0, 200) || "the connection failed", true);
}

/** Messages of an error and its causes. */
function chain(thrown: unknown): string {
  const texts: string[] = [];
  for (let at = thrown, i = 0; at instanceof Error && i < 6; at = at.cause, i++) {
    texts.push(`${at.name}: ${at.message}`);
  }
  return texts.length === 0 ? String(thrown) : texts.join(" < ");
}

/** The message and code in the many shapes that servers give errors. */
function serverError(body: unknown, depth = 0): { message: string; code: string } {
  if (typeof body === "string") return { message: body, code: "" };
  if (Array.isArray(body)) return serverError(body[0], depth);
  const error = object(body);
  if (error.error !== undefined && error.error !== null && depth < 4) {
    return serverError(error.error, depth + 1);
  }
  const code = error.code ?? error.status ?? error.type;
  const detail = error.message ?? error.detail ?? error.errors;
  // OpenRouter puts what the provider behind it said into metadata.
  const raw = string(object(error.metadata).raw);
  const message = typeof detail === "string" ? detail : detail === undefined ? "" : JSON.stringify(detail);
  const param = typeof error.param === "string" && !message.includes(error.param) ? ` (${error.param})` : "";
  return {
    message: message + (raw === "" ? "" : ` ${raw}`) + param,
    code: typeof code === "string" || typeof code === "number" ? String(code) : "",
  };
}

/** An error inside a stream has no HTTP status; its code stands in. 0: nothing is known. */
function statusOfCode(code: string, message: string): number {
  if (/^[45]\d\d$/.test(code)) return Number(code);
  if (/rate_?limit/i.test(code)) return 429;
  if (/overloaded|server_error|internal|unavailable|timeout|vector_store_timeout/i.test(`${code}`)) {
    return 503;
  }
  if (/overloaded|try again|internal server error|temporarily/i.test(message)) return 503;
  return 0;
}

function retryAfter(headers: Headers | undefined): number | undefined {
  const ms = Number(headers?.get("retry-after-ms") ?? NaN);
  if (Number.isFinite(ms) && ms >= 0) return ms;
  const value = headers?.get("retry-after");
  if (!value) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const until = Date.parse(value);
  return Number.isNaN(until) ? undefined : Math.max(0, until - Date.now());
}

/** A server's text made fit for a terminal and for logs: one line, no control characters, no keys, 500 characters. */
function sanitise(text: string, key?: string): string {
  let clean = key === undefined || key.length < 4 ? text : text.replaceAll(key, "[key]");
  clean = clean.replace(/\b(?:sk|pk|gsk|xai|rk|key|tok|AIza)[-_][\w*.-]{6,}|\bAIza[\w-]{10,}/g, "[key]");
  if (/<(!doctype|html|head|body)\b/i.test(clean)) {
    const title = /<title>([^<]*)/i.exec(clean)?.[1] ?? "";
    clean = `a web page${title === "" ? "" : ` ("${title.trim()}")`}`;
  }
  // deno-lint-ignore no-control-regex -- escape sequences must not reach a terminal
  clean = clean.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "").replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
  clean = clean.replace(/\.$/, "");
  return clean.length > 500 ? `${clean.slice(0, 499)}…` : clean;
}

/** The base URL without anything secret in it. */
export function shownUrl(config: ProviderConfig): string {
  const url = URL.parse(config.baseUrl);
  return url ? `${url.origin}${url.pathname}`.replace(/\/$/, "") : config.baseUrl;
}

/** Whether the server is on this machine. */
function isLoopback(baseUrl: string): boolean {
  const host = URL.parse(baseUrl)?.hostname ?? "";
  return host === "localhost" || host === "[::1]" || /^127\./.test(host);
}

function keyName({ key }: ProviderConfig): string {
  return key === undefined ? "a request without a key" : `the key ${key}`;
}

/** How a key is given to this provider. */
export function keyFix({ name, key }: ProviderConfig): string {
  if (key === undefined) {
    return `Give it a key: \`pryx secrets set ${name}\`, then set \`providers.${name}.key\` to where it is kept`;
  }
  const [scheme, ...rest] = key.split(":");
  const secret = rest.join(":");
  return scheme === "env"
    ? `\`export ${secret}=…\` with a valid key, or keep one with \`pryx secrets set ${name}\` and set \`providers.${name}.key\``
    : `Set a valid key: \`pryx secrets set ${key}\``;
}

function modelFix(config: ProviderConfig, model: string): string {
  const seen = `\`pryx models ${config.name}\` lists what it has`;
  return config.name === "ollama" ? `${seen}; \`ollama pull ${model}\` gets it` : seen;
}

function localFix({ name }: ProviderConfig): string {
  switch (name) {
    case "ollama":
      return "Is ollama running? Start it with `ollama serve`";
    case "lmstudio":
      return "Is LM Studio's server running? Start it with `lms server start`";
    case "llamacpp":
      return "Is llama.cpp's server running? Start it with `llama-server -m MODEL.gguf`";
    default:
      return `Is the server running? Start it, or correct \`providers.${name}.baseUrl\``;
  }
}

function remoteFix({ name }: ProviderConfig): string {
  return `Check the network, and the address in \`providers.${name}.baseUrl\``;
}
