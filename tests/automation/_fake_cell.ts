import type { Cell, CellEnd } from "../../core/sandbox/sandbox.ts";
import type { FromCell, ToCell } from "../../core/automation/wire.ts";
import { WIRE_VERSION } from "../../core/automation/wire.ts";

/** A cell without a process: a test says what it says, and sees what it was told. */
export interface FakeCell {
  readonly cell: Cell;
  /** What the host has sent, in order. */
  readonly told: readonly ToCell[];
  /** How many of its lines the host has taken. */
  readonly taken: number;
  readonly killed: boolean;
  /** Says a message, or a line as it stands. */
  say(...messages: (FromCell | string)[]): void;
  /** Ends its output, and the process: by `end`, or well. */
  die(end?: Partial<CellEnd>): void;
  /** Its output breaks, as that of a cell whose line was too long. */
  break(error: Error): void;
  /** Resolves with the first message to it that `wanted` takes, also one from before. */
  hears(wanted: (message: ToCell) => boolean): Promise<ToCell>;
}

const SEAL = { permissions: true, seccomp: true } as const;
export const READY: FromCell = { t: "ready", v: WIRE_VERSION, seal: SEAL };
export const DONE: FromCell = { t: "done", registered: { triggers: [], tests: [] } };

export function createFakeCell(): FakeCell {
  const lines: string[] = [];
  const told: ToCell[] = [];
  const listeners = new Set<() => void>();
  const ended = Promise.withResolvers<CellEnd>();
  let arrived = Promise.withResolvers<void>();
  let over = false;
  let broken: Error | undefined;
  let taken = 0;
  let killed = false;

  const wake = () => {
    arrived.resolve();
    arrived = Promise.withResolvers();
  };
  const die = (end: Partial<CellEnd> = {}) => {
    over = true;
    ended.resolve({ code: 0, signal: null, stderr: "", ...end });
    wake();
  };
  async function* read(): AsyncGenerator<string> {
    for (;;) {
      const line = lines.shift();
      if (line !== undefined) {
        taken++;
        yield line;
      } else if (broken) throw broken;
      else if (over) return;
      else await arrived.promise;
    }
  }
  return {
    told,
    get taken() {
      return taken;
    },
    get killed() {
      return killed;
    },
    say(...messages) {
      lines.push(...messages.map((one) => typeof one === "string" ? one : JSON.stringify(one)));
      wake();
    },
    die,
    break(error) {
      broken = error;
      wake();
    },
    hears(wanted) {
      const { promise, resolve } = Promise.withResolvers<ToCell>();
      const look = () => {
        const found = told.find(wanted);
        if (!found) return;
        listeners.delete(look);
        resolve(found);
      };
      listeners.add(look);
      look();
      return promise;
    },
    cell: {
      pid: 0,
      seal: SEAL,
      held: "seccomp",
      send(line) {
        told.push(JSON.parse(line));
        for (const look of [...listeners]) look();
      },
      lines: read(),
      ended: ended.promise,
      finish: () => die(),
      kill() {
        killed = true;
        die({ code: null, signal: "SIGKILL" });
      },
      [Symbol.asyncDispose]() {
        die();
        return Promise.resolve();
      },
    } satisfies Cell,
  };
}
