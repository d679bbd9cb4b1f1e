/**
 * Runs in a Deno worker. Restricts its own thread, once and for good, and then starts children, which inherit the
 * restriction; pryx's other threads do not. It reads no file and holds nothing that a child could want.
 */
import { kernelSupport, restrictThread } from "./landlock.ts";
import type { Command } from "./_confinement.ts";
import {
  CHUNKS_IN_FLIGHT,
  type OutputName,
  type SpawnerReply,
  type SpawnerRequest,
} from "./_spawner_protocol.ts";

interface WorkerScope {
  onmessage: ((event: MessageEvent<SpawnerRequest>) => void) | null;
  postMessage(reply: SpawnerReply, transfer?: Transferable[]): void;
}

/** The way of one output stream to the host. */
interface Output {
  inFlight: number;
  cancelled: boolean;
  /** Ends the wait for room. */
  wake: () => void;
  cancel(): Promise<void>;
}

interface RunningChild {
  readonly writer?: WritableStreamDefaultWriter<Uint8Array>;
  readonly outputs: Partial<Record<OutputName, Output>>;
}

const scope = globalThis as unknown as WorkerScope;
const children = new Map<number, RunningChild>();
/** Why nothing may be started. Undefined once the thread is restricted. */
let unconfined: string | undefined = "its thread was never restricted";

// A worker in reserve has time: what is compiled and loaded on first use is ready when its turn comes.
kernelSupport();
try {
  new Deno.Command("/", { args: [], clearEnv: true, env: {}, stdin: "null" }).spawn();
} catch {
  // A folder is no program.
}

scope.onmessage = ({ data }) => {
  switch (data.op) {
    case "restrict":
      try {
        restrictThread(data.restriction);
        unconfined = undefined;
      } catch (error) {
        unconfined = describe(error);
      }
      return;
    case "spawn":
      return spawn(data.id, data.command);
    case "write":
      return void write(data.id, data.bytes);
    case "close":
      return void children.get(data.id)?.writer?.close().catch(() => {});
    case "taken": {
      const output = children.get(data.id)?.outputs[data.stream];
      if (!output) return;
      output.inFlight--;
      return output.wake();
    }
    case "cancel":
      return void children.get(data.id)?.outputs[data.stream]?.cancel();
  }
};

function spawn(id: number, { program, args, cwd, env, stdin, output }: Command): void {
  if (unconfined !== undefined) {
    return scope.postMessage({ op: "failed", id, why: unconfined, confined: false });
  }
  let process: Deno.ChildProcess;
  try {
    process = new Deno.Command(program, {
      args: [...args],
      cwd,
      clearEnv: true,
      env: { ...env },
      stdin,
      stdout: output,
      stderr: output,
      detached: true,
    }).spawn();
  } catch (error) {
    return scope.postMessage({ op: "failed", id, why: describe(error), confined: true });
  }
  const child: RunningChild = {
    ...(stdin === "piped" ? { writer: process.stdin.getWriter() } : {}),
    outputs: {},
  };
  child.writer?.closed.catch(() => {});
  children.set(id, child);
  scope.postMessage({ op: "started", id, pid: process.pid });
  const pumps = output === "inherit" ? [] : [
    pump(id, "stdout", process.stdout, child),
    pump(id, "stderr", process.stderr, child),
  ];
  void finish(id, process, pumps);
}

async function finish(id: number, process: Deno.ChildProcess, pumps: Promise<void>[]): Promise<void> {
  const status = await process.status;
  scope.postMessage({ op: "status", id, status });
  await Promise.all(pumps);
  const child = children.get(id);
  children.delete(id);
  await child?.writer?.abort().catch(() => {});
}

async function pump(
  id: number,
  name: OutputName,
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  child: RunningChild,
): Promise<void> {
  const reader = stream.getReader();
  const output: Output = {
    inFlight: 0,
    cancelled: false,
    wake: () => {},
    async cancel() {
      output.cancelled = true;
      output.wake();
      await reader.cancel().catch(() => {});
    },
  };
  child.outputs[name] = output;
  try {
    while (!output.cancelled) {
      if (output.inFlight >= CHUNKS_IN_FLIGHT) {
        await new Promise<void>((resolve) => output.wake = resolve);
        continue;
      }
      const { done, value } = await reader.read();
      if (done) break;
      output.inFlight++;
      scope.postMessage({ op: "chunk", id, stream: name, bytes: value }, [value.buffer]);
    }
  } catch {
    // A pipe that cannot be read has ended.
  }
  scope.postMessage({ op: "end", id, stream: name });
}

async function write(id: number, bytes: Uint8Array): Promise<void> {
  try {
    const writer = children.get(id)?.writer;
    if (!writer) throw new Error("the child has ended");
    await writer.write(bytes);
    scope.postMessage({ op: "written", id });
  } catch (error) {
    scope.postMessage({ op: "written", id, why: describe(error) });
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
