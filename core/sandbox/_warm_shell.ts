import { Buffer } from "node:buffer";
import { constants } from "node:os";
import type { Child, ServingChild } from "./_child.ts";
import { signalGroup, within } from "./_group.ts";
import type { Lookout } from "./_left_behind.ts";
import { createMarkerSearch, type Reader, readLine, untilSaid, withoutMarked } from "./_marked_output.ts";
import { isEnding } from "./_proc.ts";
import { type JobText, jobText, LAST_LINE, warmShell } from "./_wrapper.ts";

/** What runs in it, but for the marker. */
export type Job = Omit<JobText, "marker">;

/** A child of which the shell may stay for another one. */
export interface JobChild extends Child {
  /** True when nothing of it runs any more but the shell. Known once `status` is. */
  readonly clean: boolean;
}

/**
 * A `sh` that was confined and runs one job after the other. Each is a process of its own, with its own limits; what they
 * have in common is what the kernel holds them to.
 */
export interface WarmShell {
  readonly pid: number;
  /** False once it ended, or ran a job that left something running. */
  readonly usable: boolean;
  /** True when the job before left nothing in the folders that end with the shell. Asked once between two jobs. */
  isFresh(): Promise<boolean>;
  /** Whether pryx goes on for its sake, and what is read of it: while it waits for a job that need not be. */
  hold(on: boolean): void;
  /** One at a time: only when the one before has ended, and it is usable and fresh. */
  start(job: Job): JobChild;
  /** Ends it, and all that it holds. */
  end(): Promise<void>;
  /** After a job that left something running: that goes on, without the shell. */
  leave(): Promise<void>;
}

export interface WarmShellOptions {
  readonly child: ServingChild;
  /** Folders that end with its confinement. */
  readonly fresh: readonly string[];
  /** A file of its own, where it is said by which signal a job ended. It needs no name once the shell is ready. */
  readonly says?: string;
  /** Asked when it is ready. Undefined: nobody can say what a job leaves running, so it is of no use. */
  lookout(): Lookout | undefined;
}

/** How long processes of a job that has ended may take to go. */
const EMPTY_MS = 30;
/** How long it may take to see that a signal that ended a job ended everything. */
const SIGNALLED_MS = 5;
const ENDING_MS = 2_000;
const READY_MS = 10_000;

/** Resolves when it is ready for jobs; with undefined, and nothing left of it, when it does not come to that. */
export async function openWarmShell(options: WarmShellOptions): Promise<WarmShell | undefined> {
  const { child, fresh, says } = options;
  const { pid, mark, input, status } = child;
  if (!child.stdout || !child.stderr) throw new Error("a shell for jobs has outputs");
  const [stdout, stderr] = [child.stdout.getReader(), child.stderr.getReader()];
  let usable = true;
  const unusable = () => usable = false;
  status.then(unusable, unusable);
  // Where that fails, the shell has ended.
  const tell = (text: string) => void input.write(new TextEncoder().encode(text)).catch(unusable);

  async function end(): Promise<void> {
    usable = false;
    child.hold(true);
    signalGroup(pid, "SIGKILL");
    await Promise.allSettled([input.close(), stdout.cancel(), stderr.cancel(), status]);
  }

  const ready = `ready ${crypto.randomUUID()}`;
  tell(warmShell({ ready, fresh, ...says === undefined ? {} : { says } }));
  const said = untilSaid(stdout, ready);
  const found = await within(said, READY_MS) && await said ? options.lookout() : undefined;
  if (found === undefined) {
    await end();
    return undefined;
  }
  const isAlone: Lookout = found;

  /** What came after the exit code of the last job, and what should have. */
  let trailing: Buffer = Buffer.alloc(0);
  let expected: Uint8Array = trailing;

  function start(job: Job): JobChild {
    const marker = crypto.randomUUID();
    const sought = Buffer.from(`\0${marker}`);
    const answer = Promise.withResolvers<Deno.CommandStatus | undefined>();
    let clean = false;
    tell(jobText({ ...job, marker }));

    const onStdout = async (after: Uint8Array): Promise<Uint8Array | undefined> => {
      const { line, rest } = await readLine(stdout, after);
      trailing = rest;
      expected = Buffer.from(`\0${marker}${LAST_LINE}`);
      clean = await untilAlone(isAlone) && usable;
      if (!clean) {
        usable = false;
        // It ends then, and the pipes are held by what the job left running, and by nobody else.
        await input.close().catch(() => {});
      }
      const ended = statusFrom(line);
      // A signal to all of the group ends what is around the shell too, which says it as it was.
      const all = ended.code > 128 &&
        (await within(status, SIGNALLED_MS) || isEnding(pid) && await within(status, ENDING_MS));
      answer.resolve(all ? undefined : ended);
      return clean ? undefined : await withoutMarked(stdout, rest, sought, LAST_LINE.length);
    };
    const onStderr = async (after: Uint8Array): Promise<Uint8Array | undefined> => {
      await answer.promise;
      return clean ? undefined : after;
    };
    return {
      pid,
      mark,
      stdout: outputOf(stdout, sought, onStdout, () => answer.resolve(undefined)),
      stderr: job.mergeStderr ? null : outputOf(stderr, sought, onStderr),
      status: statusOf(answer.promise, status),
      get clean() {
        return clean;
      },
    };
  }

  return {
    pid,
    get usable() {
      return usable;
    },
    async isFresh() {
      while (trailing.length < expected.length) {
        const { done, value } = await stdout.read();
        if (done) return false;
        trailing = Buffer.concat([trailing, value]);
      }
      return trailing.equals(expected);
    },
    hold: child.hold,
    start,
    end,
    async leave() {
      await Promise.allSettled([input.close(), stdout.cancel(), stderr.cancel()]);
    },
  };
}

/** A shell that was ended in the middle of a job ended with it. */
async function statusOf(
  answer: Promise<Deno.CommandStatus | undefined>,
  status: Promise<Deno.CommandStatus>,
): Promise<Deno.CommandStatus> {
  return await Promise.race([answer, status.then(() => undefined)]) ?? await status;
}

/** `CODE` or `CODE signal`. */
function statusFrom(line: string): Deno.CommandStatus {
  const [number, signalled] = line.split(" ");
  const code = Number(number);
  const by = signalled === undefined ? undefined : signalNames.get(code - 128);
  return { success: code === 0, code, signal: by ?? null };
}

/** Of two names for one, the first: the usual one. */
const signalNames = new Map(
  Object.entries(constants.signals).reverse().map(([name, at]) => [at, name as Deno.Signal]),
);

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
  onMarker: (after: Uint8Array) => Promise<Uint8Array | undefined>,
  onEnd: () => void = () => {},
): ReadableStream<Uint8Array> {
  let search: ReturnType<typeof createMarkerSearch> | undefined = createMarkerSearch(marker);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      let given = 0;
      const give = (bytes: Uint8Array) => {
        given += bytes.length;
        if (bytes.length > 0) controller.enqueue(bytes);
      };
      while (given === 0) {
        const { done, value } = await reader.read();
        if (done) {
          give(search?.held() ?? new Uint8Array(0));
          onEnd();
          return controller.close();
        }
        if (!search) {
          give(value);
          continue;
        }
        const { output, after } = search.add(value);
        give(output);
        if (after === undefined) continue;
        search = undefined;
        const more = await onMarker(after);
        if (more === undefined) return controller.close();
        give(more);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
