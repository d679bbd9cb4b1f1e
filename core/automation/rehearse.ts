import { toPryxError } from "../domain/error.ts";
import type { Recording } from "../domain/cassette.ts";
import type { Json } from "../domain/schema.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { describeFailure } from "./_failure.ts";
import type { AutomationEnd, Rehearsal } from "./automation.ts";
import { AutomationError, converse } from "./conversation.ts";
import { recordRun } from "./record_run.ts";
import { SHOWS } from "./tape.ts";

/** {@link Automations.rehearse}. Its clock stands still. */
export async function rehearse(
  rehearsal: Rehearsal,
  parts: { sandbox(): Promise<Sandbox>; record(file: string): Promise<Recording> },
): Promise<Pick<AutomationEnd, "status" | "error">> {
  const { graph, signal } = rehearsal;
  signal.throwIfAborted();
  const recorder = await recordRun(await parts.record(rehearsal.cassette), {
    graph,
    args: [],
    cwd: graph.root,
    now: () => rehearsal.now.getTime(),
  });
  await using cell = await (await parts.sandbox()).cell({ fixed: true });
  const stop = () => cell.kill();
  signal.addEventListener("abort", stop, { once: true });
  const conversation = converse({
    cell,
    name: graph.entry,
    answer: async ({ method, params }) => {
      if (SHOWS.has(method) || method === "timer") return null;
      return await rehearsal.answer(method, params as Json);
    },
    say: () => {},
    tap: recorder.tap,
    clock: recorder.clock,
  });
  try {
    await conversation.ready;
    conversation.load({
      modules: graph.modules,
      entry: graph.entry,
      args: [],
      cwd: graph.root,
      workspace: graph.root,
      fixed: recorder.fixed,
    });
    await conversation.loaded;
    await conversation.idle();
    await recorder.end({ status: "done", exitCode: 0 });
    return { status: "done" };
  } catch (thrown) {
    signal.throwIfAborted();
    const error = toPryxError(thrown);
    const json = await describeFailure(error, graph);
    const recorded = error instanceof AutomationError ? {} : { error: json };
    await recorder.end({ status: "failed", exitCode: error.exitCode, ...recorded });
    return { status: "failed", error: json };
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
