import { delimiter, isAbsolute, join } from "node:path";
import type { Envelope, Refusal } from "../domain/envelope.ts";
import { realPath } from "./_existing.ts";
import { textAt } from "./_proc.ts";
import type { Kernel, Prepared } from "./kernel.ts";
import { findRefusals, MAX_REFUSALS } from "./_refusals.ts";
import type { CappedOutput, ProcessResult } from "./sandbox.ts";

export interface RefusalContext {
  readonly envelope: Envelope;
  readonly cwd: string;
  readonly searchPath: string;
  readonly kernel: Kernel;
  readonly prepared: Prepared;
}

/** What the kernel and the proxy refused a child: the proxy says it, the kernel's is found in what the child printed. */
export async function refusalsIn(
  result: ProcessResult,
  context: RefusalContext,
): Promise<readonly Refusal[]> {
  const { envelope, cwd, searchPath, kernel, prepared } = context;
  const text = [result.stdout, result.stderr].map(textOf).join("\n");
  const { name } = await kernel.layer();
  const printed = name === "none" || text.trim() === "" ? [] : findRefusals({
    text,
    code: result.code,
    cwd,
    envelope,
    baseline: kernel.baseline(),
    hidden: name === "bubblewrap",
    closed: prepared.readOnly,
    files: {
      real: realPath,
      mayRead,
      isProgram: (path) => ((Deno.statSync(path).mode ?? 0o111) & 0o111) !== 0,
      program: (program) => findProgram(program, searchPath),
      listens,
    },
  });
  return [...prepared.refused(), ...printed].slice(0, MAX_REFUSALS);
}

function textOf({ head, tail }: CappedOutput): string {
  return new TextDecoder().decode(head) + new TextDecoder().decode(tail);
}

function mayRead(path: string): boolean {
  try {
    const info = Deno.statSync(path);
    if (info.isDirectory) Deno.readDirSync(path)[Symbol.iterator]().next();
    else if (info.isFile) Deno.openSync(path).close();
    return true;
  } catch {
    return false;
  }
}

/** By the kernel's own list: connecting would be noticed. */
function listens(port: number): boolean {
  const place = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return ["/proc/net/tcp", "/proc/net/tcp6"].some((path) => {
    return textAt(path)?.split("\n").some((line) => {
      const [, local = "", , state] = line.trim().split(/\s+/);
      return state === LISTENING && local.endsWith(place);
    });
  });
}

const LISTENING = "0A";

function findProgram(name: string, searchPath: string): string | undefined {
  for (const folder of searchPath.split(delimiter)) {
    const real = isAbsolute(folder) ? realPath(join(folder, name)) : undefined;
    if (real !== undefined) return real;
  }
  return undefined;
}
