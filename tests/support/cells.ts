import { fileURLToPath } from "node:url";
import { createSandbox } from "../../core/sandbox/create_sandbox.ts";
import type { Sandbox } from "../../core/sandbox/sandbox.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** A sandbox whose cells are this program, from source. */
export function sandboxWithCells(): Sandbox {
  const home = Deno.env.get("HOME") ?? "/";
  return createSandbox({
    home,
    env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", HOME: home },
    self: [Deno.execPath(), "run", "-A", "--no-prompt", MAIN],
  });
}
