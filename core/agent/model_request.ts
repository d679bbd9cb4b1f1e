import type { EventDraft } from "../domain/event.ts";
import { type Message, NO_USAGE } from "../domain/message.ts";
import type { ModelResponse, ToolDescription } from "../providers/provider.ts";
import type { Budget, Reservation } from "./budget.ts";
import { confine } from "./confine.ts";
import { partialWriter } from "./partial_writer.ts";
import { recordRetries } from "./record_retries.ts";
import type { SessionParts } from "./session_parts.ts";
import type { Tally } from "./tally.ts";
import { CHARS_PER_TOKEN, estimateMessage, estimateMessages, estimateTokens } from "./tokens.ts";
import type { TurnOptions } from "./turn.ts";

/** What the requests of one turn share. */
export interface RequestSetting {
  readonly options: TurnOptions;
  readonly budget: Budget;
  readonly tally: Tally;
  readonly tools: readonly ToolDescription[];
  /** Tokens of instructions and tools in every request. */
  readonly overhead: number;
  /** Makes the messages fit into the model's context. */
  readonly fit: (messages: readonly Message[]) => Promise<readonly Message[]>;
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
  const shown = await setting.fit(state.messages.map((one) => one.message));
  const messages: Message[] = [{ role: "system", text: systemPrompt }, ...shown];

  const warming = step === 1 ? setTimeout(() => warmTools(parts), WARM_AFTER) : undefined;
  const partial = partialWriter(parts, turn);
  const started = performance.now();
  let firstMs: number | undefined;
  let reasoned = 0;
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
        else reasoned += text.length;
        parts.live(turn, "message.delta", { text, kind });
      },
      onRetry: recordRetries(parts, turn),
    });
  } catch (error) {
    await settleBroken(parts, setting, { text: partial.text, reasoned, input }, reservation, started);
    partial.clear();
    throw error;
  } finally {
    clearTimeout(warming);
  }
  const usage = response.usage ?? { ...NO_USAGE, input, output: estimateOutput(response) };
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

/** The request is on its way by then, and an answer this quick needs no head start, milliseconds. */
const WARM_AFTER = 10;

/** Loads what the first call will need while the model thinks: what fails here fails again, and is told, when it is needed. */
function warmTools(parts: SessionParts): void {
  const ignore = () => {};
  const shell = parts.tools.find(({ rights }) => rights === "workspace");
  parts.policy().then(() => parts.sandbox()).then(
    () => parts.needContext.shellNeeds("true", parts.workspace),
  ).then(
    () => shell && confine(parts, shell, [], { origin: "model" }),
  ).catch(ignore);
}

/** What an answer took of which the provider does not say it. */
function estimateOutput({ text, reasoning, calls }: ModelResponse): number {
  return estimateMessage({ role: "assistant", text, calls }) + estimateTokens(reasoning);
}

/** A message that broke off is kept, and what was streamed of it is counted: the provider will bill it. */
async function settleBroken(
  parts: SessionParts,
  { options: { turn, provider, model }, tally, onBroken }: RequestSetting,
  { text, reasoned, input }: { text: string; reasoned: number; input: number },
  reservation: Reservation,
  started: number,
): Promise<void> {
  if (text === "" && reasoned === 0) return reservation.release();
  if (text !== "") onBroken(text);
  const ms = performance.now() - started;
  const usage = { ...NO_USAGE, input, output: estimateTokens(text) + Math.ceil(reasoned / CHARS_PER_TOKEN) };
  const cost = await reservation.settle(usage);
  tally.count(usage, cost);
  parts.append([
    ...(text === ""
      ? []
      : [{ type: "message", turn, data: { text, calls: [], finish: "cut" } } satisfies EventDraft]),
    {
      type: "model.settled",
      turn,
      data: { model: `${provider.name}/${model}`, usage, cost, ms: Math.round(ms), estimated: true },
    },
  ]);
}
