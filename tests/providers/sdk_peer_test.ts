import assert from "node:assert/strict";
import OpenAI from "openai";
import { createOpenAIProvider } from "../../core/providers/openai.ts";
import type { ModelAnswer } from "../support/model_server.ts";
import { startModelServer } from "../support/model_server.ts";

/**
 * The vendor's SDK as a peer: what pryx sends is what the SDK sends for the same request, and what the test server
 * answers is what the SDK understands. A mistake shared by our client and our server would show here.
 */
const ANSWERS: readonly ModelAnswer[] = [{
  text: ["Hel", "lo"],
  calls: [{ name: "read_file", args: { path: "a.txt" }, pieces: 3 }],
  usage: { input: 7, output: 3 },
}];

const TOOL = {
  name: "read_file",
  description: "Reads a file",
  parameters: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
} as const;

async function ours(url: string, api: "chat" | "responses") {
  const provider = createOpenAIProvider({
    name: "openai",
    baseUrl: url,
    api,
    headers: {},
    local: false,
    contextWindows: {},
    prices: {},
  }, { key: () => Promise.resolve("sk-test") });
  return await provider.complete(
    { model: "gpt-test", messages: [{ role: "user", text: "hi" }], tools: [TOOL] },
    { signal: new AbortController().signal, onDelta: () => {}, onRetry: () => {} },
  );
}

Deno.test("Chat Completions: the SDK sends the same request and reads the same answer", async () => {
  await using server = await startModelServer(ANSWERS, { repeat: true });
  const mine = await ours(server.url, "chat");
  const client = new OpenAI({ apiKey: "sk-test", baseURL: server.url, maxRetries: 0 });
  const stream = await client.chat.completions.create({
    model: "gpt-test",
    messages: [{ role: "user", content: "hi" }],
    tools: [{ type: "function", function: TOOL as never }],
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = "";
  let args = "";
  let total: number | undefined;
  for await (const chunk of stream) {
    const delta = chunk.choices[0]?.delta;
    text += delta?.content ?? "";
    args += delta?.tool_calls?.[0]?.function?.arguments ?? "";
    total = chunk.usage?.total_tokens ?? total;
  }
  assert.equal(mine.text, text);
  assert.equal(mine.calls[0]?.args, args);
  assert.equal((mine.usage?.input ?? 0) + (mine.usage?.output ?? 0), total);
  assert.deepEqual(server.requests[0]?.body, server.requests[1]?.body);
  assert.equal(server.requests[0]?.path, server.requests[1]?.path);
  assert.equal(
    server.requests[0]?.headers.get("authorization"),
    server.requests[1]?.headers.get("authorization"),
  );
});

Deno.test("Responses: the SDK reads the same answer at the same address", async () => {
  await using server = await startModelServer(ANSWERS, { repeat: true });
  const mine = await ours(server.url, "responses");
  const client = new OpenAI({ apiKey: "sk-test", baseURL: server.url, maxRetries: 0 });
  const stream = await client.responses.create({ model: "gpt-test", input: "hi", stream: true });
  let text = "";
  let args = "";
  for await (const event of stream) {
    if (event.type === "response.output_text.delta") text += event.delta;
    if (event.type === "response.output_item.done" && event.item.type === "function_call") {
      args = event.item.arguments;
    }
  }
  assert.equal(mine.text, text);
  assert.equal(mine.calls[0]?.args, args);
  assert.equal(server.requests[0]?.path, server.requests[1]?.path);
});
