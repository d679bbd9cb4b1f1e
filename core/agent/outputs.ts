import { join } from "node:path";
import type { SessionId } from "../domain/id.ts";
import type { LongOutput } from "../tools/tool.ts";

/** Written to the file in pieces of about this, characters. */
const PIECE = 64 * 1024;
/** A line longer than this is written in parts. */
const LONGEST_LINE = 1024 * 1024;

/** Writes an output that is too long for the model to a file of its own (0600), and returns its absolute path. */
export async function keepOutput(
  folder: string,
  session: SessionId,
  name: string,
  content: Uint8Array | string,
): Promise<string> {
  const path = placeOf(folder, session, name);
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await Deno.writeFile(path, bytes, { mode: 0o600 });
  return path;
}

/** Opens such a file for an output that comes in pieces. `redact` sees whole lines. */
export function openOutput(
  folder: string,
  session: SessionId,
  name: string,
  redact: (text: string) => string,
): LongOutput {
  const path = placeOf(folder, session, name);
  const file = Deno.openSync(path, { write: true, create: true, truncate: true, mode: 0o600 });
  const encoder = new TextEncoder();
  let pending = "";
  let open = true;
  const flush = (end: number) => {
    const bytes = encoder.encode(redact(pending.slice(0, end)));
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    pending = pending.slice(end);
  };
  return {
    path,
    write(text) {
      pending += text;
      if (pending.length < PIECE) return;
      const line = pending.lastIndexOf("\n") + 1;
      if (line > 0) flush(line);
      else if (pending.length > LONGEST_LINE) flush(pending.length);
    },
    end({ keep = true } = {}) {
      if (!open) return;
      open = false;
      let whole = false;
      try {
        if (keep) flush(pending.length);
        whole = keep;
      } finally {
        file.close();
        if (!whole) Deno.removeSync(path);
      }
    },
  };
}

function placeOf(folder: string, session: SessionId, name: string): string {
  const place = join(folder, session);
  Deno.mkdirSync(place, { recursive: true, mode: 0o700 });
  return join(place, name.replace(/[^\w.-]/g, "_").slice(-120));
}
