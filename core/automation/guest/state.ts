import type * as Api from "../api.d.ts";
import type { Calls } from "./asking.ts";
import type { Guest } from "./guest.ts";

/** Values that last. */
export function stateApi(guest: Guest, { _calls: calls }: { readonly _calls: Calls }) {
  const MAX_KEY = 512;
  const MAX_ATTEMPTS = 1_000;
  /** The last update of a key: those of this automation wait for each other instead of failing at each other. */
  const updates = new Map<string, Promise<unknown>>();

  const keyOf = (key: unknown): string => {
    const text = calls.text(key, "A key of state");
    if (text !== "" && text.length <= MAX_KEY) return text;
    throw new TypeError(`A key of state has 1 to ${MAX_KEY} characters, not ${text.length}`);
  };
  const decoded = <T>(text: string | null) =>
    (text === null ? undefined : guest.decode(text)) as T | undefined;

  async function swap<T>(key: string, change: (value: T | undefined) => T): Promise<T> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const before = await calls.call("state.get", { key });
      const value = await change(decoded<T>(before));
      if (await calls.call("state.swap", { key, before, value: guest.encode(value) })) return value;
    }
    throw new guest.PryxError(`Cannot update ${guest.inspect(key)}: something else changes it all the time`, {
      code: "conflict",
    });
  }

  const state: typeof Api.state = {
    async get<T>(key: string) {
      return decoded<T>(await calls.call("state.get", { key: keyOf(key) }));
    },
    async set(key, value) {
      await calls.call("state.set", { key: keyOf(key), value: guest.encode(value) });
    },
    async delete(key) {
      return await calls.call("state.delete", { key: keyOf(key) });
    },
    async keys(prefix = "") {
      return [...await calls.call("state.keys", { prefix: calls.text(prefix, "A prefix of keys") })];
    },
    async update(key, change) {
      if (typeof change !== "function") {
        throw new TypeError("state.update() takes a key and a function of its value");
      }
      const before = updates.get(keyOf(key)) ?? Promise.resolve();
      const work = before.then(() => swap(key, change));
      const over = work.then(() => {}, () => {});
      updates.set(key, over);
      try {
        return await work;
      } finally {
        if (updates.get(key) === over) updates.delete(key);
      }
    },
  };

  return { state } satisfies Pick<typeof Api, "state">;
}
