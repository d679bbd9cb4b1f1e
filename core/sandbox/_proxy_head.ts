/** The part of a connection that is used to read and write it. */
export type Wire = Pick<Deno.Conn, "read" | "write">;

/** A message that is broken, or made so that two programs read it differently. */
export class Unreadable extends Error {
  /** HTTP status that says so. */
  readonly status: number;
  constructor(message: string, status = 400) {
    super(message);
    this.status = status;
  }
}

/** Bytes of a request or response before its body. */
const MAX_HEAD_BYTES = 64 * 1024;
const MAX_FIELDS = 200;

/**
 * Reads up to the empty line. `rest`: what came after it; with `exact` nothing is read beyond, for what follows belongs to
 * somebody else. Throws {@link Unreadable} when it ends before, or is too long.
 */
export async function readHead(
  wire: Wire,
  options: { readonly start?: Uint8Array; readonly exact?: boolean } = {},
): Promise<{ text: string; rest: Uint8Array }> {
  let held = new Uint8Array(options.start ?? []);
  let searched = 0;
  const buffer = new Uint8Array(options.exact ? 1 : 16 * 1024);
  for (;;) {
    const end = endOfHead(held, searched);
    if (end >= 0) {
      return { text: new TextDecoder("latin1").decode(held.subarray(0, end)), rest: held.slice(end + 4) };
    }
    searched = Math.max(0, held.length - 3);
    if (held.length > MAX_HEAD_BYTES) throw new Unreadable("its head is too long", 431);
    const read = await wire.read(buffer);
    if (read === null) throw new Unreadable(held.length === 0 ? "nothing was sent" : "it ends too early");
    const more = new Uint8Array(held.length + read);
    more.set(held);
    more.set(buffer.subarray(0, read), held.length);
    held = more;
  }
}

function endOfHead(bytes: Uint8Array, from: number): number {
  for (let at = from; at + 3 < bytes.length; at++) {
    if (bytes[at] === 13 && bytes[at + 1] === 10 && bytes[at + 2] === 13 && bytes[at + 3] === 10) return at;
  }
  return -1;
}

/** Start line and fields of a message. Names in lower case, in order, values trimmed. */
export interface Head {
  readonly start: string;
  readonly fields: readonly (readonly [string, string])[];
}

/**
 * RFC 9112, read strictly: no bare line feeds, no folded lines, no space before a colon, no control characters. Where
 * others are lenient, two of them differ about where a message ends.
 */
export function parseHead(text: string): Head {
  const [start = "", ...lines] = text.split("\r\n");
  // deno-lint-ignore no-control-regex -- these are what is looked for
  if (/[\x00-\x08\x0a-\x1f\x7f]/u.test(start + lines.join(""))) {
    throw new Unreadable("it has control characters");
  }
  if (lines.length > MAX_FIELDS) throw new Unreadable("it has too many fields", 431);
  const fields = lines.map((line) => {
    const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/u.exec(line);
    if (!field) throw new Unreadable("a field of it cannot be read");
    return [(field[1] ?? "").toLowerCase(), field[2] ?? ""] as const;
  });
  return { start, fields };
}

/** Every value of a field. */
export function valuesOf(head: Head, name: string): readonly string[] {
  return head.fields.filter(([field]) => field === name).map(([, value]) => value);
}

/** Length of the body that the fields announce: bytes, `chunked`, or undefined. Throws on two answers to that question. */
export function bodyLength(head: Head): number | "chunked" | undefined {
  const lengths = new Set(valuesOf(head, "content-length"));
  const codings = valuesOf(head, "transfer-encoding");
  if (codings.length > 0 && lengths.size > 0) throw new Unreadable("it states its length twice");
  if (codings.length > 0) {
    if (codings.length > 1 || codings[0]?.toLowerCase() !== "chunked") {
      throw new Unreadable("its transfer coding is not known", 501);
    }
    return "chunked";
  }
  if (lengths.size === 0) return undefined;
  const [length = ""] = lengths;
  if (lengths.size > 1 || !/^\d{1,15}$/u.test(length)) throw new Unreadable("its length cannot be read");
  return Number(length);
}

/** Closes what may be closed already. */
export function shut(resource: { close(): void }): void {
  try {
    resource.close();
  } catch {
    // It is closed already.
  }
}

export async function writeAll(wire: Wire, bytes: Uint8Array): Promise<void> {
  let rest = bytes;
  while (rest.length > 0) rest = rest.subarray(await wire.write(rest));
}
