import assert from "node:assert/strict";
import type { Message } from "../../core/domain/message.ts";
import { createDeltas } from "../../core/providers/_answer.ts";
import { readResponses } from "../../core/providers/_responses.ts";
import { listener } from "../contract/provider_contract.ts";
import { startModelServer } from "../support/model_server.ts";
import { hello, providerAt } from "./_provider.ts";

function read(...events: unknown[]) {
  const heard: string[] = [];
  const deltas = createDeltas((text) => heard.push(text));
  const reader = readResponses(deltas, "test");
  for (const event of events) reader.event(JSON.stringify(event));
  deltas.flush();
  return { ...reader.result(), heard: heard.join("") };
}

const completed = (output: unknown[] = [], more: object = {}) => ({
  type: "response.completed",
  response: { status: "completed", output, ...more },
});

Deno.test("complete() stores nothing at the provider and asks for encrypted reasoning", async () => {
  await using server = await startModelServer([{ text: "ok" }], { repeat: true });
  const provider = providerAt(server.url, "responses");
  const schema = { type: "object", properties: {} } as const;
  const request = {
    model: "gpt-5-mini",
    messages: [
      { role: "system", text: "be brief" },
      { role: "user", text: "look" },
      { role: "assistant", text: "I look.", calls: [{ id: "c1", name: "ls", args: "{}" }] },
      { role: "tool", call: "c1", name: "ls", text: "a.txt" },
      { role: "system", text: "a later note" },
    ] satisfies Message[],
    tools: [{ name: "ls", description: "Lists", parameters: schema }],
    maxOutputTokens: 500,
    outputSchema: schema,
  };
  await provider.complete(request, listener());
  assert.deepEqual(server.requests[0]?.body, {
    model: "gpt-5-mini",
    instructions: "be brief",
    input: [
      { role: "user", content: "look" },
      { role: "assistant", content: "I look." },
      { type: "function_call", call_id: "c1", name: "ls", arguments: "{}" },
      { type: "function_call_output", call_id: "c1", output: "a.txt" },
      { role: "developer", content: "a later note" },
    ],
    tools: [{ type: "function", name: "ls", description: "Lists", parameters: schema, strict: false }],
    store: false,
    stream: true,
    include: ["reasoning.encrypted_content"],
    reasoning: { summary: "auto" },
    max_output_tokens: 500,
    text: { format: { type: "json_schema", name: "answer", schema, strict: false } },
  });
  await provider.complete({ ...request, model: "gpt-4.1" }, listener());
  assert.equal(server.requests[1]?.body.include, undefined);
  assert.equal(server.requests[1]?.body.reasoning, undefined);
});

Deno.test("complete() sends encrypted reasoning back in its place, without the provider's ids", async () => {
  await using server = await startModelServer([
    { encrypted: "gAAAA", reasoning: "hm", text: "I look.", calls: [{ name: "ls", args: {} }] },
    { text: "done" },
  ]);
  const provider = providerAt(server.url, "responses");
  const first = await provider.complete(hello, listener());
  const call = first.calls[0];
  assert.ok(call && first.opaque);
  const messages: Message[] = [
    { role: "user", text: "hello" },
    { role: "assistant", text: first.text, calls: first.calls, opaque: first.opaque },
    { role: "tool", call: call.id, name: "ls", text: "a.txt" },
  ];
  await provider.complete({ ...hello, messages }, listener());
  assert.deepEqual(server.requests[1]?.body.input, [
    { role: "user", content: "hello" },
    {
      type: "reasoning",
      id: "rs_0",
      summary: [{ type: "summary_text", text: "hm" }],
      encrypted_content: "gAAAA",
    },
    {
      type: "message",
      role: "assistant",
      content: [{ type: "output_text", text: "I look.", annotations: [] }],
    },
    { type: "function_call", call_id: call.id, name: "ls", arguments: "{}" },
    { type: "function_call_output", call_id: call.id, output: "a.txt" },
  ]);
});

Deno.test("complete() keeps nothing opaque when the reasoning is not encrypted", async () => {
  await using server = await startModelServer([{ reasoning: "hm", text: "x" }]);
  assert.equal((await providerAt(server.url, "responses").complete(hello, listener())).opaque, undefined);
});

Deno.test("complete() does without what a model does not take", async () => {
  await using server = await startModelServer(({ body }) =>
    body.include
      ? { status: 400, body: { error: { message: "Encrypted content is not supported with this model." } } }
      : body.reasoning
      ? { status: 400, body: { error: { message: "Unsupported parameter", param: "reasoning.summary" } } }
      : { text: "ok" }
  );
  const answer = await providerAt(server.url, "responses").complete({ ...hello, model: "o1" }, listener());
  assert.equal(answer.text, "ok");
  assert.equal(server.requests.length, 3);
});

Deno.test("complete() goes over to Chat Completions where a server has no Responses API, and stays there", async () => {
  await using server = await startModelServer([{ text: "ok" }], { repeat: true, responses: false });
  const provider = providerAt(server.url, "responses");
  for (const _ of [1, 2]) assert.equal((await provider.complete(hello, listener())).text, "ok");
  assert.deepEqual(server.paths, ["/v1/responses", "/v1/chat/completions", "/v1/chat/completions"]);
});

Deno.test("complete() takes a Responses server that does not stream", async () => {
  await using server = await startModelServer([
    { text: "all", calls: [{ name: "f", args: { a: 1 } }], plain: true },
  ]);
  const ear = listener();
  const answer = await providerAt(server.url, "responses").complete(hello, ear);
  assert.deepEqual(ear.deltas, [["text", "all"]]);
  assert.deepEqual(answer.calls.map(({ args }) => args), ['{"a":1}']);
});

Deno.test("readResponses() puts calls in the order of the output, whatever the order of events", () => {
  const item = (at: number, name: string) => ({
    type: "response.output_item.done",
    output_index: at,
    item: { type: "function_call", call_id: `c${at}`, name, arguments: "{}" },
  });
  assert.deepEqual(read(item(2, "second"), item(0, "first"), completed()).calls.map(({ name }) => name), [
    "first",
    "second",
  ]);
});

Deno.test("readResponses() takes arguments from deltas when the item is never finished", () => {
  const added = {
    type: "response.output_item.added",
    output_index: 0,
    item: { type: "function_call", call_id: "c", name: "f", arguments: "" },
  };
  const args = (delta: string) => ({
    type: "response.function_call_arguments.delta",
    output_index: 0,
    delta,
  });
  assert.deepEqual(read(added, args('{"a"'), args(":1}"), completed()).calls, [
    { id: "c", name: "f", args: '{"a":1}' },
  ]);
});

const message = (text: string) => ({
  type: "message",
  status: "completed",
  content: [{ type: "output_text", text }],
});

Deno.test("readResponses() passes on text once, wherever it first stands", () => {
  const streamed = { type: "response.output_text.delta", output_index: 0, delta: "hello" };
  const done = { type: "response.output_item.done", output_index: 0, item: message("hello") };
  for (
    const events of [
      [streamed, done, completed([message("hello")])],
      [streamed, completed([message("hello")])],
      [{ ...streamed, output_index: undefined }, completed([message("hello")])],
      [done, completed()],
      [completed([message("hello")])],
    ]
  ) {
    const answer = read(...events);
    assert.deepEqual([answer.text, answer.heard], ["hello", "hello"]);
  }
});

Deno.test("readResponses() sets messages and parts of reasoning apart", () => {
  const text = (at: number, delta: string) => ({
    type: "response.output_text.delta",
    output_index: at,
    delta,
  });
  const thought = (delta: string) => ({
    type: "response.reasoning_summary_text.delta",
    output_index: 0,
    delta,
  });
  const part = (at: number) => ({ type: "response.reasoning_summary_part.added", summary_index: at });
  const answer = read(
    part(0),
    thought("one"),
    part(1),
    thought("two"),
    text(1, "a"),
    text(2, "b"),
    completed(),
  );
  assert.equal(answer.reasoning, "one\n\ntwo");
  assert.equal(answer.text, "a\n\nb");
});

Deno.test("readResponses() says that a refusal is one", () => {
  const refusal = { type: "response.refusal.delta", output_index: 0, delta: "No." };
  assert.deepEqual([read(refusal, completed()).finish, read(refusal, completed()).text], [
    "content_filter",
    "No.",
  ]);
});

Deno.test("readResponses() fails when the response failed", () => {
  const failed = { type: "response.failed", response: { status: "failed", error: { code: "server_error" } } };
  assert.throws(() => read(failed));
  assert.throws(() => read({ ...failed, type: "response.completed" }));
});
