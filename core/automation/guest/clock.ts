import type { Kit } from "./kit.ts";

/** Time and chance: the machine's, or with `fixed` those of the messages and of a seed, so that a run can be repeated. */
export function clock(kit: Kit): void {
  const { bridge, uncurry } = kit;
  const GuestDate = Date;
  const systemNow = Date.now;
  const charCodeAt = uncurry(String.prototype.charCodeAt);
  const { apply, construct } = Reflect;
  const {
    defineProperty,
    getOwnPropertyDescriptor,
    getOwnPropertyDescriptors,
    defineProperties,
    getPrototypeOf,
  } = Object;
  const imul = Math.imul;
  const padStart = uncurry(String.prototype.padStart);
  const toStringNumber = uncurry(Number.prototype.toString);
  const isView = ArrayBuffer.isView;
  const typedTag = Object.getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)
    ?.get as (this: unknown) => string | undefined;
  const tagOf = uncurry(typedTag);
  const typedGet = (name: "byteLength" | "byteOffset" | "buffer") =>
    uncurry(
      Object.getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), name)?.get as (
        this: unknown,
      ) => unknown,
    );
  const byteLengthOf = typedGet("byteLength");
  const byteOffsetOf = typedGet("byteOffset");
  const bufferOf = typedGet("buffer");
  const Bytes = Uint8Array;

  let now: number | undefined;
  let started = systemNow();
  /** xoshiro128**, Blackman and Vigna (2018). */
  let state: [number, number, number, number] | undefined;

  function randomBits(): number {
    if (state === undefined) return bridge.random();
    let [a, b, c, d] = state;
    const x = imul(b, 5);
    const result = imul((x << 7) | (x >>> 25), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    state[0] = a;
    state[1] = b;
    state[2] = c;
    state[3] = d;
    return result;
  }

  /** FNV-1a with another offset for each word: seeds are not secrets. */
  function seeded(seed: string): [number, number, number, number] {
    const words: [number, number, number, number] = [0, 0, 0, 0];
    for (let word = 0; word < 4; word++) {
      let hash = 0x811c9dc5 ^ imul(word + 1, 0x9e3779b1);
      for (let index = 0; index < seed.length; index++) {
        hash = imul(hash ^ charCodeAt(seed, index), 0x01000193);
      }
      words[word as 0 | 1 | 2 | 3] = hash | 0;
    }
    if (words[0] === 0 && words[1] === 0 && words[2] === 0 && words[3] === 0) words[0] = 1;
    return words;
  }

  function random53(): number {
    const high = randomBits() >>> 5;
    const low = randomBits() >>> 6;
    return (high * 67_108_864 + low) / 9_007_199_254_740_992;
  }

  /** The same class, whose "now" is the fixed one. */
  function fixedDate(): DateConstructor {
    function FixedDate(this: unknown, ...args: unknown[]): unknown {
      if (new.target === undefined) return `${construct(GuestDate, [kit.now()])}`;
      return construct(GuestDate, args.length === 0 ? [kit.now()] : args, new.target);
    }
    defineProperties(FixedDate, getOwnPropertyDescriptors(GuestDate));
    defineProperty(FixedDate, "now", {
      value: () => kit.now(),
      writable: true,
      enumerable: false,
      configurable: true,
    });
    defineProperty(GuestDate.prototype, "constructor", { value: FixedDate });
    return FixedDate as unknown as DateConstructor;
  }

  kit.now = () => now ?? systemNow();
  /** Without a date they take the machine's. */
  function fixFormats(): void {
    const { prototype } = Intl.DateTimeFormat;
    const format = getOwnPropertyDescriptor(prototype, "format")?.get as (
      this: unknown,
    ) => (date: unknown) => string;
    const parts = prototype.formatToParts as (this: unknown, date: unknown) => unknown;
    defineProperty(prototype, "format", {
      configurable: true,
      get(this: unknown) {
        const bound = apply(format, this, []);
        return (date?: unknown) => bound(date === undefined ? kit.now() : date);
      },
    });
    defineProperty(prototype, "formatToParts", {
      value(this: unknown, date?: unknown) {
        return apply(parts, this, [date === undefined ? kit.now() : date]);
      },
      writable: true,
      configurable: true,
    });
  }

  kit.fixed = () => now !== undefined;
  kit.randomBits = randomBits;
  kit.setNow = (value) => {
    if (now !== undefined && value > now) now = value;
  };
  kit.setClock = (fixed) => {
    if (fixed === undefined) return;
    now = started = fixed.now;
    state = seeded(fixed.seed);
    // The first words follow the seed too closely.
    for (let skip = 0; skip < 16; skip++) randomBits();
    kit.expose({ Date: fixedDate() });
    fixFormats();
    defineProperty(Math, "random", {
      value: () => random53(),
      writable: true,
      enumerable: false,
      configurable: true,
    });
  };

  const INTEGERS: Record<string, true> = {
    __proto__: null as never,
    Int8Array: true,
    Uint8Array: true,
    Uint8ClampedArray: true,
    Int16Array: true,
    Uint16Array: true,
    Int32Array: true,
    Uint32Array: true,
    BigInt64Array: true,
    BigUint64Array: true,
  };

  class Crypto {
    getRandomValues<T>(array: T): T {
      const tag = isView(array) ? tagOf(array) : undefined;
      if (tag === undefined || INTEGERS[tag] !== true) {
        throw new kit.DOMException("getRandomValues() takes a typed array of integers", "TypeMismatchError");
      }
      const length = byteLengthOf(array) as number;
      if (length > 65_536) {
        throw new kit.DOMException(
          `${length} bytes are more than the 65536 of one call`,
          "QuotaExceededError",
        );
      }
      const bytes = new Bytes(bufferOf(array) as ArrayBuffer, byteOffsetOf(array) as number, length);
      for (let index = 0; index < length; index += 4) {
        const bits = randomBits();
        bytes[index] = bits;
        if (index + 1 < length) bytes[index + 1] = bits >>> 8;
        if (index + 2 < length) bytes[index + 2] = bits >>> 16;
        if (index + 3 < length) bytes[index + 3] = bits >>> 24;
      }
      return array;
    }

    randomUUID(): string {
      const hex = (bits: number) => padStart(toStringNumber(bits >>> 0, 16), 8, "0");
      const a = hex(randomBits());
      const b = hex((randomBits() & 0xffff0fff) | 0x00004000);
      const c = hex((randomBits() & 0x3fffffff) | 0x80000000);
      const d = hex(randomBits());
      const cut = uncurrySlice;
      return `${a}-${cut(b, 0, 4)}-${cut(b, 4, 8)}-${cut(c, 0, 4)}-${cut(c, 4, 8)}${d}`;
    }

    get [Symbol.toStringTag]() {
      return "Crypto";
    }
  }
  const uncurrySlice = uncurry(String.prototype.slice);

  class Performance {
    get timeOrigin(): number {
      return started;
    }
    now(): number {
      return now === undefined ? bridge.elapsed() : now - started;
    }
    toJSON(): { timeOrigin: number } {
      return { timeOrigin: started };
    }
    get [Symbol.toStringTag]() {
      return "Performance";
    }
  }
  kit.expose({ crypto: new Crypto(), performance: new Performance() });
}
