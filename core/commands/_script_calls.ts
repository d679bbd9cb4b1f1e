import type { EventOf, PryxEvent } from "../domain/event.ts";
import type { Need } from "../domain/need.ts";
import type { Json } from "../domain/schema.ts";

/** One thing that happened in a session, in order. */
export type ScriptStep =
  /** Something that was said: by a person, or by the agent. */
  | { readonly kind: "said"; readonly who: "person" | "agent"; readonly text: string }
  | RecordedCall
  /** A call that did nothing: denied, cancelled. */
  | { readonly kind: "undone"; readonly tool: string; readonly title: string; readonly why: string };

/** A call with what came of it. */
export interface RecordedCall {
  readonly kind: "call";
  readonly tool: string;
  readonly args: { readonly [name: string]: Json };
  readonly title: string;
  readonly failed: boolean;
  /** What the agent was told. */
  readonly text: string;
  /** False when that is not all of it. */
  readonly whole: boolean;
  readonly exitCode: number | null;
  /** Milliseconds. */
  readonly ms: number;
  /** What it needed and was allowed. */
  readonly needs: readonly Need[];
}

/** What an agent did in a session, and what was said in between. Calls of automations are left out: they have their file. */
export function stepsOf(events: Iterable<PryxEvent>): ScriptStep[] {
  const steps: ScriptStep[] = [];
  /** Where calls stand that have begun: they may end in another order. */
  const requested = new Map<string, { readonly event: EventOf<"tool.requested">; readonly at: number }>();
  const allowed = new Map<string, Need[]>();
  for (const event of events) {
    switch (event.type) {
      case "input":
        steps.push({ kind: "said", who: "person", text: event.data.text });
        break;
      case "message":
        if (event.data.text.trim() !== "") steps.push({ kind: "said", who: "agent", text: event.data.text });
        break;
      case "tool.requested":
        if (event.data.origin === "automation") break;
        requested.set(event.data.call, { event, at: steps.length });
        steps.push({
          kind: "undone",
          tool: event.data.name,
          title: event.data.title ?? "",
          why: "interrupted",
        });
        break;
      case "decision": {
        const { call, verdict, judgements } = event.data;
        if (verdict !== "allow") break;
        const needs = judgements.map(({ need }) => need as Need);
        allowed.set(call, [...allowed.get(call) ?? [], ...needs]);
        break;
      }
      case "tool.finished": {
        const before = requested.get(event.data.call);
        if (before) steps[before.at] = stepOf(before.event, event, allowed.get(event.data.call) ?? []);
        break;
      }
    }
  }
  return steps;
}

function stepOf(
  { data: { name, args, title = "", needs } }: EventOf<"tool.requested">,
  { data: { status, text, ms, exitCode, outputFile } }: EventOf<"tool.finished">,
  allowed: readonly Need[],
): ScriptStep {
  if (status !== "done" && status !== "failed") {
    return { kind: "undone", tool: name, title, why: status };
  }
  return {
    kind: "call",
    tool: name,
    args: typeof args === "object" && args !== null && !Array.isArray(args)
      ? args as { readonly [name: string]: Json }
      : {},
    title,
    failed: status === "failed",
    text,
    whole: outputFile === undefined,
    exitCode: typeof exitCode === "number" ? exitCode : null,
    ms,
    needs: [...needs as readonly Need[], ...allowed],
  };
}
