import { PryxError } from "../domain/error.ts";
import type { SandboxGrants } from "../domain/policy.ts";
import { holdProcess } from "./_hold_process.ts";
import {
  type FileAnswers,
  type FileCall,
  type FileReply,
  type FileRequest,
  verbOf,
} from "./_file_protocol.ts";

const MAX_WORKERS = 8;
/** Longer than the worker's own bounds: what takes this long hangs in the file system. */
const CALL_LIMIT_MS = 60_000;

interface Pending {
  resolve(value: FileAnswers[keyof FileAnswers]): void;
  reject(error: PryxError): void;
  timer: ReturnType<typeof setTimeout>;
}

interface PooledWorker {
  readonly worker: Worker;
  readonly pending: Map<number, Pending>;
}

/** Deno permissions of one worker: absolute paths. Writable ones are readable too. */
export interface WorkerScope {
  readonly read: readonly string[];
  readonly write: readonly string[];
}

export interface FilePool extends Disposable {
  call<R extends FileRequest>(
    scope: WorkerScope,
    request: R,
    grants: SandboxGrants,
  ): Promise<FileAnswers[R["op"]]>;
  /** How many workers live now. */
  readonly size: number;
}

/** Workers by scope, at most eight; the least recently used idle one goes. Idle workers do not keep the process alive. */
export function createFilePool(maxWorkers = MAX_WORKERS): FilePool {
  const workers = new Map<string, PooledWorker>();
  const waiting: (() => void)[] = [];
  let nextId = 1;
  let closed = false;

  function drop(key: string, pooled: PooledWorker, why: string): void {
    if (workers.get(key) === pooled) workers.delete(key);
    pooled.worker.terminate();
    for (const { reject, timer } of pooled.pending.values()) {
      clearTimeout(timer);
      reject(new PryxError("io", why));
    }
    pooled.pending.clear();
    waiting.shift()?.();
  }

  function start(key: string, scope: WorkerScope): PooledWorker {
    const worker = new Worker(workerUrl(), {
      type: "module",
      name: "pryx files",
      deno: {
        permissions: {
          read: [...scope.read, ...scope.write],
          write: [...scope.write],
          net: false,
          env: false,
          run: false,
          ffi: false,
          sys: false,
          import: false,
        },
      },
    });
    const pooled: PooledWorker = { worker, pending: new Map() };
    worker.onmessage = ({ data }: MessageEvent<FileReply>) => {
      const pending = pooled.pending.get(data.id);
      if (!pending) return;
      pooled.pending.delete(data.id);
      clearTimeout(pending.timer);
      if (pooled.pending.size === 0) {
        holdProcess(worker, false);
        waiting.shift()?.();
      }
      if ("error" in data) {
        pending.reject(new PryxError(data.error.code, data.error.message, { fix: data.error.fix }));
      } else pending.resolve(data.value);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      drop(key, pooled, `The file worker failed: ${event.message}`);
    };
    holdProcess(worker, false);
    workers.set(key, pooled);
    return pooled;
  }

  function send<R extends FileRequest>(key: string, pooled: PooledWorker, request: R, grants: SandboxGrants) {
    const id = nextId++;
    return new Promise<FileAnswers[R["op"]]>((resolve, reject) => {
      const timer = setTimeout(
        () =>
          drop(key, pooled, `Cannot ${verbOf(request.op)} ${request.path}: the file system does not answer`),
        CALL_LIMIT_MS,
      );
      if (pooled.pending.size === 0) holdProcess(pooled.worker, true);
      pooled.pending.set(id, { resolve: resolve as Pending["resolve"], reject, timer });
      pooled.worker.postMessage({ id, request, grants } satisfies FileCall);
    });
  }

  return {
    async call<R extends FileRequest>(scope: WorkerScope, request: R, grants: SandboxGrants) {
      const key = JSON.stringify([scope.read, scope.write]);
      for (;;) {
        if (closed) throw new PryxError("sandbox", "The sandbox is closed");
        const known = workers.get(key);
        if (known) {
          workers.delete(key);
          workers.set(key, known);
        }
        const pooled = known ?? (workers.size < maxWorkers ? start(key, scope) : undefined);
        // Without a pause between finding a worker and using it: an idle one may go at any time.
        if (pooled) return await send(key, pooled, request, grants);
        const idle = [...workers].find(([, { pending }]) => pending.size === 0);
        if (idle) drop(idle[0], idle[1], "The file worker was closed");
        else await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    get size() {
      return workers.size;
    },
    [Symbol.dispose]() {
      closed = true;
      for (const [key, pooled] of [...workers]) drop(key, pooled, "The sandbox was closed");
      for (const wake of waiting.splice(0)) wake();
    },
  };
}

/** From source the worker lies beside this file; in a bundle this code is in a chunk at the root of the output. */
function workerUrl(): URL {
  return import.meta.url.endsWith(".ts")
    ? new URL("./file_worker.ts", import.meta.url)
    : new URL("./core/sandbox/file_worker.js", import.meta.url);
}
