import assert from "node:assert/strict";
import type { ProviderConfig } from "../../core/config/config.ts";
import { createOpenAIProvider } from "../../core/providers/openai.ts";
import { listener } from "../contract/provider_contract.ts";
import { type ModelAnswer, startModelServer } from "../support/model_server.ts";
import { config, failureOf, hello, providerAt, stoppedClock } from "./_provider.ts";

/** Of no known shape: only that it is the key gives it away. */
const KEY = "plain0123456789abcdef";

/** Asks a server that fails in one way; returns the error and how often it was asked. */
async function failing(answer: ModelAnswer, more: Partial<ProviderConfig> = {}) {
  await using server = await startModelServer([answer], { repeat: true });
  const clock = stoppedClock();
  const retries: [number, number, string][] = [];
  const provider = createOpenAIProvider(config(server.url, more), {
    key: () => Promise.resolve(KEY),
    clock,
    maxRetries: 2,
  });
  const ear = listener();
  const error = await failureOf(provider.complete(hello, { ...ear, onRetry: (...one) => retries.push(one) }));
  return { error, retries, waits: clock.waits, asked: server.requests.length, deltas: ear.deltas };
}

const openAIError = (message: string, code: string | null = null) => ({
  error: { message, code, param: null },
});

Deno.test("complete() names the secret, never the key, when the key is refused", async () => {
  for (const status of [401, 403]) {
    const { error, asked } = await failing(
      {
        status,
        body: openAIError(`Incorrect API key provided: ${KEY}, or sk-proj****4321. See example.com`),
      },
      { key: "env:TEST_KEY" },
    );
    assert.equal(error.code, "provider_auth");
    assert.match(error.message, /env:TEST_KEY/);
    assert.match(error.fix ?? "", /export TEST_KEY=.*pryx secrets set/);
    assert.ok(!JSON.stringify(error).includes(KEY));
    assert.ok(!error.message.includes("4321"));
    assert.equal(asked, 1);
  }
});

Deno.test("complete() knows a bad key behind a 400", async () => {
  const body = [{
    error: { code: 400, message: "API key not valid. Please pass a valid API key.", status: "X" },
  }];
  const { error } = await failing({ status: 400, body }, { key: "keychain:google" });
  assert.equal(error.code, "provider_auth");
  assert.match(error.fix ?? "", /pryx secrets set keychain:google/);
});

Deno.test("complete() says that there is no key", async () => {
  const provider = createOpenAIProvider(config("http://127.0.0.1:1/v1", { key: "env:TEST_KEY" }), {
    key: () => Promise.resolve(undefined),
  });
  const error = await failureOf(provider.complete(hello, listener()));
  assert.equal(error.code, "secret_missing");
  assert.match(error.message, /env:TEST_KEY/);
  assert.match(error.fix ?? "", /export TEST_KEY=/);
});

Deno.test("complete() refuses a key that cannot stand in a header", async () => {
  const provider = createOpenAIProvider(config("http://127.0.0.1:1/v1", { key: "file:k" }), {
    key: () => Promise.resolve("two words\nnext"),
  });
  const error = await failureOf(provider.complete(hello, listener()));
  assert.equal(error.code, "provider_auth");
  assert.ok(!error.message.includes("words"));
});

const UNKNOWN_MODELS: ModelAnswer[] = [
  { status: 404, body: openAIError("The model `gpt-9` does not exist", "model_not_found") },
  { status: 404, body: { error: 'model "test" not found, try pulling it first' } },
  { status: 400, body: { error: { message: "test is not a valid model ID", code: 400 } } },
  { status: 422, body: { detail: [{ msg: "Invalid model: test" }] } },
];

for (const [index, answer] of UNKNOWN_MODELS.entries()) {
  Deno.test(`complete() says that a model is not known, form ${index + 1}`, async () => {
    const { error, asked } = await failing(answer);
    assert.equal(error.code, "model_unknown");
    assert.equal(error.exitCode, 2);
    assert.match(error.message, /"test" has no model "test"/);
    assert.match(error.fix ?? "", /pryx models test/);
    assert.equal(asked, 1);
  });
}

Deno.test("complete() suspects the address when nothing is there", async () => {
  const { error } = await failing({ status: 404, body: "404 page not found" });
  assert.match(error.fix ?? "", /baseUrl/);
});

const TOO_LONG = [
  openAIError("Input exceeds the context window of this model", "context_length_exceeded"),
  openAIError(
    "This model's maximum context length is 8192 tokens. Please reduce the length of the messages.",
  ),
  openAIError("prompt is too long: 210000 tokens > 200000 maximum"),
  openAIError("the request exceeds the available context size, try increasing it"),
  openAIError("The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
];

for (const [index, body] of TOO_LONG.entries()) {
  Deno.test(`complete() says that the conversation is too long, form ${index + 1}`, async () => {
    const { error, asked } = await failing({ status: 400, body });
    assert.equal(error.code, "context_overflow");
    assert.equal(asked, 1);
  });
}

Deno.test("complete() shows what a server said about a bad request, made safe and short", async () => {
  const message = `Bad \u001b[31mthing\u001b[0m\n\u0007 with ${KEY} ${"x".repeat(900)}`;
  const { error, asked } = await failing({ status: 400, body: openAIError(message) });
  assert.equal(error.code, "provider");
  assert.match(error.message, /Bad thing with \[key\] xxx/);
  // deno-lint-ignore no-control-regex -- that there are none is what is checked
  assert.doesNotMatch(error.message, /[\u0000-\u001f]/);
  assert.ok(error.message.length < 600);
  assert.equal(asked, 1);
});

Deno.test("complete() does not retry when the quota is used up", async () => {
  const { error, asked } = await failing({
    status: 429,
    body: openAIError("You exceeded your current quota", "insufficient_quota"),
  });
  assert.equal(error.code, "provider");
  assert.match(error.fix ?? "", /credit/);
  assert.equal(asked, 1);
});

for (const status of [408, 409, 429, 500, 502, 503, 529]) {
  Deno.test(`complete() retries after HTTP ${status}, longer each time, and then gives up`, async () => {
    const { error, asked, retries, waits } = await failing({ status, body: openAIError("busy") });
    assert.equal(error.code, "provider");
    assert.match(error.message, /busy.*\(tried 3 times\)/);
    assert.equal(asked, 3);
    assert.deepEqual(waits, [500, 1000]);
    assert.deepEqual(retries.map(([attempt, wait]) => [attempt, wait]), [[1, 500], [2, 1000]]);
    assert.match(retries[0]?.[2] ?? "", new RegExp(`HTTP ${status}.*busy`));
  });
}

Deno.test("complete() succeeds once the failure has passed", async () => {
  await using server = await startModelServer([{ status: 500 }, { text: "here" }]);
  const answer = await providerAt(server.url, "chat", { clock: stoppedClock() }).complete(hello, listener());
  assert.equal(answer.text, "here");
});

Deno.test("complete() waits as long as the server asks, up to a minute", async () => {
  const asked = async (headers: Record<string, string>) => (await failing({ status: 429, headers })).waits[0];
  assert.equal(await asked({ "retry-after": "7" }), 7000);
  assert.equal(await asked({ "retry-after-ms": "120", "retry-after": "7" }), 120);
  assert.equal(await asked({ "retry-after": "86400" }), 60_000);
  const soon = await asked({ "retry-after": new Date(Date.now() + 30_000).toUTCString() });
  assert.ok(soon !== undefined && soon > 20_000 && soon <= 30_000);
});

Deno.test("complete() spreads its waits at random", async () => {
  await using server = await startModelServer([{ status: 500 }], { repeat: true });
  const wait = async (random: number) => {
    const clock = stoppedClock(random);
    await failureOf(providerAt(server.url, "chat", { clock, maxRetries: 1 }).complete(hello, listener()));
    return clock.waits[0];
  };
  assert.deepEqual([await wait(0), await wait(1)], [375, 625]);
});

Deno.test("complete() obeys a server that says not to retry", async () => {
  assert.equal((await failing({ status: 503, headers: { "x-should-retry": "false" } })).asked, 1);
});

Deno.test("complete() stops waiting for a retry when its signal aborts", async () => {
  await using server = await startModelServer([{ status: 429, headers: { "retry-after": "30" } }]);
  const controller = new AbortController();
  const reason = new Error("enough");
  const answer = providerAt(server.url).complete(hello, {
    ...listener(controller.signal),
    onRetry: () => controller.abort(reason),
  });
  await assert.rejects(answer, (error) => error === reason);
});

for (const api of ["chat", "responses"] as const) {
  Deno.test(`complete() over ${api} keeps what came before the connection was cut, and does not retry`, async () => {
    const { error, deltas, asked } = await failing({ text: ["one ", "two ", "three"], cutAfter: 4 }, { api });
    assert.equal(error.code, "provider_interrupted");
    assert.match(error.message, /in the middle of its answer/);
    assert.match(error.fix ?? "", /--continue/);
    assert.ok("one two three".startsWith(deltas.map(([, text]) => text).join("")) && deltas.length > 0);
    assert.equal(asked, 1);
  });

  Deno.test(`complete() over ${api} does not take a stream without its end for an answer`, async () => {
    const { error } = await failing({ text: ["one ", "two ", "three"], endAfter: 4 }, { api });
    assert.equal(error.code, "provider_interrupted");
  });

  Deno.test(`complete() over ${api} fails on a piece that is not JSON, keeping what came before`, async () => {
    const { error, deltas } = await failing({ text: ["one ", "two ", "three"], malformedAfter: 4 }, { api });
    assert.equal(error.code, "provider_interrupted");
    assert.match(error.message, /not JSON/);
    assert.ok(deltas.length > 0);
  });

  Deno.test(`complete() over ${api} retries a connection that was cut before anything came`, async () => {
    const { error, asked } = await failing({ text: "never", cutAfter: 1 }, { api });
    assert.equal(error.code, "provider_unreachable");
    assert.equal(asked, 3);
  });

  Deno.test(`complete() over ${api} shows an error that comes inside the stream`, async () => {
    const streamError = { message: "The model is overloaded", code: "overloaded" };
    const late = await failing({ text: "begun", streamError }, { api });
    assert.equal(late.error.code, "provider_interrupted");
    assert.match(late.error.message, /overloaded/);
    assert.equal(late.asked, 1);
    const early = await failing({ streamError }, { api });
    assert.equal(early.error.code, "provider");
    assert.equal(early.asked, 3);
    const tooLong = { message: "Too many tokens", code: "context_length_exceeded" };
    assert.equal((await failing({ streamError: tooLong }, { api })).error.code, "context_overflow");
  });

  Deno.test(`complete() over ${api} gives up on a server that falls silent`, async () => {
    await using server = await startModelServer([{ hang: "stream" }]);
    const provider = providerAt(server.url, api, { idleTimeoutMs: 20, maxRetries: 0 });
    const error = await failureOf(provider.complete(hello, listener()));
    assert.equal(error.code, "provider_unreachable");
    assert.match(error.message, /nothing came/);
    await server.requests[0]?.left;
  });

  for (const hang of ["headers", "stream"] as const) {
    Deno.test(`complete() over ${api} closes the connection when it aborts, with only ${hang} awaited`, async () => {
      await using server = await startModelServer([{ hang }]);
      const controller = new AbortController();
      const answer = providerAt(server.url, api).complete(hello, listener(controller.signal));
      const seen = await server.request(0);
      const reason = new Error("stop");
      controller.abort(reason);
      await assert.rejects(answer, (error) => error === reason);
      await seen.left;
    });
  }
}

Deno.test("complete() gives up on a server that does not begin to answer", async () => {
  await using server = await startModelServer([{ hang: "headers" }]);
  const error = await failureOf(
    providerAt(server.url, "chat", { startTimeoutMs: 20 }).complete(hello, listener()),
  );
  assert.equal(error.code, "provider_unreachable");
  assert.match(error.message, /no answer in time/);
});

Deno.test("complete() asks whether the local server runs when nothing listens", async () => {
  const listening = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${listening.addr.port}/v1`;
  listening.close();
  const clock = stoppedClock();
  for (
    const [name, fix] of [["ollama", /ollama serve/], ["lmstudio", /lms server/], [
      "mine",
      /baseUrl/,
    ]] as const
  ) {
    const provider = createOpenAIProvider(config(url, { name }), {
      key: () => Promise.resolve(undefined),
      clock,
    });
    const error = await failureOf(provider.complete(hello, listener()));
    assert.equal(error.code, "provider_unreachable");
    assert.equal(error.exitCode, 5);
    assert.match(error.message, new RegExp(`"${name}" at ${url}: connection refused`));
    assert.match(error.fix ?? "", fix);
  }
  assert.deepEqual(clock.waits, [], "waiting does not start a server");
});

Deno.test("complete() retries a network that fails, and names the address without what is secret in it", async () => {
  const clock = stoppedClock();
  const failure = new TypeError(
    "error sending request for url (https://u:p@api.example.test/v1?k=1): dns error: failed to lookup address",
  );
  const provider = createOpenAIProvider(config("https://u:p@api.example.test/v1?k=1", { local: false }), {
    key: () => Promise.resolve(KEY),
    fetch: () => Promise.reject(failure),
    clock,
  });
  const error = await failureOf(provider.complete(hello, listener()));
  assert.equal(error.code, "provider_unreachable");
  assert.match(
    error.message,
    /at https:\/\/api\.example\.test\/v1: the host name is not known \(tried 5 times\)/,
  );
  assert.equal(clock.waits.length, 4);
});

Deno.test("complete() does not retry a certificate that is not trusted", async () => {
  const clock = stoppedClock();
  const provider = createOpenAIProvider(config("https://api.example.test/v1", { local: false }), {
    key: () => Promise.resolve(KEY),
    fetch: () =>
      Promise.reject(new TypeError("client error (Connect): invalid peer certificate: UnknownIssuer")),
    clock,
  });
  const error = await failureOf(provider.complete(hello, listener()));
  assert.equal(error.code, "provider_unreachable");
  assert.match(error.message, /invalid peer certificate: UnknownIssuer/);
  assert.deepEqual(clock.waits, []);
});

Deno.test("complete() does not follow a redirect with the key", async () => {
  const { error, asked } = await failing({
    status: 307,
    headers: { location: "https://elsewhere.test/v1" },
    body: "",
  });
  assert.equal(error.code, "provider");
  assert.match(error.message, /redirect to https:\/\/elsewhere\.test/);
  assert.equal(asked, 1);
});

Deno.test("complete() says when a web page answers in place of a model", async () => {
  const provider = createOpenAIProvider(config("http://127.0.0.1:1/v1"), {
    key: () => Promise.resolve(undefined),
    fetch: () =>
      Promise.resolve(
        new Response("<!doctype html><title>Log in</title>", { headers: { "content-type": "text/html" } }),
      ),
  });
  const error = await failureOf(provider.complete(hello, listener()));
  assert.equal(error.code, "provider");
  assert.match(error.message, /a web page \("Log in"\)/);
  assert.match(error.fix ?? "", /baseUrl/);
});

Deno.test("complete() refuses a base URL that is none", async () => {
  const error = await failureOf(providerAt("localhost:1234").complete(hello, listener()));
  assert.equal(error.code, "config_invalid");
  assert.match(error.fix ?? "", /baseUrl/);
});

Deno.test("complete() passes on what its listener throws, as it is", async () => {
  await using server = await startModelServer([{ text: "hello" }]);
  const bug = new Error("a bug of the caller");
  const answer = providerAt(server.url).complete(hello, {
    ...listener(),
    onDelta: () => {
      throw bug;
    },
  });
  await assert.rejects(answer, (error) => error === bug);
});

Deno.test("models() fails as complete() does", async () => {
  await using server = await startModelServer([], { key: "other" });
  const error = await failureOf(providerAt(server.url).models(new AbortController().signal));
  assert.equal(error.code, "provider_auth");
});
