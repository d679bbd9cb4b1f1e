import type { ErrorJson } from "../api.ts";
import type { Permissions } from "../domain/automation.ts";
import type { Cassette } from "../domain/cassette.ts";
import { PryxError } from "../domain/error.ts";
import { describeProblems, type Json, type ObjectSchema, type Schema, validate } from "../domain/schema.ts";
import type { Registered, WireError } from "./wire.ts";

/**
 * What a cassette keeps of an automation's run: what it and its host said to each other, in order. An automation is a
 * function of what its host says, so that is all it takes to run it again. Texts are without secrets; folders, sessions
 * and temporary folders are names that are the same everywhere.
 */
export interface Tape {
  readonly start: StartEntry;
  readonly entries: readonly TapeEntry[];
}

/** How it began. */
export interface StartEntry {
  readonly kind: "automation";
  /** Path relative to the project's root. */
  readonly file: string;
  readonly graph: string;
  readonly api: number;
  readonly permissions?: Permissions;
  readonly args: readonly string[];
  /** The folder that the person was in, where that was not the project's root. */
  readonly cwd?: string;
  /** The clock's first reading, ISO 8601. All times after it are milliseconds since then. */
  readonly now: string;
  readonly seed: string;
  readonly test?: boolean;
}

type Outcome = { readonly value: Json } | { readonly error: WireError };
/** When the host said it: milliseconds since the start. */
type Timed = { readonly at: number };

/** From the automation. */
export type SaidByCell =
  | ToolEntry
  | { readonly kind: "call"; readonly id: number; readonly method: string; readonly params: Json }
  /** It no longer waits for that call. */
  | { readonly kind: "cancel"; readonly id: number }
  | { readonly kind: "say"; readonly to: "stdout" | "stderr"; readonly text: string }
  /** What its function gave back that the host had called. */
  | ({ readonly kind: "returned"; readonly id: number } & Outcome)
  | { readonly kind: "done"; readonly registered: Registered }
  | { readonly kind: "failed"; readonly error: WireError };

/** A call of a tool, the commonest. */
export interface ToolEntry {
  readonly kind: "call";
  readonly id: number;
  readonly tool: string;
  readonly args: Json;
  /** Absent: false. */
  readonly show?: boolean;
  readonly stream?: boolean;
}

/** From the host. */
export type SaidByHost =
  | ({ readonly kind: "reply"; readonly id: number } & Outcome & Timed)
  | ({ readonly kind: "event"; readonly id: number; readonly value: Json } & Timed)
  /** Calls a function of the automation: a tool of its own, a handler, a test. */
  | ({ readonly kind: "invoke"; readonly id: number; readonly name: string; readonly params: Json } & Timed)
  | ({ readonly kind: "abort"; readonly reason: string } & Timed);

export type TapeEntry =
  | SaidByCell
  | SaidByHost
  /** What the host printed by itself: how tests ended, what a handler answered. */
  | { readonly kind: "print"; readonly to: "stdout" | "stderr"; readonly text: string }
  | EndEntry;

/** The last entry, unless the recording was cut off. */
export interface EndEntry {
  readonly kind: "end";
  readonly status: "done" | "failed" | "cancelled";
  readonly exitCode: number;
  /** Absent where the automation itself failed: `failed` says how. */
  readonly error?: ErrorJson;
}

/** Methods that only show something. Nobody waits for their answers, and no run goes another way for them. */
export const SHOWS: ReadonlySet<string> = new Set(["log", "progress", "markdown"]);

export function isShown(entry: TapeEntry): boolean {
  return entry.kind === "say" || (entry.kind === "call" && "method" in entry && SHOWS.has(entry.method));
}

const text = { type: "string" } as const;
const whole = { type: "integer", minimum: 0 } as const;
const time = { type: "number", minimum: 0 } as const;
const yes = { type: "boolean" } as const;
const any = {} as const;
const names = { type: "array", items: text } as const;
const stream = { type: "string", enum: ["stdout", "stderr"] } as const;
const error = entry({ name: text, message: text }, { code: text, fix: text, stack: text, data: any });

/** Every kind of entry that a run is made of; others are somebody else's. */
const ENTRIES: Readonly<Record<string, ObjectSchema>> = {
  automation: entry(
    { file: text, graph: text, api: whole, args: names, now: text, seed: text },
    { permissions: { type: "object", properties: {}, additionalProperties: names }, cwd: text, test: yes },
  ),
  call: entry(
    { id: whole },
    { tool: text, args: any, show: yes, stream: yes, method: text, params: any },
  ),
  cancel: entry({ id: whole }),
  say: entry({ to: stream, text }),
  returned: entry({ id: whole }, { value: any, error }),
  done: entry({
    registered: entry({
      triggers: { type: "array", items: entry({ kind: text, name: text }) },
      tests: names,
    }),
  }),
  failed: entry({ error }),
  reply: entry({ id: whole, at: time }, { value: any, error }),
  event: entry({ id: whole, at: time, value: any }),
  invoke: entry({ id: whole, at: time, name: text, params: any }),
  abort: entry({ at: time, reason: text }),
  print: entry({ to: stream, text }),
  end: entry(
    { status: { type: "string", enum: ["done", "failed", "cancelled"] }, exitCode: whole },
    { error: entry({ code: text, message: text }, { fix: text }) },
  ),
};

function entry(
  required: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): ObjectSchema {
  return { type: "object", properties: { ...required, ...optional }, required: Object.keys(required) };
}

/** Whether a cassette holds a run of an automation. */
export function holdsTape({ entries }: Cassette): boolean {
  return entries.some(({ kind }) => kind === "automation");
}

/** The run of an automation in a cassette. Throws `input_invalid` where there is none, or one is not what it should be. */
export function readTape({ entries }: Cassette, name: string): Tape {
  const invalid = (problem: string) =>
    new PryxError("input_invalid", `Cannot replay ${name}: ${problem}`, {
      fix: "record it again with: pryx run --record FILE job.pryx.ts",
    });
  const own: (StartEntry | TapeEntry)[] = [];
  entries.forEach((one, index) => {
    const schema = Object.hasOwn(ENTRIES, one.kind) ? ENTRIES[one.kind] : undefined;
    if (schema === undefined) return;
    const { kind, ...rest } = one;
    const problems = describeProblems(validate(schema, rest));
    if (problems !== "") throw invalid(`entry ${index + 1} (${kind}): ${problems}`);
    if (kind === "call" && Object.hasOwn(one, "tool") === Object.hasOwn(one, "method")) {
      throw invalid(`entry ${index + 1} (call) is neither a tool's nor a method's`);
    }
    if (kind === "automation" && !Number.isFinite(Date.parse(String(one.now)))) {
      throw invalid(`entry ${index + 1}: "${one.now}" is no time`);
    }
    // The schema of a kind says what its type says.
    own.push(one as unknown as StartEntry | TapeEntry);
  });
  const [start, ...others] = own;
  if (start?.kind !== "automation") {
    throw invalid("it holds no run of an automation; the answers of a model alone are for --replay-model");
  }
  const next = others.findIndex(({ kind }) => kind === "automation");
  return { start, entries: (next < 0 ? others : others.slice(0, next)) as TapeEntry[] };
}
