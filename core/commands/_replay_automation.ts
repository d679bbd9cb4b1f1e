import type { Json } from "../domain/schema.ts";
import { type AutomationFlags, linkSource, sourceOf } from "./_run_automation.ts";
import type { CommandContext, CommandResult } from "./command.ts";

/** Runs an automation again from its recording: `flags.replay`, an absolute path. */
export async function replayAutomationFile(
  flags: AutomationFlags & { readonly replay: string },
  outer: CommandContext,
): Promise<CommandResult> {
  const { graph, ctx } = await linkSource(await sourceOf(flags, outer), {}, outer);
  const automations = await ctx.automations();
  const args = flags.args ?? [];
  const recorded = await automations.recorded(flags.replay);
  if (recorded && recorded.file !== graph.entry) {
    ctx.surface.note(`The recording is of ${recorded.file}, and this is ${graph.entry}`);
  } else if (recorded && recorded.graph !== graph.hash) {
    ctx.surface.note(`${graph.entry} has changed since it was recorded`);
  }
  const end = await automations.replay({
    graph,
    cassette: flags.replay,
    ...(args.length === 0 ? {} : { args }),
    show: (event) => ctx.surface.event(event),
    signal: ctx.signal,
  });
  const { status, exitCode, error, changes, changed } = end;
  const data = { session: null, status, exitCode, error: error ?? null, changes, changed };
  return { data: data as unknown as Json, exitCode };
}
