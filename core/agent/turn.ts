import type { EventData } from "../domain/event.ts";
import { PryxError, toPryxError } from "../domain/error.ts";
import type { TurnId } from "../domain/id.ts";
import type { RequestedCall } from "../domain/message.ts";
import type { Mandate } from "../domain/policy.ts";
import type { ModelResponse, Provider } from "../providers/provider.ts";
import { createBudget } from "./budget.ts";
import { callKey, callTool } from "./call_tool.ts";
import { checkOutput } from "./check_output.ts";
import { type Compaction, createCompaction } from "./compaction.ts";
import { requestModel, type RequestSetting } from "./model_request.ts";
import type { SessionParts } from "./session_parts.ts";
import { createTally, type Tally } from "./tally.ts";
import { estimateTokens } from "./tokens.ts";

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
  /** The automation that asked. */
  readonly mandate?: Mandate;
  /** Called when the end is decided, in the same tick: input that comes later belongs to another turn. */
  readonly onEnding: () => void;
}

type End = Omit<EventData<"turn.ended">, "ms">;

/** The same call as often as this in a row asks a person. */
const LOOP_LIMIT = 3;

/**
 * The loop: ask the model, run the calls it wants, show it the results, until it has nothing more to call. Input that
 * comes in the meantime is seen at the next step. Never rejects: every way to end is a `turn.ended`.
 */
export async function runTurn(parts: SessionParts, options: TurnOptions): Promise<End> {
  const run = new TurnRun(parts, options);
  try {
    return run.end("done", await run.loop());
  } catch (error) {
    options.onEnding();
    const { signal } = options;
    const cause = toPryxError(signal.aborted ? signal.reason : error);
    return run.end(cause.code === "cancelled" ? "cancelled" : "failed", run.lastText, cause);
  }
}

/** The state of one running turn. */
class TurnRun {
  readonly #parts: SessionParts;
  readonly #options: TurnOptions;
  readonly #setting: RequestSetting;
  readonly #compaction: Compaction;
  readonly #tally: Tally = createTally();
  readonly #unapproved = new Set<string>();
  readonly #personOnly = new Set<string>();
  #steps = 0;
  #repeated = { key: "", times: 0 };
  #repaired = false;
  lastText = "";

  constructor(parts: SessionParts, options: TurnOptions) {
    this.#parts = parts;
    this.#options = options;
    const budget = createBudget(parts.catalog, options.maxCost);
    const tools = parts.tools.map(({ name, description, parameters, inputSchema = parameters }) => ({
      name,
      description,
      parameters: inputSchema,
    }));
    const overhead = estimateTokens(options.systemPrompt) + estimateTokens(JSON.stringify(tools));
    const tally = this.#tally;
    const onBroken = (text: string) => {
      this.lastText = text;
    };
    this.#compaction = createCompaction(parts, options, budget, tally, overhead);
    const { fit } = this.#compaction;
    this.#setting = { options, budget, tally, tools, overhead, fit, onBroken };
  }

  async loop(): Promise<string> {
    const { signal, maxSteps } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      if (this.#steps >= maxSteps) {
        throw new PryxError(
          "max_turns",
          `The turn was stopped after ${
            maxSteps === 1 ? "one request" : `${maxSteps} requests`
          } to the model`,
          {
            fix: "go on with --continue, or allow more with --max-turns",
          },
        );
      }
      await this.#compaction.ifNeeded();
      const response = await this.#ask();
      this.lastText = response.text;
      if (response.calls.length > 0) await this.#runCalls(response.calls);
      else if (this.#parts.state.pending.length === 0) {
        const answer = await this.#accept(response);
        // What was said while the answer was checked still gets one.
        if (answer !== null && this.#parts.state.pending.length === 0) {
          this.#options.onEnding();
          this.#warnOfCut(response);
          return answer;
        }
      }
    }
  }

  end(status: End["status"], text: string, error?: PryxError): End {
    return {
      status,
      text,
      ...(error ? { error: error.toJSON() } : {}),
      usage: this.#tally.usage,
      cost: this.#tally.cost,
      steps: this.#steps,
      unapproved: [...this.#unapproved],
      personOnly: [...this.#personOnly],
    };
  }

  /** One request, repeated once after a compaction when the provider says that the context is too long. */
  async #ask(): Promise<ModelResponse> {
    try {
      return await requestModel(this.#parts, this.#setting, ++this.#steps);
    } catch (error) {
      if (!(error instanceof PryxError) || error.code !== "context_overflow") throw error;
      if (!await this.#compaction.now()) throw error;
      return await requestModel(this.#parts, this.#setting, ++this.#steps);
    }
  }

  /** Runs the calls of one step: side by side, except the tools that must be alone. */
  async #runCalls(calls: readonly RequestedCall[]): Promise<void> {
    const { turn, signal, attended, approvalTimeoutMs, mandate } = this.#options;
    const run = async (request: RequestedCall) => {
      const suspicious = this.#suspicious(request);
      const outcome = await callTool(this.#parts, request, {
        origin: "model",
        turn,
        signal,
        attended,
        approvalTimeoutMs,
        ...(mandate === undefined ? {} : { mandate }),
        ...(suspicious === undefined ? {} : { suspicious }),
      });
      for (const need of outcome.unapproved) this.#unapproved.add(need);
      for (const ask of outcome.personOnly) this.#personOnly.add(ask);
    };
    const alone = (request: RequestedCall) =>
      this.#parts.tools.find((tool) => tool.name === request.name)?.parallel === false;
    // A call that rejects means that the store is gone; the turn must not end while others still run.
    const beside = await Promise.allSettled(calls.filter((request) => !alone(request)).map(run));
    for (const outcome of beside) if (outcome.status === "rejected") throw outcome.reason;
    for (const request of calls.filter(alone)) await run(request);
  }

  /** An answer that stops at a limit looks whole: people must know that it is not. */
  #warnOfCut({ finish }: ModelResponse): void {
    if (finish !== "length") return;
    const text = this.#options.maxCost === undefined
      ? "The answer ends where the model's output limit cut it off: it is not whole"
      : "The answer ends where the cost limit or the model's output limit cut it off: it is not whole";
    this.#parts.append([{ type: "notice", turn: this.#options.turn, data: { text, level: "warning" } }]);
  }

  #suspicious(request: RequestedCall): string | undefined {
    const key = callKey(request);
    this.#repeated = key === this.#repeated.key
      ? { key, times: this.#repeated.times + 1 }
      : { key, times: 1 };
    return this.#repeated.times < LOOP_LIMIT
      ? undefined
      : `the model makes this same call ${this.#repeated.times} times in a row`;
  }

  /** The answer; null when the model was asked to mend it, which happens once. */
  async #accept(response: ModelResponse): Promise<string | null> {
    const { outputSchema, turn } = this.#options;
    if (response.finish === "content_filter" && response.text === "") {
      throw new PryxError("provider", "The provider withheld the answer (content filter)");
    }
    if (!outputSchema) return response.text;
    const checked = await checkOutput(outputSchema, response.text, {
      run: async (spec) => await (await this.#parts.sandbox()).run(spec),
      signal: this.#options.signal,
    });
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
}
