import type { Child, ServingChild } from "./_child.ts";
import { signalGroup, within } from "./_group.ts";
import type { Lookout } from "./_left_behind.ts";
import { createMarkerSearch } from "./_marked_output.ts";
import { type JobText, jobText, warmShell } from "./_wrapper.ts";

/** What runs in it, but for the marker. */
export type Job = Omit<JobText, "marker">;

/** A child of which the shell may stay for another one. */
export interface JobChild extends Child {
  /** True when nothing of it is left but the shell. Known once `status` is. */
  readonly clean: boolean;
}

/**
 * A `sh` that was confined and runs one job after the other. Each is a process of its own, with its own limits; what they
 * have in common is what the kernel holds them to.
 */
export interface WarmShell {
  readonly pid: number;
  /** False once it ran a job that left something behind, or ended. */
  readonly usable: boolean;
  /** One at a time: only when the one before has ended, and it is usable. */
  start(job: Job): JobChild;
  /** Ends it, and all that it holds. */
  end(): Promise<void>;
  /** After a job that left something behind: it has no more to do with it. */
  leave(): Promise<void>;
}

export interface WarmShellOptions {
  readonly child: ServingChild;
  readonly fresh: readonly string[];
  /** Asked when it is ready. Undefined: nobody can say what a job leaves behind, so it is of no use. */
  lookout(): Lookout | undefined;
}

/** How long processes of a job that has ended may take to go. */
const EMPTY_MS = 30;
const READY_MS = 10_000;

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** Resolves when it is ready for jobs; with undefined, and nothing left of it, when it does not come to that. */
export async function openWarmShell(options: WarmShellOptions): Promise<WarmShell | undefined> {
  const { child, fresh } = options;
  const { pid, mark, input, status } = child;
  if (!child.stdout || !child.stderr) throw new Error("a shell for jobs has outputs");
  const [stdout, stderr] = [child.stdout.getReader(), child.stderr.getReader()];
  let usable = true;
  void status.then(() => usable = false, () => usable = false);
  const tell = (text: string) => input.write(new TextEncoder().encode(text)).catch(() => {});

  async function end(): Promise<void> {
    usable = false;
    signalGroup(pid, "SIGKILL");
    await Promise.allSettled([input.close(), stdout.cancel(), stderr.cancel(), status]);
  }

  const ready = `ready ${nonce()}`;
  void tell(warmShell({ ready, fresh }));
  const isReady = untilSaid(stdout, ready);
  const answered = await within(isReady, READY_MS) && await isReady;
  const found = answered ? options.lookout() : undefined;
  if (found === undefined) {
    await end();
    return undefined;
  }
  const isAlone: Lookout = found;

  function start(job: Job): JobChild {
    const marker = nonce();
    const sought = new TextEncoder().encode(`\0${marker}`);
    const said = Promise.withResolvers<{ code: number; clean: boolean } | undefined>();
    let clean = false;
    void tell(jobText({ ...job, marker }));
    child.hold(true);

    /** What it says after the marker: the exit code, and whether it left something in a folder. */
    const settle = async (answer: string) => {
      const [code, left] = answer.split(" ").map(Number);
      const empty = left === 0 && await untilAlone(isAlone);
      clean = usable && empty;
      if (clean) child.hold(false);
      else {
        usable = false;
        // Without it the pipes are held by what the job left behind, and by nobody else.
        await input.close().catch(() => {});
      }
      said.resolve({ code: code ?? 1, clean });
    };
    const outputs = {
      stdout: outputOf(stdout, sought, async (reader, after) => {
        let answer = new TextDecoder().decode(after, { stream: true });
        while (!answer.includes("\n")) {
          const { done, value } = await reader.read();
          if (done) break;
          answer += new TextDecoder().decode(value);
        }
        const at = answer.indexOf("\n");
        await settle(answer.slice(0, at));
        return clean ? undefined : new TextEncoder().encode(answer.slice(at + 1));
      }, () => said.resolve(undefined)),
      stderr: job.mergeStderr
        ? null
        : outputOf(stderr, sought, async (_reader, after) => {
          await said.promise;
          return clean ? undefined : after;
        }),
    };
    return {
      pid,
      mark,
      ...outputs,
      get clean() {
        return clean;
      },
      status: statusOf(said.promise, status),
    };
  }

  child.hold(false);
  return {
    pid,
    get usable() {
      return usable;
    },
    start,
    end,
    async leave() {
      await Promise.allSettled([input.close(), stdout.cancel(), stderr.cancel()]);
    },
  };
}

function nonce(): string {
  return crypto.randomUUID();
}

/** A shell that was ended in the middle of a job ended with it. */
async function statusOf(
  said: Promise<{ code: number; clean: boolean } | undefined>,
  status: Promise<Deno.CommandStatus>,
): Promise<Deno.CommandStatus> {
  const answer = await Promise.race([said, status.then(() => undefined)]);
  return answer ? { success: answer.code === 0, code: answer.code, signal: null } : await status;
}

/** False when the output ends before. */
async function untilSaid(reader: Reader, text: string): Promise<boolean> {
  const decoder = new TextDecoder();
  let seen = "";
  while (!seen.includes(text)) {
    const { done, value } = await reader.read();
    if (done) return false;
    seen += decoder.decode(value, { stream: true });
  }
  return true;
}

async function untilAlone(isAlone: Lookout): Promise<boolean> {
  const end = performance.now() + EMPTY_MS;
  while (!isAlone()) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return true;
}

/**
 * The output of one job. `onMarker` says whether it ends there; if not, what still is output of what came with the marker,
 * and then it goes on to the end of the pipe.
 */
function outputOf(
  reader: Reader,
  marker: Uint8Array,
  onMarker: (reader: Reader, after: Uint8Array) => Promise<Uint8Array | undefined>,
  onEnd: () => void = () => {},
): ReadableStream<Uint8Array> {
  let search: ReturnType<typeof createMarkerSearch> | undefined = createMarkerSearch(marker);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) {
          onEnd();
          return controller.close();
        }
        if (!search) return controller.enqueue(value);
        const { output, after } = search(value);
        if (output.length > 0) controller.enqueue(output);
        if (after !== undefined) {
          search = undefined;
          const more = await onMarker(reader, after);
          if (more === undefined) return controller.close();
          if (more.length > 0) controller.enqueue(more);
          else if (output.length === 0) continue;
        }
        if (output.length > 0 || after !== undefined) return;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
