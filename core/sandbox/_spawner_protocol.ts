import type { Command } from "./_confinement.ts";
import type { ThreadRestriction } from "./landlock.ts";

export type OutputName = "stdout" | "stderr";

/** To the worker. The first message restricts its thread; it starts nothing before that has succeeded. */
export type SpawnerRequest =
  | { readonly op: "restrict"; readonly restriction: ThreadRestriction }
  | { readonly op: "spawn"; readonly id: number; readonly command: Command }
  | { readonly op: "write"; readonly id: number; readonly bytes: Uint8Array }
  | { readonly op: "close"; readonly id: number }
  /** A chunk has been taken: there is room for another. */
  | { readonly op: "taken"; readonly id: number; readonly stream: OutputName }
  | { readonly op: "cancel"; readonly id: number; readonly stream: OutputName };

/** From the worker. `id` is a child's. */
export type SpawnerReply =
  | { readonly op: "started"; readonly id: number; readonly pid: number }
  /** It was not started. `confined`: false when the thread could not be restricted. */
  | { readonly op: "failed"; readonly id: number; readonly why: string; readonly confined: boolean }
  | { readonly op: "written"; readonly id: number; readonly why?: string }
  | { readonly op: "chunk"; readonly id: number; readonly stream: OutputName; readonly bytes: Uint8Array }
  | { readonly op: "end"; readonly id: number; readonly stream: OutputName }
  | { readonly op: "status"; readonly id: number; readonly status: Deno.CommandStatus };

/** Chunks of one stream on their way to a reader that has not taken them: the rest waits in the pipe, and the child with it. */
export const CHUNKS_IN_FLIGHT = 4;
