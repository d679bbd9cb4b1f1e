import { type BootedGuest, bootGuest } from "../../core/automation/cell/boot_guest.ts";
import { urlParts } from "../../core/automation/cell/_url_parts.ts";
import type { FromCell, LoadMessage } from "../../core/automation/wire.ts";
import type { Guest } from "../../core/automation/guest/guest.ts";
import type { Kit } from "../../core/automation/guest/kit.ts";

/** A context in this very process, with everything of a cell but the process: what it said, and a way to answer. */
export interface TestGuest extends BootedGuest {
  readonly said: FromCell[];
  /** What `console` wrote to standard output. */
  text(): string;
  load(code: string | Readonly<Record<string, string>>, more?: Partial<LoadMessage>): void;
  /** Resolves with the message that ends the run. */
  readonly over: Promise<FromCell & { readonly t: "done" | "failed" }>;
  /** Called with each message. */
  answer: (message: FromCell) => void;
}

/** Runs the code as one module and gives what it wrote. Throws where it failed. */
export async function runGuest(code: string, more?: Partial<LoadMessage>): Promise<string> {
  const guest = createGuest();
  guest.load(code, more);
  const end = await guest.over;
  if (end.t === "failed") {
    throw new Error(`${end.error.name}: ${end.error.message}\n${end.error.stack ?? ""}`);
  }
  return guest.text();
}

/** `part`: one more part of the API; a function that stands on its own. */
export function createGuest(part?: (guest: Guest) => Record<string, unknown>): TestGuest {
  const said: FromCell[] = [];
  let end: (message: FromCell & { readonly t: "done" | "failed" }) => void = () => {};
  const over = new Promise<FromCell & { readonly t: "done" | "failed" }>((resolve) => end = resolve);
  let ended = false;
  const timers = new Map<number, ReturnType<typeof setTimeout>>();
  const booted: BootedGuest = bootGuest({
    send(line) {
      const message = JSON.parse(line) as FromCell;
      said.push(message);
      test.answer(message);
      if (message.t === "done" || message.t === "failed") {
        ended = true;
        for (const timer of timers.values()) clearTimeout(timer);
        end(message);
      }
    },
    timer(id, ms) {
      if (ended) return;
      timers.set(id, setTimeout(() => booted.entry.fire(id), ms));
    },
    clearTimer: (id) => clearTimeout(timers.get(id)),
    elapsed: () => performance.now(),
    random: () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
    url: urlParts,
  }, part && { api: String(part) });
  const test: TestGuest = {
    ...booted,
    said,
    over,
    answer: () => {},
    text: () =>
      said.map((message) => message.t === "say" && message.to === "stdout" ? message.text : "").join(""),
    load(code, more = {}) {
      const modules = typeof code === "string" ? { "job.pryx.ts": code } : code;
      const ids = Object.keys(modules);
      const links = JSON.stringify(Object.fromEntries(ids.map((id) => [`./${id}`, id])));
      for (const [id, text] of Object.entries(modules)) {
        if (id.endsWith(".json")) {
          booted.entry.define(id, undefined, text, "null");
          continue;
        }
        const body = booted.compile(id, text);
        if (typeof body === "string") booted.entry.define(id, undefined, body, links);
        else booted.entry.define(id, body, "", links);
      }
      const entry = ids.at(-1) ?? "";
      booted.entry.start(JSON.stringify({ entry, args: [], workspace: "/work", ...more }));
    },
  };
  return test;
}

export type { Kit };
