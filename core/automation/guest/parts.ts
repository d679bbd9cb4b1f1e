import { agentApi } from "./agent.ts";
import { argsApi } from "./args.ts";
import { askingApi } from "./asking.ts";
import { controlApi } from "./control.ts";
import { filesApi } from "./files.ts";
import { gitApi } from "./git.ts";
import type { Guest } from "./guest.ts";
import { httpApi } from "./http.ts";
import { logApi } from "./log.ts";
import { quotingApi } from "./quoting.ts";
import { residentApi } from "./resident.ts";
import { secretsApi } from "./secrets.ts";
import { shellApi } from "./shell.ts";
import { stateApi } from "./state.ts";
import { testingApi } from "./testing.ts";
import { uiApi } from "./ui.ts";
import { workspaceApi } from "./workspace.ts";

/**
 * A part of the API: what it gives joins what the parts before it gave, which it is handed. Names that begin with `_`
 * are for other parts alone.
 */
export type Part = (guest: Guest, parts: never) => Record<string, unknown>;

/** The parts, in the order that they are made. */
export const PARTS: readonly Part[] = [
  workspaceApi,
  askingApi,
  quotingApi,
  shellApi,
  filesApi,
  controlApi,
  secretsApi,
  httpApi,
  gitApi,
  agentApi,
  uiApi,
  logApi,
  argsApi,
  stateApi,
  residentApi,
  testingApi,
];

/**
 * The text of a function of a {@link Guest} that gives the module `pryx`, for a context that has nothing of this one.
 * As text it is an expression; its value is the function.
 */
export function apiText(): string {
  return `(guest) => {
  const parts = {};
  for (const part of [\n${PARTS.map(String).join(",\n")}\n]) Object.assign(parts, part(guest, parts));
  return Object.fromEntries(Object.entries(parts).filter(([name]) => !name.startsWith("_")));
}`;
}
