import assert from "node:assert/strict";
import { type Asked, createGuest, here } from "./_guest.ts";

/** State as the host keeps it; `meddle` changes a key behind the automation's back, once. */
function store(meddle?: (values: Map<string, string>) => void) {
  const values = new Map<string, string>();
  return ({ method, params: { key, value, before, prefix } }: Asked) => {
    if (method === "state.get") {
      const text = values.get(key) ?? null;
      meddle?.(values);
      meddle = undefined;
      return text;
    }
    if (method === "state.set") return values.set(key, value) && null;
    if (method === "state.delete") return values.delete(key);
    if (method === "state.keys") return [...values.keys()].filter((name) => name.startsWith(prefix));
    if ((values.get(key) ?? null) !== before) return false;
    values.set(key, value);
    return true;
  };
}

Deno.test("state gives back what was set", async () => {
  const { api: { state } } = createGuest(store());
  assert.equal(await state.get("a"), undefined);
  await state.set("a", { deep: [1] });
  await state.set("b", 2);
  assert.deepEqual(here(await state.get("a")), { deep: [1] });
  assert.deepEqual(here(await state.keys()), ["a", "b"]);
  assert.deepEqual(here(await state.keys("b")), ["b"]);
  assert.equal(await state.delete("a"), true);
  assert.equal(await state.delete("a"), false);
  for (const key of ["", "x".repeat(513), 1 as unknown as string]) {
    await assert.rejects(() => state.set(key, 1), { name: "TypeError" });
  }
});

Deno.test("state.update() loses nothing, whoever else writes", async () => {
  const outside = createGuest(store((values) => values.set("n", '{"value":10}')));
  assert.equal(await outside.api.state.update<number>("n", (n = 0) => n + 1), 11);

  const { api: { state }, asked } = createGuest(store());
  const increments = Array.from({ length: 50 }, () => state.update<number>("n", (n = 0) => n + 1));
  const failed = state.update("n", () => {
    throw new Error("no");
  });
  await Promise.all(increments);
  await assert.rejects(failed, { message: "no" });
  assert.equal(await state.get("n"), 50);
  // Those of one automation wait for each other: none is tried twice.
  assert.equal(asked.filter(({ method }) => method === "state.swap").length, 50);
});

Deno.test("state.update() gives up when it can never win", async () => {
  const { api: { state } } = createGuest(({ method }) => method === "state.get" ? null : false);
  await assert.rejects(() => state.update("n", () => 1), { code: "conflict" });
});
