import { PryxError } from "../domain/error.ts";
import type { Command } from "./_confinement.ts";
import type { OutputName, SpawnerReply, SpawnerRequest } from "./_spawner_protocol.ts";

/** A child of a spawner worker, as the host sees it. */
export interface SpawnedChild {
  /** Also the number of its process group. */
  readonly pid: number;
  /** Rejects only when the worker has failed or the spawner was disposed of. */
  readonly status: Promise<Deno.CommandStatus>;
  /** Empty when output is inherited. Must be read to the end or cancelled. */
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  /** Writes are done when the child's pipe has taken them. Refuses every write unless stdin is piped. */
  readonly stdin: WritableStream<Uint8Array>;
  /** Whether pryx goes on as long as it runs. It does, until told otherwise. */
  hold(on: boolean): void;
}

/** Why a child was not started. `confined`: false when its thread could not be restricted. */
export interface StartFailure {
  readonly why: string;
  readonly confined: boolean;
}

export interface SpawnerChild {
  readonly child: SpawnedChild;
  /** Undefined once it runs. Then `child.pid` holds. */
  readonly started: Promise<StartFailure | undefined>;
  /** True when nothing more will come. */
  receive(reply: SpawnerReply): boolean;
  /** The worker is gone. */
  fail(error: PryxError): void;
}

/** One output stream, fed by messages; tells the worker of every chunk that its reader took. */
interface Inlet {
  readonly stream: ReadableStream<Uint8Array>;
  readonly ended: boolean;
  add(bytes: Uint8Array): void;
  end(error?: PryxError): void;
}

export function createSpawnerChild(
  id: number,
  { stdin: input, output }: Command,
  tell: (request: SpawnerRequest) => void,
  hold: (on: boolean) => void,
): SpawnerChild {
  let pid = 0;
  const started = Promise.withResolvers<StartFailure | undefined>();
  const status = Promise.withResolvers<Deno.CommandStatus>();
  // Somebody may have stopped waiting for it.
  status.promise.catch(() => {});
  let ended = false;
  let failure: PryxError | undefined;
  const writes: PromiseWithResolvers<void>[] = [];
  const outputs = { stdout: createInlet(id, "stdout", tell), stderr: createInlet(id, "stderr", tell) };
  const refuseWrites = (error: PryxError) => {
    failure ??= error;
    for (const written of writes.splice(0)) written.reject(error);
  };
  if (output === "inherit") { for (const inlet of Object.values(outputs)) inlet.end(); }

  const stdin = new WritableStream<Uint8Array>({
    async write(bytes) {
      if (input !== "piped") throw new PryxError("io", "The child has no input to write to");
      if (failure) throw failure;
      const written = Promise.withResolvers<void>();
      writes.push(written);
      tell({ op: "write", id, bytes });
      await written.promise;
    },
    close: () => tell({ op: "close", id }),
    abort: () => tell({ op: "close", id }),
  });

  return {
    child: {
      get pid() {
        return pid;
      },
      status: status.promise,
      stdout: outputs.stdout.stream,
      stderr: outputs.stderr.stream,
      stdin,
      hold,
    },
    started: started.promise,
    receive(reply) {
      switch (reply.op) {
        case "started":
          pid = reply.pid;
          started.resolve(undefined);
          break;
        case "failed":
          started.resolve({ why: reply.why, confined: reply.confined });
          return true;
        case "written": {
          const written = writes.shift();
          if (reply.why === undefined) written?.resolve();
          else written?.reject(new PryxError("io", `Cannot write to the child: ${reply.why}`));
          break;
        }
        case "chunk":
          outputs[reply.stream].add(reply.bytes);
          break;
        case "end":
          outputs[reply.stream].end();
          break;
        case "status":
          ended = true;
          status.resolve(reply.status);
      }
      if (!ended || !outputs.stdout.ended || !outputs.stderr.ended) return false;
      refuseWrites(new PryxError("io", "Cannot write to the child: it has ended"));
      return true;
    },
    fail(error) {
      started.resolve({ why: error.message, confined: false });
      status.reject(error);
      for (const inlet of Object.values(outputs)) inlet.end(error);
      refuseWrites(error);
    },
  };
}

function createInlet(id: number, name: OutputName, tell: (request: SpawnerRequest) => void): Inlet {
  const queue: Uint8Array[] = [];
  let ended = false;
  let cancelled = false;
  let failure: PryxError | undefined;
  let wake = () => {};
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      while (queue.length === 0 && !ended && !cancelled) {
        await new Promise<void>((resolve) => wake = resolve);
      }
      if (cancelled) return;
      const bytes = queue.shift();
      if (bytes) {
        tell({ op: "taken", id, stream: name });
        controller.enqueue(bytes);
      } else if (failure) controller.error(failure);
      else controller.close();
    },
    cancel() {
      cancelled = true;
      queue.length = 0;
      wake();
      if (!ended) tell({ op: "cancel", id, stream: name });
    },
  }, { highWaterMark: 0 });
  return {
    stream,
    get ended() {
      return ended;
    },
    add(bytes) {
      if (!cancelled) queue.push(bytes);
      wake();
    },
    end(error) {
      ended = true;
      failure ??= error;
      wake();
    },
  };
}
