import type { WireError } from "../wire.ts";
import type { Kit, TypedArray } from "./kit.ts";

/**
 * Values as text and back: JSON, in which `{"$": [type, …]}` stands for what JSON has no word for. An object that has a
 * key `$` of its own is `{"$": ["object", [[key, value], …]]}`.
 */
export function codec(kit: Kit): void {
  const { uncurry } = kit;
  const { parse, stringify } = JSON;
  const { getPrototypeOf, keys, defineProperty, is } = Object;
  const isArray = Array.isArray;
  const ObjectPrototype = Object.prototype;
  const getter = (prototype: object, name: PropertyKey) =>
    uncurry(Object.getOwnPropertyDescriptor(prototype, name)?.get as (this: unknown) => unknown);
  const timeOf = uncurry(Date.prototype.getTime as (this: unknown) => number);
  const mapSize = getter(Map.prototype, "size");
  const setSize = getter(Set.prototype, "size");
  const eachOfMap = uncurry(
    Map.prototype.forEach as (this: unknown, run: (value: unknown, key: unknown) => void) => void,
  );
  const eachOfSet = uncurry(Set.prototype.forEach as (this: unknown, run: (value: unknown) => void) => void);
  const bufferLength = getter(ArrayBuffer.prototype, "byteLength");
  const TypedPrototype = getPrototypeOf(Uint8Array.prototype) as object;
  const tagOf = getter(TypedPrototype, Symbol.toStringTag);
  const viewParts = (prototype: object) => ({
    buffer: getter(prototype, "buffer"),
    byteOffset: getter(prototype, "byteOffset"),
    byteLength: getter(prototype, "byteLength"),
  });
  const typed = viewParts(TypedPrototype);
  const data = viewParts(DataView.prototype);
  const isView = ArrayBuffer.isView;
  const floor = Math.floor;
  const charCodeAt = uncurry(String.prototype.charCodeAt);
  const mapSet = uncurry(Map.prototype.set as (this: unknown, key: unknown, value: unknown) => unknown);
  const setAdd = uncurry(Set.prototype.add as (this: unknown, value: unknown) => unknown);
  const has = uncurry(Set.prototype.has as (this: unknown, value: unknown) => boolean);
  const drop = uncurry(Set.prototype.delete as (this: unknown, value: unknown) => boolean);
  const exec = uncurry(RegExp.prototype.exec);
  const bigintText = uncurry(BigInt.prototype.toString as (this: bigint) => string);
  const { apply } = Reflect;
  const GuestError = Error;
  const GuestMap = Map;
  const GuestSet = Set;
  const GuestDate = Date;
  const Bytes = Uint8Array;
  const toBigInt = BigInt;
  const source = getter(RegExp.prototype, "source");
  const flags = getter(RegExp.prototype, "flags");
  const Pattern = RegExp;
  const VIEWS: Record<string, new (buffer: ArrayBuffer) => unknown> = {
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
    DataView,
  };
  const ERRORS: Record<string, ErrorConstructor> = {
    __proto__: null as never,
    EvalError,
    RangeError,
    ReferenceError,
    SyntaxError,
    TypeError,
    URIError,
  };
  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const VALUES = new Bytes(128);
  for (let index = 0; index < 128; index++) VALUES[index] = 255;
  for (let index = 0; index < 64; index++) VALUES[charCodeAt(DIGITS, index)] = index;
  const DEEPEST = 500;
  const LONGEST = 32 * 1024 * 1024;
  const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

  function toBase64(bytes: Uint8Array): string {
    let text = "";
    for (let index = 0; index < bytes.length; index += 3) {
      const left = bytes.length - index;
      const a = bytes[index] ?? 0;
      const b = bytes[index + 1] ?? 0;
      const c = bytes[index + 2] ?? 0;
      text += `${DIGITS[a >> 2]}${DIGITS[((a & 3) << 4) | (b >> 4)]}`;
      text += left > 1 ? DIGITS[((b & 15) << 2) | (c >> 6)] : "=";
      text += left > 2 ? DIGITS[c & 63] : "=";
    }
    return text;
  }

  function fromBase64(text: string): TypedArray {
    let length = text.length;
    if (length % 4 !== 0) throw new TypeError("the text is not base64");
    if (length > 0 && text[length - 1] === "=") length -= text[length - 2] === "=" ? 2 : 1;
    const bytes = new Bytes(floor((length * 3) / 4));
    let at = 0;
    let bits = 0;
    let count = 0;
    for (let index = 0; index < length; index++) {
      const code = charCodeAt(text, index);
      const value = code < 128 ? VALUES[code] ?? 255 : 255;
      if (value === 255) throw new TypeError("the text is not base64");
      bits = (bits << 6) | value;
      count += 6;
      if (count < 8) continue;
      count -= 8;
      bytes[at++] = bits >> count;
      bits &= (1 << count) - 1;
    }
    return bytes;
  }
  /** Whether a getter or method that checks what it is called on takes the value. */
  function passes(check: (value: unknown) => unknown, value: unknown): boolean {
    try {
      check(value);
      return true;
    } catch {
      return false;
    }
  }

  function step(path: string, key: string): string {
    return exec(IDENTIFIER, key) ? `${path}.${key}` : `${path}[${stringify(key)}]`;
  }

  interface Work {
    readonly above: Set<unknown>;
    length: number;
  }

  function refuse(path: string, what: string): never {
    throw new TypeError(`Cannot send ${path}: it is ${what}`);
  }

  function text(value: unknown, path: string, work: Work, depth: number): string {
    const made = textOf(value, path, work, depth);
    work.length += made.length;
    if (work.length > LONGEST * 4 || made.length > LONGEST) refuse(path, "too large");
    return made;
  }

  function textOf(value: unknown, path: string, work: Work, depth: number): string {
    switch (typeof value) {
      case "string":
        return stringify(value);
      case "boolean":
        return value ? "true" : "false";
      case "number":
        if (is(value, -0)) return '{"$":["number","-0"]}';
        if (value !== value || value === Infinity || value === -Infinity) {
          return `{"$":["number","${value}"]}`;
        }
        return `${value}`;
      case "bigint":
        return `{"$":["bigint","${bigintText(value)}"]}`;
      case "undefined":
        return '{"$":["undefined"]}';
      case "function":
        return refuse(path, "a function");
      case "symbol":
        return refuse(path, "a symbol");
    }
    if (value === null) return "null";
    if (has(work.above, value)) refuse(path, "inside itself (a cycle)");
    if (depth > DEEPEST) refuse(path, `more than ${DEEPEST} levels deep`);
    setAdd(work.above, value);
    const made = objectText(value as object, path, work, depth + 1);
    drop(work.above, value);
    return made;
  }

  function listText(list: ArrayLike<unknown>, path: string, work: Work, depth: number): string {
    let made = "[";
    for (let index = 0; index < list.length; index++) {
      made += `${index === 0 ? "" : ","}${text(list[index], `${path}[${index}]`, work, depth)}`;
    }
    return `${made}]`;
  }

  function objectText(value: object, path: string, work: Work, depth: number): string {
    if (isArray(value)) return listText(value, path, work, depth);
    const prototype = getPrototypeOf(value);
    if (prototype !== ObjectPrototype && prototype !== null) {
      const special = specialText(value, path, work, depth);
      if (special !== undefined) return special;
    }
    const json = (value as { toJSON?: unknown }).toJSON;
    if (typeof json === "function") return text(apply(json, value, [""]), path, work, depth);
    const names = keys(value);
    let escaped = false;
    for (let index = 0; index < names.length; index++) if (names[index] === "$") escaped = true;
    let made = escaped ? '{"$":["object",[' : "{";
    for (let index = 0; index < names.length; index++) {
      const name = names[index] ?? "";
      const inner = text((value as Record<string, unknown>)[name], step(path, name), work, depth);
      const separator = index === 0 ? "" : ",";
      made += escaped
        ? `${separator}[${stringify(name)},${inner}]`
        : `${separator}${stringify(name)}:${inner}`;
    }
    return escaped ? `${made}]]}` : `${made}}`;
  }

  function bytesOf(parts: typeof typed, value: object): TypedArray {
    return new Bytes(
      parts.buffer(value) as ArrayBuffer,
      parts.byteOffset(value) as number,
      parts.byteLength(value) as number,
    );
  }

  function specialText(value: object, path: string, work: Work, depth: number): string | undefined {
    if (isView(value)) {
      const tag = tagOf(value) as string | undefined;
      const bytes = bytesOf(tag === undefined ? data : typed, value);
      const name = tag ?? "DataView";
      if (!(name in VIEWS)) refuse(path, `a ${name}`);
      return `{"$":["${name}","${toBase64(bytes)}"]}`;
    }
    if (passes(timeOf, value)) return `{"$":["date",${stringify(timeOf(value))}]}`;
    if (passes(mapSize, value)) {
      let made = "";
      eachOfMap(value, (item, key) => {
        const name = typeof key === "string" ? step(path, key) : `${path}[a key]`;
        made += `${made === "" ? "" : ","}[${text(key, name, work, depth)},${text(item, name, work, depth)}]`;
      });
      return `{"$":["map",[${made}]]}`;
    }
    if (passes(setSize, value)) {
      let made = "";
      eachOfSet(value, (item) => {
        made += `${made === "" ? "" : ","}${text(item, `${path}[an entry]`, work, depth)}`;
      });
      return `{"$":["set",[${made}]]}`;
    }
    if (passes(bufferLength, value)) return `{"$":["buffer","${toBase64(new Bytes(value as ArrayBuffer))}"]}`;
    if (value instanceof GuestError) return `{"$":["error",${stringify(kit.describe(value))}]}`;
    if (value instanceof Pattern) {
      return `{"$":["regexp",${stringify(source(value))},${stringify(flags(value))}]}`;
    }
    if (value instanceof Promise) refuse(path, "a promise: await it");
    return undefined;
  }

  function put(target: Record<string, unknown>, key: string, value: unknown): void {
    defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  }

  function revive(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    if (isArray(value)) {
      for (let index = 0; index < value.length; index++) value[index] = revive(value[index]);
      return value;
    }
    const names = keys(value);
    const record = value as Record<string, unknown>;
    if (names.length === 1 && names[0] === "$" && isArray(record.$)) return special(record.$);
    for (let index = 0; index < names.length; index++) {
      const name = names[index] ?? "";
      put(record, name, revive(record[name]));
    }
    return value;
  }

  function special(parts: readonly unknown[]): unknown {
    const [type, first, second] = [parts[0], parts[1], parts[2]];
    switch (type) {
      case "undefined":
        return undefined;
      case "number":
        return first === "-0" ? -0 : first === "NaN" ? NaN : first === "Infinity" ? Infinity : -Infinity;
      case "bigint":
        return toBigInt(first as string);
      case "date":
        return new GuestDate(first === null ? NaN : first as number);
      case "regexp":
        return new Pattern(first as string, second as string);
      case "buffer":
        return fromBase64(first as string).buffer;
      case "error":
        return revivedError(first as WireError);
      case "object":
      case "map":
      case "set":
        return collection(type, first as readonly unknown[]);
    }
    const View = typeof type === "string" ? VIEWS[type] : undefined;
    if (!View) throw new TypeError("the text is not an encoded value");
    return new View(fromBase64(first as string).buffer);
  }

  /** Of the class that it was, where the language has that; one with a code is an error of the API. */
  function revivedError(error: WireError): Error {
    const made = error.code === undefined
      ? new (ERRORS[error.name] ?? GuestError)(error.message)
      : kit.fromWire(error, error.stack);
    const hide = (name: string, value: unknown) =>
      defineProperty(made, name, { value, writable: true, enumerable: false, configurable: true });
    if (made.name !== error.name) hide("name", error.name);
    hide("stack", error.stack ?? `${error.name}: ${error.message}`);
    return made;
  }

  function collection(type: "object" | "map" | "set", entries: readonly unknown[]): unknown {
    const object: Record<string, unknown> = {};
    const map = new GuestMap();
    const set = new GuestSet();
    for (let index = 0; index < entries.length; index++) {
      const entry = entries[index] as readonly [unknown, unknown];
      if (type === "set") setAdd(set, revive(entry));
      else if (type === "map") mapSet(map, revive(entry[0]), revive(entry[1]));
      else put(object, entry[0] as string, revive(entry[1]));
    }
    return type === "set" ? set : type === "map" ? map : object;
  }

  function toUtf8(value: string): TypedArray {
    const bytes = new Bytes(value.length * 3);
    let at = 0;
    for (let index = 0; index < value.length; index++) {
      let code = charCodeAt(value, index);
      if (code < 0x80) {
        bytes[at++] = code;
        continue;
      }
      if (code >= 0xd800 && code < 0xe000) {
        const next = index + 1 < value.length ? charCodeAt(value, index + 1) : 0;
        if (code < 0xdc00 && next >= 0xdc00 && next < 0xe000) {
          code = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00);
          index++;
        } else code = 0xfffd;
      }
      if (code < 0x800) bytes[at++] = 0xc0 | (code >> 6);
      else {
        if (code < 0x10000) bytes[at++] = 0xe0 | (code >> 12);
        else {
          bytes[at++] = 0xf0 | (code >> 18);
          bytes[at++] = 0x80 | ((code >> 12) & 63);
        }
        bytes[at++] = 0x80 | ((code >> 6) & 63);
      }
      bytes[at++] = 0x80 | (code & 63);
    }
    return slice(bytes, 0, at);
  }
  const slice = uncurry(
    Uint8Array.prototype.slice as (this: unknown, from: number, to: number) => TypedArray,
  );

  kit.toBase64 = toBase64;
  kit.fromBase64 = fromBase64;
  kit.toUtf8 = toUtf8;
  kit.encode = (value) => text(value, "value", { above: new GuestSet(), length: 0 }, 0);
  kit.decode = (encoded) => revive(parse(encoded));
}
