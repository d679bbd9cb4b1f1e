import type { ProgramCall, ProgramEnd, ProgramTurn, ToolCallOutcome } from "../api.ts";
import type { EventData } from "../domain/event.ts";
import { PryxError } from "../domain/error.ts";
import { newId, type TurnId } from "../domain/id.ts";
import { NO_USAGE } from "../domain/message.ts";
import type { Mandate } from "../domain/policy.ts";
import { callTool } from "./call_tool.ts";
import { askQuestion } from "./questions.ts";
import type { SessionParts } from "./session_parts.ts";

type End = Omit<EventData<"turn.ended">, "ms">;

/** From the abort of a turn to its end by force, milliseconds. */
const OVERDUE_MS = 3_000;

interface ProgramTurnOptions {
  readonly turn: TurnId;
  readonly signal: AbortSignal;
  readonly mandate?: Mandate;
  readonly attended: boolean;
  readonly approvalTimeoutMs: number;
  /** Stores the end, once everything that runs has stopped. */
  end(end: End): void;
  /** Aborts what runs. */
  stop(reason: PryxError): void;
}

/** A turn that a program drives: its calls go through the same decision as a model's, and may run side by side. */
export function openProgramTurn(parts: SessionParts, options: ProgramTurnOptions): ProgramTurn {
  const { turn, signal, mandate, attended, approvalTimeoutMs } = options;
  const unapproved = new Set<string>();
  const personOnly = new Set<string>();
  const running = new Set<Promise<unknown>>();
  let ending: Promise<void> | undefined;

  const track = <T>(work: Promise<T>): Promise<T> => {
    running.add(work);
    work.catch(() => {}).finally(() => running.delete(work));
    return work;
  };

  async function call(request: ProgramCall): Promise<ToolCallOutcome> {
    const { tool, args, onOutput, unseen } = request;
    const outcome = await callTool(parts, { id: "", name: tool, args: JSON.stringify(args ?? {}) }, {
      origin: "automation",
      turn,
      signal: request.signal ? AbortSignal.any([signal, request.signal]) : signal,
      attended,
      approvalTimeoutMs,
      ...(mandate ? { mandate } : {}),
      ...(onOutput ? { onOutput } : {}),
      ...(unseen ? { unseen } : {}),
    });
    outcome.unapproved.forEach((need) => unapproved.add(need));
    outcome.personOnly.forEach((ask) => personOnly.add(ask));
    const status = outcome.status === "interrupted" ? "cancelled" : outcome.status;
    return { ...outcome, status, session: parts.session };
  }

  // Whoever drives the turn ends it; pryx does not wait for ever for one that does not.
  let overdue: ReturnType<typeof setTimeout> | undefined;
  const onAbort = () => {
    if (!ending) overdue = setTimeout(() => void end({ status: "interrupted", text: "" }), OVERDUE_MS);
  };
  signal.addEventListener("abort", onAbort, { once: true });

  /** Ends it once; whoever comes later waits for the same end. */
  const end = (given: ProgramEnd): Promise<void> => ending ??= Promise.resolve().then(() => finish(given));

  async function finish(given: ProgramEnd): Promise<void> {
    const { status, text, error, usage = NO_USAGE, cost = 0, unanswered } = given;
    clearTimeout(overdue);
    signal.removeEventListener("abort", onAbort);
    options.stop(over());
    while (running.size > 0) await Promise.allSettled(running);
    unanswered?.unapproved.forEach((need) => unapproved.add(need));
    unanswered?.personOnly.forEach((ask) => personOnly.add(ask));
    options.end({
      status,
      text: parts.redact(text),
      ...(error ? { error } : {}),
      usage,
      cost,
      steps: 0,
      unapproved: [...unapproved],
      personOnly: [...personOnly],
    });
  }

  return {
    session: parts.session,
    turn,
    signal,
    attended,
    unanswered: () => ({ unapproved: [...unapproved], personOnly: [...personOnly] }),
    taints: () => [...new Set(parts.state.taint.map(({ source }) => source))],
    call: (request) => ending ? Promise.reject(over()) : track(call(request)),
    ask: (text, choices, preset) =>
      ending ? Promise.reject(over()) : track(askQuestion(parts, {
        turn,
        call: newId<string>(),
        ...(mandate ? { from: mandate.automation } : {}),
        text,
        signal,
        ...(choices ? { options: choices } : {}),
        ...(preset === undefined ? {} : { preset }),
      })),
    log(level, text, data) {
      if (ending) return;
      parts.append([{ type: "log", turn, data: { level, text, ...(data === undefined ? {} : { data }) } }]);
    },
    progress(progress) {
      if (ending) return;
      parts.live(turn, "progress", progress === null ? {} : { ...progress });
    },
    say(stream, text) {
      if (ending) return;
      parts.live(turn, "output", { stream, text: parts.redact(text) });
    },
    end,
    [Symbol.asyncDispose]: () => end({ status: "interrupted", text: "" }),
  } satisfies ProgramTurn;
}

/** Nothing of a turn comes behind its end: what its program still says is nobody's any more. */
function over(): PryxError {
  return new PryxError("cancelled", "The automation has ended");
}
