import { PryxError } from "../../domain/error.ts";
import { secretMarks } from "../../domain/secret_mark.ts";
import { VERSION } from "../../domain/version.ts";
import { readBody } from "../_body.ts";
import { bytesOf, contentOf, MAX_BYTES } from "../_bytes.ts";
import { recordBounded } from "../_record.ts";
import { formatSize } from "../_text.ts";
import { type Answer, follow, hostNeed, isRedirect, type Outgoing, parseUrl, reasonOf } from "../_web.ts";
import { defineTool, type ToolContext } from "../tool.ts";

const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_TIMEOUT_MS = 600_000;
const DEFAULT_BYTES = 16 * 1024 * 1024;
const MAX_STREAMED_BYTES = 1024 * 1024 * 1024;

/**
 * One HTTP request for a program; any status is an answer. Data: `{status, url, headers}` (after redirects; names in lower
 * case, values of one name joined by `, `) and the body as `text` when it is valid UTF-8, else as `base64`. `stream`: no body in
 * the data; first the data goes out as live output (`data`, as JSON), then the body in pieces of base64. Rejects with `denied`,
 * `timeout`, `io` when no whole answer came, and `tool_failed` when it is too long or a redirect cannot be followed.
 */
export const http = defineTool({
  name: "http",
  description: "Makes an HTTP request and gives back the answer, whatever its status",
  parameters: {
    type: "object",
    properties: {
      method: { type: "string", minLength: 1, default: "GET" },
      url: { type: "string", minLength: 1 },
      headers: { type: "object", properties: {}, additionalProperties: { type: "string" } },
      text: {
        type: "string",
        description: "The body. Secret marks in it and in headers become values on the way out",
      },
      base64: { type: "string", description: "The body, as bytes" },
      timeoutMs: {
        type: "number",
        minimum: 1,
        maximum: MAX_TIMEOUT_MS,
        default: DEFAULT_TIMEOUT_MS,
        description: "For the whole answer; with stream for its head",
      },
      redirect: { type: "string", enum: ["follow", "manual", "error"], default: "follow" },
      maxBytes: { type: "integer", minimum: 0, maximum: MAX_STREAMED_BYTES, default: DEFAULT_BYTES },
      stream: { type: "boolean" },
    },
    required: ["url"],
  },
  needs({ url, headers = {}, text = "" }) {
    if (secretMarks(url).length > 0) {
      throw new PryxError("input_invalid", "A secret may stand in a header or a body, not in a URL", {
        fix: "URLs are logged wherever they pass: send it in a header",
      });
    }
    const names = [...Object.values(headers), text].flatMap(secretMarks).map(({ name }) => name);
    const uses = [...new Set(names)].map((name) => ({ kind: "use" as const, target: `secret/${name}` }));
    return [hostNeed(parseUrl(url)), ...uses];
  },
  title: ({ method = "GET", url }) => `${method} ${url}`,
  record: recordBounded,
  async run(args, ctx) {
    const { redirect = "follow", timeoutMs = DEFAULT_TIMEOUT_MS, maxBytes = DEFAULT_BYTES, stream = false } =
      args;
    const request = requestOf(args);
    const what = `${request.method} ${request.url.href}`;
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new PryxError("timeout", `Cannot ${what}: no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const signal = AbortSignal.any([ctx.signal, late.signal]);
    try {
      const answer = redirect === "follow"
        ? await follow(request, ctx, signal)
        : await once(request, redirect, ctx, signal);
      if ("problem" in answer) throw new PryxError("tool_failed", `Cannot ${what}: ${answer.problem}`);
      if (stream) clearTimeout(timer);
      const { length, ...body } = stream
        ? await streamBody(answer, maxBytes, what, ctx)
        : await wholeBody(answer, Math.min(maxBytes, MAX_BYTES), what);
      const { url, response: { status } } = answer;
      return {
        text: `HTTP ${status} from ${url.href}, ${formatSize(length)}`,
        taints: url.href,
        data: { ...headOf(answer), ...body },
      };
    } catch (error) {
      ctx.signal.throwIfAborted();
      late.signal.throwIfAborted();
      if (error instanceof PryxError) throw error;
      throw new PryxError("io", `Cannot ${what}: ${reasonOf(error)}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  },
});

interface RequestArgs {
  readonly method?: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
  readonly base64?: string;
}

/** Methods whose case the Fetch standard mends. */
const KNOWN_METHODS = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH"]);

function requestOf({ method = "GET", url, headers = {}, text, base64 }: RequestArgs): Outgoing {
  const upper = method.toUpperCase();
  const given: Record<string, string> = { "user-agent": `pryx/${VERSION}`, accept: "*/*" };
  for (const [name, value] of Object.entries(headers)) given[name.toLowerCase()] = value.trim();
  const bytes = bytesOf({ text, base64 }, "The body");
  // As text, marks in it become values.
  const body = text ?? bytes;
  return {
    url: parseUrl(url),
    method: KNOWN_METHODS.has(upper) ? upper : method,
    headers: given,
    ...(body === undefined ? {} : { body }),
  };
}

async function once(
  request: Outgoing,
  redirect: "manual" | "error",
  ctx: ToolContext,
  signal: AbortSignal,
): Promise<Answer | { readonly problem: string }> {
  const { url, ...init } = request;
  const response = await ctx.fetch(url.href, { ...init, signal });
  if (redirect === "manual" || !isRedirect(response.status)) return { url, response };
  await response.body?.cancel();
  return { problem: `it redirects to ${response.headers.get("location") ?? "nowhere"}` };
}

function headOf({ url, response }: Answer) {
  const names = new Set(response.headers.keys());
  const headers = Object.fromEntries([...names].map((name) => [name, response.headers.get(name) ?? ""]));
  return { status: response.status, url: url.href, headers };
}

function tooLong(what: string, maxBytes: number): PryxError {
  return new PryxError("tool_failed", `Cannot ${what}: the answer is longer than ${formatSize(maxBytes)}`);
}

async function wholeBody({ response }: Answer, maxBytes: number, what: string) {
  const { bytes, cut } = await readBody(response, maxBytes);
  if (cut) throw tooLong(what, maxBytes);
  return { length: bytes.length, ...contentOf(bytes) };
}

async function streamBody(answer: Answer, maxBytes: number, what: string, ctx: ToolContext) {
  ctx.emit(JSON.stringify(headOf(answer)), "data");
  let length = 0;
  for await (const piece of answer.response.body ?? []) {
    length += piece.length;
    if (length > maxBytes) throw tooLong(what, maxBytes);
    ctx.emit(piece.toBase64(), "data");
  }
  return { length };
}
