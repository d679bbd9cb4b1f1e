import assert from "node:assert/strict";
import type { Message } from "../../core/domain/message.ts";
import { createDeltas } from "../../core/providers/_answer.ts";
import { readChat } from "../../core/providers/_chat.ts";
import { createOpenAIProvider } from "../../core/providers/openai.ts";
import type { ModelRequest } from "../../core/providers/provider.ts";
import { listener } from "../contract/provider_contract.ts";
import { startModelServer } from "../support/model_server.ts";
import { config, hello, providerAt } from "./_provider.ts";

/** Reads chunks as a server sent them. */
function read(...chunks: unknown[]) {
  const deltas = createDeltas(() => {});
  const reader = readChat(deltas, "test");
  for (const chunk of chunks) reader.event(typeof chunk === "string" ? chunk : JSON.stringify(chunk));
  deltas.flush();
  return { ...reader.result(), whole: reader.whole };
}

const delta = (value: unknown, finish: string | null = null) => ({
  choices: [{ index: 0, delta: value, finish_reason: finish }],
});
const call = (value: unknown) => delta({ tool_calls: [value] });
const namesAndArgs = (calls: readonly { name: string; args: string }[]) =>
  calls.map(({ name, args }) => [name, args]);

Deno.test("complete() sends the conversation, the tools and no more than it must", async () => {
  await using server = await startModelServer([{ text: "ok" }]);
  const schema = { type: "object", properties: { path: { type: "string" } }, required: ["path"] } as const;
  const request: ModelRequest = {
    model: "test",
    messages: [
      { role: "system", text: "be brief" },
      { role: "user", text: "look" },
      { role: "assistant", text: "", calls: [{ id: "c1", name: "read_file", args: '{"path":"a"}' }] },
      { role: "tool", call: "c1", name: "read_file", text: "content" },
    ],
    tools: [{ name: "read_file", description: "Reads", parameters: schema }],
    maxOutputTokens: 500,
  };
  await providerAt(server.url).complete(request, listener());
  assert.deepEqual(server.requests[0]?.body, {
    model: "test",
    messages: [
      { role: "system", content: "be brief" },
      { role: "user", content: "look" },
      {
        role: "assistant",
        content: null,
        tool_calls: [{
          id: "c1",
          type: "function",
          function: { name: "read_file", arguments: '{"path":"a"}' },
        }],
      },
      { role: "tool", tool_call_id: "c1", content: "content" },
    ],
    tools: [{ type: "function", function: { name: "read_file", description: "Reads", parameters: schema } }],
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: 500,
  });
});

Deno.test("complete() sends the key and the configured headers, and nothing about this machine", async () => {
  await using server = await startModelServer([{ text: "ok" }], { key: "k-1" });
  const provider = createOpenAIProvider(
    config(server.url, { headers: { "X-Title": "pryx" }, key: "env:K" }),
    {
      key: () => Promise.resolve(" k-1\n"),
    },
  );
  await provider.complete(hello, listener());
  const headers = server.requests[0]?.headers;
  assert.equal(headers?.get("x-title"), "pryx");
  assert.equal(headers?.get("user-agent"), "pryx");
  assert.deepEqual([...headers?.keys() ?? []].filter((name) => name.startsWith("x-stainless")), []);
});

Deno.test("complete() sends no key where none is configured", async () => {
  await using server = await startModelServer([{ text: "ok" }]);
  await providerAt(server.url).complete(hello, listener());
  assert.equal(server.requests[0]?.headers.get("authorization"), null);
});

Deno.test("complete() asks for an answer that fits a schema, strictly where the schema allows it", async () => {
  await using server = await startModelServer([{ text: "{}" }], { repeat: true });
  const provider = providerAt(server.url);
  const closed = {
    type: "object",
    properties: { a: { type: "string" } },
    required: ["a"],
    additionalProperties: false,
  };
  const open = { type: "object", properties: { a: { type: "string" } } };
  for (const outputSchema of [closed, open]) await provider.complete({ ...hello, outputSchema }, listener());
  const formats = server.requests.map(({ body }) => body.response_format.json_schema);
  assert.deepEqual(formats, [
    { name: "answer", schema: closed, strict: true },
    { name: "answer", schema: open, strict: false },
  ]);
});

Deno.test("complete() leaves out what a server says it does not take, and remembers", async () => {
  await using server = await startModelServer(({ body }) =>
    body.stream_options
      ? { status: 422, body: { detail: [{ type: "extra_forbidden", loc: ["body", "stream_options"] }] } }
      : body.max_tokens
      ? { status: 400, body: { error: { message: "Use 'max_completion_tokens' instead of 'max_tokens'." } } }
      : { text: "ok" }
  );
  const provider = providerAt(server.url);
  const retries: unknown[] = [];
  for (const _ of [1, 2]) {
    const request = { ...hello, maxOutputTokens: 9 };
    await provider.complete(request, { ...listener(), onRetry: (...one) => retries.push(one) });
  }
  assert.equal(server.requests.length, 4);
  assert.equal(server.requests.at(-1)?.body.max_completion_tokens, 9);
  assert.deepEqual(retries, []);
});

Deno.test("complete() gives many tokens in few pieces", async () => {
  await using server = await startModelServer([{ flood: 50_000 }]);
  const ear = listener();
  const answer = await providerAt(server.url).complete(hello, ear);
  assert.equal(answer.text, " token".repeat(50_000));
  assert.equal(ear.deltas.map(([, text]) => text).join(""), answer.text);
  assert.ok(ear.deltas.length < 5_000, `${ear.deltas.length} pieces`);
});

Deno.test("complete() passes on each piece when it comes", async () => {
  const gate = Promise.withResolvers<void>();
  await using server = await startModelServer([{ text: ["first", "second"], gates: { 2: gate.promise } }]);
  const seen: string[] = [];
  const answer = await providerAt(server.url).complete(hello, {
    ...listener(),
    onDelta(text) {
      seen.push(text);
      gate.resolve();
    },
  });
  assert.deepEqual(seen, ["first", "second"]);
  assert.equal(answer.text, "firstsecond");
});

Deno.test("complete() uses one connection for one request after the other", async () => {
  const ports = new Set<number>();
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request, { remoteAddr }) => {
      ports.add(remoteAddr.port);
      await request.body?.cancel();
      const text = `data: ${JSON.stringify(delta({ content: "x" }, "stop"))}\n\ndata: [DONE]\n\n`;
      let sent = false;
      // The body ends in a packet of its own, as it does behind a proxy.
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          if (sent) {
            await new Promise((resolve) => setTimeout(resolve, 0));
            return controller.close();
          }
          sent = true;
          controller.enqueue(new TextEncoder().encode(text));
        },
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    },
  );
  const provider = providerAt(`http://127.0.0.1:${server.addr.port}/v1`);
  for (let i = 0; i < 5; i++) await provider.complete(hello, listener());
  assert.equal(ports.size, 1);
});

for (const newline of ["\n", "\r\n"] as const) {
  Deno.test(`complete() takes a server that ends lines with ${JSON.stringify(newline)}`, async () => {
    await using server = await startModelServer([{ text: ["a", "b"], newline }]);
    assert.equal((await providerAt(server.url).complete(hello, listener())).text, "ab");
  });
}

Deno.test("complete() takes a finish reason without [DONE] for the end", async () => {
  await using server = await startModelServer([{ text: "all", noDone: true, usage: null }]);
  assert.equal((await providerAt(server.url).complete(hello, listener())).text, "all");
});

Deno.test("complete() takes [DONE] without a finish reason for the end", async () => {
  await using server = await startModelServer([{ text: "all", finish: null }]);
  assert.equal((await providerAt(server.url).complete(hello, listener())).finish, "stop");
});

Deno.test("complete() takes a server that does not stream", async () => {
  await using server = await startModelServer([
    { text: "all", reasoning: "hm", calls: [{ name: "f", args: { a: 1 } }], plain: true },
  ]);
  const ear = listener();
  const answer = await providerAt(server.url).complete(hello, ear);
  assert.equal(answer.text, "all");
  assert.equal(answer.reasoning, "hm");
  assert.deepEqual(namesAndArgs(answer.calls), [["f", '{"a":1}']]);
  assert.deepEqual(ear.deltas, [["reasoning", "hm"], ["text", "all"]]);
});

Deno.test("complete() takes reasoning under either of its names", async () => {
  await using server = await startModelServer([
    { reasoning: "one", text: "x", reasoningField: "reasoning" },
    { reasoning: "two", text: "x", reasoningField: "reasoning_content" },
  ]);
  const provider = providerAt(server.url);
  assert.equal((await provider.complete(hello, listener())).reasoning, "one");
  assert.equal((await provider.complete(hello, listener())).reasoning, "two");
});

Deno.test("complete() copes with call ids that come late, empty or not at all", async () => {
  await using server = await startModelServer([{
    calls: [
      { name: "late", args: { a: 1 }, pieces: 3, id: "call_late", lateId: true },
      { name: "empty", args: { b: 2 }, pieces: 2, id: "" },
      { name: "none", args: { c: 3 }, id: null },
    ],
  }]);
  const { calls } = await providerAt(server.url).complete(hello, listener());
  assert.deepEqual(namesAndArgs(calls), [["late", '{"a":1}'], ["empty", '{"b":2}'], ["none", '{"c":3}']]);
  assert.equal(calls[0]?.id, "call_late");
  assert.equal(new Set(calls.map(({ id }) => id)).size, 3);
  assert.ok(calls.every(({ id }) => id.length > 4));
});

Deno.test("readChat() keeps calls apart that share one index", () => {
  const whole = (id: string | undefined, name: string, args: string) =>
    call({ index: 0, ...(id === undefined ? {} : { id }), function: { name, arguments: args } });
  const byId = read(whole("a", "f", '{"n":1}'), whole("b", "f", '{"n":2}'), delta({}, "tool_calls"));
  assert.deepEqual(namesAndArgs(byId.calls), [["f", '{"n":1}'], ["f", '{"n":2}']]);
  const byName = read(whole("", "f", '{"n":1}'), whole("", "g", '{"n":2}'), delta({}, "stop"));
  assert.deepEqual(namesAndArgs(byName.calls), [["f", '{"n":1}'], ["g", '{"n":2}']]);
  assert.equal(byName.finish, "tool_calls");
});

Deno.test("readChat() takes interleaved calls, repeated names and arguments that are objects", () => {
  const { calls } = read(
    call({ index: 0, id: "a", function: { name: "f", arguments: '{"x"' } }),
    call({ index: 1, id: "b", function: { name: "g", arguments: { y: 2 } } }),
    call({ index: 0, id: "a", function: { name: "f", arguments: ":1}" } }),
    call({ index: 2, id: "c", function: { name: "h" } }),
    delta({}, "tool_calls"),
  );
  assert.deepEqual(calls, [
    { id: "a", name: "f", args: '{"x":1}' },
    { id: "b", name: "g", args: '{"y":2}' },
    { id: "c", name: "h", args: "{}" },
  ]);
});

Deno.test("readChat() gives two calls with the same id different ones", () => {
  const { calls } = read(
    call({ index: 0, id: "same", function: { name: "f", arguments: "{}" } }),
    call({ index: 1, id: "same", function: { name: "g", arguments: "{}" } }),
    delta({}, "tool_calls"),
  );
  assert.equal(new Set(calls.map(({ id }) => id)).size, 2);
});

Deno.test("readChat() drops a call whose arguments were cut off by the length limit", () => {
  const answer = read(
    call({ index: 0, id: "a", function: { name: "f", arguments: '{"x":1}' } }),
    call({ index: 1, id: "b", function: { name: "g", arguments: '{"y":"lo' } }),
    delta({}, "length"),
  );
  assert.equal(answer.finish, "length");
  assert.deepEqual(answer.calls.map(({ id }) => id), ["a"]);
});

Deno.test("readChat() counts reasoning that a provider leaves out of the completion", () => {
  const usage = (value: unknown) =>
    read(delta({ content: "x" }, "stop"), { choices: [], usage: value }).usage;
  assert.deepEqual(usage({ prompt_tokens: 10, completion_tokens: 5, total_tokens: 35 }), {
    input: 10,
    output: 25,
    cached: 0,
    reasoning: 20,
  });
  assert.equal(usage({ prompt_tokens: 10, completion_tokens: 1, prompt_cache_hit_tokens: 8 })?.cached, 8);
  assert.equal(usage({ prompt_tokens: -1, completion_tokens: NaN })?.input, 0);
});

Deno.test("readChat() reads content in parts and refusals", () => {
  const parts = [{ type: "thinking", thinking: [{ type: "text", text: "hm" }] }, {
    type: "text",
    text: "so",
  }];
  const answer = read(delta({ content: parts }, "stop"));
  assert.deepEqual([answer.reasoning, answer.text], ["hm", "so"]);
  const refusal = read(delta({ refusal: "I cannot" }, "stop"));
  assert.deepEqual([refusal.text, refusal.finish], ["I cannot", "content_filter"]);
});

Deno.test("readChat() is whole only with an end", () => {
  assert.equal(read(delta({ content: "x" })).whole, false);
  assert.equal(read(delta({ content: "x" }, "stop")).whole, true);
  assert.equal(read(delta({ content: "x" }), "[DONE]").whole, true);
});

Deno.test("readChat() takes chunks with nothing in them", () => {
  assert.equal(
    read({}, { choices: null }, { choices: [null] }, { choices: [{}] }, "", delta(null, "stop")).text,
    "",
  );
});

Deno.test("complete() gives a provider back what it wants to see again, and only in the same turn", async () => {
  await using server = await startModelServer([{ text: "done" }], { repeat: true });
  const provider = providerAt(server.url);
  const first = read(
    delta({ reasoning_content: "hidden thoughts" }),
    delta({ reasoning_details: [{ type: "reasoning.text", index: 0, text: "a" }] }),
    delta({ reasoning_details: [{ type: "reasoning.text", index: 0, text: "b", signature: "s" }] }),
    call({
      index: 0,
      id: "c1",
      function: { name: "f", arguments: "{}" },
      extra_content: { google: { thought_signature: "sig" } },
    }),
    delta({}, "tool_calls"),
  );
  const messages: Message[] = [
    { role: "user", text: "go" },
    { role: "assistant", text: "", calls: first.calls, ...(first.opaque ? { opaque: first.opaque } : {}) },
    { role: "tool", call: "c1", name: "f", text: "r" },
  ];
  const sent = async (list: Message[]) => {
    await provider.complete({ ...hello, messages: list }, listener());
    return server.requests.at(-1)?.body.messages[1];
  };
  const same = await sent(messages);
  assert.equal(same.reasoning_content, "hidden thoughts");
  assert.deepEqual(same.reasoning_details, [{
    type: "reasoning.text",
    index: 0,
    text: "ab",
    signature: "s",
  }]);
  assert.deepEqual(same.tool_calls[0].extra_content, { google: { thought_signature: "sig" } });
  const later = await sent([...messages, { role: "user", text: "and now" }]);
  assert.equal(later.reasoning_content, undefined);
  const elsewhere = messages.map((message): Message =>
    message.role === "assistant" && message.opaque
      ? { ...message, opaque: { ...message.opaque, provider: "another" } }
      : message
  );
  assert.deepEqual(Object.keys(await sent(elsewhere)).sort(), ["content", "role", "tool_calls"]);
});
