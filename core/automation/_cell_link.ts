import { PryxError } from "../domain/error.ts";
import type { Cell } from "../sandbox/sandbox.ts";
import { readFromCell } from "./_from_cell.ts";
import type { FromCell, ToCell } from "./wire.ts";

/** Silence of a cell after which it is asked whether it waits, milliseconds. */
const SILENCE_MS = 500;
/** Number of that question: nothing else has one as high. */
const PROBE = 2 ** 40;

/** A cell as a replay speaks to it: message by message. */
export interface CellLink {
  send(message: ToCell): void;
  /**
   * What it says, until it is gone. Ends by throwing what `stalled` makes when the cell waits for something and nothing is
   * on its way: it works on one message at a time, so an answer to a question of no meaning shows that it is done with all
   * before. A cell that is busy is not hurried.
   */
  messages(stalled: () => PryxError): AsyncGenerator<FromCell, void>;
}

export function linkCell(cell: Cell, name: string): CellLink {
  const lines = cell.lines[Symbol.asyncIterator]();
  /** The line that is waited for. Whoever listens next goes on with it. */
  let next: Promise<IteratorResult<string>> | undefined;
  let sent = 0;

  function send(message: ToCell): void {
    sent++;
    void cell.send(JSON.stringify(message));
  }

  return {
    send,
    async *messages(stalled) {
      let sentBefore: number | undefined;
      for (;;) {
        next ??= lines.next();
        next.catch(() => {});
        if (sentBefore === undefined && !await within(next, SILENCE_MS)) {
          send({ t: "call", id: PROBE, name: "complete", params: { path: [] } });
          sentBefore = sent;
        }
        const { done, value } = await next;
        if (done) return;
        next = undefined;
        const message = readFromCell(value);
        if (!message) {
          throw new PryxError("internal", `${name} was stopped: it said what makes no sense`, {
            fix: "look at what the automation does to the language's own objects; if nothing, report it",
          });
        }
        if (message.t !== "reply" || message.id !== PROBE) {
          yield message;
          continue;
        }
        if (sentBefore === sent) throw stalled();
        sentBefore = undefined;
      }
    },
  };
}

/** Whether a promise settles in time. */
async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), ms);
  const settled = () => true;
  try {
    return await Promise.race([promise.then(settled, settled), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
