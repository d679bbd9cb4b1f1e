import { PryxError } from "../domain/error.ts";
import { type Need, parseNeed } from "../domain/need.ts";
import { type Origin, PRESETS, type Rule } from "../domain/policy.ts";
import type { CommandContext } from "./command.ts";

export const ORIGINS = [
  "model",
  "automation",
  "mcp",
  "human",
  "channel",
] as const satisfies readonly Origin[];

/** Flags that set policy for one run; also for looking at what they would change. */
export const WHAT_IF = {
  preset: { type: "string", enum: PRESETS, description: "As if this preset were set" },
  allow: { type: "array", items: { type: "string" }, description: "As if kind=target were allowed" },
  deny: { type: "array", items: { type: "string" }, description: "As if kind=target were denied" },
} as const;

/** The context with the policy that {@link WHAT_IF} asks for. */
export function whatIf(
  ctx: CommandContext,
  { preset, allow, deny }: {
    readonly preset?: (typeof PRESETS)[number];
    readonly allow?: readonly string[];
    readonly deny?: readonly string[];
  },
): CommandContext {
  if (preset === undefined && allow === undefined && deny === undefined) return ctx;
  return ctx.with({
    ...(preset === undefined ? {} : { preset }),
    ...(allow === undefined ? {} : { allow }),
    ...(deny === undefined ? {} : { deny }),
  });
}

/** A need as typed. Throws `usage`. */
export function needOf(text: string): Need {
  const need = parseNeed(text);
  if (typeof need === "string") {
    throw new PryxError("usage", need, { fix: "for example read=src/a.ts, net=example.org" });
  }
  return need;
}

/** A rule in one line, with where it stands. */
export function ruleLine(rule: Rule): string {
  const notes = [rule.source, rule.reason, rule.untrusted ? "under taint too" : undefined].filter(Boolean);
  return `${rule.verdict.padEnd(5)} ${rule.kind}=${rule.pattern}  (${notes.join("; ")})`;
}
