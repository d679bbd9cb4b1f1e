import type { Recording } from "../domain/cassette.ts";
import { toPryxError } from "../domain/error.ts";
import { cutHidden, hidePlaces } from "../domain/places.ts";
import { keyOf, type MessageSummary, type ModelEntry, sharedPrefix, summarise } from "./cassette.ts";
import type { ModelRequest, ModelResponse, Provider } from "./provider.ts";

type Kind = "text" | "reasoning";

/**
 * Makes providers write down what they answer, entry by entry as it happens. What is cancelled is not recorded. One for a
 * recording, however many providers there are: entries build on those before them.
 */
export function createModelRecorder(recording: Recording): (inner: Provider) => Provider {
  let last: MessageSummary[] = [];

  const write = async (
    request: ModelRequest,
    outcome: Pick<ModelEntry, "response" | "error" | "deltas">,
  ) => {
    const messages = summarise(request, recording.hide);
    const key = await keyOf(messages);
    // From here to the entry nothing is waited for: requests may run side by side.
    const shared = sharedPrefix(last, messages);
    last = messages;
    await recording.append(
      {
        kind: "model",
        key,
        request: { model: request.model, shared, messages: messages.slice(shared) },
        ...outcome,
      } satisfies ModelEntry,
    );
  };
  return (inner) => recordProvider(inner, recording, write);
}

function recordProvider(
  inner: Provider,
  recording: Recording,
  write: (
    request: ModelRequest,
    outcome: Pick<ModelEntry, "response" | "error" | "deltas">,
  ) => Promise<void>,
): Provider {
  const { hide } = recording;
  return {
    name: inner.name,
    ...(inner.recorded === undefined ? {} : { recorded: inner.recorded }),
    async complete(request, stream) {
      await recording.begin(inner.name);
      const pieces: [Kind, string][] = [];
      let response: ModelResponse;
      try {
        response = await inner.complete(request, {
          ...stream,
          onDelta(text, kind) {
            pieces.push([kind, text]);
            stream.onDelta(text, kind);
          },
        });
      } catch (thrown) {
        if (stream.signal.aborted) throw thrown;
        const { code, message, fix } = toPryxError(thrown);
        await write(request, {
          error: { code, message: hide(message), ...(fix === undefined ? {} : { fix: hide(fix) }) },
        });
        throw thrown;
      }
      const { opaque: _, ...kept } = response;
      const text = cutRun(response.text, "text", pieces, recording);
      const reasoning = cutRun(response.reasoning, "reasoning", pieces, recording);
      await write(request, {
        response: {
          ...kept,
          text: text.join(""),
          reasoning: reasoning.join(""),
          calls: response.calls.map((call) => ({ ...call, args: hide(call.args) })),
        },
        deltas: deltaRuns(pieces, { text, reasoning }),
      });
      return response;
    },
    models: (signal) => inner.models(signal),
    ...(inner.warm === undefined ? {} : { warm: () => inner.warm?.() }),
  } satisfies Provider;
}

/**
 * The whole text of one kind, redacted and with places hidden, cut as it was streamed. One piece when it cannot be cut
 * so: a secret was taken out, or the response is not what was streamed.
 */
function cutRun(
  whole: string,
  kind: Kind,
  pieces: readonly [Kind, string][],
  { places, redact }: Recording,
): string[] {
  const own = pieces.filter(([of]) => of === kind).map(([, text]) => text);
  const clean = redact(whole);
  if (clean !== whole || own.join("") !== whole) return [hidePlaces(clean, places)];
  let at = 0;
  return cutHidden(whole, places, own.slice(0, -1).map((text) => at += text.length));
}

/** The order in which pieces of the two kinds came, as lengths into the recorded texts. */
function deltaRuns(
  pieces: readonly [Kind, string][],
  cut: Readonly<Record<Kind, readonly string[]>>,
): [Kind, number][] {
  const next = { text: 0, reasoning: 0 };
  const runs: [Kind, number][] = [];
  for (const [kind] of pieces) {
    const length = cut[kind][next[kind]++]?.length ?? 0;
    if (length > 0) runs.push([kind, length]);
  }
  return runs;
}
