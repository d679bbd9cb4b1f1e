import { PryxError } from "../domain/error.ts";
import type { Command } from "./_confinement.ts";
import { createSpawnerChild, type SpawnedChild, type SpawnerChild } from "./_spawner_child.ts";
import { holdProcess } from "./_hold_process.ts";
import { rulesKey } from "./_landlock_rules.ts";
import type { ThreadRestriction } from "./landlock.ts";
import type { SpawnerReply, SpawnerRequest } from "./_spawner_protocol.ts";
import { unrefTimer } from "./_unref_timer.ts";

export type { SpawnedChild } from "./_spawner_child.ts";

/** Workers kept for the next command of the same rules. Those that run something come on top. */
const IDLE_WORKERS = 4;
/** From the end of a command to the start of the worker in reserve, which holds this thread up for some milliseconds. */
const SPARE_AFTER_MS = 50;

interface SpawnerWorker {
  readonly worker: Worker;
  readonly children: Map<number, SpawnerChild>;
  /** Those that keep pryx going. */
  readonly held: Set<number>;
}

/** Starts children whose kernel rules are those of a thread that was restricted for them. Linux with Landlock only. */
export interface Spawner extends Disposable {
  /**
   * `name`: what errors call it. Rejects with `sandbox` when the restriction cannot be enforced, and then nothing was
   * started; with `io` when the program cannot be started.
   */
  spawn(command: Command, restriction: ThreadRestriction, name?: string): Promise<SpawnedChild>;
  /** How many workers live now, without the one in reserve. */
  readonly size: number;
}

/**
 * A worker for each set of rules; the least recently used idle one goes. One unrestricted worker is kept in reserve
 * once a command has run, as starting one takes longer than restricting it. Idle workers do not keep the process alive.
 */
export function createSpawner(idleWorkers = IDLE_WORKERS): Spawner {
  const workers = new Map<string, SpawnerWorker>();
  let spare: SpawnerWorker | undefined;
  let spareTimer: ReturnType<typeof setTimeout> | undefined;
  let nextId = 1;
  let closed = false;

  function start(): SpawnerWorker {
    const worker = new Worker(workerUrl(), {
      type: "module",
      name: "pryx spawner",
      deno: {
        permissions: {
          run: true,
          ffi: true,
          read: false,
          write: false,
          net: false,
          env: false,
          sys: false,
          import: false,
        },
      },
    });
    const started: SpawnerWorker = { worker, children: new Map(), held: new Set() };
    worker.onmessage = ({ data }: MessageEvent<SpawnerReply>) => {
      const child = started.children.get(data.id);
      if (!child?.receive(data)) return;
      started.children.delete(data.id);
      holdChild(started, data.id, false);
      if (started.children.size > 0) return;
      dropIdle();
      startSpareLater();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      drop(started, `The worker that starts commands failed: ${event.message}`);
    };
    holdProcess(worker, false);
    return started;
  }

  function holdChild({ worker, held }: SpawnerWorker, id: number, hold: boolean): void {
    const before = held.size;
    if (hold) held.add(id);
    else held.delete(id);
    if (before > 0 !== held.size > 0) holdProcess(worker, hold);
  }

  function drop(gone: SpawnerWorker, why: string): void {
    if (spare === gone) spare = undefined;
    for (const [key, worker] of workers) if (worker === gone) workers.delete(key);
    gone.worker.terminate();
    for (const child of gone.children.values()) child.fail(new PryxError("sandbox", why));
    gone.children.clear();
  }

  function dropIdle(): void {
    const idle = [...workers.values()].filter(({ children }) => children.size === 0);
    for (const worker of idle.slice(0, Math.max(0, idle.length - idleWorkers))) {
      drop(worker, "The worker was closed");
    }
  }

  function startSpareLater(): void {
    if (spare || spareTimer !== undefined || closed) return;
    spareTimer = setTimeout(() => {
      spareTimer = undefined;
      spare ??= start();
    }, SPARE_AFTER_MS);
    unrefTimer(spareTimer);
  }

  function restricted(restriction: ThreadRestriction): SpawnerWorker {
    const { rules, network, unixSockets } = restriction;
    const key = [network, unixSockets, rulesKey(rules)].join("\0");
    const worker = workers.get(key) ?? spare ?? start();
    if (!workers.has(key)) {
      if (worker === spare) spare = undefined;
      tell(worker, { op: "restrict", restriction });
    }
    workers.delete(key);
    workers.set(key, worker);
    return worker;
  }

  return {
    async spawn(command, restriction, name = command.program) {
      if (closed) throw new PryxError("sandbox", "The sandbox is closed");
      const worker = restricted(restriction);
      const id = nextId++;
      const child = createSpawnerChild(id, command, (request) => tell(worker, request), (hold) => {
        if (worker.children.has(id)) holdChild(worker, id, hold);
      });
      worker.children.set(id, child);
      holdChild(worker, id, true);
      tell(worker, { op: "spawn", id, command });
      const failure = await child.started;
      if (failure === undefined) return child.child;
      // A thread that was restricted in part may be asked nothing again.
      if (!failure.confined) drop(worker, "The worker was closed");
      throw failure.confined
        ? new PryxError("io", `Cannot run ${name}: ${failure.why}`)
        : new PryxError("sandbox", `Cannot confine ${name}: ${failure.why}`);
    },
    get size() {
      return workers.size;
    },
    [Symbol.dispose]() {
      closed = true;
      clearTimeout(spareTimer);
      for (const worker of [...workers.values(), ...(spare ? [spare] : [])]) {
        drop(worker, "The sandbox was closed");
      }
    },
  };
}

function tell({ worker }: SpawnerWorker, request: SpawnerRequest): void {
  worker.postMessage(request);
}

/** From source the worker lies beside this file; in a bundle this code is in a chunk at the root of the output. */
function workerUrl(): URL {
  return import.meta.url.endsWith(".ts")
    ? new URL("./spawner_worker.ts", import.meta.url)
    : new URL("./core/sandbox/spawner_worker.js", import.meta.url);
}
