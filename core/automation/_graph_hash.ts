/** What was read of one module. */
export interface Source {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/**
 * SHA-256 (hex) over ids, lengths and exact bytes, in the order of ids. Computed by the platform: a program's first few
 * kilobytes take a library in JavaScript five milliseconds.
 */
export async function hashGraph(sources: readonly Source[]): Promise<string> {
  const encoder = new TextEncoder();
  const parts = sources.toSorted((a, b) => a.id < b.id ? -1 : a.id > b.id ? 1 : 0).flatMap(
    ({ id, bytes }) => {
      const name = encoder.encode(id);
      // Lengths first: no id and content can be cut another way to give the same stream.
      return [encoder.encode(`${name.length} ${bytes.length}\n`), name, bytes];
    },
  );
  const stream = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    stream.set(part, at);
    at += part.length;
  }
  return await sha256(stream);
}

/** SHA-256, as hex. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes))).toHex();
}
