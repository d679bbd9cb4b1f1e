import type { Kit } from "./kit.ts";

/** Parts of a URL, in the order that the bridge gives them in. */
interface UrlState {
  parts: readonly string[];
  readonly params: object;
}

/** URL and URLSearchParams, as the URL standard has them. URLs are read by the runtime's own reader, text in, text out. */
export function urls(kit: Kit): void {
  const { uncurry, bridge } = kit;
  const { parse } = JSON;
  const { defineProperty } = Object;
  const Weak = WeakMap;
  const weakGet = uncurry(WeakMap.prototype.get) as <V>(
    map: WeakMap<object, V>,
    key: object,
  ) => V | undefined;
  const weakSet = uncurry(WeakMap.prototype.set) as <V>(
    map: WeakMap<object, V>,
    key: object,
    value: V,
  ) => unknown;
  const split = uncurry(String.prototype.split as (this: string, separator: string) => string[]);
  const indexOf = uncurry(String.prototype.indexOf);
  const slice = uncurry(String.prototype.slice);
  const fromCharCode = String.fromCharCode;
  const toWellFormed = uncurry(String.prototype.toWellFormed as (this: string) => string);
  const iteratorOf = Symbol.iterator;
  const HEX = "0123456789ABCDEF";
  const states = new Weak<object, UrlState>();
  const lists = new Weak<object, { pairs: [string, string][]; readonly changed: (() => void) | undefined }>();
  const { decode } = kit.global.TextDecoder
    ? (kit.global.TextDecoder as typeof TextDecoder).prototype
    : { decode: () => "" };
  const decodeText = uncurry(decode as (this: unknown, bytes: Uint8Array) => string);
  const decoder = new (kit.global.TextDecoder as typeof TextDecoder)("utf-8", { ignoreBOM: true });
  const Bytes = Uint8Array;
  let inner: [string, string][] | undefined;
  let owner: (() => void) | undefined;

  /** application/x-www-form-urlencoded, both ways. */
  function escape(text: string): string {
    const bytes = kit.toUtf8(text);
    let made = "";
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index] ?? 0;
      const plain = (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) ||
        byte === 42 || byte === 45 || byte === 46 || byte === 95;
      made += plain ? fromCharCode(byte) : byte === 32 ? "+" : `%${HEX[byte >> 4]}${HEX[byte & 15]}`;
    }
    return made;
  }

  function digit(code: number): number {
    if (code >= 48 && code <= 57) return code - 48;
    const lower = code | 32;
    return lower >= 97 && lower <= 102 ? lower - 87 : -1;
  }

  function unescape(text: string): string {
    if (indexOf(text, "%") < 0 && indexOf(text, "+") < 0) return text;
    const source = kit.toUtf8(text);
    const bytes = new Bytes(source.length);
    let at = 0;
    for (let index = 0; index < source.length; index++) {
      const byte = source[index] ?? 0;
      const high = byte === 37 ? digit(source[index + 1] ?? 0) : -1;
      const low = byte === 37 ? digit(source[index + 2] ?? 0) : -1;
      if (high >= 0 && low >= 0) {
        bytes[at++] = high * 16 + low;
        index += 2;
      } else bytes[at++] = byte === 43 ? 32 : byte;
    }
    return decodeText(decoder, new Bytes(bytes.buffer, 0, at));
  }

  function parseQuery(text: string): [string, string][] {
    const pairs: [string, string][] = [];
    const pieces = split(text, "&");
    for (let index = 0; index < pieces.length; index++) {
      const piece = pieces[index] ?? "";
      if (piece === "") continue;
      const equals = indexOf(piece, "=");
      pairs[pairs.length] = equals < 0
        ? [unescape(piece), ""]
        : [unescape(slice(piece, 0, equals)), unescape(slice(piece, equals + 1))];
    }
    return pairs;
  }

  function textOf(pairs: readonly [string, string][]): string {
    let made = "";
    for (let index = 0; index < pairs.length; index++) {
      const [name, value] = pairs[index] ?? ["", ""];
      made += `${index === 0 ? "" : "&"}${escape(name)}=${escape(value)}`;
    }
    return made;
  }

  function listOf(params: object) {
    const list = weakGet(lists, params);
    if (!list) throw new TypeError("Illegal invocation: not a URLSearchParams");
    return list;
  }

  function scalar(value: unknown): string {
    return toWellFormed(`${value}`);
  }

  function pairsOf(init: unknown): [string, string][] {
    if (init === undefined) return [];
    if (typeof init !== "object" || init === null) {
      const text = scalar(init);
      return parseQuery(text[0] === "?" ? slice(text, 1) : text);
    }
    const pairs: [string, string][] = [];
    if (typeof (init as Iterable<unknown>)[Symbol.iterator] === "function") {
      for (const entry of init as Iterable<Iterable<unknown>>) {
        const both = [...entry];
        if (both.length !== 2) throw new TypeError("Each entry of a URLSearchParams is a name and a value");
        pairs[pairs.length] = [scalar(both[0]), scalar(both[1])];
      }
      return pairs;
    }
    for (const name of Object.keys(init)) {
      pairs[pairs.length] = [scalar(name), scalar((init as Record<string, unknown>)[name])];
    }
    return pairs;
  }

  function filtered(pairs: readonly [string, string][], keep: (pair: [string, string]) => boolean) {
    const left: [string, string][] = [];
    for (let index = 0; index < pairs.length; index++) {
      const pair = pairs[index];
      if (pair && keep(pair)) left[left.length] = pair;
    }
    return left;
  }

  class URLSearchParams {
    constructor(init?: unknown) {
      const pairs = inner ?? pairsOf(init);
      const changed = owner;
      inner = undefined;
      owner = undefined;
      weakSet(lists, this, { pairs, changed });
    }
    get size(): number {
      return listOf(this).pairs.length;
    }
    append(name: unknown, value: unknown): void {
      const list = listOf(this);
      list.pairs[list.pairs.length] = [scalar(name), scalar(value)];
      list.changed?.();
    }
    delete(name: unknown, value?: unknown): void {
      const list = listOf(this);
      const [key, only] = [scalar(name), value === undefined ? undefined : scalar(value)];
      list.pairs = filtered(
        list.pairs,
        (pair) => pair[0] !== key || (only !== undefined && pair[1] !== only),
      );
      list.changed?.();
    }
    get(name: unknown): string | null {
      const key = scalar(name);
      return filtered(listOf(this).pairs, (pair) => pair[0] === key)[0]?.[1] ?? null;
    }
    getAll(name: unknown): string[] {
      const key = scalar(name);
      const found = filtered(listOf(this).pairs, (pair) => pair[0] === key);
      const values: string[] = [];
      for (let index = 0; index < found.length; index++) values[index] = found[index]?.[1] ?? "";
      return values;
    }
    has(name: unknown, value?: unknown): boolean {
      const [key, only] = [scalar(name), value === undefined ? undefined : scalar(value)];
      return filtered(
        listOf(this).pairs,
        (pair) => pair[0] === key && (only === undefined || pair[1] === only),
      ).length > 0;
    }
    set(name: unknown, value: unknown): void {
      const list = listOf(this);
      const key = scalar(name);
      let first = true;
      const left = filtered(list.pairs, (pair) => {
        if (pair[0] !== key) return true;
        if (!first) return false;
        first = false;
        pair[1] = scalar(value);
        return true;
      });
      if (first) left[left.length] = [key, scalar(value)];
      list.pairs = left;
      list.changed?.();
    }
    sort(): void {
      const list = listOf(this);
      const { pairs } = list;
      // Stable, by UTF-16 units.
      for (let index = 1; index < pairs.length; index++) {
        const pair = pairs[index] ?? ["", ""];
        let at = index;
        for (; at > 0 && (pairs[at - 1]?.[0] ?? "") > pair[0]; at--) pairs[at] = pairs[at - 1] ?? ["", ""];
        pairs[at] = pair;
      }
      list.changed?.();
    }
    forEach(run: (value: string, name: string, params: unknown) => void, self?: unknown): void {
      const list = listOf(this);
      for (let index = 0; index < list.pairs.length; index++) {
        const [name, value] = list.pairs[index] ?? ["", ""];
        Reflect.apply(run, self, [value, name, this]);
      }
    }
    *entries(): Generator<[string, string]> {
      const list = listOf(this);
      for (let index = 0; index < list.pairs.length; index++) {
        const [name, value] = list.pairs[index] ?? ["", ""];
        yield [name, value];
      }
    }
    *keys(): Generator<string> {
      const list = listOf(this);
      for (let index = 0; index < list.pairs.length; index++) yield list.pairs[index]?.[0] ?? "";
    }
    *values(): Generator<string> {
      const list = listOf(this);
      for (let index = 0; index < list.pairs.length; index++) yield list.pairs[index]?.[1] ?? "";
    }
    toString(): string {
      return textOf(listOf(this).pairs);
    }
    get [Symbol.toStringTag]() {
      return "URLSearchParams";
    }
  }
  defineProperty(URLSearchParams.prototype, iteratorOf, {
    value: URLSearchParams.prototype.entries,
    writable: true,
    configurable: true,
  });

  const NAMES = [
    "href",
    "origin",
    "protocol",
    "username",
    "password",
    "host",
    "hostname",
    "port",
    "pathname",
  ];
  const SEARCH = 9;
  const HASH = 10;

  function stateOf(url: object): UrlState {
    const state = weakGet(states, url);
    if (!state) throw new TypeError("Illegal invocation: not a URL");
    return state;
  }

  function read(href: string, base: string, part = "", value = ""): readonly string[] | undefined {
    const text = bridge.url(href, base, part, value);
    return text === "" ? undefined : parse(text);
  }

  /** After one part was set. What cannot be is left as it was, but a whole `href`. */
  function update(url: object, part: string, value: unknown, query = true): void {
    const state = stateOf(url);
    const made = read(state.parts[0] ?? "", "", part, scalar(value));
    if (!made) {
      if (part === "href") throw new TypeError(`Invalid URL: '${value}'`);
      return;
    }
    state.parts = made;
    if (query && (part === "search" || part === "href")) {
      listOf(state.params).pairs = parseQuery(slice(made[SEARCH] ?? "", 1));
    }
  }

  class URL {
    constructor(href: unknown, base?: unknown) {
      if (arguments.length === 0) throw new TypeError("URL takes a text");
      const from = base === undefined ? "" : scalar(base);
      if (base !== undefined && from === "") throw new TypeError(`Invalid base URL: ''`);
      const parts = read(scalar(href), from);
      if (!parts) {
        throw new TypeError(`Invalid URL: '${href}'${base === undefined ? "" : ` with base '${base}'`}`);
      }
      inner = parseQuery(slice(parts[SEARCH] ?? "", 1));
      owner = () => update(this, "search", textOf(listOf(stateOf(this).params).pairs), false);
      weakSet(states, this, { parts, params: new URLSearchParams() });
    }
    static canParse(href: unknown, base?: unknown): boolean {
      return read(scalar(href), base === undefined ? "" : scalar(base)) !== undefined;
    }
    static parse(href: unknown, base?: unknown): URL | null {
      return URL.canParse(href, base) ? new URL(href, base) : null;
    }
    get search(): string {
      return stateOf(this).parts[SEARCH] ?? "";
    }
    set search(value: unknown) {
      update(this, "search", value);
    }
    get hash(): string {
      return stateOf(this).parts[HASH] ?? "";
    }
    set hash(value: unknown) {
      update(this, "hash", value);
    }
    get searchParams(): object {
      return stateOf(this).params;
    }
    toString(): string {
      return stateOf(this).parts[0] ?? "";
    }
    toJSON(): string {
      return stateOf(this).parts[0] ?? "";
    }
    get [Symbol.toStringTag]() {
      return "URL";
    }
  }
  for (let index = 0; index < NAMES.length; index++) {
    const name = NAMES[index] ?? "";
    defineProperty(URL.prototype, name, {
      configurable: true,
      enumerable: true,
      get(this: object): string {
        return stateOf(this).parts[index] ?? "";
      },
      ...(name === "origin" ? {} : {
        set(this: object, value: unknown): void {
          update(this, name, value);
        },
      }),
    });
  }

  kit.showAs(URL.prototype, (url) => {
    const { parts } = stateOf(url);
    const shown: Record<string, unknown> = {};
    for (let index = 0; index < NAMES.length; index++) shown[NAMES[index] ?? ""] = parts[index];
    shown.search = parts[SEARCH];
    shown.hash = parts[HASH];
    return shown;
  });
  kit.showAs(URLSearchParams.prototype, (params) => {
    const { pairs } = listOf(params);
    const shown: Record<string, unknown> = {};
    for (let index = 0; index < pairs.length; index++) {
      const [name, value] = pairs[index] ?? ["", ""];
      defineProperty(shown, name, { value, enumerable: true, configurable: true });
    }
    return shown;
  });
  kit.expose({ URL, URLSearchParams });
}
