import { canonicalJson } from "../domain/cassette.ts";
import { aroundDifference } from "../domain/difference.ts";
import type { Json } from "../domain/schema.ts";
import { type Portable, shownInReplay } from "./_portable.ts";
import { fromCell } from "./record_run.ts";
import { type EndEntry, isShown, type SaidByCell, type SaidByHost, SHOWS, type Tape } from "./tape.ts";
import type { FromCell, ToCell } from "./wire.ts";

/** What a recording says is next. */
export type Cue =
  | { readonly to: "cell"; readonly message: ToCell }
  /** Something to show, which decides nothing. */
  | { readonly to: "people"; readonly message: Shown }
  /** A call that was answered: what it did to files. */
  | { readonly to: "files"; readonly tool: string; readonly args: Json }
  /** The recording is over. Without `end`: it was cut off before it was. */
  | { readonly to: "end"; readonly end?: EndEntry };

/** What the automation shows, or the host printed for it. */
export type Shown =
  | Extract<FromCell, { t: "say" }>
  | { readonly t: "print"; readonly to: "stdout" | "stderr"; readonly text: string }
  /** A command whose output people were shown while it ran. */
  | { readonly t: "ran"; readonly args: Json; readonly value: Json }
  | { readonly t: "log" | "progress" | "markdown"; readonly params: unknown };

/** The first thing that is not as it was. */
export interface Difference {
  /** What was recorded, and what came instead, in one line each, cut to what differs. */
  readonly recorded: string;
  readonly now: string;
  /** Number of the automation's call, from 1, among those that are answered. */
  readonly number: number;
  /** The call that differs, to be told. */
  readonly call?: number;
}

/** One recording while it is played. Pure: cues and messages are values. */
export interface Player {
  /** What comes before the automation has said anything. */
  begin(): readonly Cue[];
  /** What follows from one message of the cell. */
  receive(message: FromCell): readonly Cue[] | Difference;
  /** What the recording waits for, in one line; undefined when it is over. */
  waitsFor(): string | undefined;
}

/**
 * Plays a tape to a cell. Each message of the host comes when all that the automation had said before it was said again.
 * What it asks for must be the same, in the same order; what it shows may be another.
 */
export function createPlayer(tape: Tape, portable: Portable): Player {
  const script = scriptOf(tape);
  const started = Date.parse(tape.start.now);
  /** Numbers of calls as they are now, by those of the recording, and the other way round. */
  const present = new Map<number, number>();
  const recorded = new Map<number, number>();
  const calls = new Map<number, SaidByCell>();
  let position = 0;
  let now = started;
  let count = 0;
  let over = false;

  /** Everything up to the next thing that the automation must say. */
  function advance(): Cue[] {
    const cues: Cue[] = [];
    for (; position < script.length; position++) {
      const entry = script[position];
      if (!entry || isOfCell(entry)) return cues;
      if (entry.kind === "end") {
        over = true;
        return [...cues, { to: "end", end: entry }];
      }
      if (entry.kind === "print") {
        const { to, text } = shownInReplay(entry);
        cues.push({ to: "people", message: { t: "print", to, text } });
        continue;
      }
      now = Math.max(now, started + entry.at);
      const made = calls.get("id" in entry ? entry.id : -1);
      if (entry.kind === "reply" && "value" in entry && made?.kind === "call" && "tool" in made) {
        const { tool, args } = shownInReplay(made);
        cues.push({ to: "files", tool, args });
        if (made.show) {
          cues.push({ to: "people", message: { t: "ran", args, value: shownInReplay(entry.value) } });
        }
      }
      cues.push({ to: "cell", message: { ...toWire(shownInReplay(entry), present), now } });
    }
    over = true;
    return [...cues, { to: "end" }];
  }

  function receive(message: FromCell): readonly Cue[] | Difference {
    if (message.t === "ready") return [];
    if (message.t === "say") return [{ to: "people", message }];
    if (message.t === "call" && SHOWS.has(message.method)) {
      const t = message.method as "log" | "progress" | "markdown";
      return [
        { to: "people", message: { t, params: message.params } },
        { to: "cell", message: { t: "reply", id: message.id, ok: true, value: null, now } },
      ];
    }
    if (message.t === "cancel" && !recorded.has(message.id)) return [];
    const said = portable(fromCell(message)) as SaidByCell;
    const expected = script[position];
    if (over) return [];
    if (said.kind === "call") count++;
    if (!expected || !isOfCell(expected) || !isSame(expected, said, recorded)) return differs(expected, said);
    if (said.kind === "call" && expected.kind === "call") {
      present.set(expected.id, said.id);
      recorded.set(said.id, expected.id);
      calls.set(expected.id, expected);
    }
    position++;
    return advance();
  }

  function differs(expected: SaidByCell | undefined | unknown, said: SaidByCell): Difference {
    const was = expected && isOfCell(expected as SaidByCell) ? describe(expected as SaidByCell) : "nothing";
    const [a, b] = aroundDifference(was, describe(said));
    return { recorded: a, now: b, number: count, ...(said.kind === "call" ? { call: said.id } : {}) };
  }

  return {
    begin: advance,
    receive,
    waitsFor() {
      const entry = script[position];
      return entry && isOfCell(entry) ? aroundDifference(describe(entry), "")[0] : undefined;
    },
  };
}

type Scripted = Exclude<Tape["entries"][number], { kind: "say" }>;

/** The tape without what only shows something, and what was said to that. */
function scriptOf({ entries }: Tape): Scripted[] {
  const shown = new Set<number>();
  return entries.filter((entry): entry is Scripted => {
    if (entry.kind === "call") {
      if (!isShown(entry)) shown.delete(entry.id);
      else shown.add(entry.id);
    }
    if (isShown(entry)) return false;
    return !((entry.kind === "reply" || entry.kind === "event" || entry.kind === "cancel") &&
      shown.has(entry.id));
  });
}

const CELL: ReadonlySet<string> = new Set(["call", "cancel", "returned", "done", "failed"]);

function isOfCell(entry: { readonly kind: string }): entry is Exclude<SaidByCell, { kind: "say" }> {
  return CELL.has(entry.kind);
}

function isSame(a: SaidByCell, b: SaidByCell, recorded: ReadonlyMap<number, number>): boolean {
  return identity(a) === identity(b.kind === "cancel" ? { ...b, id: recorded.get(b.id) ?? -1 } : b);
}

/** As much of what was said as counts. Numbers of calls are given anew in every run, and lines of a file move. */
function identity(entry: SaidByCell): string {
  switch (entry.kind) {
    case "call": {
      const { id: _, ...rest } = entry;
      return canonical("tool" in rest ? { ...rest, show: undefined } : rest);
    }
    case "returned":
      return canonical("error" in entry ? { ...entry, error: errorIdentity(entry.error) } : entry);
    case "failed":
      return canonical({ ...entry, error: errorIdentity(entry.error) });
    case "cancel":
    case "done":
    case "say":
      return canonical(entry);
  }
}

function errorIdentity({ name, message, code }: { name: string; message: string; code?: string }) {
  return { name, message, code };
}

function canonical(value: unknown): string {
  return canonicalJson(JSON.stringify(value));
}

function toWire(entry: SaidByHost, present: ReadonlyMap<number, number>): ToCell {
  switch (entry.kind) {
    case "reply": {
      const id = present.get(entry.id) ?? entry.id;
      return "error" in entry
        ? { t: "reply", id, ok: false, error: entry.error }
        : { t: "reply", id, ok: true, value: entry.value };
    }
    case "event":
      return { t: "event", id: present.get(entry.id) ?? entry.id, value: entry.value };
    case "invoke":
      return { t: "call", id: entry.id, name: entry.name as never, params: entry.params };
    case "abort":
      return { t: "abort", reason: entry.reason };
  }
}

/** What was said, on one line, as a person would write it down. */
export function describe(entry: SaidByCell): string {
  switch (entry.kind) {
    case "call":
      return describeCall(entry);
    case "cancel":
      return "it no longer waits for a call";
    case "say":
      return `prints ${JSON.stringify(entry.text)}`;
    case "returned":
      return "error" in entry
        ? `its function failed: ${entry.error.message}`
        : `its function returned ${JSON.stringify(entry.value)}`;
    case "done":
      return "the end of the automation";
    case "failed":
      return `it fails: ${entry.error.name}: ${entry.error.message}`;
  }
}

function describeCall(entry: SaidByCell & { readonly kind: "call" }): string {
  if (!("tool" in entry)) return `${entry.method}: ${canonical(entry.params)}`;
  const { tool, args } = entry;
  if (tool !== "sh" || typeof args !== "object" || args === null || !("command" in args)) {
    return `${tool}: ${canonical(args)}`;
  }
  const { command, ...rest } = args;
  return `sh: ${command}${Object.keys(rest).length === 0 ? "" : ` ${canonical(rest)}`}`;
}
