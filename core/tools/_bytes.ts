import { PryxError } from "../domain/error.ts";

/** Most that program tools take and give at once, bytes. As much as one read or write of a file. */
export const MAX_BYTES = 64 * 1024 * 1024;

/** Text or bytes as they travel to and from programs: a string, or base64. */
export type Content = { readonly text: string } | { readonly base64: string };

/** Bytes as text where they are valid UTF-8, with a byte order mark kept; as base64 where they are not, or `bytes` are wanted. */
export function contentOf(data: Uint8Array, bytes = false): Content {
  const text = bytes ? undefined : utf8(data);
  return text === undefined ? { base64: data.toBase64() } : { text };
}

/** Undefined for what is not valid UTF-8. */
function utf8(data: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    return undefined;
  }
}

/** The inverse of {@link contentOf}. Undefined when neither is given. Throws `input_invalid` on both, and on what is no base64. */
export function bytesOf(
  { text, base64 }: { readonly text?: string; readonly base64?: string },
  what: string,
): Uint8Array | undefined {
  if (text !== undefined && base64 !== undefined) {
    throw new PryxError("input_invalid", `${what} is given twice: as text and as base64`);
  }
  if (text !== undefined) return new TextEncoder().encode(text);
  if (base64 === undefined) return undefined;
  try {
    return Uint8Array.fromBase64(base64);
  } catch {
    throw new PryxError("input_invalid", `${what} is not valid base64`);
  }
}
