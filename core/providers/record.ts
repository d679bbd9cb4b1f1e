import { PryxError, toPryxError } from "../domain/error.ts";
import { cutHidden, hidePlaces, type Places } from "./_places.ts";
import {
  type CassetteHeader,
  keyOf,
  type MessageSummary,
  type ModelEntry,
  sharedPrefix,
  summarise,
} from "./cassette.ts";
import type { ModelRequest, ModelResponse, Provider } from "./provider.ts";

/** Where a recording goes; places in it are made portable. */
export interface RecordOptions extends Places {
  readonly file: string;
  /** Takes secret values out of a text. */
  readonly redact?: (text: string) => string;
}

type Kind = "text" | "reasoning";

/**
 * A provider that writes down what `inner` answers, entry by entry as it happens, into a file only its owner can read.
 * An existing cassette is begun anew; another file is not touched: `conflict`. What is cancelled is not recorded.
 */
export function recordProvider(inner: Provider, options: RecordOptions): Provider {
  const redact = options.redact ?? ((text: string) => text);
  const hide = (text: string) => hidePlaces(redact(text), options);
  let ready: Promise<void> | undefined;
  let last: MessageSummary[] = [];
  let writing = Promise.resolve();

  const append = (line: unknown): Promise<void> => {
    // One after another: entries of requests that ran side by side must not mix.
    writing = writing.then(() => write(options.file, `${JSON.stringify(line)}\n`, { append: true }));
    return writing;
  };

  const record = async (
    request: ModelRequest,
    outcome: Pick<ModelEntry, "response" | "error" | "deltas">,
  ) => {
    const messages = summarise(request, hide);
    const shared = sharedPrefix(last, messages);
    last = messages;
    await append(
      {
        kind: "model",
        key: await keyOf(messages),
        request: { model: request.model, shared, messages: messages.slice(shared) },
        ...outcome,
      } satisfies ModelEntry,
    );
  };

  return {
    name: inner.name,
    ...(inner.recorded === undefined ? {} : { recorded: inner.recorded }),
    async complete(request, stream) {
      await (ready ??= begin(options.file, inner.name));
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
        await record(request, {
          error: { code, message: hide(message), ...(fix === undefined ? {} : { fix: hide(fix) }) },
        });
        throw thrown;
      }
      const { opaque: _, ...kept } = response;
      const text = cutRun(response.text, "text", pieces, options, redact);
      const reasoning = cutRun(response.reasoning, "reasoning", pieces, options, redact);
      await record(request, {
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
  places: Places,
  redact: (text: string) => string,
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

async function begin(file: string, provider: string): Promise<void> {
  let first: string | undefined;
  try {
    first = (await Deno.readTextFile(file)).split("\n", 1)[0];
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cannotWrite(file, cause);
  }
  if (first && !/"type":\s*"cassette"/.test(first)) {
    throw new PryxError("conflict", `Cannot record to ${file}: it exists and is not a cassette`, {
      fix: "Name another file, or remove this one",
    });
  }
  const header: CassetteHeader = { v: 1, type: "cassette", createdAt: new Date().toISOString(), provider };
  await write(file, `${JSON.stringify(header)}\n`, { append: false });
  if (Deno.build.os !== "windows") await Deno.chmod(file, 0o600);
}

async function write(file: string, text: string, { append }: { append: boolean }): Promise<void> {
  try {
    await Deno.writeTextFile(file, text, { append, mode: 0o600 });
  } catch (cause) {
    throw cannotWrite(file, cause);
  }
}

function cannotWrite(file: string, cause: unknown): PryxError {
  const why = cause instanceof Deno.errors.NotFound
    ? "its folder does not exist"
    : cause instanceof Error
    ? cause.message
    : String(cause);
  return new PryxError("io", `Cannot record to ${file}: ${why}`, { cause });
}
