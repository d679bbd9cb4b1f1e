import type * as Api from "../api.d.ts";
import type { Calls } from "./asking.ts";
import type { Guest } from "./guest.ts";

/** Tests, and what they hold true. */
export function testingApi(guest: Guest, { _calls: calls }: { readonly _calls: Calls }) {
  const bodies = new Map<string, () => unknown>();
  type Difference = { readonly path: string; readonly actual: unknown; readonly expected: unknown };

  class AssertionError extends Error {}
  calls.named(AssertionError, "AssertionError");

  const fail = (message: string | undefined, why: string, below: (...args: never[]) => unknown): never => {
    const error = new AssertionError(message === undefined ? why : `${message}\n${why}`);
    throw calls.placed(error, calls.place(below));
  };

  const kindOf = (value: unknown) => Object.prototype.toString.call(value).slice(8, -1);
  const step = (key: unknown) => {
    if (typeof key === "string" && /^[A-Za-z_$][\w$]*$/.test(key)) return `.${key}`;
    return `[${typeof key === "string" ? JSON.stringify(key) : guest.inspect(key)}]`;
  };

  /** The first place where two values differ; undefined where they do not. `seen`: pairs that are being compared. */
  function differ(
    actual: unknown,
    expected: unknown,
    path = "",
    seen = new Map<unknown, Set<unknown>>(),
  ): Difference | undefined {
    const here = { path, actual, expected };
    if (actual === expected || (actual !== actual && expected !== expected)) return undefined;
    if (typeof actual !== "object" || typeof expected !== "object" || actual === null || expected === null) {
      return here;
    }
    const kind = kindOf(actual);
    if (kind !== kindOf(expected)) return here;
    const pairs = seen.get(actual) ?? new Set();
    if (pairs.has(expected)) return undefined;
    seen.set(actual, pairs.add(expected));

    if (kind === "Date" || kind === "Number" || kind === "String" || kind === "Boolean") {
      return differ((actual as Date).valueOf(), (expected as Date).valueOf()) && here;
    }
    if (kind === "RegExp") return String(actual) === String(expected) ? undefined : here;
    const bytes = calls.bytesOf(actual);
    const otherBytes = calls.bytesOf(expected);
    if (bytes !== undefined && otherBytes !== undefined) {
      if (bytes.length !== otherBytes.length) return here;
      const at = bytes.findIndex((byte, i) => byte !== otherBytes[i]);
      // NaN of a typed array has the same bytes; 0 and -0 have not.
      return at < 0 ? undefined : { path: `${path}[${at}]`, actual: bytes[at], expected: otherBytes[at] };
    }
    if (kind === "Map") {
      return differMaps(actual as Map<unknown, unknown>, expected as Map<unknown, unknown>, here, seen);
    }
    if (kind === "Set") return differSets(actual as Set<unknown>, expected as Set<unknown>, here, seen);
    if (Array.isArray(actual) && Array.isArray(expected) && actual.length !== expected.length) {
      const shorter = Math.min(actual.length, expected.length);
      for (let i = 0; i < shorter; i++) {
        const found = differ(actual[i], expected[i], path + step(i), seen);
        if (found) return found;
      }
      return { path: `${path}.length`, actual: actual.length, expected: expected.length };
    }
    if (kind === "Object" && madeBy(actual) !== madeBy(expected)) return here;
    return differObjects(actual, expected, here, seen);
  }

  /** What made an object, when that is a class: an object without a prototype is like any other. */
  function madeBy(value: object): unknown {
    const prototype = Object.getPrototypeOf(value);
    return prototype === null || Object.getPrototypeOf(prototype) === null ? null : prototype;
  }

  function differObjects(
    actual: object,
    expected: object,
    here: Difference,
    seen: Map<unknown, Set<unknown>>,
  ): Difference | undefined {
    const keysOf = (value: object): PropertyKey[] => [
      ...Object.keys(value),
      ...Object.getOwnPropertySymbols(value).filter((key) =>
        Object.prototype.propertyIsEnumerable.call(value, key)
      ),
      // Errors are told apart by these, which are not enumerable.
      ...(value instanceof Error ? ["name", "message", "cause"].filter((key) => key in value) : []),
    ];
    const keys = new Set([...keysOf(actual), ...keysOf(expected)]);
    for (const key of keys) {
      const path = here.path + step(typeof key === "symbol" ? key : String(key));
      const mine = Reflect.get(actual, key);
      const other = Reflect.get(expected, key);
      const found = differ(mine, other, Array.isArray(actual) ? `${here.path}[${String(key)}]` : path, seen);
      if (found) return found;
      if ((key in actual) !== (key in expected)) {
        return { ...here, path: `${path} (is there in one of them only)` };
      }
    }
    return undefined;
  }

  /** Whether they are equal, without a trace in `seen` when they are not. */
  function matches(actual: unknown, expected: unknown, seen: Map<unknown, Set<unknown>>): boolean {
    const copy = new Map([...seen].map(([key, pairs]) => [key, new Set(pairs)]));
    return differ(actual, expected, "", copy) === undefined;
  }

  function differMaps(
    actual: Map<unknown, unknown>,
    expected: Map<unknown, unknown>,
    here: Difference,
    seen: Map<unknown, Set<unknown>>,
  ): Difference | undefined {
    const left = new Map(expected);
    for (const [key, value] of actual) {
      const same = left.has(key) ? key : [...left.keys()].find((other) => matches(key, other, seen));
      if (!left.has(same)) return { path: here.path + step(key), actual: value, expected: undefined };
      const found = differ(value, left.get(same), here.path + step(key), seen);
      if (found) return found;
      left.delete(same);
    }
    for (const [key, value] of left) {
      return { path: here.path + step(key), actual: undefined, expected: value };
    }
    return undefined;
  }

  function differSets(
    actual: Set<unknown>,
    expected: Set<unknown>,
    here: Difference,
    seen: Map<unknown, Set<unknown>>,
  ): Difference | undefined {
    if (actual.size !== expected.size) return here;
    const left = new Set(expected);
    for (const value of actual) {
      const same = left.has(value)
        ? value
        : [...left].find((other) => typeof other === "object" && matches(value, other, seen));
      if (!left.delete(same)) return here;
    }
    return undefined;
  }

  const shown = (value: unknown) => {
    const text = typeof value === "string" ? JSON.stringify(value) : guest.inspect(value);
    return text.length > 2_000 ? `${text.slice(0, 2_000)}…` : text;
  };

  /** Two long texts as the lines where they part. */
  const textDifference = (actual: string, expected: string): string => {
    const mine = actual.split("\n");
    const other = expected.split("\n");
    const at = mine.findIndex((line, i) => line !== other[i]);
    const line = at < 0 ? mine.length : at;
    const of = (lines: readonly string[]) =>
      lines[line] === undefined ? "(ends)" : JSON.stringify(lines[line]);
    return `  line ${line + 1}\n  actual:   ${of(mine)}\n  expected: ${of(other)}`;
  };

  const describe = ({ path, actual, expected }: Difference): string => {
    const where = path === "" ? "" : `  at ${path}\n`;
    const texts = typeof actual === "string" && typeof expected === "string";
    if (texts && (actual + expected).includes("\n")) return where + textDifference(actual, expected);
    return `${where}  actual:   ${shown(actual)}\n  expected: ${shown(expected)}`;
  };

  function assert(condition: unknown, message?: string): asserts condition {
    if (!condition) {
      fail(undefined, message ?? `Expected something that holds, not ${shown(condition)}`, assert);
    }
  }

  function equal(actual: unknown, expected: unknown, message?: string): void {
    const found = differ(actual, expected);
    if (found) fail(message, `The values are not equal\n${describe(found)}`, equal);
  }

  function match(text: string, pattern: RegExp, message?: string): void {
    calls.text(text, "What assert.match() looks at");
    // A copy: one with the flag g goes on from where it was.
    if (!new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, "")).test(text)) {
      fail(message, `The text does not match ${pattern}\n  text: ${shown(text)}`, match);
    }
  }

  async function rejects(work: Promise<unknown> | (() => unknown), code?: string): Promise<unknown> {
    const place = calls.place(rejects);
    let value: unknown;
    try {
      value = await (typeof work === "function" ? work() : work);
    } catch (error) {
      const own = typeof error === "object" && error !== null
        ? (error as { code?: unknown }).code
        : undefined;
      if (code === undefined || own === code) return error;
      const why = `Expected an error with the code ${code}, not ${own ?? "one without"}: ${
        calls.message(error)
      }`;
      throw calls.placed(new AssertionError(why), place);
    }
    throw calls.placed(new AssertionError(`Expected an error, and got ${shown(value)}`), place);
  }

  function test(name: string, body: () => unknown): void {
    if (calls.text(name, "The name of a test").trim() === "") throw new TypeError("A test has a name");
    if (typeof body !== "function") throw new TypeError(`The test ${guest.inspect(name)} has no function`);
    if (bodies.has(name)) throw new TypeError(`There are two tests ${guest.inspect(name)}`);
    bodies.set(name, body);
    guest.registered.tests.push(name);
  }

  guest.handle("test", async ({ name }) => {
    const body = bodies.get(name);
    if (body === undefined) {
      throw new guest.PryxError(`There is no test ${guest.inspect(name)}`, { code: "not_found" });
    }
    await body();
    return null;
  });

  const all: typeof Api.assert = Object.assign(assert, { equal, match, rejects });
  return { test, assert: all } satisfies Pick<typeof Api, "test" | "assert">;
}
