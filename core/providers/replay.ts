import type { Cassette } from "../domain/cassette.ts";
import { aroundDifference } from "../domain/difference.ts";
import { PryxError } from "../domain/error.ts";
import { hidePlaces, type Places, showPlaces } from "../domain/places.ts";
import {
  keyOf,
  type MessageSummary,
  modelEntries,
  type ModelEntry,
  readCassette,
  type RecordedResponse,
  summarise,
} from "./cassette.ts";
import type { ModelResponse, Provider, StreamOptions } from "./provider.ts";

/** How a cassette is played. */
interface ReplayOptions extends Places {
  /** False: answers in order whatever is asked. Default true: the first request that differs is an error. */
  readonly strict?: boolean;
  /** Takes secret values out of a text; the same that recorded it. */
  readonly redact?: (text: string) => string;
  /** Default `replay`. */
  readonly name?: string;
}

/** A recorded entry with its whole conversation put together again. */
interface Taped {
  readonly entry: ModelEntry;
  readonly messages: readonly MessageSummary[];
}

/**
 * Answers requests from a recording, with the same pieces; tools really run. In its order, and where requests run side by
 * side each from the entry that recorded it. A request that was not recorded, or comes after the last, rejects with
 * `input_invalid` and shows what differs.
 */
export function createReplayProvider(cassette: Cassette | string, options: ReplayOptions): Provider {
  const { strict = true, name = "replay", redact = (text: string) => text } = options;
  const called = typeof cassette === "string" ? cassette : "the cassette";
  let tape: Promise<readonly Taped[]> | undefined;
  /** Entries that answered. */
  const used = new Set<Taped>();

  const load = () =>
    tape ??= (async () =>
      unroll(typeof cassette === "string" ? await readCassette(cassette) : cassette, called))();

  async function find(asked: readonly MessageSummary[]): Promise<Taped> {
    const taped = await load();
    const key = strict ? await keyOf(asked) : undefined;
    // No waiting from here: two requests must not find the same entry.
    const left = taped.filter((one) => !used.has(one));
    const found = key === undefined ? left[0] : left.find(({ entry }) => entry.key === key);
    if (found) {
      used.add(found);
      return found;
    }
    const [next] = left;
    throw new PryxError(
      "input_invalid",
      next
        ? `Request ${used.size + 1} to the model differs from the recording (${called})\n${
          difference(next.messages, asked)
        }`
        : `The recording ends after ${taped.length} requests to the model, and this run makes one more (${called})\n` +
          `  its last message: ${describe(asked.at(-1))}`,
      { fix: RECORD_AGAIN },
    );
  }

  return {
    name,
    recorded: true,
    async complete(request, stream) {
      stream.signal.throwIfAborted();
      const expected = await find(summarise(request, (text) => hidePlaces(redact(text), options)));
      const { response, error } = expected.entry;
      if (!response) {
        throw new PryxError(
          error?.code ?? "provider",
          showPlaces(error?.message ?? "the recorded request failed", options),
          error?.fix === undefined ? {} : { fix: error.fix },
        );
      }
      return play(response, expected.entry.deltas, options, stream);
    },
    async models() {
      const ids = new Set((await load()).map(({ entry }) => entry.request.model));
      return [...ids].map((id) => ({ id }));
    },
    warm: () => void load().catch(() => {}),
  } satisfies Provider;
}

const RECORD_AGAIN = "If the change is meant, record again with `--record FILE`";

function unroll(cassette: Cassette, called: string): readonly Taped[] {
  let last: readonly MessageSummary[] = [];
  return modelEntries(cassette, called).map((entry) => {
    last = [...last.slice(0, entry.request.shared), ...entry.request.messages];
    return { entry, messages: last };
  });
}

function play(
  response: RecordedResponse,
  deltas: ModelEntry["deltas"],
  places: Places,
  { signal, onDelta }: StreamOptions,
): ModelResponse {
  const at = { text: 0, reasoning: 0 };
  const say = (kind: "text" | "reasoning", length: number) => {
    signal.throwIfAborted();
    const piece = response[kind].slice(at[kind], at[kind] + length);
    at[kind] += length;
    if (piece !== "") onDelta(showPlaces(piece, places), kind);
  };
  for (const [kind, length] of deltas ?? []) say(kind, length);
  say("reasoning", response.reasoning.length);
  say("text", response.text.length);
  return {
    ...response,
    text: showPlaces(response.text, places),
    reasoning: showPlaces(response.reasoning, places),
    calls: response.calls.map((call) => ({ ...call, args: showPlaces(call.args, places, "json") })),
  };
}

function difference(recorded: readonly MessageSummary[], asked: readonly MessageSummary[]): string {
  const texts = [recorded, asked].map((messages) => messages.map(describe)) as [string[], string[]];
  const [was, is] = texts;
  let i = 0;
  while (i < was.length && i < is.length && was[i] === is[i]) i++;
  const [a, b] = aroundDifference(was[i] ?? "nothing", is[i] ?? "nothing");
  return `  message ${i + 1}\n  - recorded: ${a}\n  + now:      ${b}`;
}

/** One message on one line. */
function describe(message: MessageSummary | undefined): string {
  if (!message) return "none";
  switch (message.role) {
    case "user":
      return `user: ${JSON.stringify(message.text)}`;
    case "tool":
      return `result of ${message.name}`;
    case "assistant": {
      const calls = message.calls.map((call) => `${call.name} ${call.args}`);
      return [
        `assistant: ${message.text === "" ? "" : JSON.stringify(message.text)}`.trim(),
        ...calls,
      ].join(" → ");
    }
  }
}
