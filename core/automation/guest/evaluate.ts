import type { Kit } from "./kit.ts";

/** For a shell: expressions in a context that stays, and what stands behind a name. */
export function evaluate(kit: Kit): void {
  const { uncurry, bridge, global } = kit;
  const { getOwnPropertyDescriptor, getPrototypeOf, defineProperty } = Object;
  const { ownKeys } = Reflect;
  const GuestSet = Set;
  const addItem = uncurry(Set.prototype.add as (this: unknown, value: unknown) => unknown);
  const hasItem = uncurry(Set.prototype.has as (this: unknown, value: unknown) => boolean);
  const ObjectPrototype = Object.prototype;
  const MOST = 2_000;
  const INDEX = /^(0|[1-9]\d*)$/;
  const exec = uncurry(RegExp.prototype.exec);

  kit.handle("evaluate", async ({ code }) => {
    const run = bridge.evaluate(code);
    if (typeof run === "string") throw new SyntaxError(run);
    const value: unknown = await run(global, (specifier) => kit.shellRequire(specifier));
    defineProperty(global, "_", { value, writable: true, enumerable: false, configurable: true });
    return { text: kit.inspect(value), type: value === null ? "null" : typeof value };
  });

  /** A member that is data; undefined for getters, which are not run. */
  function memberOf(value: unknown, name: string): unknown {
    let at = boxed(value);
    for (let depth = 0; at !== null && depth < 100; depth++) {
      const found = getOwnPropertyDescriptor(at, name);
      if (found) return found.value;
      at = getPrototypeOf(at);
    }
    return undefined;
  }

  function boxed(value: unknown): object | null {
    if (value === null || value === undefined) return null;
    return typeof value === "object" || typeof value === "function" ? value : Object(value);
  }

  kit.handle("complete", ({ path }) => {
    let value: unknown = global;
    for (let index = 0; index < path.length; index++) {
      const name = path[index] ?? "";
      const found = memberOf(value, name);
      value = index === 0 && found === undefined ? memberOf(kit.api, name) : found;
    }
    const names: string[] = [];
    const seen = new GuestSet<string>();
    const add = (from: object | null, ends: object | null) => {
      for (let at = from, depth = 0; at !== null && depth < 100; at = getPrototypeOf(at), depth++) {
        // Members that everything has are last, and only where there is nothing else.
        if (at === ends && names.length > 0) return;
        const keys = ownKeys(at);
        for (let index = 0; index < keys.length && names.length < MOST; index++) {
          const key = keys[index];
          if (typeof key !== "string" || exec(INDEX, key) || hasItem(seen, key)) continue;
          addItem(seen, key);
          names[names.length] = key;
        }
      }
    };
    add(boxed(value), ObjectPrototype);
    if (path.length === 0) add(kit.api, null);
    return names;
  });
}
