import { readTape, type StartEntry, type Tape, type TapeEntry } from "../../core/automation/tape.ts";
import type { Cassette } from "../../core/domain/cassette.ts";

export const START: StartEntry = {
  kind: "automation",
  file: "job.pryx.ts",
  graph: "0",
  api: 1,
  args: [],
  now: "2026-01-02T03:04:05.000Z",
  seed: "job.pryx.ts",
};

export function cassetteOf(entries: readonly object[]): Cassette {
  const header = { v: 1, type: "cassette", createdAt: START.now } as const;
  return { header, entries: JSON.parse(JSON.stringify(entries)) };
}

/** A tape with these entries behind its start, checked as one from a file is. */
export function tapeOf(entries: readonly TapeEntry[], start: Partial<StartEntry> = {}): Tape {
  return readTape(cassetteOf([{ ...START, ...start }, ...entries]), "tape");
}

export const END: TapeEntry = { kind: "end", status: "done", exitCode: 0 };
export const DONE: TapeEntry = { kind: "done", registered: { triggers: [], tests: [] } };
