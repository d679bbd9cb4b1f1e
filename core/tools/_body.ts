/** What a response is made of, as far as a model could read it. */
type BodyKind = "html" | "text" | "other";

/** Of the `content-type` header (RFC 9110, section 8.3). */
interface MediaType {
  /** `text/html`, in lower case; empty when the server names none. */
  readonly type: string;
  readonly charset: string | undefined;
}

/** Of a `content-type` header, however it is cased and quoted. */
export function parseMediaType(header: string | null): MediaType {
  const [type = "", ...parameters] = (header ?? "").split(";");
  const charset = parameters.map((one) => /^\s*charset\s*=\s*"?([^"\s]+)"?/i.exec(one)?.[1]).find(Boolean);
  return { type: type.trim().toLowerCase(), charset };
}

const TEXT =
  /^(text\/.*|application\/([\w.+-]*\+)?(json|xml|yaml)|application\/(javascript|ecmascript|typescript|x-javascript|x-yaml|toml|x-toml|x-sh|x-httpd-php|sql|graphql|x-ndjson|ndjson|jsonl|json-seq|rtf|x-www-form-urlencoded)|image\/svg\+xml|message\/.*)$/;

/** By the server's word; where it has none, by what the content begins with. */
export function kindOf(type: string, bytes: Uint8Array): BodyKind {
  if (type === "text/html" || type === "application/xhtml+xml") return "html";
  if (type !== "") {
    return TEXT.test(type) && !bytes.subarray(0, 4096).includes(0) || hasMark(bytes, type) ? "text" : "other";
  }
  if (bytes.subarray(0, 4096).includes(0)) return "other";
  const start = new TextDecoder().decode(bytes.subarray(0, 512)).trimStart().toLowerCase();
  return start.startsWith("<!doctype html") || start.startsWith("<html") ? "html" : "text";
}

/** Text in UTF-16 is full of NULs. */
function hasMark(bytes: Uint8Array, type: string): boolean {
  return TEXT.test(type) && markedCharset(bytes) !== undefined;
}

function markedCharset(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "utf-8";
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  return undefined;
}

/** Decodes as browsers do: a byte order mark wins over the header, the header over what the page says of itself. */
export function decodeBody(bytes: Uint8Array, charset: string | undefined): string {
  const label = markedCharset(bytes) ?? charset ?? declaredCharset(bytes) ?? "utf-8";
  try {
    return new TextDecoder(label).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}

function declaredCharset(bytes: Uint8Array): string | undefined {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 2_048));
  const label = /<meta\b[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]+)/i.exec(start)?.[1] ??
    /^\s*<\?xml\b[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)["']/i.exec(start)?.[1];
  // A page that says this of itself in readable ASCII is not UTF-16.
  return label?.toLowerCase().startsWith("utf-16") ? "utf-8" : label;
}

/** Reads at most `limit` bytes, as they are after decompression, and drops the rest with the connection. */
export async function readBody(
  response: Response,
  limit: number,
): Promise<{ bytes: Uint8Array; cut: boolean }> {
  if (!response.body) return { bytes: new Uint8Array(), cut: false };
  const parts: Uint8Array[] = [];
  let length = 0;
  let cut = false;
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const part = value.subarray(0, limit - length);
      parts.push(part);
      length += part.length;
      if (part.length < value.length) {
        cut = true;
        break;
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes, cut };
}
