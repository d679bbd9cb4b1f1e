import assert from "node:assert/strict";
import fc from "fast-check";
import { formatDuration, parseDuration } from "../../core/domain/duration.ts";

Deno.test("parseDuration() reads what people type", () => {
  for (
    const [text, ms] of [
      ["0", 0],
      ["90", 90_000],
      ["1.5", 1_500],
      ["500ms", 500],
      ["30s", 30_000],
      ["10m", 600_000],
      ["1h30m", 5_400_000],
      ["2d", 172_800_000],
      [" 1.5h ", 5_400_000],
    ] as const
  ) assert.equal(parseDuration(text), ms, text);
});

Deno.test("parseDuration() reads nothing else", () => {
  for (const text of ["", "soon", "-1", "1w", "10 m", "m", "1h30", "1.5.2", "1e3", "∞"]) {
    assert.equal(parseDuration(text), undefined, text);
  }
});

Deno.test("formatDuration() writes what parseDuration() reads back", () => {
  assert.equal(formatDuration(0), "0s");
  assert.equal(formatDuration(5_400_000), "1h30m");
  fc.assert(fc.property(fc.nat(10 ** 10), (ms) => parseDuration(formatDuration(ms)) === ms));
});
