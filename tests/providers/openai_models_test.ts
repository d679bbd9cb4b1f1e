import assert from "node:assert/strict";
import { createOpenAIProvider } from "../../core/providers/openai.ts";
import { listener } from "../contract/provider_contract.ts";
import { startModelServer } from "../support/model_server.ts";
import { config, hello, providerAt } from "./_provider.ts";

const signal = new AbortController().signal;

function listing(data: unknown) {
  const provider = createOpenAIProvider(config("http://127.0.0.1:1/v1"), {
    key: () => Promise.resolve(undefined),
    fetch: () => Promise.resolve(Response.json({ object: "list", data })),
  });
  return provider.models(signal);
}

Deno.test("models() reads what servers add about their models", async () => {
  assert.deepEqual(
    await listing([
      { id: "plain" },
      {
        id: "a/b",
        context_length: 131072,
        pricing: { prompt: "0.00000125", completion: "0.00001", input_cache_read: "0.000000125" },
      },
      { id: "vllm", max_model_len: 4096 },
      { id: "local.gguf", meta: { n_ctx_train: 32768 } },
      { id: "models/gemini-x", pricing: { prompt: "-1", completion: "-1" } },
    ]),
    [
      { id: "plain" },
      { id: "a/b", contextWindow: 131072, price: { input: 1.25, output: 10, cached: 0.125 } },
      { id: "vllm", contextWindow: 4096 },
      { id: "local.gguf", contextWindow: 32768 },
      { id: "gemini-x" },
    ],
  );
});

Deno.test("models() takes lists with nothing in them, and names that would upset a terminal", async () => {
  assert.deepEqual(await listing([null, {}, { id: "" }, { id: "a\u001b[2Jb\n" }]), [{ id: "a[2Jb" }]);
  assert.deepEqual(await listing(undefined), []);
});

Deno.test("warm() asks a local server nothing, and a remote one without the key", async () => {
  await using server = await startModelServer([{ text: "ok" }]);
  const local = providerAt(server.url);
  local.warm?.();
  await local.complete(hello, listener());
  assert.deepEqual(server.paths, ["/v1/chat/completions"]);

  const asked: [unknown, RequestInit | undefined][] = [];
  const remote = createOpenAIProvider(config("https://api.example.test/v1", { local: false }), {
    key: () => Promise.reject(new Error("the key is not needed yet")),
    fetch: (url, init) => {
      asked.push([url, init]);
      return Promise.reject(new TypeError("no network"));
    },
  });
  remote.warm?.();
  assert.equal(asked.length, 1);
  assert.equal(asked[0]?.[1]?.method, "HEAD");
  assert.equal(asked[0]?.[1]?.headers, undefined);
});
