import { EVENT_VERSION, type EventData, type LiveType, type PryxEvent } from "../domain/event.ts";
import type { SessionId, TurnId } from "../domain/id.ts";
import type { Json } from "../domain/schema.ts";
import type { Shown } from "./play.ts";
import { markdownText } from "./replay_run.ts";

type Told = LiveType | "turn.started" | "turn.ended" | "log";

/** What a replay is called where events name a session. There is none: nothing of it is stored. */
const SESSION = "replay" as SessionId;
const TURN = "replay" as TurnId;

interface ReplayShow {
  /** Tells the surface of an event. */
  tell<T extends Told>(type: T, data: EventData<T>): void;
  /** Shows what the automation wants to be seen. */
  show(message: Shown): void;
  /** The clock of the replay, milliseconds since 1970. */
  now(): number;
  setNow(now: number): void;
  /** All of it until now. */
  readonly printed: { readonly stdout: string; readonly stderr: string };
}

/** Shows a replay on a surface as a run is shown, at the times of its recording. */
export function showReplay({ show, redact, started }: {
  show(event: PryxEvent): void;
  readonly redact: (text: string) => string;
  readonly started: number;
}): ReplayShow {
  let now = started;
  const printed = { stdout: "", stderr: "" };

  function tell<T extends Told>(type: T, data: EventData<T>): void {
    const at = new Date(now).toISOString();
    // What is told fits its type: the parameters say so.
    show({ v: EVENT_VERSION, seq: 0, session: SESSION, turn: TURN, at, type, data } as unknown as PryxEvent);
  }

  function output(stream: "stdout" | "stderr", text: string): void {
    const safe = redact(text);
    printed[stream] += safe;
    tell("output", { stream, text: safe });
  }

  return {
    tell,
    printed,
    now: () => now,
    setNow(next) {
      now = Math.max(now, next);
    },
    show(message) {
      switch (message.t) {
        case "say":
        case "print":
          return output(message.to, message.text);
        case "markdown":
          return output("stdout", markdownText(message.params));
        case "ran":
          return tell("output", { stream: "stderr", text: redact(commandText(message)) });
        // A hostile cell may send anything there: surfaces show what fits.
        case "log":
          return isLog(message.params) ? tell("log", message.params) : undefined;
        case "progress":
          return isObject(message.params)
            ? tell("progress", message.params)
            : message.params === null
            ? tell("progress", {})
            : undefined;
      }
    },
  };
}

/** A command line with what it wrote, as people saw it come. */
function commandText({ args, value }: { readonly args: Json; readonly value: Json }): string {
  const data = member(value, "data");
  return [`$ ${member(args, "command") ?? ""}\n`, member(data, "stdout"), member(data, "stderr")]
    .map((text) => typeof text === "string" ? text : "").join("");
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

const LEVELS: readonly unknown[] = ["debug", "info", "warn", "error"];

function isObject(value: unknown): value is EventData<"progress"> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isLog(value: unknown): value is EventData<"log"> {
  return typeof value === "object" && value !== null && "level" in value && LEVELS.includes(value.level) &&
    "text" in value && typeof value.text === "string";
}
