import assert from "node:assert/strict";
import type { Envelope } from "../../core/domain/envelope.ts";
import { createKernel } from "../../core/sandbox/kernel.ts";
import { createProcesses } from "../../core/sandbox/processes.ts";
import { createReaper } from "../../core/sandbox/reaper.ts";
import type { ProcessLimits } from "../../core/sandbox/processes.ts";
import type { ProcessSpec } from "../../core/sandbox/sandbox.ts";
import { confinedPlace, type KernelName, type Said, whyNot } from "./_confined_place.ts";

export type Holding = KernelName | "none";

/** One workspace in which the same command can be run the usual way, and in a shell that stays for the next. */
export interface WarmPlace extends AsyncDisposable {
  readonly work: string;
  readonly home: string;
  readonly outside: string;
  run(command: string, more?: Partial<ProcessSpec>, envelope?: Partial<Envelope>): Promise<Said>;
  /** The number and the beginning of the shell that the command ran in: equal for two commands that shared one. */
  shell(more?: Partial<ProcessSpec>, envelope?: Partial<Envelope>): Promise<string>;
  /** Runs commands until two share a shell: what is closed must not have changed a moment ago. */
  untilWarm(more?: Partial<ProcessSpec>, envelope?: Partial<Envelope>): Promise<void>;
}

const BASH = "/bin/bash";
const text = (data: Uint8Array) => new TextDecoder().decode(data);

/** Why the contract cannot be tried here; undefined when it can. */
export async function whyNotWarm(holding: Holding): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "Linux only";
  return holding === "none" ? undefined : await whyNot(holding);
}

export async function warmPlace(holding: Holding, limits?: ProcessLimits): Promise<WarmPlace> {
  const opened = new AsyncDisposableStack();
  const at = opened.use(
    await confinedPlace(holding === "none" ? "bubblewrap" : holding, limits ? { limits } : {}),
  );
  const { work, home, outside } = at;
  const sandbox = holding === "none" ? opened.use(withoutLayer(home, work, limits)) : at.sandbox;
  const place: WarmPlace = {
    work,
    home,
    outside,
    async run(command, more = {}, envelope = {}) {
      const result = await sandbox.run({
        argv: [BASH, "-c", "--", command],
        cwd: work,
        timeoutMs: 20_000,
        maxOutputBytes: 4_000_000,
        signal: new AbortController().signal,
        envelope: await at.envelope({ key: "one", ...envelope }),
        ...more,
      });
      return { ...result, out: text(result.stdout.head) + text(result.stdout.tail) };
    },
    async shell(more = {}, envelope = {}) {
      // In a namespace of its own each has the same number, but not the same beginning.
      const command = "echo $PPID; cut -d ' ' -f 22 /proc/$PPID/stat";
      const { out, code } = await place.run(command, { reuse: "a", ...more }, envelope);
      assert.equal(code, 0);
      return out;
    },
    async untilWarm(more, envelope) {
      const end = performance.now() + 10_000;
      for (let before = ""; performance.now() < end;) {
        const now = await place.shell(more, envelope);
        if (now === before) return;
        before = now;
      }
      assert.fail("no two commands shared a shell");
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
  return place;
}

/** What is used on a machine where nothing can hold a command. */
function withoutLayer(home: string, work: string, limits: ProcessLimits = {}) {
  const env = { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" };
  const kernel = createKernel({ home, env, scopes: [work], own: [], memoryBytes: 2 ** 31, os: "other" });
  const processes = createProcesses({ home, env, limits, reaper: createReaper(kernel.folder), kernel });
  return {
    run: processes.run,
    async [Symbol.asyncDispose]() {
      await processes[Symbol.asyncDispose]();
      await kernel[Symbol.asyncDispose]();
    },
  };
}
