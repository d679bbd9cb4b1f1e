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
import type { ModelRequest, ModelResponse } from "./provider.ts";

/** How a server's Chat Completions differ from the reference. */
interface ChatDialect {
  readonly provider: string;
  readonly baseUrl: string;
  /** Parameters that this server was found not to take. */
  readonly dropped: ReadonlySet<string>;
}

/** Parameters that a request can do without, and how a server's complaint names them. */
export const CHAT_OPTIONAL: readonly { readonly name: string; readonly named: RegExp }[] = [
  { name: "stream_options", named: /stream_options/i },
  { name: "max_completion_tokens", named: /max_completion_tokens/i },
  { name: "max_tokens", named: /max_tokens/i },
  { name: "response_format", named: /response_format|json_schema|structured output/i },
];

/** The body of a Chat Completions request. */
export function chatBody(request: ModelRequest, dialect: ChatDialect): JsonObject {
  const { dropped } = dialect;
  const lastUser = request.messages.findLastIndex((message) => message.role === "user");
  const host = URL.parse(dialect.baseUrl)?.hostname ?? "";
  const callId = host.endsWith("mistral.ai") ? mistralId : (id: string) => id;
  const names = ["max_completion_tokens", "max_tokens"];
  const tokensName = (host === "api.openai.com" ? names : names.reverse()).find((name) => !dropped.has(name));
  return {
    model: request.model,
    messages: request.messages.map((message, index) =>
      chatMessage(message, index > lastUser, dialect.provider, callId)
    ),
    ...(request.tools.length === 0 ? {} : {
      tools: request.tools.map(({ name, description, parameters }) => ({
        type: "function",
        function: { name, description, parameters },
      })),
    }),
    stream: true,
    ...(dropped.has("stream_options") ? {} : { stream_options: { include_usage: true } }),
    ...(request.maxOutputTokens === undefined || tokensName === undefined
      ? {}
      : { [tokensName]: request.maxOutputTokens }),
    ...(request.outputSchema === undefined || dropped.has("response_format") ? {} : {
      response_format: {
        type: "json_schema",
        json_schema: {
          name: "answer",
          schema: request.outputSchema,
          strict: isStrictSchema(request.outputSchema),
        },
      },
    }),
  };
}

function chatMessage(
  message: Message,
  thisTurn: boolean,
  provider: string,
  callId: (id: string) => string,
): JsonObject {
  switch (message.role) {
    case "system":
    case "user":
      return { role: message.role, content: message.text };
    case "tool":
      return { role: "tool", tool_call_id: callId(message.call), content: message.text };
    case "assistant": {
      const kept = message.opaque?.provider === provider ? object(message.opaque.items[0]) : {};
      const extra = object(kept.extra);
      return {
        role: "assistant",
        content: message.text === "" && message.calls.length > 0 ? null : message.text,
        // Wanted back between the calls of one turn only; earlier reasoning is ignored or refused.
        ...(thisTurn && typeof kept.reasoning_content === "string"
          ? { reasoning_content: kept.reasoning_content }
          : {}),
        ...(Array.isArray(kept.reasoning_details) ? { reasoning_details: kept.reasoning_details } : {}),
        ...(message.calls.length === 0 ? {} : {
          tool_calls: message.calls.map((call) => ({
            id: callId(call.id),
            type: "function",
            function: { name: call.name, arguments: call.args },
            ...(extra[call.id] === undefined ? {} : { extra_content: extra[call.id] }),
          })),
        }),
      };
    }
  }
}

/** Mistral takes only ids of nine letters and digits; a session may bring others from another provider. */
function mistralId(id: string): string {
  if (/^[a-zA-Z0-9]{9}$/.test(id)) return id;
  let low = 0x811c9dc5;
  let high = 0x01000193;
  for (let i = 0; i < id.length; i++) {
    low = Math.imul(low ^ id.charCodeAt(i), 0x01000193) >>> 0;
    high = Math.imul(high ^ id.charCodeAt(i), 0x5bd1e995) >>> 0;
  }
  return (low.toString(36) + high.toString(36)).padEnd(9, "0").slice(0, 9);
}

interface OpenCall {
  id: string;
  name: string;
  args: string;
  extra: unknown;
}

/** Reads the chunks of a Chat Completions stream. */
export function readChat(deltas: Deltas, provider: string): AnswerReader {
  const calls: OpenCall[] = [];
  const places = new Map<unknown, OpenCall>();
  const details: unknown[] = [];
  let finish = "";
  let usage: Usage | null = null;
  let over = false;
  let reasoningContent = "";
  let refused = false;

  const callDelta = (value: unknown, position: number) => {
    const delta = object(value);
    const fn = object(delta.function);
    const place = delta.index ?? position;
    const id = string(delta.id);
    const name = string(fn.name);
    const args = argsText(fn.arguments);
    let call = places.get(place);
    // Some servers give every call the same index; a new id, or a name after whole arguments, begins another.
    const another = call !== undefined && name !== "" &&
      (id !== "" ? call.id !== "" && call.id !== id : args !== "" && isJson(call.args));
    if (call === undefined || another) {
      call = { id: "", name: "", args: "", extra: undefined };
      places.set(place, call);
      calls.push(call);
    }
    if (id !== "") call.id = id;
    if (call.name === "") call.name = name;
    call.args += args;
    if (delta.extra_content !== undefined) call.extra = delta.extra_content;
  };

  const content = (value: unknown) => {
    if (typeof value === "string") return deltas.add(value, "text");
    for (const part of list(value).map(object)) {
      if (part.type === "thinking") {
        for (const thought of list(part.thinking)) deltas.add(string(object(thought).text), "reasoning");
      } else deltas.add(string(part.text), "text");
    }
  };

  const chunk = (value: unknown) => {
    const body = object(value);
    if (body.error !== undefined && body.error !== null) throw new StreamFailure(body);
    usage = chatUsage(body.usage ?? object(body.x_groq).usage) ?? usage;
    const choice = object(list(body.choices).find((one) => (object(one).index ?? 0) === 0));
    const delta = object(choice.delta ?? choice.message);
    const reasoning = string(delta.reasoning_content);
    reasoningContent += reasoning;
    deltas.add(reasoning || string(delta.reasoning), "reasoning");
    details.push(...list(delta.reasoning_details));
    content(delta.content);
    if (typeof delta.refusal === "string" && delta.refusal !== "") {
      refused = true;
      deltas.add(delta.refusal, "text");
    }
    list(delta.tool_calls).forEach(callDelta);
    if (typeof choice.finish_reason === "string") finish = choice.finish_reason;
    if (finish === "error") {
      throw new StreamFailure(choice.error === undefined ? {} : { error: choice.error });
    }
  };

  return {
    event(data) {
      if (data.startsWith("[DONE]")) over = true;
      else if (data !== "") chunk(JSON.parse(data));
    },
    document(body) {
      chunk(body);
      over = finish !== "";
    },
    get whole() {
      return over || finish !== "";
    },
    get over() {
      return over;
    },
    result() {
      const cut = finish === "length" || finish === "max_tokens";
      const done = closeCalls(calls, cut);
      const extra = Object.fromEntries(
        done.filter((call) => call.extra !== undefined).map((call) => [call.id, call.extra]),
      );
      const kept = {
        ...(reasoningContent !== "" && done.length > 0 ? { reasoning_content: reasoningContent } : {}),
        ...(details.length > 0 ? { reasoning_details: joinDetails(details) } : {}),
        ...(Object.keys(extra).length > 0 ? { extra } : {}),
      };
      return {
        text: deltas.text,
        reasoning: deltas.reasoning,
        calls: done.map(({ id, name, args }) => ({ id, name, args })),
        finish: cut
          ? "length"
          : refused || /filter|safety|refusal/i.test(finish)
          ? "content_filter"
          : done.length
          ? "tool_calls"
          : "stop",
        usage,
        ...(Object.keys(kept).length > 0 ? { opaque: { provider, items: [kept] } } : {}),
      } satisfies ModelResponse;
    },
  };
}

/** Gives calls the ids and arguments that the server left out. A call whose arguments were cut off is dropped. */
function closeCalls(calls: readonly OpenCall[], cut: boolean): (RequestedCall & { extra: unknown })[] {
  const seen = new Set<string>();
  return calls
    .filter((call) => call.name !== "" && !(cut && !isJson(call.args)))
    .map(({ id, name, args, extra }) => {
      const own = id === "" || seen.has(id) ? `call_${newId()}` : id;
      seen.add(own);
      return { id: own, name, args: args.trim() === "" ? "{}" : args, extra };
    });
}

/** Pieces of one reasoning block come one by one; providers want the block. */
function joinDetails(details: readonly unknown[]): unknown[] {
  const joined: Record<string, unknown>[] = [];
  for (const detail of details.map(object)) {
    const last = joined.at(-1);
    const same = last && last.type === detail.type && last.index === detail.index &&
      (last.id === undefined || detail.id === undefined || last.id === detail.id);
    if (!same) joined.push({ ...detail });
    else {
      for (const [key, value] of Object.entries(detail)) {
        const grows = (key === "text" || key === "summary" || key === "data") && typeof value === "string";
        last[key] = grows ? string(last[key]) + value : value ?? last[key];
      }
    }
  }
  return joined;
}

function chatUsage(value: unknown): Usage | null {
  const usage = object(value);
  if (typeof usage.prompt_tokens !== "number" && typeof usage.completion_tokens !== "number") return null;
  const input = count(usage.prompt_tokens);
  const completion = count(usage.completion_tokens);
  // Some providers leave reasoning out of the completion and count it in the total alone.
  const output = Math.max(completion, count(usage.total_tokens) - input);
  return {
    input,
    output,
    cached: Math.min(
      input,
      count(object(usage.prompt_tokens_details).cached_tokens ?? usage.prompt_cache_hit_tokens),
    ),
    reasoning: Math.min(
      output,
      count(object(usage.completion_tokens_details).reasoning_tokens) || output - completion,
    ),
  };
}
