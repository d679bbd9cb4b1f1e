import { relative, resolve, sep } from "node:path";
import type { ProgramTurn } from "../api.ts";
import { PryxError } from "../domain/error.ts";
import { need } from "./dispatch.ts";

interface WatchOptions {
  readonly turn: ProgramTurn;
  readonly workspace: string;
  readonly signal: AbortSignal;
  event(value: unknown): void;
}

const KINDS: Readonly<Record<string, "create" | "modify" | "remove">> = {
  create: "create",
  modify: "modify",
  remove: "remove",
  rename: "modify",
};

/** Tells of changes below a path until `signal` aborts. Names only; what is in a file has to be read. */
export async function watchPath(
  path: string,
  { turn, workspace, signal, event }: WatchOptions,
): Promise<void> {
  const absolute = resolve(workspace, path);
  // Before it is looked at: what is there, and what is not, must be denied alike.
  await need(turn, `read=${absolute}`);
  const real = await Deno.realPath(absolute).catch(() => {
    throw new PryxError("not_found", `Cannot watch ${path}: there is no such file or folder`);
  });
  if (real !== absolute) await need(turn, `read=${real}`);
  const watcher = Deno.watchFs(real);
  const stop = () => watcher.close();
  const all = AbortSignal.any([signal, turn.signal]);
  all.addEventListener("abort", stop, { once: true });
  try {
    if (all.aborted) return;
    for await (const { kind, paths } of watcher) {
      const change = KINDS[kind];
      if (change === undefined) continue;
      for (const one of paths) event({ kind: change, path: relative(workspace, one).split(sep).join("/") });
    }
  } finally {
    all.removeEventListener("abort", stop);
  }
}
