import assert from "node:assert/strict";
import { createGuest, here } from "./_guest.ts";

Deno.test("parallel() keeps to its limit, and to the order of the items", async () => {
  const { api: { parallel } } = createGuest();
  const waiting: (() => void)[] = [];
  let most = 0;
  let running = 0;
  const work = parallel(new Set([0, 1, 2, 3, 4]), async (item, index) => {
    most = Math.max(most, ++running);
    await new Promise<void>((done) => waiting.push(done));
    running--;
    return [item, index];
  }, { limit: 2 });
  // The one that came last goes first.
  for (let i = 0; i < 5; i++) {
    while (waiting.length === 0) await Promise.resolve();
    waiting.pop()?.();
  }
  assert.deepEqual(here(await work), [0, 1, 2, 3, 4].map((n) => [n, n]));
  assert.equal(most, 2);
  assert.deepEqual(here(await parallel([], () => 1)), []);
  await assert.rejects(() => parallel([1], () => 1, { limit: 0 }), { name: "TypeError" });
});

Deno.test("parallel() rejects at the first failure, and begins nothing more", async () => {
  const { api: { parallel } } = createGuest();
  const begun: number[] = [];
  let fail: ((error: Error) => void) | undefined;
  const work = parallel([0, 1, 2, 3], (item) => {
    begun.push(item);
    return new Promise<void>((_, reject) => {
      if (item === 1) fail = reject;
    });
  }, { limit: 2 });
  fail?.(new Error("one"));
  await assert.rejects(work, { message: "one" });
  assert.deepEqual(begun, [0, 1]);
  const thrown = parallel([0, 1, 2], (item) => {
    begun.push(item);
    throw new Error("at once");
  });
  await assert.rejects(thrown, { message: "at once" });
  assert.deepEqual(begun, [0, 1, 0]);
});

Deno.test("parallel() begins nothing when the automation is to end", async () => {
  const guest = createGuest();
  guest.abort();
  await assert.rejects(() => guest.api.parallel([1], () => assert.fail("begun")), { code: "cancelled" });
});

Deno.test("retry() tries again, but never what was denied", async () => {
  const { api: { retry, PryxError } } = createGuest();
  const attempts: number[] = [];
  const flaky = (attempt: number) => {
    attempts.push(attempt);
    if (attempt < 3) throw new Error("not yet");
    return "there";
  };
  assert.equal(await retry(flaky, { delay: 0 }), "there");
  assert.deepEqual(attempts, [1, 2, 3]);
  await assert.rejects(() => retry(flaky, { delay: 0, times: 2 }), { message: "not yet" });
  await assert.rejects(() => retry(flaky, { delay: 0, when: () => false }), { message: "not yet" });
  assert.equal(attempts.length, 6);
  const Denied = PryxError as unknown as new (message: string, options: { code: string }) => Error;
  let times = 0;
  await assert.rejects(() =>
    retry(() => {
      times++;
      throw new Denied("no", { code: "denied" });
    }, { delay: 0 }), { code: "denied" });
  assert.equal(times, 1);
});

Deno.test("sleep() ends when its time has come, or the automation's", async () => {
  const guest = createGuest();
  const before = performance.now();
  await guest.api.sleep(20);
  assert.ok(performance.now() - before >= 15);
  const long = guest.api.sleep("30d");
  guest.abort();
  await assert.rejects(long, { code: "cancelled" });
  await assert.rejects(() => guest.api.sleep(0), { code: "cancelled" });
  for (const wrong of ["", "5", "5x", "-1s"]) {
    await assert.rejects(() => guest.api.sleep(wrong), { name: "TypeError" });
  }
  for (const wrong of [-1, NaN, Infinity]) {
    await assert.rejects(() => guest.api.sleep(wrong), { name: "TypeError" });
  }
});
