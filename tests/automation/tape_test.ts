import assert from "node:assert/strict";
import { holdsTape, readTape } from "../../core/automation/tape.ts";
import { PryxError } from "../../core/domain/error.ts";
import { cassetteOf, DONE, END, START } from "./_tape.ts";

function problem(entries: readonly object[]): string {
  try {
    readTape(cassetteOf(entries), "tape.jsonl");
  } catch (error) {
    if (error instanceof PryxError && error.code === "input_invalid") return error.message;
    throw error;
  }
  return "none";
}

Deno.test("readTape() reads what an automation and its host said, and skips what others recorded", () => {
  const model = { kind: "model", key: "", request: {} };
  const tape = readTape(cassetteOf([START, model, DONE, { kind: "clock", at: 1 }, END]), "tape");
  assert.deepEqual(tape, { start: START, entries: [DONE, END] });
  assert.ok(holdsTape(cassetteOf([model, START])));
  assert.ok(!holdsTape(cassetteOf([model])));
});

Deno.test("readTape() stops at a second run in the same file", () => {
  assert.deepEqual(readTape(cassetteOf([START, DONE, END, START, DONE]), "tape").entries, [DONE, END]);
});

Deno.test("readTape() says which entry is not what a recording has", () => {
  assert.match(problem([]), /tape\.jsonl: it holds no run of an automation/);
  assert.match(problem([DONE, END]), /no run of an automation/);
  assert.match(problem([{ ...START, now: "tomorrow" }]), /entry 1: "tomorrow" is no time/);
  assert.match(problem([START, { kind: "reply", id: "1", at: 0, value: 1 }]), /entry 2 \(reply\): /);
  assert.match(problem([START, { kind: "call", id: 1 }]), /neither a tool's nor a method's/);
  assert.match(problem([START, { ...END, status: "fine" }]), /entry 2 \(end\): /);
  assert.equal(problem([START]), "none");
});
