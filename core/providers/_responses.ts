import { newId } from "../domain/id.ts";
import type { Message, RequestedCall, Usage } from "../domain/message.ts";
import {
  type AnswerReader,
  argsText,
  count,
  type Deltas,
  isJson,
  isStrictSchema,
  type JsonObject,
  list,
  object,
  StreamFailure,
  string,
} from "./_answer.ts";
import type { ModelRequest } from "./provider.ts";

/** How one server speaks the Responses API. */
interface ResponsesDialect {
  readonly provider: string;
  /** Parameters that this server, or this model, was found not to take. */
  readonly dropped: ReadonlySet<string>;
}

/** Parameters that a request can do without, and how a server's complaint names them. */
export const RESPONSES_OPTIONAL: readonly { readonly name: string; readonly named: RegExp }[] = [
  { name: "include", named: /encrypted|\binclude\b/i },
  { name: "reasoning", named: /reasoning/i },
  { name: "text", named: /text\.format|json_schema|structured output/i },
  { name: "max_output_tokens", named: /max_output_tokens/i },
];

const REASONS = /^(o\d|gpt-[5-9]|codex|gpt-oss)/;

/** The body of a Responses request: nothing is stored at the provider, the reasoning comes back encrypted. */
export function responsesBody(request: ModelRequest, { provider, dropped }: ResponsesDialect): JsonObject {
  const first = request.messages.findIndex((message) => message.role !== "system");
  const split = first < 0 ? request.messages.length : first;
  const instructions = request.messages.slice(0, split).map((message) => message.text).join("\n\n");
  const reasons = REASONS.test(request.model.slice(request.model.lastIndexOf("/") + 1));
  return {
    model: request.model,
    ...(instructions === "" ? {} : { instructions }),
    input: request.messages.slice(split).flatMap((message) => inputItems(message, provider)),
    ...(request.tools.length === 0 ? {} : {
      tools: request.tools.map(({ name, description, parameters }) => ({
        type: "function",
        name,
        description,
        parameters,
        strict: false,
      })),
    }),
    store: false,
    stream: true,
    ...(reasons && !dropped.has("include") ? { include: ["reasoning.encrypted_content"] } : {}),
    ...(reasons && !dropped.has("reasoning") ? { reasoning: { summary: "auto" } } : {}),
    ...(request.maxOutputTokens === undefined || dropped.has("max_output_tokens")
      ? {}
      : { max_output_tokens: request.maxOutputTokens }),
    ...(request.outputSchema === undefined || dropped.has("text") ? {} : {
      text: {
        format: {
          type: "json_schema",
          name: "answer",
          schema: request.outputSchema,
          strict: isStrictSchema(request.outputSchema),
        },
      },
    }),
  };
}

function inputItems(message: Message, provider: string): readonly unknown[] {
  switch (message.role) {
    case "system":
      return [{ role: "developer", content: message.text }];
    case "user":
      return [{ role: "user", content: message.text }];
    case "tool":
      return [{ type: "function_call_output", call_id: message.call, output: message.text }];
    case "assistant":
      if (message.opaque?.provider === provider) return message.opaque.items;
      return [
        ...(message.text === "" ? [] : [{ role: "assistant", content: message.text }]),
        ...message.calls.map(({ id, name, args }) => ({
          type: "function_call",
          call_id: id,
          name,
          arguments: args,
        })),
      ];
  }
}

interface Slot {
  item: JsonObject;
  args: string;
  text: string;
}

/** Reads the events of a Responses stream. */
export function readResponses(deltas: Deltas, provider: string): AnswerReader {
  const slots = new Map<number, Slot>();
  let usage: Usage | null = null;
  let incomplete: string | undefined;
  let over = false;
  let refused = false;
  let textPlace = -1;
  let itemsCame = false;

  const slot = (place: unknown): Slot => {
    const at = typeof place === "number" ? place : slots.size;
    const known = slots.get(at) ?? { item: {}, args: "", text: "" };
    slots.set(at, known);
    return known;
  };

  const text = (place: unknown, piece: string) => {
    if (piece === "") return;
    const at = typeof place === "number" ? place : textPlace;
    if (textPlace >= 0 && at !== textPlace && deltas.text !== "") deltas.add("\n\n", "text");
    textPlace = at;
    slot(at).text += piece;
    deltas.add(piece, "text");
  };

  /** An item that is whole. What of it was not streamed is passed on now. */
  const done = (place: number, item: JsonObject) => {
    const known = slot(place);
    known.item = item;
    if (item.type === "message" && known.text === "") {
      for (const part of list(item.content).map(object)) {
        text(place, string(part.text) || string(part.refusal));
      }
    }
  };

  const terminal = (value: unknown) => {
    const response = object(value);
    if (response.status === "failed" || (response.error !== null && response.error !== undefined)) {
      throw new StreamFailure(response);
    }
    // Servers that send no item events put everything here; what they streamed before is not said twice.
    const streamed = deltas.text !== "";
    list(itemsCame ? [] : response.output).map(object).forEach((item, place) => {
      if (streamed) slot(place).item = item;
      else done(place, item);
    });
    usage = responsesUsage(response.usage) ?? usage;
    if (response.status === "incomplete") {
      incomplete = string(object(response.incomplete_details).reason) || "max_output_tokens";
    }
    over = true;
  };

  const take = (value: unknown) => {
    const event = object(value);
    switch (event.type) {
      case "response.output_text.delta":
        return text(event.output_index, string(event.delta));
      case "response.refusal.delta":
        refused = true;
        return text(event.output_index, string(event.delta));
      case "response.reasoning_summary_part.added":
        return count(event.summary_index) > 0 && deltas.reasoning !== ""
          ? deltas.add("\n\n", "reasoning")
          : undefined;
      case "response.reasoning_summary_text.delta":
      case "response.reasoning_text.delta":
        return deltas.add(string(event.delta), "reasoning");
      case "response.output_item.added":
        slot(event.output_index).item = object(event.item);
        return;
      case "response.function_call_arguments.delta":
        slot(event.output_index).args += string(event.delta);
        return;
      case "response.function_call_arguments.done":
        slot(event.output_index).args = argsText(event.arguments);
        return;
      case "response.output_item.done":
        itemsCame = true;
        return done(
          typeof event.output_index === "number" ? event.output_index : slots.size,
          object(event.item),
        );
      case "response.completed":
      case "response.incomplete":
        return terminal(event.response);
      case "response.failed":
        throw new StreamFailure(event.response);
      case "error":
        throw new StreamFailure(event);
    }
    // Proxies report errors without an event type.
    if (event.type === undefined && event.error !== undefined) throw new StreamFailure(event);
  };

  return {
    event(data) {
      if (data !== "" && !data.startsWith("[DONE]")) take(JSON.parse(data));
    },
    document: terminal,
    get whole() {
      return over;
    },
    get over() {
      return over;
    },
    result() {
      const cut = incomplete !== undefined && incomplete !== "content_filter";
      const ordered = [...slots].sort(([a], [b]) => a - b).map(([, one]) => one);
      const { calls, items } = closeItems(ordered, cut);
      const opaque = items.some((item) => item.type === "reasoning");
      return {
        text: deltas.text,
        reasoning: deltas.reasoning,
        calls,
        finish: cut
          ? "length"
          : refused || incomplete !== undefined
          ? "content_filter"
          : calls.length > 0
          ? "tool_calls"
          : "stop",
        usage,
        ...(opaque ? { opaque: { provider, items } } : {}),
      };
    },
  };
}

/** The calls asked for, and the items as they are sent back: without server-side ids, since nothing is stored there. */
function closeItems(slots: readonly Slot[], cut: boolean): { calls: RequestedCall[]; items: JsonObject[] } {
  const calls: RequestedCall[] = [];
  const items: JsonObject[] = [];
  for (const { item, args } of slots) {
    if (item.type === "reasoning") {
      if (typeof item.encrypted_content === "string" && item.encrypted_content !== "") {
        const { status: _, ...rest } = item;
        items.push(rest);
      }
    } else if (item.type === "function_call") {
      const text = (argsText(item.arguments) || args).trim() || "{}";
      const name = string(item.name);
      if (name === "" || (cut && !isJson(text))) continue;
      const id = string(item.call_id) || string(item.id) || `call_${newId()}`;
      calls.push({ id, name, args: text });
      items.push({ type: "function_call", call_id: id, name, arguments: text });
    } else if (item.type === "message" && list(item.content).length > 0) {
      const { id: _id, status: _status, ...rest } = item;
      items.push(rest);
    }
  }
  return { calls, items };
}

function responsesUsage(value: unknown): Usage | null {
  const usage = object(value);
  if (typeof usage.input_tokens !== "number" && typeof usage.output_tokens !== "number") return null;
  const input = count(usage.input_tokens);
  const output = count(usage.output_tokens);
  return {
    input,
    output,
    cached: Math.min(input, count(object(usage.input_tokens_details).cached_tokens)),
    reasoning: Math.min(output, count(object(usage.output_tokens_details).reasoning_tokens)),
  };
}
