import type { AnswerReader, Deltas } from "./_answer.ts";
import { BadAnswer, ConnectionLost } from "./_errors.ts";
import { createSseParser } from "./_sse.ts";

/** How long the end of a body is waited for once the answer is whole, so that the connection can be used again. */
const DRAIN_MS = 20;

/**
 * Reads a response into `reader`, passing on one piece per network chunk. Rejects with {@link ConnectionLost} when it
 * breaks off, {@link BadAnswer} when it is not an answer, `StreamFailure` when the server reports an error, and with the
 * signal's reason. What came before a failure has been passed on.
 */
export async function readAnswer(
  response: Response,
  reader: AnswerReader,
  deltas: Deltas,
  options: { readonly signal: AbortSignal; readonly idleTimeoutMs: number },
): Promise<void> {
  const type = response.headers.get("content-type") ?? "";
  if (/json/.test(type) && !/event-stream|ndjson/.test(type)) {
    return await readDocument(response, reader, deltas);
  }
  if (/html/.test(type)) throw new BadAnswer(await response.text());
  if (!response.body) throw new BadAnswer("the answer is empty");
  const source = response.body.getReader();
  let idle = false;
  const cancel = () => void source.cancel().catch(() => {});
  const onIdle = () => {
    idle = true;
    cancel();
  };
  const parser = createSseParser((data) => {
    // Nothing behind the end counts.
    if (!reader.over) takeEvent(reader, data);
  });
  options.signal.addEventListener("abort", cancel, { once: true });
  let timer = setTimeout(onIdle, options.idleTimeoutMs);
  try {
    while (!reader.over) {
      const next = await source.read().catch((error) => error as Error);
      options.signal.throwIfAborted();
      clearTimeout(timer);
      if (idle) throw new ConnectionLost(`nothing came for ${Math.round(options.idleTimeoutMs / 1000)} s`);
      if (next instanceof Error || next.done) {
        if (!(next instanceof Error)) parser.end();
        if (reader.whole) break;
        throw new ConnectionLost("the connection was closed before the answer was whole", {
          cause: next instanceof Error ? next : undefined,
        });
      }
      timer = setTimeout(onIdle, options.idleTimeoutMs);
      parser.push(next.value);
      deltas.flush();
    }
    await drain(source);
  } catch (error) {
    if (!options.signal.aborted) deltas.flush();
    throw error instanceof RangeError ? new BadAnswer(error.message, { cause: error }) : error;
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener("abort", cancel);
    cancel();
  }
}

function takeEvent(reader: AnswerReader, data: string): void {
  try {
    reader.event(data);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new BadAnswer("a piece of the stream is not JSON", { cause: error });
  }
}

/** A server that does not stream: the whole answer is one JSON document. */
async function readDocument(response: Response, reader: AnswerReader, deltas: Deltas): Promise<void> {
  const text = await response.text().catch((cause) => {
    throw new ConnectionLost("the connection was closed before the answer was whole", { cause });
  });
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new BadAnswer("the answer is not JSON", { cause });
  }
  reader.document(body);
  if (!reader.whole) throw new BadAnswer(`the answer has no message in it: ${text.slice(0, 200)}`);
  deltas.flush();
}

/** Reads on to the end of the body, which nearly always is there already. */
async function drain(source: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<true>((resolve) => timer = setTimeout(() => resolve(true), DRAIN_MS));
  try {
    for (;;) {
      const next = await Promise.race([source.read(), late]);
      if (next === true || next.done) return;
    }
  } catch {
    // The answer is whole; how its connection ends does not matter.
  } finally {
    clearTimeout(timer);
  }
}
