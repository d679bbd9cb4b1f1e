import type { Kit, TypedArray } from "./kit.ts";

interface DecoderState {
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  /** Bytes of a character that has not ended. */
  held: number[];
  seenStart: boolean;
}

/** TextEncoder and TextDecoder (UTF-8), atob and btoa, as the Encoding and HTML standards have them. */
export function encoding(kit: Kit): void {
  const { uncurry } = kit;
  const fromCharCode = String.fromCharCode;
  const charCodeAt = uncurry(String.prototype.charCodeAt);
  const toLowerCase = uncurry(String.prototype.toLowerCase);
  const trim = uncurry(String.prototype.trim);
  const replaceAll = uncurry(
    String.prototype.replace as (this: string, from: RegExp, to: string) => string,
  );
  const SPACE = /[\t\n\f\r ]+/g;
  const isView = ArrayBuffer.isView;
  const getter = (prototype: object, name: PropertyKey) =>
    uncurry(Object.getOwnPropertyDescriptor(prototype, name)?.get as (this: unknown) => unknown);
  const typedPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object;
  const parts = (prototype: object) => ({
    buffer: getter(prototype, "buffer") as (view: unknown) => ArrayBuffer,
    byteOffset: getter(prototype, "byteOffset") as (view: unknown) => number,
    byteLength: getter(prototype, "byteLength") as (view: unknown) => number,
  });
  const typed = parts(typedPrototype);
  const data = parts(DataView.prototype);
  const tagOf = getter(typedPrototype, Symbol.toStringTag);
  const bufferLength = getter(ArrayBuffer.prototype, "byteLength") as (buffer: unknown) => number;
  const Bytes = Uint8Array;
  const Weak = WeakMap;
  const states = new Weak<object, DecoderState>();
  const weakGet = uncurry(WeakMap.prototype.get as (this: unknown, key: object) => DecoderState | undefined);
  const weakSet = uncurry(
    WeakMap.prototype.set as (this: unknown, key: object, value: DecoderState) => unknown,
  );

  function bytesOf(input: unknown): TypedArray {
    if (isView(input)) {
      const of = tagOf(input) === undefined ? data : typed;
      return new Bytes(of.buffer(input), of.byteOffset(input), of.byteLength(input));
    }
    try {
      bufferLength(input);
    } catch {
      throw new TypeError("The input is neither an ArrayBuffer nor a view of one");
    }
    return new Bytes(input as ArrayBuffer);
  }

  class TextEncoder {
    get encoding(): string {
      return "utf-8";
    }
    encode(text: unknown = ""): TypedArray {
      return kit.toUtf8(`${text}`);
    }
    encodeInto(source: unknown, target: Uint8Array): { read: number; written: number } {
      const text = `${source}`;
      const view = bytesOf(target);
      const room = view.length;
      let read = 0;
      let written = 0;
      while (read < text.length) {
        const code = charCodeAt(text, read);
        const next = read + 1 < text.length ? charCodeAt(text, read + 1) : 0;
        const pair = code >= 0xd800 && code < 0xdc00 && next >= 0xdc00 && next < 0xe000;
        const bytes = kit.toUtf8(pair ? fromCharCode(code, next) : fromCharCode(code));
        if (written + bytes.length > room) break;
        for (let index = 0; index < bytes.length; index++) view[written++] = bytes[index] ?? 0;
        read += pair ? 2 : 1;
      }
      return { read, written };
    }
    get [Symbol.toStringTag]() {
      return "TextEncoder";
    }
  }

  /** The Encoding standard's UTF-8 decoder: a bad sequence is one replacement character for its longest good beginning. */
  function decodeUtf8(state: DecoderState, input: TypedArray, ends: boolean): string {
    const { held } = state;
    const total = held.length + input.length;
    const at = (index: number) => index < held.length ? held[index] ?? 0 : input[index - held.length] ?? 0;
    let text = "";
    let piece = "";
    let index = 0;
    let left: number[] = [];
    const put = (code: number) => {
      if (!state.seenStart) {
        state.seenStart = true;
        if (code === 0xfeff && !state.ignoreBOM) return;
      }
      piece += code < 0x10000
        ? fromCharCode(code)
        : fromCharCode(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
      if (piece.length > 4_096) {
        text += piece;
        piece = "";
      }
    };
    const bad = () => {
      if (state.fatal) throw new TypeError("The encoded data is not valid UTF-8");
      put(0xfffd);
    };
    while (index < total) {
      const first = at(index);
      if (first < 0x80) {
        put(first);
        index++;
        continue;
      }
      const needed = first >= 0xc2 && first < 0xe0
        ? 1
        : first >= 0xe0 && first < 0xf0
        ? 2
        : first >= 0xf0 && first < 0xf5
        ? 3
        : 0;
      if (needed === 0) {
        bad();
        index++;
        continue;
      }
      let code = first & (needed === 1 ? 0x1f : needed === 2 ? 0x0f : 0x07);
      let lower = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
      let upper = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
      let seen = 0;
      while (seen < needed && index + 1 + seen < total) {
        const byte = at(index + 1 + seen);
        if (byte < lower || byte > upper) break;
        code = (code << 6) | (byte & 0x3f);
        lower = 0x80;
        upper = 0xbf;
        seen++;
      }
      if (seen === needed) {
        put(code);
        index += needed + 1;
        continue;
      }
      if (index + 1 + seen === total && !ends) {
        left = [];
        for (let rest = index; rest < total; rest++) left[left.length] = at(rest);
        index = total;
        break;
      }
      bad();
      index += seen + 1;
    }
    state.held = left;
    return text + piece;
  }

  const LABELS: Record<string, true> = {
    __proto__: null as never,
    "unicode-1-1-utf-8": true,
    "unicode11utf8": true,
    "unicode20utf8": true,
    "utf-8": true,
    "utf8": true,
    "x-unicode20utf8": true,
  };

  function stateOf(decoder: object): DecoderState {
    const state = weakGet(states, decoder);
    if (!state) throw new TypeError("Illegal invocation: not a TextDecoder");
    return state;
  }

  class TextDecoder {
    constructor(label: unknown = "utf-8", options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
      if (LABELS[toLowerCase(trim(`${label}`))] !== true) {
        throw new RangeError(`The encoding ${label} is not available: UTF-8 is`);
      }
      const { fatal, ignoreBOM } = options ?? {};
      weakSet(states, this, { fatal: !!fatal, ignoreBOM: !!ignoreBOM, held: [], seenStart: false });
    }
    get encoding(): string {
      return "utf-8";
    }
    get fatal(): boolean {
      return stateOf(this).fatal;
    }
    get ignoreBOM(): boolean {
      return stateOf(this).ignoreBOM;
    }
    decode(input?: unknown, options: { stream?: boolean } = {}): string {
      const state = stateOf(this);
      const stream = !!options?.stream;
      try {
        const text = decodeUtf8(state, input === undefined ? new Bytes(0) : bytesOf(input), !stream);
        if (!stream) state.seenStart = false;
        return text;
      } catch (error) {
        state.held = [];
        state.seenStart = false;
        throw error;
      }
    }
    get [Symbol.toStringTag]() {
      return "TextDecoder";
    }
  }

  function invalid(what: string): Error {
    return new kit.DOMException(what, "InvalidCharacterError");
  }

  kit.expose({
    TextEncoder,
    TextDecoder,
    btoa(value: unknown): string {
      const text = `${value}`;
      const bytes = new Bytes(text.length);
      for (let index = 0; index < text.length; index++) {
        const code = charCodeAt(text, index);
        if (code > 255) throw invalid("btoa() takes characters up to U+00FF");
        bytes[index] = code;
      }
      return kit.toBase64(bytes);
    },
    atob(value: unknown): string {
      let text = replaceAll(`${value}`, SPACE, "");
      if (text.length % 4 !== 0) {
        if (text.length % 4 === 1) throw invalid("atob() was given no base64");
        if (text[text.length - 1] === "=") throw invalid("atob() was given no base64");
        text += text.length % 4 === 2 ? "==" : "=";
      }
      let bytes: TypedArray;
      try {
        bytes = kit.fromBase64(text);
      } catch {
        throw invalid("atob() was given no base64");
      }
      let made = "";
      for (let index = 0; index < bytes.length; index++) made += fromCharCode(bytes[index] ?? 0);
      return made;
    },
  });
}
