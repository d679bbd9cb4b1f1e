import { join } from "node:path";
import type { SessionId } from "../domain/id.ts";

/** Writes an output that is too long for the model to a file of its own (0600), and returns its absolute path. */
export async function keepOutput(
  folder: string,
  session: SessionId,
  name: string,
  content: Uint8Array | string,
): Promise<string> {
  const place = join(folder, session);
  await Deno.mkdir(place, { recursive: true, mode: 0o700 });
  const path = join(place, name.replace(/[^\w.-]/g, "_").slice(-120));
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await Deno.writeFile(path, bytes, { mode: 0o600 });
  return path;
}
