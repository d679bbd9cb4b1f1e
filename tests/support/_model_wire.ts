import type { ModelAnswer, ServedUsage } from "./model_server.ts";

export interface Wire {
  readonly api: "chat" | "responses";
  readonly model: string;
  /** Number of the request, from 0: makes ids unique. */
  readonly index: number;
}

/** An answer as SSE chunks, and as the one JSON document of a server that does not stream. */
export function renderAnswer(answer: ModelAnswer, wire: Wire): { chunks: string[]; whole: unknown } {
  const rendered = wire.api === "chat" ? renderChat(answer, wire) : renderResponses(answer, wire);
  const { newline } = answer;
  return newline === undefined || newline === "\n"
    ? rendered
    : { ...rendered, chunks: rendered.chunks.map((chunk) => chunk.replaceAll("\n", newline)) };
}

/** `n` chunks of one token each and a proper end, in blocks of 64 KiB that are rendered once. */
export function* floodChunks(n: number, wire: Wire): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  const { event, head, tail } = wire.api === "chat" ? chatFlood(n, wire) : responsesFlood(n);
  const perBlock = Math.max(1, Math.floor(65536 / event.length));
  const block = encoder.encode(event.repeat(perBlock));
  yield encoder.encode(head);
  let left = n;
  for (; left >= perBlock; left -= perBlock) yield block;
  yield encoder.encode(event.repeat(left) + tail);
}

function chatFlood(n: number, wire: Wire) {
  const send = chatChunk(wire);
  return {
    head: send({ role: "assistant", content: "" }, null),
    event: send({ content: " token" }, null),
    tail: send({}, "stop") +
      `data: ${
        JSON.stringify({ ...chatBase(wire), choices: [], usage: chatUsage({ input: 10, output: n }) })
      }` +
      "\n\ndata: [DONE]\n\n",
  };
}

function responsesFlood(n: number) {
  const item = { type: "message", id: "msg_1", role: "assistant", status: "in_progress", content: [] };
  return {
    head: typed({ type: "response.output_item.added", output_index: 0, item }),
    event: typed({
      type: "response.output_text.delta",
      item_id: "msg_1",
      output_index: 0,
      content_index: 0,
      delta: " token",
    }),
    tail: typed({
      type: "response.completed",
      response: { status: "completed", output: [], usage: responsesUsage({ input: 10, output: n }) },
    }),
  };
}

const pieces = (text: string | readonly string[] | undefined): readonly string[] =>
  text === undefined ? [] : typeof text === "string" ? [text] : text;

const argsText = (args: unknown): string => typeof args === "string" ? args : JSON.stringify(args);

function cut(text: string, parts: number): string[] {
  const size = Math.max(1, Math.ceil(text.length / parts));
  const out = [];
  for (let at = 0; at < text.length; at += size) out.push(text.slice(at, at + size));
  return out.length === 0 ? [""] : out;
}

function chatBase(wire: Wire) {
  return {
    id: `chatcmpl-${wire.index}`,
    object: "chat.completion.chunk",
    created: 1750000000,
    model: wire.model,
    system_fingerprint: "fp_test",
  };
}

function chatChunk(wire: Wire) {
  return (delta: unknown, finish: string | null) => {
    const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }];
    return `data: ${JSON.stringify({ ...chatBase(wire), choices })}\n\n`;
  };
}

function chatUsage({ input = 0, output = 0, cached = 0, reasoning = 0 }: ServedUsage) {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
}

function renderChat(answer: ModelAnswer, wire: Wire) {
  const send = chatChunk(wire);
  const field = answer.reasoningField ?? "reasoning_content";
  const chunks = [send({ role: "assistant", content: "" }, null)];
  for (const piece of pieces(answer.reasoning)) chunks.push(send({ [field]: piece }, null));
  for (const piece of pieces(answer.text)) chunks.push(send({ content: piece }, null));
  const calls = answer.calls ?? [];
  calls.forEach((call, index) => {
    const id = call.id === undefined ? `call_${wire.index}_${index}` : call.id;
    const parts = cut(argsText(call.args), call.pieces ?? 1);
    const withId = id === null ? {} : { id };
    const first = { index, type: "function", function: { name: call.name, arguments: "" } };
    chunks.push(send({ tool_calls: [call.lateId ? first : { ...withId, ...first }] }, null));
    parts.forEach((part, at) => {
      const late = call.lateId && at === parts.length - 1 ? withId : {};
      chunks.push(send({ tool_calls: [{ index, ...late, function: { arguments: part } }] }, null));
    });
  });
  const finish = answer.finish === undefined ? (calls.length > 0 ? "tool_calls" : "stop") : answer.finish;
  if (answer.streamError) chunks.push(`data: ${JSON.stringify({ error: answer.streamError })}\n\n`);
  if (finish !== null) chunks.push(send({}, finish));
  const usage = answer.usage === null ? undefined : chatUsage(answer.usage ?? { input: 10, output: 5 });
  if (usage) chunks.push(`data: ${JSON.stringify({ ...chatBase(wire), choices: [], usage })}\n\n`);
  if (!answer.noDone) chunks.push("data: [DONE]\n\n");

  const message = {
    role: "assistant",
    content: pieces(answer.text).join("") || null,
    ...(answer.reasoning === undefined ? {} : { [field]: pieces(answer.reasoning).join("") }),
    ...(calls.length === 0 ? {} : {
      tool_calls: calls.map((call, index) => ({
        id: call.id ?? `call_${wire.index}_${index}`,
        type: "function",
        function: { name: call.name, arguments: argsText(call.args) },
      })),
    }),
  };
  const whole = { ...chatBase(wire), choices: [{ index: 0, message, finish_reason: finish }], usage };
  return { chunks, whole };
}

function responsesUsage({ input = 0, output = 0, cached = 0, reasoning = 0 }: ServedUsage) {
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  };
}

function typed(event: { readonly type: string; readonly [key: string]: unknown }): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

function renderResponses(answer: ModelAnswer, wire: Wire) {
  const chunks = [typed({ type: "response.created", response: { id: `resp_${wire.index}` } })];
  const output: unknown[] = [];
  const send = (event: { type: string } & Record<string, unknown>) => chunks.push(typed(event));

  if (answer.reasoning !== undefined || answer.encrypted !== undefined) {
    const at = output.length;
    const id = `rs_${wire.index}`;
    send({
      type: "response.output_item.added",
      output_index: at,
      item: { type: "reasoning", id, summary: [] },
    });
    for (const delta of pieces(answer.reasoning)) {
      send({ type: "response.reasoning_summary_text.delta", item_id: id, output_index: at, delta });
    }
    const summary = answer.reasoning === undefined
      ? []
      : [{ type: "summary_text", text: pieces(answer.reasoning).join("") }];
    const item = { type: "reasoning", id, summary, encrypted_content: answer.encrypted ?? null };
    send({ type: "response.output_item.done", output_index: at, item });
    output.push(item);
  }
  if (answer.text !== undefined) {
    const at = output.length;
    const id = `msg_${wire.index}`;
    const item = { type: "message", id, role: "assistant" };
    send({
      type: "response.output_item.added",
      output_index: at,
      item: { ...item, status: "in_progress", content: [] },
    });
    for (const delta of pieces(answer.text)) {
      send({ type: "response.output_text.delta", item_id: id, output_index: at, content_index: 0, delta });
    }
    const content = [{ type: "output_text", text: pieces(answer.text).join(""), annotations: [] }];
    const done = { ...item, status: "completed", content };
    send({ type: "response.output_item.done", output_index: at, item: done });
    output.push(done);
  }
  (answer.calls ?? []).forEach((call, index) => {
    const at = output.length;
    const id = `fc_${wire.index}_${index}`;
    const item = {
      type: "function_call",
      id,
      call_id: call.id === undefined ? `call_${wire.index}_${index}` : call.id,
      name: call.name,
    };
    send({
      type: "response.output_item.added",
      output_index: at,
      item: { ...item, arguments: "", status: "in_progress" },
    });
    for (const delta of cut(argsText(call.args), call.pieces ?? 1)) {
      send({ type: "response.function_call_arguments.delta", item_id: id, output_index: at, delta });
    }
    const done = { ...item, arguments: argsText(call.args), status: "completed" };
    send({ type: "response.output_item.done", output_index: at, item: done });
    output.push(done);
  });
  if (answer.streamError) send({ type: "error", ...answer.streamError });

  const usage = answer.usage === null ? null : responsesUsage(answer.usage ?? { input: 10, output: 5 });
  const reason = answer.finish === "length"
    ? "max_output_tokens"
    : answer.finish === "content_filter"
    ? "content_filter"
    : undefined;
  const whole = {
    id: `resp_${wire.index}`,
    object: "response",
    model: wire.model,
    status: reason ? "incomplete" : "completed",
    incomplete_details: reason ? { reason } : null,
    output,
    usage,
  };
  if (answer.finish !== null) {
    send({ type: reason ? "response.incomplete" : "response.completed", response: whole });
  }
  return { chunks, whole };
}
