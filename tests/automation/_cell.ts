import { fileURLToPath } from "node:url";
import { selfArgv } from "../../core/domain/self_argv.ts";

/** How this very program is started, from source. */
export const SELF = selfArgv({
  standalone: false,
  execPath: Deno.execPath(),
  main: fileURLToPath(new URL("../../main.ts", import.meta.url)),
});

/** The message that runs one module. */
export function loadMessage(code: string, more: Record<string, unknown> = {}): string {
  const id = "job.pryx.ts";
  return JSON.stringify({
    t: "load",
    modules: [{ id, code, links: {} }],
    entry: id,
    args: [],
    workspace: "/work",
    ...more,
  });
}
