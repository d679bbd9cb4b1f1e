import type { ProviderConfig } from "../config/config.ts";
import { PryxError } from "../domain/error.ts";
import {
  type AnswerReader,
  ConsumerFailure,
  createDeltas,
  type Deltas,
  type JsonObject,
  list,
  object,
} from "./_answer.ts";
import { CHAT_OPTIONAL, chatBody, readChat } from "./_chat.ts";
import { afterAttempts, classify, type Failure, interrupted, keyFix, shownUrl } from "./_errors.ts";
import { type HttpOptions, request } from "./_http.ts";
import { listedModel } from "./_models.ts";
import { readAnswer } from "./_read_answer.ts";
import { readResponses, RESPONSES_OPTIONAL, responsesBody } from "./_responses.ts";
import type { ModelInfo, ModelRequest, ModelResponse, Provider, StreamOptions } from "./provider.ts";

/** Time as the provider needs it; tests give their own. */
interface Clock {
  /** Resolves after `ms`; rejects with the signal's reason when it aborts before. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** From 0 to 1, for jitter. */
  random(): number;
}

/** What the provider needs beside its configuration. */
export interface OpenAIProviderOptions {
  /** The key, asked for with every request; undefined when there is none. */
  readonly key: () => Promise<string | undefined>;
  readonly fetch?: typeof fetch;
  /** How often a failure that passes is tried again. Default 4. */
  readonly maxRetries?: number;
  readonly clock?: Clock;
  /** How long a server may stay silent before its answer begins, milliseconds. Default ten minutes: local models load first. */
  readonly startTimeoutMs?: number;
  /** How long it may stay silent in the middle of one. Default five minutes. */
  readonly idleTimeoutMs?: number;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 16_000;
/** A server that asks for more than this is not waited for any longer. */
const LONGEST_ASKED_WAIT_MS = 60_000;

const realClock: Clock = {
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const stop = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", stop);
        resolve();
      }, ms);
      signal.addEventListener("abort", stop, { once: true });
    }),
  random: Math.random,
};

/**
 * Any server that speaks OpenAI's Chat Completions or Responses API, by `config.api`. Requests are made
 * with fetch and the answer's own SSE bytes are read here: loading the vendor's SDK takes longer than all else that pryx does
 * before its first request, and an object per token is too slow. The SDK is the peer that tests/providers/sdk_peer_test.ts compares with. Errors: see {@link Provider}.
 */
export function createOpenAIProvider(config: ProviderConfig, options: OpenAIProviderOptions): Provider {
  const { maxRetries = 4, clock = realClock, startTimeoutMs = 600_000, idleTimeoutMs = 300_000 } = options;
  const dialect = createDialect(config);
  const key = async () => checkKey((await options.key())?.trim(), config);

  const http = (secret: string | undefined, signal: AbortSignal) =>
    ({ key: secret, signal, fetch: options.fetch ?? fetch, startTimeoutMs }) satisfies HttpOptions;

  const attempt = async (
    body: JsonObject,
    deltas: Deltas,
    secret: string | undefined,
    signal: AbortSignal,
  ): Promise<ModelResponse> => {
    const reader = dialect.reader(deltas);
    const response = await request(config, dialect.path, body, http(secret, signal));
    await readAnswer(response, reader, deltas, { signal, idleTimeoutMs });
    return reader.result();
  };

  const complete = async (request: ModelRequest, stream: StreamOptions): Promise<ModelResponse> => {
    const { signal, onDelta, onRetry } = stream;
    signal.throwIfAborted();
    if (!/^https?:$/.test(URL.parse(config.baseUrl)?.protocol ?? "")) {
      throw new PryxError(
        "config_invalid",
        `The base URL of the provider "${config.name}" is not a URL: ${shownUrl(config)}`,
        { fix: `Set \`providers.${config.name}.baseUrl\` to an address such as https://api.example.com/v1` },
      );
    }
    const secret = await untilAborted(key(), signal);
    for (let attempts = 1;;) {
      const deltas = createDeltas(onDelta);
      const body = dialect.body(request);
      try {
        return await attempt(body, deltas, secret, signal);
      } catch (thrown) {
        if (signal.aborted) throw signal.reason;
        if (thrown instanceof ConsumerFailure) throw thrown.cause;
        const failure = classify(thrown, config, request.model, secret);
        if (deltas.passed) throw interrupted(failure, config);
        if (dialect.adapt(failure, request.model, body)) continue;
        if (!failure.transient || attempts > maxRetries) throw afterAttempts(failure, attempts);
        const wait = waitBefore(failure, attempts, clock.random());
        onRetry(attempts, wait, failure.reason);
        await clock.sleep(wait, signal);
        attempts++;
      }
    }
  };

  const models = async (signal: AbortSignal): Promise<readonly ModelInfo[]> => {
    signal.throwIfAborted();
    const secret = await untilAborted(key(), signal);
    try {
      const response = await request(config, "/models", undefined, http(secret, signal));
      const page = object(await response.json());
      return list(page.data).map(listedModel).filter((model) => model !== undefined);
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      throw classify(thrown, config, "", secret).error;
    }
  };

  const warm = (): void => {
    // A TLS handshake takes as long as all of pryx's own start; on this machine there is nothing to gain.
    if (!config.local && config.baseUrl.startsWith("https:")) {
      const ask = options.fetch ?? fetch;
      ask(config.baseUrl, { method: "HEAD", redirect: "manual", signal: AbortSignal.timeout(5_000) })
        .then((response) => response.body?.cancel())
        .catch(() => {});
    }
  };

  return { name: config.name, complete, models, warm } satisfies Provider;
}

/** The key as it is sent; undefined for a provider that needs none. */
function checkKey(value: string | undefined, config: ProviderConfig): string | undefined {
  if (!value) {
    if (config.key === undefined) return undefined;
    throw new PryxError(
      "secret_missing",
      `There is no key for the provider "${config.name}": ${config.key}`,
      { fix: keyFix(config) },
    );
  }
  if (/^[\x21-\x7e]+$/.test(value)) return value;
  const name = `${config.key ?? ""} for the provider "${config.name}"`;
  throw new PryxError("provider_auth", `The key ${name} has spaces or characters that a key cannot have`, {
    fix: keyFix(config),
  });
}

/** Which API the server speaks and what it leaves out, as learned from its refusals. */
function createDialect(config: ProviderConfig) {
  const openAIHost = URL.parse(config.baseUrl)?.hostname === "api.openai.com";
  let api = config.api;
  /** Parameters that a model was found not to take. */
  const dropped = new Map<string, Set<string>>();
  return {
    get path(): string {
      return api === "chat" ? "/chat/completions" : "/responses";
    },
    reader: (deltas: Deltas): AnswerReader =>
      api === "chat" ? readChat(deltas, config.name) : readResponses(deltas, config.name),
    body(request: ModelRequest): JsonObject {
      const without = dropped.get(request.model) ?? new Set<string>();
      const dialect = { provider: config.name, baseUrl: config.baseUrl, dropped: without };
      return api === "chat" ? chatBody(request, dialect) : responsesBody(request, dialect);
    },
    /** Leaves out what this server says it does not take. False when nothing can be left out. */
    adapt(failure: Failure, model: string, body: JsonObject): boolean {
      if (failure.noRoute && api === "responses" && !openAIHost) {
        api = "chat";
        return true;
      }
      const { code } = failure.error;
      if (code !== "provider" && code !== "model_unknown") return false;
      if (failure.status !== 400 && failure.status !== 422) return false;
      const optional = api === "chat" ? CHAT_OPTIONAL : RESPONSES_OPTIONAL;
      const one = optional.find(({ name, named }) => name in body && named.test(failure.error.message));
      if (!one) return false;
      dropped.set(model, new Set(dropped.get(model)).add(one.name));
      return true;
    },
  };
}

/** Milliseconds until the next attempt: what the server asks for, else twice as long each time. `random`: 0 to 1. */
function waitBefore(failure: Failure, attempts: number, random: number): number {
  if (failure.waitMs !== undefined) return Math.min(LONGEST_ASKED_WAIT_MS, Math.round(failure.waitMs));
  const full = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - 1));
  return Math.round(full * (0.75 + random * 0.5));
}

/** `promise`, or the signal's reason as soon as it aborts. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const stop = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
