import type { ErrorJson } from "../api.ts";
import type { PryxError } from "../domain/error.ts";
import type { LinkedGraph } from "../domain/automation.ts";
import { AutomationError } from "./conversation.ts";

/** What people are told: what was thrown, and where in their own lines. */
export async function describeFailure(
  error: PryxError,
  graph: LinkedGraph,
  flagsFollow = false,
): Promise<ErrorJson> {
  if (!(error instanceof AutomationError)) return error.toJSON();
  const { code, message, ...rest } = error.toJSON();
  const fix = code === "denied" && flagsFollow ? undefined : rest.fix;
  const kind = error.thrown === "PryxError" || error.thrown === "" ? "" : `${error.thrown}: `;
  const trace = (await framesOf(error, graph)).map((line) => `\n${line}`).join("");
  return {
    code,
    message: `${graph.entry} failed: ${kind}${message}${trace}`,
    ...(fix === undefined ? {} : { fix }),
  };
}

/** Where it was thrown, in the text as it was written. Loads what strips types: most runs read it from a cache. */
export async function framesOf({ frames }: AutomationError, graph: LinkedGraph): Promise<readonly string[]> {
  if (frames.length === 0) return frames;
  const { sourceFrames } = await import("./_source_frames.ts");
  return await sourceFrames(frames, graph);
}
