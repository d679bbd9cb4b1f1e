import type { Kit } from "./kit.ts";

/** For a shell: expressions in a context that stays, and what stands behind a name. */
export function evaluate(kit: Kit): void {
  const { uncurry, bridge, global } = kit;
  const { getOwnPropertyDescriptor, getPrototypeOf, defineProperty, is } = Object;
  const { ownKeys } = Reflect;
  const GuestSet = Set;
  const GuestPromise = Promise;
  const then = uncurry(Promise.prototype.then) as (
    promise: Promise<unknown>,
    done: (value: unknown) => void,
    failed: (error: unknown) => void,
  ) => unknown;
  const setItem = uncurry(Map.prototype.set) as <K, V>(map: Map<K, V>, key: K, value: V) => unknown;
  const dropItem = uncurry(Map.prototype.delete) as <K, V>(map: Map<K, V>, key: K) => boolean;
  const eachItem = uncurry(Map.prototype.forEach) as <K, V>(map: Map<K, V>, run: (value: V) => void) => void;
  const clearItems = uncurry(Map.prototype.clear) as <K, V>(map: Map<K, V>) => void;
  const addItem = uncurry(Set.prototype.add as (this: unknown, value: unknown) => unknown);
  const hasItem = uncurry(Set.prototype.has as (this: unknown, value: unknown) => boolean);
  const ObjectPrototype = Object.prototype;
  const MOST = 2_000;
  const INDEX = /^(0|[1-9]\d*)$/;
  const exec = uncurry(RegExp.prototype.exec);

  /** Rejects an evaluation that is under way, by its number. */
  const running: Map<number, (error: unknown) => void> = new Map();
  let last = 0;
  /** What `_` was set to: a value that somebody else gave it stays. */
  let kept: unknown;

  function keep(name: string, value: unknown): void {
    defineProperty(global, name, { value, writable: true, enumerable: false, configurable: true });
  }

  function keepResult(value: unknown): void {
    if (value === undefined) return;
    const there = getOwnPropertyDescriptor(global, "_");
    if (there !== undefined && (there.get !== undefined || !is(there.value, kept))) return;
    kept = value;
    keep("_", value);
  }

  function importFor(specifier: string, names: readonly string[]): unknown {
    const found = kit.shellRequire(specifier) as object;
    for (let index = 0; index < names.length; index++) {
      const name = names[index] ?? "";
      if (memberOf(found, name) !== undefined || getOwnPropertyDescriptor(found, name)) continue;
      throw new SyntaxError(`"${specifier}" has no export "${name}"`);
    }
    return found;
  }

  kit.handle("evaluate", ({ code, name }) => {
    const run = bridge.evaluate(code, name ?? "shell");
    if (typeof run === "string") throw new SyntaxError(run);
    return new GuestPromise((resolve, reject) => {
      const id = ++last;
      setItem(running, id, reject);
      const done = (value: unknown) => {
        dropItem(running, id);
        // Shown by what may run a user's code, which may throw.
        try {
          const text = kit.inspect(value);
          keepResult(value);
          resolve({ __proto__: null, text, type: value === null ? "null" : typeof value } as {
            readonly text: string;
            readonly type: string;
          });
        } catch (error) {
          failed(error);
        }
      };
      const failed = (error: unknown) => {
        dropItem(running, id);
        keep("_error", error);
        reject(error);
      };
      then(run(global, (specifier, ...names) => importFor(specifier, names)), done, failed);
    });
  });

  kit.interrupt = (error) => {
    eachItem(running, (reject) => reject(error));
    clearItems(running);
  };

  // At a prompt the API is there without an import.
  kit.openShell = () => {
    const names = ownKeys(kit.api);
    for (let index = 0; index < names.length; index++) {
      const name = names[index] ?? "";
      if (name === "__esModule" || getOwnPropertyDescriptor(global, name)) continue;
      const found = getOwnPropertyDescriptor(kit.api, name);
      if (found?.get === undefined) keep(name as string, found?.value);
      else {
        defineProperty(global, name, {
          get: found.get,
          set: (value) => keep(name as string, value),
          enumerable: false,
          configurable: true,
        });
      }
    }
  };

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
