import type { EventData, EventDraft } from "../domain/event.ts";
import { PryxError, toPryxError } from "../domain/error.ts";
import type { TurnId } from "../domain/id.ts";
import { addUsage, type Message, NO_USAGE, type RequestedCall, type Usage } from "../domain/message.ts";
import type { ModelResponse, Provider } from "../providers/provider.ts";
import { type Budget, createBudget } from "./budget.ts";
import { callKey, callTool } from "./call_tool.ts";
import { checkOutput } from "./check_output.ts";
import { compactionPoint, mustCompact, summaryMessage, summaryRequest } from "./compact.ts";
import type { SessionParts } from "./session_parts.ts";
import { partialWriter } from "./partial_writer.ts";
import { estimateMessages, estimateTokens } from "./tokens.ts";

/** What bounds one turn, and how it is worked on. */
export interface TurnOptions {
  readonly turn: TurnId;
  readonly provider: Provider;
  /** Without the provider's name. */
  readonly model: string;
  readonly systemPrompt: string;
  /** Tokens. Asked for when a conversation is long enough for it to matter. */
  readonly contextWindow: () => Promise<number>;
  readonly maxSteps: number;
  /** US dollars. */
  readonly maxCost: number | undefined;
  readonly attended: boolean;
  readonly approvalTimeoutMs: number;
  readonly outputSchema?: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

type End = Omit<EventData<"turn.ended">, "ms">;

/** The same call as often as this in a row asks a person. */
const LOOP_LIMIT = 3;
/** A conversation shorter than this fits every model, tokens. */
const SHORT = 2_000;
/** What an answer may need when nothing else is known, tokens: kept free in the context window. */
const OUTPUT_ROOM = 8_000;

/**
 * The loop: ask the model, run the calls it wants, show it the results, until it has nothing more to call. Input that
 * comes in the meantime is seen at the next step. Never rejects: every way to end is a `turn.ended`.
 */
export async function runTurn(parts: SessionParts, options: TurnOptions): Promise<End> {
  const run = new TurnRun(parts, options);
  try {
    return run.end("done", await run.loop());
  } catch (error) {
    const { signal } = options;
    const cause = toPryxError(signal.aborted ? signal.reason : error);
    return run.end(cause.code === "cancelled" ? "cancelled" : "failed", run.lastText, cause);
  }
}

/** The state of one running turn. */
class TurnRun {
  readonly #parts: SessionParts;
  readonly #options: TurnOptions;
  readonly #budget: Budget;
  readonly #overhead: number;
  readonly #unapproved = new Set<string>();
  readonly #personOnly = new Set<string>();
  #usage: Usage = NO_USAGE;
  #cost: number | null = 0;
  #steps = 0;
  #repeated = { key: "", times: 0 };
  #repaired = false;
  lastText = "";

  constructor(parts: SessionParts, options: TurnOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#budget = createBudget(parts.catalog, options.maxCost);
    this.#overhead = estimateTokens(options.systemPrompt) +
      estimateTokens(JSON.stringify(this.#toolDescriptions()));
  }

  async loop(): Promise<string> {
    const { signal, maxSteps } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      if (this.#steps >= maxSteps) {
        throw new PryxError("max_turns", `The turn was stopped after ${maxSteps} requests to the model`, {
          fix: "go on with --continue, or allow more with --max-turns",
        });
      }
      await this.#compactIfNeeded();
      const response = await this.#ask();
      this.lastText = response.text;
      if (response.calls.length > 0) await this.#runCalls(response.calls);
      else if (this.#parts.state.pending.length === 0) {
        const answer = await this.#accept(response);
        if (answer !== null) return answer;
      }
    }
  }

  end(status: End["status"], text: string, error?: PryxError): End {
    return {
      status,
      text,
      ...(error ? { error: error.toJSON() } : {}),
      usage: this.#usage,
      cost: this.#cost,
      steps: this.#steps,
      unapproved: [...this.#unapproved],
      personOnly: [...this.#personOnly],
    };
  }

  /** One request, repeated once after a compaction when the provider says that the context is too long. */
  async #ask(): Promise<ModelResponse> {
    try {
      return await this.#request();
    } catch (error) {
      if (!(error instanceof PryxError) || error.code !== "context_overflow") throw error;
      if (!await this.#compact()) throw error;
      return await this.#request();
    }
  }

  async #request(): Promise<ModelResponse> {
    const { turn, provider, model, systemPrompt, outputSchema } = this.#options;
    const parts = this.#parts;
    const name = `${provider.name}/${model}`;
    const { state } = parts;
    const input = this.#overhead +
      estimateMessages([...state.messages, ...state.pending].map((one) => one.message));
    const reservation = await this.#budget.reserve(provider.name, model, input);
    const step = ++this.#steps;
    // From here the pending inputs are part of the conversation.
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
        tools: this.#toolDescriptions(),
        ...(outputSchema ? { outputSchema } : {}),
        ...(reservation.maxOutputTokens === undefined
          ? {}
          : { maxOutputTokens: reservation.maxOutputTokens }),
      }, {
        signal: this.#options.signal,
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
      await this.#settleBroken(partial.text, input, reservation, name, performance.now() - started);
      partial.clear();
      throw error;
    }
    const usage = response.usage ?? { ...NO_USAGE, input, output: estimateTokens(response.text) };
    const cost = await reservation.settle(usage);
    this.#count(usage, cost);
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
  async #settleBroken(
    text: string,
    input: number,
    reservation: Awaited<ReturnType<Budget["reserve"]>>,
    model: string,
    ms: number,
  ): Promise<void> {
    if (text === "") return reservation.release();
    this.lastText = text;
    const usage = { ...NO_USAGE, input, output: estimateTokens(text) };
    const cost = await reservation.settle(usage);
    this.#count(usage, cost);
    const { turn } = this.#options;
    this.#parts.append([
      { type: "message", turn, data: { text, calls: [], finish: "cut" } },
      { type: "model.settled", turn, data: { model, usage, cost, ms: Math.round(ms), estimated: true } },
    ]);
  }

  /** Runs the calls of one step: side by side, except the tools that must be alone. */
  async #runCalls(calls: readonly RequestedCall[]): Promise<void> {
    const { turn, signal, attended, approvalTimeoutMs } = this.#options;
    const run = async (request: RequestedCall) => {
      const suspicious = this.#suspicious(request);
      const outcome = await callTool(this.#parts, request, {
        origin: "model",
        turn,
        signal,
        attended,
        approvalTimeoutMs,
        ...(suspicious === undefined ? {} : { suspicious }),
      });
      for (const need of outcome.unapproved) this.#unapproved.add(need);
      for (const ask of outcome.personOnly) this.#personOnly.add(ask);
    };
    const alone = (request: RequestedCall) =>
      this.#parts.tools.find((tool) => tool.name === request.name)?.parallel === false;
    await Promise.all(calls.filter((request) => !alone(request)).map(run));
    for (const request of calls.filter(alone)) await run(request);
  }

  #suspicious(request: RequestedCall): string | undefined {
    const key = callKey(request);
    this.#repeated = key === this.#repeated.key
      ? { key, times: this.#repeated.times + 1 }
      : { key, times: 1 };
    return this.#repeated.times < LOOP_LIMIT
      ? undefined
      : `the model makes this same call for the ${this.#repeated.times}th time in a row`;
  }

  /** The answer; null when the model was asked to mend it, which happens once. */
  async #accept(response: ModelResponse): Promise<string | null> {
    const { outputSchema, turn } = this.#options;
    if (response.finish === "content_filter" && response.text === "") {
      throw new PryxError("provider", "The provider withheld the answer (content filter)");
    }
    if (!outputSchema) return response.text;
    const checked = await checkOutput(outputSchema, response.text);
    if ("json" in checked) return checked.json;
    const { problems } = checked;
    if (this.#repaired) {
      throw new PryxError("output_invalid", `The answer does not fit the output schema: ${problems}`);
    }
    this.#repaired = true;
    this.#parts.append([{
      type: "input",
      turn,
      data: {
        text:
          `That answer does not fit the required JSON schema: ${problems}\nAnswer again with only the corrected JSON.`,
        principal: "pryx",
        surface: "output-schema",
        steering: true,
      },
    }]);
    return null;
  }

  async #compactIfNeeded(): Promise<void> {
    const { state } = this.#parts;
    if (estimateMessages([...state.messages, ...state.pending].map(({ message }) => message)) < SHORT) return;
    const contextWindow = await this.#options.contextWindow();
    const room = Math.max(contextWindow - OUTPUT_ROOM, contextWindow / 2);
    if (mustCompact(this.#parts.state, this.#overhead, room)) await this.#compact();
  }

  /** Replaces the older part of the conversation by a summary. False when there is nothing to replace. */
  async #compact(): Promise<boolean> {
    const { provider, model, turn, signal } = this.#options;
    const parts = this.#parts;
    const contextWindow = await this.#options.contextWindow();
    const keepFrom = compactionPoint(parts.state, contextWindow);
    if (keepFrom === null) return false;
    const all = parts.state.messages;
    const older = all.filter(({ seq }) => seq < keepFrom).map(({ message }) => message);
    if (older.length === 0) return false;
    const request = summaryRequest(older, contextWindow * 0.7);
    const tokensBefore = estimateMessages(all.map(({ message }) => message));
    const reservation = await this.#budget.reserve(provider.name, model, estimateMessages(request));
    const started = performance.now();
    let response: ModelResponse;
    try {
      response = await provider.complete({ model, messages: request, tools: [] }, {
        signal,
        onDelta: () => {},
        onRetry: (attempt, waitMs, reason) =>
          parts.append([{
            type: "model.retried",
            turn,
            data: { attempt, waitMs: Math.round(waitMs), reason },
          }]),
      });
    } catch (error) {
      reservation.release();
      throw error;
    }
    const usage = response.usage ??
      { ...NO_USAGE, input: estimateMessages(request), output: estimateTokens(response.text) };
    const cost = await reservation.settle(usage);
    this.#count(usage, cost);
    const summary = summaryMessage(response.text);
    const kept = all.filter(({ seq }) => seq >= keepFrom).map(({ message }) => message);
    const tokensAfter = estimateMessages([{ role: "user", text: summary }, ...kept]);
    parts.append([
      { type: "compaction", turn, data: { summary, keepFrom, tokensBefore, tokensAfter } },
      {
        type: "model.settled",
        turn,
        data: {
          model: `${provider.name}/${model}`,
          usage,
          cost,
          ms: Math.round(performance.now() - started),
        },
      },
    ]);
    return tokensAfter < tokensBefore;
  }

  #count(usage: Usage, cost: number | null): void {
    this.#usage = addUsage(this.#usage, usage);
    this.#cost = this.#cost === null || cost === null ? null : this.#cost + cost;
  }

  #toolDescriptions() {
    return this.#parts.tools.map(({ name, description, parameters }) => ({ name, description, parameters }));
  }
}
