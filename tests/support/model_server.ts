import { floodChunks, renderAnswer } from "./_model_wire.ts";

/** Tokens as the server reports them; absent parts count 0. */
export interface ServedUsage {
  readonly input?: number;
  readonly output?: number;
  readonly cached?: number;
  readonly reasoning?: number;
}

export interface ServedCall {
  readonly name: string;
  /** An object becomes JSON; text is sent as it is, so that it can be broken. */
  readonly args: unknown;
  /** Default: `call_N`. `""`: the server sends an empty id; `null`: none at all. */
  readonly id?: string | null;
  /** The id comes with the last piece instead of with the first. */
  readonly lateId?: boolean;
  /** Number of chunks that the arguments are cut into. Default 1. */
  readonly pieces?: number;
}

/** One answer of the scripted model. Every field but `gates` can also stand in a JSON script file. */
export interface ModelAnswer {
  /** A list is sent as one chunk per item. */
  readonly text?: string | readonly string[];
  readonly reasoning?: string | readonly string[];
  /** Field that a Chat Completions server sends reasoning in. Default `reasoning_content`. */
  readonly reasoningField?: "reasoning_content" | "reasoning";
  readonly calls?: readonly ServedCall[];
  /** Finish reason on the wire of Chat Completions; the Responses API gets its counterpart. `null`: none is sent. */
  readonly finish?: string | null;
  /** `null`: the server sends none. */
  readonly usage?: ServedUsage | null;
  /** Sends so many one-token chunks, pre-rendered, instead of `text`. */
  readonly flood?: number;
  /** An HTTP error with `body` (text, or JSON) instead of an answer. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Sends an error inside the stream after the pieces. */
  readonly streamError?: { readonly message: string; readonly code?: string };
  /** Breaks the connection after so many chunks. */
  readonly cutAfter?: number;
  /** Ends the body properly after so many chunks, without a finish reason or `[DONE]`. */
  readonly endAfter?: number;
  /** Puts a chunk that is not JSON after so many chunks. */
  readonly malformedAfter?: number;
  /** Leaves `[DONE]` out. */
  readonly noDone?: boolean;
  /** Never sends headers, or sends headers and then nothing; ends when the client goes. */
  readonly hang?: "headers" | "stream";
  /** Answers with one JSON document although a stream was asked for. */
  readonly plain?: boolean;
  /** Line end on the wire. Default `\n`. */
  readonly newline?: "\n" | "\r\n";
  /** Encrypted reasoning item of the Responses API. */
  readonly encrypted?: string;
  /** Chunk number `n` waits for `gates[n]`; number 0 is the first. */
  readonly gates?: Readonly<Record<number, Promise<unknown>>>;
}

export interface SeenRequest {
  readonly path: string;
  readonly headers: Headers;
  // deno-lint-ignore no-explicit-any -- tests look into bodies of several shapes
  readonly body: any;
  /** Resolves when the client went before the answer was whole. */
  readonly left: Promise<void>;
}

export type ModelScript =
  | readonly ModelAnswer[]
  | ((request: SeenRequest, index: number) => ModelAnswer | Promise<ModelAnswer>);

export interface ModelServerOptions {
  /** Requests must carry `Authorization: Bearer KEY`, else 401. */
  readonly key?: string;
  /** What `/v1/models` lists. When given, other models are answered with 404. */
  readonly models?: readonly string[];
  /** After the last answer of a list, begin again. Default: further requests are answered with 400. */
  readonly repeat?: boolean;
  /** False: only Chat Completions is there, `/v1/responses` is 404. */
  readonly responses?: boolean;
  readonly port?: number;
}

export interface ModelServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/v1` */
  readonly url: string;
  /** Requests for an answer, in order. */
  readonly requests: readonly SeenRequest[];
  /** Every path asked for, in order, other paths too. */
  readonly paths: readonly string[];
  /** Resolves when request number `index` (from 0) has come. */
  request(index: number): Promise<SeenRequest>;
}

/** An OpenAI-compatible HTTP server on a free port of 127.0.0.1 that answers from a script with real SSE. */
export function startModelServer(
  script: ModelScript,
  options: ModelServerOptions = {},
): Promise<ModelServer> {
  const requests: SeenRequest[] = [];
  const paths: string[] = [];
  const waiting = new Map<number, (request: SeenRequest) => void>();
  const stop = new AbortController();

  const answerFor = async (seen: SeenRequest, index: number): Promise<ModelAnswer> => {
    if (typeof script === "function") return await script(seen, index);
    const answer = script[options.repeat && script.length > 0 ? index % script.length : index];
    return answer ?? failure(400, `The script has ${script.length} answers; this is request ${index + 1}`);
  };

  const handle = async (request: Request): Promise<Response> => {
    const path = new URL(request.url).pathname;
    paths.push(path);
    if (options.key !== undefined && request.headers.get("authorization") !== `Bearer ${options.key}`) {
      return errorResponse(
        failure(401, "Incorrect API key provided: sk-test********9999", "invalid_api_key"),
      );
    }
    if (request.method === "GET" && path === "/v1/models") {
      const data = (options.models ?? ["test"]).map((id) => ({ id, object: "model", owned_by: "test" }));
      return Response.json({ object: "list", data });
    }
    const api = path === "/v1/chat/completions"
      ? "chat"
      : path === "/v1/responses" && options.responses !== false
      ? "responses"
      : undefined;
    if (request.method !== "POST" || !api) return new Response("404 page not found", { status: 404 });

    const left = Promise.withResolvers<void>();
    const seen: SeenRequest = {
      path,
      headers: request.headers,
      body: await request.json(),
      left: left.promise,
    };
    const index = requests.push(seen) - 1;
    waiting.get(index)?.(seen);
    if (options.models && !options.models.includes(seen.body.model)) {
      return errorResponse(
        failure(404, `The model '${seen.body.model}' does not exist`, "model_not_found"),
      );
    }
    const answer = await answerFor(seen, index);
    if (answer.status !== undefined) return errorResponse(answer);
    if (answer.hang === "headers") return await untilGone(request, stop.signal, left.resolve);
    const wire = { api, model: String(seen.body.model), index } as const;
    if (answer.plain) return Response.json(renderAnswer(answer, wire).whole);
    const body = answer.flood === undefined
      ? bodyOf(renderAnswer(answer, wire).chunks, answer, stop.signal, left.resolve)
      : floodBody(floodChunks(answer.flood, wire), left.resolve);
    return new Response(body, {
      headers: { "content-type": "text/event-stream; charset=utf-8", ...answer.headers },
    });
  };

  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: options.port ?? 0,
    onListen: () => {},
    onError: (error) => Response.json({ error: { message: String(error) } }, { status: 500 }),
  }, handle);

  return Promise.resolve({
    url: `http://127.0.0.1:${server.addr.port}/v1`,
    requests,
    paths,
    request: (index) => {
      const seen = requests[index];
      if (seen) return Promise.resolve(seen);
      return new Promise((resolve) => waiting.set(index, resolve));
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await server.shutdown();
    },
  });
}

function failure(status: number, message: string, code: string | null = null): ModelAnswer {
  return { status, body: { error: { message, type: "invalid_request_error", param: null, code } } };
}

function errorResponse(answer: ModelAnswer): Response {
  const { status, headers } = answer;
  const body = answer.body ?? { error: { message: `Scripted failure ${status}`, type: "server_error" } };
  return typeof body === "string"
    ? new Response(body, { status, headers })
    : Response.json(body, { status, headers });
}

/** Never answers: the response only comes once nobody waits for it any more. */
function untilGone(request: Request, stop: AbortSignal, gone: () => void): Promise<Response> {
  return new Promise((resolve) => {
    const end = () => {
      gone();
      resolve(new Response(null, { status: 499 }));
    };
    request.signal.addEventListener("abort", end, { once: true });
    stop.addEventListener("abort", end, { once: true });
  });
}

function bodyOf(
  chunks: readonly string[],
  answer: ModelAnswer,
  stop: AbortSignal,
  gone: () => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const left = Promise.withResolvers<void>();
  stop.addEventListener("abort", () => left.resolve(), { once: true });
  let next = 0;
  let cancelled = false;
  return new ReadableStream({
    async pull(controller) {
      if (next === 0 && answer.hang === "stream") {
        // A comment makes the headers go out; then nothing comes.
        controller.enqueue(encoder.encode(": waiting\n\n"));
        await left.promise;
        return cancelled ? undefined : controller.close();
      }
      const gate = answer.gates?.[next];
      if (gate) await Promise.race([gate, left.promise]);
      if (cancelled) return;
      if (next === answer.cutAfter) return controller.error(new Error("scripted cut"));
      if (next === answer.endAfter) return controller.close();
      if (next === answer.malformedAfter) controller.enqueue(encoder.encode('data: {"choices": [{"del\n\n'));
      const chunk = chunks[next++];
      if (chunk === undefined) return controller.close();
      controller.enqueue(encoder.encode(chunk));
    },
    cancel() {
      cancelled = true;
      left.resolve();
      gone();
    },
  }, { highWaterMark: 0 });
}

function floodBody(chunks: Iterator<Uint8Array>, gone: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      const { value, done } = chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: gone,
  });
}
