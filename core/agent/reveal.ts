import { PryxError } from "../domain/error.ts";
import { secretForms, type SecretMark, secretMarks } from "../domain/secret_mark.ts";

/** Knows what secret marks stand for. */
export interface Revealer {
  /**
   * The value behind a mark that this process made, known to the redactor from then on; undefined for any other text of that
   * form. Rejects with `secret_missing`.
   */
  reveal(mark: SecretMark): Promise<string | undefined>;
}

interface Outgoing {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/**
 * A request with values in the place of secret marks, in headers and in a text that is its body; written there as its
 * content type writes a text. `values`: those that were put in. Rejects with `denied` for a secret whose use was not decided.
 */
export async function revealRequest<R extends Outgoing>(
  request: R,
  revealer: Revealer | undefined,
  isDecided: (name: string) => boolean,
): Promise<{ readonly request: R; readonly values: readonly string[] }> {
  const { headers = {}, body } = request;
  const texts = [...Object.values(headers), ...(typeof body === "string" ? [body] : [])];
  const known = new Map<string, string>();
  for (const mark of texts.flatMap(secretMarks)) {
    if (known.has(mark.mark)) continue;
    if (!isDecided(mark.name)) {
      throw new PryxError("denied", `The use of the secret ${mark.name} was not decided`);
    }
    const value = await revealer?.reveal(mark);
    if (value !== undefined) known.set(mark.mark, value);
  }
  if (known.size === 0) return { request, values: [] };
  const fill = (text: string, write: (value: string) => string) => {
    let out = text;
    for (const [mark, value] of known) out = out.replaceAll(mark, () => write(value));
    return out;
  };
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
  const filled = Object.entries(headers).map(([name, value]) => [name, fill(value, asItIs)] as const);
  return {
    request: {
      ...request,
      headers: Object.fromEntries(filled),
      ...(typeof body === "string" ? { body: fill(body, writerOf(type)) } : {}),
    },
    values: [...known.values()],
  };
}

const asItIs = (value: string) => value;

function writerOf(contentType: string): (value: string) => string {
  const type = contentType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (/^application\/(?:[\w.+-]*\+)?json$/u.test(type)) return (value) => JSON.stringify(value).slice(1, -1);
  return type === "application/x-www-form-urlencoded" ? encodeURIComponent : asItIs;
}

const CONCEALED = "[redacted]";

/**
 * An answer without the values that went out with the request: a server that echoes what it got tells nobody. Not when it
 * sends them in another encoding.
 */
export function concealResponse(response: Response, values: readonly string[]): Response {
  const forms = [...new Set(values.flatMap(secretForms))].sort((a, b) => b.length - a.length);
  if (forms.length === 0) return response;
  const conceal = (text: string) => forms.reduce((out, form) => out.replaceAll(form, CONCEALED), text);
  const headers = new Headers();
  for (const [name, value] of response.headers) {
    // The length may be another one now.
    if (name !== "content-length") headers.append(name, conceal(value));
  }
  const { status, statusText } = response;
  const body = response.body?.pipeThrough(concealBytes(forms)) ?? null;
  return new Response(body, { status, statusText: conceal(statusText), headers });
}

/** Holds back no more than what may be the beginning of a value. */
function concealBytes(forms: readonly string[]): TransformStream<Uint8Array, Uint8Array<ArrayBuffer>> {
  const needles = forms.map((form) => new TextEncoder().encode(form));
  const mark = new TextEncoder().encode(CONCEALED);
  const starts = new Set(needles.map(([first]) => first));
  let held = new Uint8Array();
  const pass = (
    bytes: Uint8Array<ArrayBuffer>,
    last: boolean,
    controller: TransformStreamDefaultController<Uint8Array<ArrayBuffer>>,
  ) => {
    let from = 0;
    for (let at = 0; at < bytes.length; at++) {
      if (!starts.has(bytes[at])) continue;
      // A longer value may begin like a shorter one.
      if (!last && needles.some((one) => isCutOff(bytes, at, one))) {
        if (at > from) controller.enqueue(bytes.slice(from, at));
        return bytes.slice(at);
      }
      const needle = needles.find((one) => isAt(bytes, at, one));
      if (!needle) continue;
      if (at > from) controller.enqueue(bytes.slice(from, at));
      controller.enqueue(mark.slice());
      from = at + needle.length;
      at = from - 1;
    }
    if (from < bytes.length) controller.enqueue(bytes.slice(from));
    return new Uint8Array();
  };
  return new TransformStream({
    transform(piece, controller) {
      const bytes = new Uint8Array(held.length + piece.length);
      bytes.set(held);
      bytes.set(piece, held.length);
      held = pass(bytes, false, controller);
    },
    flush(controller) {
      pass(held, true, controller);
    },
  });
}

function isAt(bytes: Uint8Array, at: number, needle: Uint8Array): boolean {
  return at + needle.length <= bytes.length && needle.every((byte, i) => bytes[at + i] === byte);
}

/** True when the bytes end in the middle of what may be the needle. */
function isCutOff(bytes: Uint8Array, at: number, needle: Uint8Array): boolean {
  const rest = bytes.length - at;
  return rest < needle.length && needle.subarray(0, rest).every((byte, i) => bytes[at + i] === byte);
}
