import { PryxError } from "../core/domain/error.ts";
import { abortable } from "./terminal_input.ts";
import type { TerminalIn } from "./terminal_io.ts";

/** More than any model can read; the whole of it would have to stand in memory. */
const MAX_BYTES = 32 * 1024 * 1024;
/** When nothing has come for this long, a person is told what is being waited for. */
const HINT_MS = 2000;

/** Everything until the end of standard input. Rejects with `input_invalid` when it is too large. */
export async function readAll(
  stdin: TerminalIn,
  signal: AbortSignal,
  onSilence: () => void,
): Promise<Uint8Array> {
  const hint = setTimeout(onSilence, HINT_MS);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    while (true) {
      const buffer = new Uint8Array(64 * 1024);
      const count = await abortable(stdin.read(buffer), signal);
      if (count === null) break;
      clearTimeout(hint);
      chunks.push(buffer.subarray(0, count));
      size += count;
      if (size > MAX_BYTES) throw tooLarge();
    }
  } finally {
    clearTimeout(hint);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

function tooLarge(): PryxError {
  return new PryxError("input_invalid", `Standard input is larger than ${MAX_BYTES / 1024 / 1024} MiB`, {
    fix: "Put it in a file and name the file in the prompt: the agent reads what it needs of it",
  });
}
