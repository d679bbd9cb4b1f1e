import type { Kit } from "./kit.ts";

/** Values as people read them, much as Node and Deno print them. Bounded; runs no getter. */
export function inspect(kit: Kit): void {
  const { uncurry } = kit;
  const { getOwnPropertyDescriptor, getPrototypeOf, is, keys } = Object;
  const { ownKeys } = Reflect;
  const isArray = Array.isArray;
  const { stringify } = JSON;
  const toText = String;
  const getter = (prototype: object, name: PropertyKey) =>
    uncurry(Object.getOwnPropertyDescriptor(prototype, name)?.get as (this: unknown) => unknown);
  const timeOf = uncurry(Date.prototype.getTime as (this: unknown) => number);
  const isoOf = uncurry(Date.prototype.toISOString as (this: unknown) => string);
  const mapSize = getter(Map.prototype, "size") as (value: unknown) => number;
  const setSize = getter(Set.prototype, "size") as (value: unknown) => number;
  const eachOfMap = uncurry(
    Map.prototype.forEach as (this: unknown, run: (value: unknown, key: unknown) => void) => void,
  );
  const eachOfSet = uncurry(Set.prototype.forEach as (this: unknown, run: (value: unknown) => void) => void);
  const bufferLength = getter(ArrayBuffer.prototype, "byteLength");
  const typedTag = getter(getPrototypeOf(Uint8Array.prototype) as object, Symbol.toStringTag);
  const regexpSource = getter(RegExp.prototype, "source");
  const regexpFlags = getter(RegExp.prototype, "flags");
  const weakMapHas = uncurry(WeakMap.prototype.has as (this: unknown, key: object) => boolean);
  const weakSetHas = uncurry(WeakSet.prototype.has as (this: unknown, key: object) => boolean);
  const isView = ArrayBuffer.isView;
  const functionText = uncurry(Function.prototype.toString as (this: unknown) => string);
  const symbolText = uncurry(Symbol.prototype.toString as (this: symbol) => string);
  const bigintText = uncurry(BigInt.prototype.toString as (this: bigint) => string);
  const slice = uncurry(String.prototype.slice);
  const indexOf = uncurry(String.prototype.indexOf);
  const startsWith = uncurry(String.prototype.startsWith);
  const repeat = uncurry(String.prototype.repeat);
  const replaceAll = uncurry(
    String.prototype.replaceAll as (this: string, from: string, to: string) => string,
  );
  const exec = uncurry(RegExp.prototype.exec);
  const hasItem = uncurry(Set.prototype.has as (this: unknown, value: unknown) => boolean);
  const addItem = uncurry(Set.prototype.add as (this: unknown, value: unknown) => unknown);
  const dropItem = uncurry(Set.prototype.delete as (this: unknown, value: unknown) => boolean);
  const GuestSet = Set;
  const GuestError = Error;
  const GuestPromise = Promise;
  const ObjectPrototype = Object.prototype;
  const ArrayPrototype = Array.prototype;
  const LIMIT = { depth: 4, items: 100, width: 76, longest: 1_000_000, string: 10_000 };
  const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
  const INDEX = /^(0|[1-9]\d*)$/;

  type Shown = (value: object) => Record<string, unknown>;
  const shown = new WeakMap<object, Shown>();
  const weakGet = uncurry(WeakMap.prototype.get as (this: unknown, key: object) => Shown | undefined);
  const weakSet = uncurry(WeakMap.prototype.set as (this: unknown, key: object, value: Shown) => unknown);

  interface Work {
    readonly above: Set<unknown>;
    readonly depth: number;
    left: number;
  }

  function passes(check: (value: unknown) => unknown, value: unknown): boolean {
    try {
      check(value);
      return true;
    } catch {
      return false;
    }
  }

  function quoted(text: string): string {
    const cut = text.length > LIMIT.string;
    const shown = cut ? slice(text, 0, LIMIT.string) : text;
    const json = stringify(shown);
    const body = slice(json, 1, json.length - 1);
    const plain = replaceAll(body, '\\"', '"');
    const made = indexOf(shown, "'") < 0
      ? `'${plain}'`
      : indexOf(shown, '"') < 0
      ? `"${body}"`
      : `'${replaceAll(plain, "'", "\\'")}'`;
    return cut ? `${made}... ${text.length - LIMIT.string} more characters` : made;
  }

  function primitive(value: unknown): string | undefined {
    switch (typeof value) {
      case "string":
        return quoted(value);
      case "number":
        return is(value, -0) ? "-0" : `${value}`;
      case "bigint":
        return `${bigintText(value)}n`;
      case "symbol":
        return symbolText(value);
      case "undefined":
        return "undefined";
      case "boolean":
        return value ? "true" : "false";
    }
    return value === null ? "null" : undefined;
  }

  /** The name of the class that made it, as data; undefined for plain objects, null without a prototype. */
  function classOf(value: object): string | null | undefined {
    const prototype = getPrototypeOf(value);
    if (prototype === null) return null;
    if (prototype === ObjectPrototype || prototype === ArrayPrototype) return undefined;
    let at: object | null = prototype;
    for (let depth = 0; at !== null && depth < 20; depth++) {
      const made = getOwnPropertyDescriptor(at, "constructor")?.value;
      if (typeof made === "function") {
        const name = getOwnPropertyDescriptor(made, "name")?.value;
        if (typeof name === "string" && name !== "") return name === "Object" ? undefined : name;
      }
      at = getPrototypeOf(at);
    }
    return undefined;
  }

  function nameOf(value: object): string {
    const name = getOwnPropertyDescriptor(value, "name")?.value;
    return typeof name === "string" ? name : "";
  }

  function functionHead(value: object): string {
    const name = nameOf(value);
    if (startsWith(functionText(value), "class")) return `[class ${name === "" ? "(anonymous)" : name}]`;
    return name === "" ? "[Function (anonymous)]" : `[Function: ${name}]`;
  }

  function keyText(key: PropertyKey): string {
    if (typeof key === "symbol") return `[${symbolText(key)}]`;
    const name = toText(key);
    return exec(IDENTIFIER, name) ? name : quoted(name);
  }

  function memberText(value: object, key: PropertyKey, work: Work, level: number): string | undefined {
    const found = getOwnPropertyDescriptor(value, key);
    if (!found || !found.enumerable) return undefined;
    const shown = found.get
      ? found.set ? "[Getter/Setter]" : "[Getter]"
      : found.set
      ? "[Setter]"
      : show(found.value, work, level);
    return `${keyText(key)}: ${shown}`;
  }

  /** Own members that are not items of a list. */
  function members(value: object, list: boolean, work: Work, level: number): string[] {
    const shown: string[] = [];
    const all = ownKeys(value);
    let count = 0;
    for (let index = 0; index < all.length && work.left > 0; index++) {
      const key = all[index] as string | symbol;
      if (list && typeof key === "string" && exec(INDEX, key)) continue;
      if (count++ >= LIMIT.items) {
        shown[shown.length] = `... ${all.length - index} more properties`;
        break;
      }
      const text = memberText(value, key, work, level);
      if (text !== undefined) shown[shown.length] = text;
    }
    return shown;
  }

  function items(list: ArrayLike<unknown> & object, work: Work, level: number): string[] {
    const shown: string[] = [];
    let holes = 0;
    const flush = () => {
      if (holes > 0) shown[shown.length] = `<${holes} empty item${holes === 1 ? "" : "s"}>`;
      holes = 0;
    };
    const length = list.length;
    for (let index = 0; index < length && work.left > 0; index++) {
      if (shown.length >= LIMIT.items) {
        flush();
        shown[shown.length] = `... ${length - index} more item${length - index === 1 ? "" : "s"}`;
        return shown;
      }
      const found = getOwnPropertyDescriptor(list, toText(index));
      if (!found) {
        holes++;
        if (index > 100_000) break;
        continue;
      }
      flush();
      shown[shown.length] = found.get ? "[Getter]" : show(found.value, work, level);
    }
    flush();
    return shown;
  }

  function wrap(head: string, open: string, parts: readonly string[], close: string, level: number): string {
    const before = head === "" ? "" : `${head} `;
    if (parts.length === 0) return `${before}${open}${close}`;
    let total = before.length + level * 2;
    let lines = false;
    for (let index = 0; index < parts.length; index++) {
      const part = parts[index] ?? "";
      total += part.length + 2;
      if (indexOf(part, "\n") >= 0) lines = true;
    }
    const indent = repeat("  ", level);
    if (!lines && total <= LIMIT.width) {
      let one = `${before}${open} `;
      for (let index = 0; index < parts.length; index++) one += `${index === 0 ? "" : ", "}${parts[index]}`;
      return `${one} ${close}`;
    }
    let many = `${before}${open}`;
    let width = LIMIT.width;
    for (let index = 0; index < parts.length; index++) {
      const part = parts[index] ?? "";
      const ends = index === parts.length - 1 ? "" : ",";
      // Short items of a list share lines.
      const joins = open === "[" && part.length <= 16 && width + part.length + 2 < LIMIT.width;
      many += joins ? ` ${part}${ends}` : `\n${indent}  ${part}${ends}`;
      width = open === "[" && part.length <= 16 ? (joins ? width : level * 2 + 2) + part.length + 2 : 1_000;
    }
    return `${many}\n${indent}${close}`;
  }

  function show(value: unknown, work: Work, level: number): string {
    const simple = primitive(value);
    if (simple !== undefined) {
      work.left -= simple.length;
      return simple;
    }
    if (work.left <= 0) return "...";
    if (hasItem(work.above, value)) return "[Circular]";
    if (work.above.size > 1_000) return "...";
    addItem(work.above, value);
    let text: string;
    try {
      text = showObject(value as object, work, level);
    } catch {
      text = "[not to be inspected]";
    }
    dropItem(work.above, value);
    work.left -= text.length > 200 ? 0 : text.length;
    return text;
  }

  function showObject(value: object, work: Work, level: number): string {
    const name = classOf(value);
    const prefix = name === null ? "[Object: null prototype]" : name ?? "";
    if (typeof value === "function") {
      const own = level >= work.depth ? [] : members(value, false, work, level + 1);
      return own.length === 0 ? functionHead(value) : wrap(functionHead(value), "{", own, "}", level);
    }
    if (value instanceof GuestError) return showError(value, work, level);
    if (level > work.depth) return isArray(value) ? "[Array]" : `[${name ?? "Object"}]`;
    if (isArray(value)) {
      const parts = items(value, work, level + 1);
      const more = members(value, true, work, level + 1);
      for (let index = 0; index < more.length; index++) parts[parts.length] = more[index] ?? "";
      return wrap(
        name === undefined || name === null ? "" : `${name}(${value.length})`,
        "[",
        parts,
        "]",
        level,
      );
    }
    const special = showSpecial(value, prefix, work, level);
    if (special !== undefined) return special;
    const tag = getOwnPropertyDescriptor(getPrototypeOf(value) ?? {}, Symbol.toStringTag)?.value;
    const head = typeof tag === "string" && tag !== prefix
      ? `${prefix === "" ? "Object" : prefix} [${tag}]`
      : prefix;
    return wrap(head, "{", members(value, false, work, level + 1), "}", level);
  }

  function showSpecial(value: object, prefix: string, work: Work, level: number): string | undefined {
    const prototype = getPrototypeOf(value);
    if (prototype === ObjectPrototype || prototype === null) return undefined;
    for (let at: object | null = prototype, up = 0; at !== null && up < 20; at = getPrototypeOf(at), up++) {
      const own = weakGet(shown, at);
      if (own) return wrap(prefix, "{", members(own(value), false, work, level + 1), "}", level);
    }
    if (isView(value)) {
      const tag = typedTag(value);
      if (tag === undefined) return `DataView { byteLength: ${value.byteLength} }`;
      const list = value as Uint8Array;
      return wrap(`${prefix}(${list.length})`, "[", items(list, work, level + 1), "]", level);
    }
    if (passes(timeOf, value)) return timeOf(value) === timeOf(value) ? isoOf(value) : "Invalid Date";
    if (passes(mapSize, value)) {
      const parts: string[] = [];
      eachOfMap(value, (item, key) => {
        if (parts.length >= LIMIT.items || work.left <= 0) return;
        parts[parts.length] = `${show(key, work, level + 1)} => ${show(item, work, level + 1)}`;
      });
      const more = mapSize(value) - parts.length;
      if (more > 0) parts[parts.length] = `... ${more} more items`;
      return wrap(`${prefix}(${mapSize(value)})`, "{", parts, "}", level);
    }
    if (passes(setSize, value)) {
      const parts: string[] = [];
      eachOfSet(value, (item) => {
        if (parts.length < LIMIT.items && work.left > 0) parts[parts.length] = show(item, work, level + 1);
      });
      const more = setSize(value) - parts.length;
      if (more > 0) parts[parts.length] = `... ${more} more items`;
      return wrap(`${prefix}(${setSize(value)})`, "{", parts, "}", level);
    }
    if (value instanceof RegExp && passes(regexpSource, value)) {
      return `/${regexpSource(value)}/${regexpFlags(value)}`;
    }
    if (passes(bufferLength, value)) return `ArrayBuffer { byteLength: ${bufferLength(value)} }`;
    if (value instanceof GuestPromise) return "Promise {}";
    if (passes((it) => weakMapHas(it, value), value)) return "WeakMap { <items unknown> }";
    if (passes((it) => weakSetHas(it, value), value)) return "WeakSet { <items unknown> }";
    return undefined;
  }

  function showError(value: Error, work: Work, level: number): string {
    const told = kit.describe(value);
    const head = told.message === "" ? told.name : `${told.name}: ${told.message}`;
    let text = told.stack ?? (level > 0 ? `[${head}]` : head);
    const indent = repeat("  ", level);
    if (level > 0) text = replaceAll(text, "\n", `\n${indent}`);
    const cause = getOwnPropertyDescriptor(value, "cause");
    if (cause && "value" in cause && level < work.depth) {
      text += `\n${indent}  [cause]: ${show(cause.value, work, level + 1)}`;
    }
    const names = keys(value);
    const own: string[] = [];
    for (let index = 0; index < names.length && index < LIMIT.items; index++) {
      const shown = memberText(value, names[index] ?? "", work, level + 1);
      if (shown !== undefined) own[own.length] = shown;
    }
    return own.length === 0 ? text : wrap(text, "{", own, "}", level);
  }

  function formatted(template: string, values: readonly unknown[]): { text: string; used: number } {
    let text = "";
    let used = 1;
    let from = 0;
    for (let index = 0; index < template.length - 1; index++) {
      if (template[index] !== "%") continue;
      const kind = template[index + 1];
      if (kind !== "%" && (used >= values.length || kind === undefined || indexOf("sdifoOjc", kind) < 0)) {
        continue;
      }
      text += slice(template, from, index);
      if (kind === "%") text += "%";
      else text += placed(kind, values[used++]);
      index++;
      from = index + 1;
    }
    return { text: text + slice(template, from), used };
  }

  function placed(kind: string, value: unknown): string {
    switch (kind) {
      case "s":
        return typeof value === "string" ? value : kit.inspect(value, { depth: 1 });
      case "d":
        return typeof value === "bigint"
          ? `${bigintText(value)}n`
          : typeof value === "object"
          ? "NaN"
          : `${Number(value)}`;
      case "i":
        return typeof value === "object" || typeof value === "symbol"
          ? "NaN"
          : `${parseInt(toText(value), 10)}`;
      case "f":
        return typeof value === "object" || typeof value === "symbol"
          ? "NaN"
          : `${parseFloat(toText(value))}`;
      case "j":
        try {
          return stringify(value) ?? "undefined";
        } catch {
          return "[Circular]";
        }
      case "c":
        return "";
    }
    return kit.inspect(value);
  }

  kit.showAs = (prototype, of) => void weakSet(shown, prototype, of as Shown);
  kit.inspect = (value, options = {}) => {
    const depth = options.depth ?? LIMIT.depth;
    const text = show(value, { above: new GuestSet(), depth, left: LIMIT.longest }, 0);
    return text.length > LIMIT.longest * 2 ? `${slice(text, 0, LIMIT.longest * 2)}...` : text;
  };
  kit.format = (values) => {
    let text = "";
    let index = 0;
    const first = values[0];
    if (typeof first === "string") {
      const start = values.length > 1 ? formatted(first, values) : { text: first, used: 1 };
      text = start.text;
      index = start.used;
    }
    for (; index < values.length; index++) {
      const value = values[index];
      text += `${index === 0 ? "" : " "}${typeof value === "string" ? value : kit.inspect(value)}`;
    }
    return text;
  };
}
