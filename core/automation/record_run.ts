import { API_VERSION, type LinkedGraph } from "../domain/automation.ts";
import type { Recording } from "../domain/cassette.ts";
import type { Json } from "../domain/schema.ts";
import { createPortable, SECRET_NAME, SESSION_NAME, TEMP_NAME } from "./_portable.ts";
import type { Tap } from "./conversation.ts";
import { holdPieces } from "./_pieces.ts";
import type { EndEntry, StartEntry, TapeEntry } from "./tape.ts";
import type { FromCell, LoadMessage, ToCell, WireError } from "./wire.ts";

export interface RecordRunOptions {
  readonly graph: LinkedGraph;
  readonly args: readonly string[];
  /** Absolute path of the folder that the person is in. */
  readonly cwd: string;
  /** The clock, milliseconds since 1970. */
  readonly now: () => number;
}

/** Writes down a run while it happens. */
export interface RunRecorder {
  /** What the cell begins with. */
  readonly fixed: NonNullable<LoadMessage["fixed"]>;
  /** The time that every message to the cell tells. */
  readonly clock: () => number;
  readonly tap: Tap;
  /** What the host printed by itself. */
  print(to: "stdout" | "stderr", text: string): void;
  /** Resolves when all of it is written; rejects with `io` when something could not be. */
  end(end: Omit<EndEntry, "kind">): Promise<void>;
}

/** Begins to record. Rejects with `conflict` or `io` before anything is run. */
export async function recordRun(recording: Recording, options: RecordRunOptions): Promise<RunRecorder> {
  const { graph, args, cwd, now } = options;
  const portable = createPortable(recording);
  const started = now();
  // The same in every recording of the file, so that two of them differ in nothing but what happened.
  const fixed = { now: started, seed: graph.entry };
  let latest = 0;
  let failure: unknown;
  const methods = new Map<number, string>();

  const append = (entry: StartEntry | TapeEntry) => {
    recording.append(entry).catch((error) => failure ??= error);
  };
  const pieces = holdPieces(recording.redact);
  const write = (entry: TapeEntry) => {
    for (const one of pieces.add(entry)) append(portable(one));
  };

  await recording.begin();
  append({
    kind: "automation",
    file: graph.entry,
    graph: graph.hash,
    api: API_VERSION,
    ...(graph.permissions === undefined ? {} : { permissions: graph.permissions }),
    args: portable(args),
    ...(cwd === graph.root ? {} : { cwd: portable(cwd) }),
    now: new Date(started).toISOString(),
    seed: fixed.seed,
    ...(graph.test ? { test: true } : {}),
  });

  const tap: Tap = (direction, message) => {
    if (direction === "from") {
      if (message.t === "call") methods.set(message.id, message.method);
      const entry = fromCell(message);
      if (entry) write(entry);
      return;
    }
    if (message.t === "reply" && message.ok) remember(methods.get(message.id), message.value);
    const entry = toCell(message, (message.now ?? started) - started);
    if (entry) write(entry);
  };

  /** Names that are made anew in every run. */
  function remember(method: string | undefined, value: unknown): void {
    if (method === "ask" && typeof value === "object" && value !== null && "session" in value) {
      portable.rename(String(value.session), SESSION_NAME);
    }
    if (method === "secret") portable.rename(String(value), SECRET_NAME);
    if (method === "temp") portable.rename(String(value), TEMP_NAME);
  }

  return {
    fixed,
    clock: () => started + (latest = Math.max(latest, now() - started)),
    tap,
    print: (to, text) => write({ kind: "print", to, text }),
    async end(end) {
      write({ kind: "end", ...end });
      await recording.settled();
      if (failure !== undefined) throw failure;
    },
  };
}

/** What a cell said, as a tape keeps it; undefined for what no replay needs. */
export function fromCell(message: FromCell): TapeEntry | undefined {
  switch (message.t) {
    case "ready":
      return undefined;
    case "call": {
      const { id, method, params } = message;
      const { name, args, show, stream } = (method === "tool" ? params : {}) as Partial<ToolParams>;
      if (typeof name !== "string") return { kind: "call", id, method, params: params as Json ?? null };
      return {
        kind: "call",
        id,
        tool: name,
        args: args ?? {},
        ...(show ? { show } : {}),
        ...(stream ? { stream } : {}),
      };
    }
    case "cancel":
      return { kind: "cancel", id: message.id };
    case "say":
      return { kind: "say", to: message.to, text: message.text };
    case "reply":
      return { kind: "returned", id: message.id, ...outcome(message) };
    case "done":
      return { kind: "done", registered: message.registered };
    case "failed":
      return { kind: "failed", error: message.error };
  }
}

interface ToolParams {
  readonly name: string;
  readonly args: Json;
  readonly show: boolean;
  readonly stream: boolean;
}

/** The same for what it was told. `at`: milliseconds since the start. */
export function toCell(message: ToCell, at: number): TapeEntry | undefined {
  switch (message.t) {
    case "load":
      return undefined;
    case "reply":
      return { kind: "reply", id: message.id, at, ...outcome(message) };
    case "event":
      return { kind: "event", id: message.id, at, value: message.value as Json };
    case "call":
      return { kind: "invoke", id: message.id, at, name: message.name, params: message.params as Json };
    case "abort":
      return { kind: "abort", at, reason: message.reason };
  }
}

function outcome(
  message: { readonly ok: true; readonly value?: unknown } | {
    readonly ok: false;
    readonly error: WireError;
  },
): { readonly value: Json } | { readonly error: WireError } {
  return message.ok ? { value: (message.value ?? null) as Json } : { error: message.error };
}
