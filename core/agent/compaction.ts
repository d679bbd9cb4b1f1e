import { type Message, NO_USAGE } from "../domain/message.ts";
import type { ModelResponse } from "../providers/provider.ts";
import type { Budget } from "./budget.ts";
import { compactionPoint, fitResults, mustCompact, summaryMessage, summaryRequest } from "./compact.ts";
import { recordRetries } from "./record_retries.ts";
import type { SessionParts } from "./session_parts.ts";
import type { Tally } from "./tally.ts";
import { estimateMessages, estimateTokens } from "./tokens.ts";
import type { TurnOptions } from "./turn.ts";

/** A conversation shorter than this fits every model, tokens. */
const SHORT = 2_000;
/** What an answer may need when nothing else is known, tokens: kept free in the context window. */
const OUTPUT_ROOM = 8_000;

/** A summary of less than this share of the window makes too little room for what it costs. */
const LEAST_SHARE = 0.1;
/** Messages that must be added before a compaction that was of no use is tried again. */
const RETRY_AFTER = 4;

/** Keeps the conversation of a turn within its model's context window. */
export interface Compaction {
  /** Before a request: compacts when the next one would come too close to the limit. */
  ifNeeded(): Promise<void>;
  /** The messages as they fit into the window, when compaction could not make them. */
  fit(messages: readonly Message[]): Promise<readonly Message[]>;
  /** Replaces the older part of the conversation by a summary. False when that made nothing smaller. */
  now(): Promise<boolean>;
}

/** `overhead`: tokens of instructions and tools in every request. */
export function createCompaction(
  parts: SessionParts,
  options: TurnOptions,
  budget: Budget,
  tally: Tally,
  overhead: number,
): Compaction {
  const { provider, model, turn, signal } = options;

  /** Messages when a compaction was last of no use: it is not paid for again before much has been added. */
  let useless = -RETRY_AFTER;

  /** Tokens that a request may have. */
  async function roomFor(): Promise<number> {
    const contextWindow = await options.contextWindow();
    return Math.max(contextWindow - OUTPUT_ROOM, contextWindow / 2);
  }

  async function compact(leastShare: number): Promise<boolean> {
    const contextWindow = await options.contextWindow();
    const keepFrom = compactionPoint(parts.state, contextWindow);
    if (keepFrom === null) return false;
    const all = parts.state.messages;
    const older = all.filter(({ seq }) => seq < keepFrom).map(({ message }) => message);
    if (older.length === 0 || estimateMessages(older) < contextWindow * leastShare) return false;
    const request = summaryRequest(older, contextWindow * 0.7);
    const tokensBefore = estimateMessages(all.map(({ message }) => message));
    const reservation = await budget.reserve(provider.name, model, estimateMessages(request));
    const { maxOutputTokens } = reservation;
    const started = performance.now();
    let response: ModelResponse;
    try {
      response = await provider.complete({
        model,
        messages: request,
        tools: [],
        ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
      }, {
        signal,
        onDelta: () => {},
        onRetry: recordRetries(parts, turn),
      });
    } catch (error) {
      reservation.release();
      throw error;
    }
    const usage = response.usage ??
      { ...NO_USAGE, input: estimateMessages(request), output: estimateTokens(response.text) };
    const cost = await reservation.settle(usage);
    tally.count(usage, cost);
    const summary = summaryMessage(response.text);
    const kept = all.filter(({ seq }) => seq >= keepFrom).map(({ message }) => message);
    const tokensAfter = estimateMessages([{ role: "user", text: summary }, ...kept]);
    // No summary, or one that is no shorter, would only lose what was said.
    const worthIt = response.text.trim() !== "" && tokensAfter < tokensBefore;
    parts.append([
      ...(worthIt
        ? [{ type: "compaction", turn, data: { summary, keepFrom, tokensBefore, tokensAfter } } as const]
        : []),
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
    return worthIt;
  }

  return {
    now: () => compact(0),
    async fit(messages) {
      if (estimateMessages(messages) < SHORT) return messages;
      return fitResults(messages, await roomFor() - overhead);
    },
    async ifNeeded() {
      const { state } = parts;
      if (estimateMessages([...state.messages, ...state.pending].map(({ message }) => message)) < SHORT) {
        return;
      }
      if (
        !mustCompact(parts.state, overhead, await roomFor()) || state.messages.length < useless + RETRY_AFTER
      ) return;
      useless = await compact(LEAST_SHARE) ? -RETRY_AFTER : state.messages.length;
    },
  } satisfies Compaction;
}
