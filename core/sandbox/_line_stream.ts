import { PryxError } from "../domain/error.ts";

/** Characters of a line at most: as core/automation/wire.ts has it. */
export const MAX_LINE = 64 * 1024 * 1024;

const NEWLINE = 10;
const READ_BYTES = 64 * 1024;

/**
 * Lines of a stream, as they come; what is left without a newline at its end is no line. Throws `output_invalid` where the
 * bytes are no UTF-8 or a line is longer than `longest` characters, and reads nothing more. `onStop`: called when it is left
 * before the stream has ended, by a reader who stops or by what it threw; before the stream is cancelled, which can wait for
 * who writes to it.
 */
export async function* linesOf(
  stream: ReadableStream<Uint8Array>,
  { longest = MAX_LINE, onStop }: { readonly longest?: number; readonly onStop?: () => void } = {},
): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const reader = readPieces(stream);
  // Pieces of a line that has not ended, put together once.
  let rest: string[] = [];
  let length = 0;
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      ended = done;
      if (done || !value) return;
      let from = 0;
      for (let at = value.indexOf(NEWLINE); at >= 0; at = value.indexOf(NEWLINE, from)) {
        const piece = decode(decoder, value.subarray(from, at));
        from = at + 1;
        if (length + piece.length > longest) throw tooLong(longest);
        const line = rest.length === 0 ? piece : rest.join("") + piece;
        rest = [];
        length = 0;
        yield line;
      }
      const piece = decode(decoder, value.subarray(from));
      if (piece === "") continue;
      rest.push(piece);
      length += piece.length;
      if (length > longest) throw tooLong(longest);
    }
  } finally {
    if (!ended) onStop?.();
    await reader.cancel().catch(() => {});
  }
}

interface Pieces {
  /** The next bytes; they stand until the next read. */
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

/** Into one piece of memory where the stream can: to make one for each read takes longer than to read a line into it. */
function readPieces(stream: ReadableStream<Uint8Array>): Pieces {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = stream.getReader({ mode: "byob" });
  } catch {
    // It is no stream of bytes.
    return stream.getReader();
  }
  let memory = new ArrayBuffer(READ_BYTES);
  return {
    async read() {
      const { done, value } = await reader.read(new Uint8Array(memory));
      if (value) memory = value.buffer;
      return { done, value };
    },
    cancel: () => reader.cancel(),
  };
}

function decode(decoder: TextDecoder, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes, { stream: true });
  } catch (error) {
    throw new PryxError("output_invalid", "Cannot read what the automation's process says: it is no UTF-8", {
      cause: error,
    });
  }
}

function tooLong(longest: number): PryxError {
  return new PryxError(
    "output_invalid",
    `Cannot read what the automation's process says: a message has more than ${longest} characters`,
  );
}
