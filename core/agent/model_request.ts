import type { EventDraft } from "../domain/event.ts";
import { type Message, NO_USAGE } from "../domain/message.ts";
import type { ModelResponse, ToolDescription } from "../providers/provider.ts";
import type { Budget, Reservation } from "./budget.ts";
import { partialWriter } from "./partial_writer.ts";
import type { SessionParts } from "./session_parts.ts";
import type { Tally } from "./tally.ts";
import { estimateMessages, estimateTokens } from "./tokens.ts";
import type { TurnOptions } from "./turn.ts";

/** What the requests of one turn share. */
export interface RequestSetting {
  readonly options: TurnOptions;
  readonly budget: Budget;
  readonly tally: Tally;
  readonly tools: readonly ToolDescription[];
  /** Tokens of instructions and tools in every request. */
  readonly overhead: number;
  /** Told the text of a message that broke off. */
  readonly onBroken: (text: string) => void;
}

/** One request to the model: reserve, append, stream, append, settle. From here the pending inputs are part of the conversation. */
export async function requestModel(
  parts: SessionParts,
  setting: RequestSetting,
  step: number,
): Promise<ModelResponse> {
  const { budget, tally, tools, overhead } = setting;
  const { turn, provider, model, systemPrompt, outputSchema, signal } = setting.options;
  const name = `${provider.name}/${model}`;
  const { state } = parts;
  const input = overhead + estimateMessages([...state.messages, ...state.pending].map((one) => one.message));
  const reservation = await budget.reserve(provider.name, model, input);
  parts.append([{
    type: "model.requested",
    turn,
    data: { step, model: name, reserved: reservation.reserved },
  }]);
  const messages: Message[] = [
    { role: "system", text: systemPrompt },
    ...state.messages.map((one) => one.message),
  ];

  const partial = partialWriter(parts, turn);
  const started = performance.now();
  let firstMs: number | undefined;
  let response: ModelResponse;
  try {
    response = await provider.complete({
      model,
      messages,
      tools,
      ...(outputSchema ? { outputSchema } : {}),
      ...(reservation.maxOutputTokens === undefined ? {} : { maxOutputTokens: reservation.maxOutputTokens }),
    }, {
      signal,
      onDelta: (text, kind) => {
        firstMs ??= performance.now() - started;
        if (kind === "text") partial.add(text);
        parts.live(turn, "message.delta", { text, kind });
      },
      onRetry: (attempt, waitMs, reason) =>
        parts.append([{
          type: "model.retried",
          turn,
          data: { attempt, waitMs: Math.round(waitMs), reason },
        }]),
    });
  } catch (error) {
    await settleBroken(parts, setting, partial.text, input, reservation, performance.now() - started);
    partial.clear();
    throw error;
  }
  const usage = response.usage ?? { ...NO_USAGE, input, output: estimateTokens(response.text) };
  const cost = await reservation.settle(usage);
  tally.count(usage, cost);
  const { text, reasoning, calls, finish, opaque } = response;
  parts.append([
    {
      type: "message",
      turn,
      data: {
        text,
        ...(reasoning ? { reasoning } : {}),
        calls,
        finish,
        ...(opaque ? { opaque: { ...opaque } } : {}),
      },
    },
    {
      type: "model.settled",
      turn,
      data: {
        model: name,
        usage,
        cost,
        ms: Math.round(performance.now() - started),
        ...(firstMs === undefined ? {} : { firstMs: Math.round(firstMs) }),
        ...(response.usage ? {} : { estimated: true }),
      },
    },
  ] as EventDraft[]);
  partial.clear();
  return response;
}

/** A message that broke off is kept, and what was streamed of it is counted: the provider will bill it. */
async function settleBroken(
  parts: SessionParts,
  { options: { turn, provider, model }, tally, onBroken }: RequestSetting,
  text: string,
  input: number,
  reservation: Reservation,
  ms: number,
): Promise<void> {
  if (text === "") return reservation.release();
  onBroken(text);
  const usage = { ...NO_USAGE, input, output: estimateTokens(text) };
  const cost = await reservation.settle(usage);
  tally.count(usage, cost);
  parts.append([
    { type: "message", turn, data: { text, calls: [], finish: "cut" } },
    {
      type: "model.settled",
      turn,
      data: { model: `${provider.name}/${model}`, usage, cost, ms: Math.round(ms), estimated: true },
    },
  ]);
}
