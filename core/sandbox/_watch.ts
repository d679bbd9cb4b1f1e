import { signalGroup, signalProcess } from "./_group.ts";
import { memoryOf, namespaceOf, processesOf, type Tree } from "./_process_tree.ts";
import { unrefTimer } from "./_unref_timer.ts";

export interface WatchOptions {
  /** The child: its group and session have the same number. */
  readonly pid: number;
  /** The mark that all of it carries in its environment. */
  readonly mark: string;
  /** Bytes of private memory, all together. */
  readonly memoryBytes: number;
  readonly processes: number;
  /** Called when a limit is passed, after everything was killed; and again while there is something left to kill. */
  onExceeded(limit: "memory" | "processes"): void;
}

export interface Watch extends Disposable {
  /** Kills all that is known to have come of the child, also what left its group. */
  kill(): void;
}

/** Milliseconds. Short at first: a bomb goes off at the start. */
const FIRST_EVERY_MS = 100;
const EVERY_MS = 250;
const FIRST_TICKS = 20;

/**
 * Counts the processes of a child and their memory a few times a second, on Linux. What the system limits by itself
 * holds for one process each, and not at all for root's number of processes.
 */
export function watch(options: WatchOptions): Watch {
  if (Deno.build.os !== "linux") return { kill() {}, [Symbol.dispose]() {} };
  const tree: Tree = { pid: options.pid, mark: options.mark, known: new Map(), namespace: undefined };
  let exceeded: "memory" | "processes" | undefined;
  let ticks = 0;
  let timer: ReturnType<typeof setTimeout>;
  const tick = () => {
    tree.namespace ??= namespaceOf(options.pid);
    const members = processesOf(tree);
    if (exceeded === undefined) {
      if (members.length > options.processes) exceeded = "processes";
      else if (memoryOf(tree, members, options.memoryBytes) > options.memoryBytes) exceeded = "memory";
    }
    if (exceeded !== undefined) {
      killAll(tree, members);
      options.onExceeded(exceeded);
    }
    next();
  };
  const next = () => {
    timer = setTimeout(tick, ticks++ < FIRST_TICKS ? FIRST_EVERY_MS : EVERY_MS);
    unrefTimer(timer);
  };
  next();
  return {
    kill: () => killAll(tree, processesOf(tree)),
    [Symbol.dispose]() {
      clearTimeout(timer);
    },
  };
}

/** The group, and those that left it; in a namespace of their own all end with its first process, which is in the group. */
function killAll(tree: Tree, members: readonly number[]): void {
  signalGroup(tree.pid, "SIGKILL");
  if (tree.namespace !== undefined) return;
  for (const pid of members) signalProcess(pid, "SIGKILL");
}
