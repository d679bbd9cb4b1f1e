import type { Kit } from "./kit.ts";

/** structuredClone, for everything that the language itself has; nothing here can be transferred but ArrayBuffers. */
export function clone(kit: Kit): void {
  const { uncurry } = kit;
  const { keys, defineProperty, getPrototypeOf, getOwnPropertyDescriptor } = Object;
  const isArray = Array.isArray;
  const isView = ArrayBuffer.isView;
  const getter = (prototype: object, name: PropertyKey) =>
    uncurry(Object.getOwnPropertyDescriptor(prototype, name)?.get as (this: unknown) => unknown);
  const timeOf = uncurry(Date.prototype.getTime as (this: unknown) => number);
  const mapSize = getter(Map.prototype, "size");
  const setSize = getter(Set.prototype, "size");
  const eachOfMap = uncurry(
    Map.prototype.forEach as (this: unknown, run: (value: unknown, key: unknown) => void) => void,
  );
  const eachOfSet = uncurry(Set.prototype.forEach as (this: unknown, run: (value: unknown) => void) => void);
  const mapSet = uncurry(Map.prototype.set as (this: unknown, key: unknown, value: unknown) => unknown);
  const setAdd = uncurry(Set.prototype.add as (this: unknown, value: unknown) => unknown);
  const mapGet = uncurry(Map.prototype.get as (this: unknown, key: unknown) => unknown);
  const mapHas = uncurry(Map.prototype.has as (this: unknown, key: unknown) => boolean);
  const bufferLength = getter(ArrayBuffer.prototype, "byteLength");
  const sliceBuffer = uncurry(
    ArrayBuffer.prototype.slice as (this: unknown, from: number, to?: number) => ArrayBuffer,
  );
  const transferBuffer = uncurry(ArrayBuffer.prototype.transfer as (this: unknown) => ArrayBuffer);
  const typedPrototype = getPrototypeOf(Uint8Array.prototype) as object;
  const tagOf = getter(typedPrototype, Symbol.toStringTag);
  const viewBuffer = getter(typedPrototype, "buffer");
  const viewOffset = getter(typedPrototype, "byteOffset") as (value: unknown) => number;
  const viewLength = getter(typedPrototype, "length") as (value: unknown) => number;
  const dataBuffer = getter(DataView.prototype, "buffer");
  const dataOffset = getter(DataView.prototype, "byteOffset") as (value: unknown) => number;
  const dataLength = getter(DataView.prototype, "byteLength") as (value: unknown) => number;
  const regexpSource = getter(RegExp.prototype, "source");
  const regexpFlags = getter(RegExp.prototype, "flags");
  const numberOf = uncurry(Number.prototype.valueOf as (this: unknown) => number);
  const stringOf = uncurry(String.prototype.valueOf as (this: unknown) => string);
  const booleanOf = uncurry(Boolean.prototype.valueOf as (this: unknown) => boolean);
  const bigintOf = uncurry(BigInt.prototype.valueOf as (this: unknown) => bigint);
  const GuestMap = Map;
  const GuestSet = Set;
  const GuestDate = Date;
  const GuestRegExp = RegExp;
  const GuestError = Error;
  const GuestDataView = DataView;
  const GuestObject = Object;
  const ERRORS: Record<string, ErrorConstructor> = {
    __proto__: null as never,
    Error,
    EvalError,
    RangeError,
    ReferenceError,
    SyntaxError,
    TypeError,
    URIError,
  };
  const VIEWS: Record<string, new (buffer: ArrayBuffer, offset: number, length: number) => unknown> = {
    __proto__: null as never,
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
    ...(typeof Float16Array === "undefined" ? {} : { Float16Array }),
  };

  function passes(check: (value: unknown) => unknown, value: unknown): boolean {
    try {
      check(value);
      return true;
    } catch {
      return false;
    }
  }

  function refuse(what: string): never {
    throw new kit.DOMException(`${what} cannot be cloned`, "DataCloneError");
  }

  type Seen = Map<unknown, unknown>;

  function put(target: object, key: string, value: unknown): void {
    defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  }

  function cloned(value: unknown, seen: Seen): unknown {
    if (typeof value === "function") return refuse("A function");
    if (typeof value === "symbol") return refuse("A symbol");
    if (typeof value !== "object" || value === null) return value;
    if (mapHas(seen, value)) return mapGet(seen, value);
    return isArray(value) ? clonedArray(value, seen) : clonedObject(value, seen);
  }

  function remember<T>(seen: Seen, value: object, made: T): T {
    mapSet(seen, value, made);
    return made;
  }

  function members(value: object, made: object, seen: Seen): object {
    const names = keys(value);
    for (let index = 0; index < names.length; index++) {
      const name = names[index] ?? "";
      put(made, name, cloned((value as Record<string, unknown>)[name], seen));
    }
    return made;
  }

  function clonedArray(value: readonly unknown[], seen: Seen): unknown {
    const made: unknown[] = remember(seen, value, []);
    made.length = value.length;
    return members(value, made, seen);
  }

  function clonedObject(value: object, seen: Seen): unknown {
    if (isView(value)) return clonedView(value, seen);
    if (passes(bufferLength, value)) return remember(seen, value, sliceBuffer(value, 0));
    if (passes(timeOf, value)) return remember(seen, value, new GuestDate(timeOf(value)));
    if (passes(mapSize, value)) {
      const made = remember(seen, value, new GuestMap());
      const entries: [unknown, unknown][] = [];
      eachOfMap(value, (item, key) => void (entries[entries.length] = [key, item]));
      for (let index = 0; index < entries.length; index++) {
        mapSet(made, cloned(entries[index]?.[0], seen), cloned(entries[index]?.[1], seen));
      }
      return made;
    }
    if (passes(setSize, value)) {
      const made = remember(seen, value, new GuestSet());
      const entries: unknown[] = [];
      eachOfSet(value, (item) => void (entries[entries.length] = item));
      for (let index = 0; index < entries.length; index++) setAdd(made, cloned(entries[index], seen));
      return made;
    }
    if (value instanceof GuestError) return clonedError(value, seen);
    if (value instanceof GuestRegExp && passes(regexpSource, value)) {
      return remember(
        seen,
        value,
        new GuestRegExp(regexpSource(value) as string, regexpFlags(value) as string),
      );
    }
    const boxes = [numberOf, stringOf, booleanOf, bigintOf] as const;
    for (let index = 0; index < boxes.length; index++) {
      const unboxed = boxes[index];
      if (unboxed && passes(unboxed, value)) return remember(seen, value, GuestObject(unboxed(value)));
    }
    if (isOther(value)) return refuse(`A ${kit.inspect(value, { depth: 0 })}`);
    return members(value, remember(seen, value, {}), seen);
  }

  /** What has inner state that no copy can have. */
  function isOther(value: object): boolean {
    return value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet ||
      value instanceof WeakRef || value instanceof FinalizationRegistry ||
      value instanceof (kit.global.EventTarget as typeof EventTarget);
  }

  function clonedView(value: object, seen: Seen): unknown {
    const tag = tagOf(value) as string | undefined;
    if (tag === undefined) {
      const buffer = cloned(dataBuffer(value), seen) as ArrayBuffer;
      return remember(seen, value, new GuestDataView(buffer, dataOffset(value), dataLength(value)));
    }
    const View = VIEWS[tag];
    if (!View) return refuse(`A ${tag}`);
    const buffer = cloned(viewBuffer(value), seen) as ArrayBuffer;
    return remember(seen, value, new View(buffer, viewOffset(value), viewLength(value)));
  }

  function clonedError(value: Error, seen: Seen): unknown {
    const told = kit.describe(value);
    const real = remember(seen, value, new (ERRORS[told.name] ?? GuestError)(told.message));
    defineProperty(real, "stack", { value: value.stack, writable: true, configurable: true });
    const cause = getOwnPropertyDescriptor(value, "cause");
    if (cause && "value" in cause) {
      defineProperty(real, "cause", { value: cloned(cause.value, seen), writable: true, configurable: true });
    }
    return real;
  }

  kit.expose({
    structuredClone(value: unknown, options: { readonly transfer?: Iterable<unknown> } = {}): unknown {
      if (arguments.length === 0) throw new TypeError("structuredClone() takes a value");
      const seen: Seen = new GuestMap();
      const moved: unknown[] = [];
      for (const one of options?.transfer ?? []) {
        if (!passes(bufferLength, one)) refuse("What is no ArrayBuffer");
        moved[moved.length] = one;
      }
      // Copied first: what cannot be cloned leaves the buffers where they are.
      const made = cloned(value, seen);
      for (let index = 0; index < moved.length; index++) transferBuffer(moved[index]);
      return made;
    },
  });
}
