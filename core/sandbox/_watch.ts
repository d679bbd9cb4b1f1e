import { memoryOf, namespaceOf, processesOf, type Tree } from "./_process_tree.ts";

export interface WatchOptions {
  /** The child: its group and session have the same number. */
  readonly pid: number;
  /** The mark that all of it carries in its environment. */
  readonly mark: string;
  /** Bytes of private memory, all together. */
  readonly memoryBytes: number;
  readonly processes: number;
  /**
   * Called with the processes there are, and again for those that came meanwhile. Their numbers are those of a namespace
   * of their own when `namespaced`.
   */
  onExceeded(limit: "memory" | "processes", members: readonly number[], namespaced: boolean): void;
}

/** Milliseconds. Short at first: a bomb goes off at the start. */
const FIRST_EVERY_MS = 100;
const EVERY_MS = 250;
const FIRST_TICKS = 20;

/**
 * Counts the processes of a child and their memory a few times a second, on Linux. What the system limits by itself
 * holds for one process each, and not at all for root's number of processes.
 */
export function watch(options: WatchOptions): Disposable {
  if (Deno.build.os !== "linux") return { [Symbol.dispose]() {} };
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
      options.onExceeded(exceeded, members, tree.namespace !== undefined);
    }
    next();
  };
  const next = () => {
    timer = setTimeout(tick, ticks++ < FIRST_TICKS ? FIRST_EVERY_MS : EVERY_MS);
    Deno.unrefTimer(Number(timer));
  };
  next();
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
    },
  };
}
