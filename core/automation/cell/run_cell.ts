import type { Seal } from "../../domain/automation.ts";
import { type LoadMessage, WIRE_VERSION } from "../wire.ts";
import { bootGuest } from "./boot_guest.ts";
import { readCompiledGuest, writeCompiledGuest } from "./compiled_guest.ts";
import { takePowers } from "./_powers.ts";
import { urlParts } from "./_url_parts.ts";

// One chunk of the bundle for both.
export { writeCompiledGuest };

export interface CellOptions {
  /** Shuts the process in. Called once, when everything that will ever be loaded is there. */
  seal(): Seal;
}

const READ_BYTES = 256 * 1024;
const NEWLINE = 10;
/** How the guest runtime begins a message of `console`. */
const SAY = '{"t":"say"';

/** Bits that are drawn at once. */
const RANDOM_WORDS = 1_024;

/**
 * `pryx __cell`: runs one automation. Reads lines of the host from standard input and answers on standard output, as
 * core/automation/wire.ts says. Ends when its input does. Gives the exit code, after which nothing may run.
 */
export async function runCell({ seal }: CellOptions): Promise<number> {
  const { stdin, stdout, exit } = Deno;
  const { setTimeout, clearTimeout, setImmediate, addEventListener } = globalThis;
  const output = createOutput((bytes) => stdout.writeSync(bytes));
  const timers = new Map<number, ReturnType<typeof setTimeout>>();
  /** Timers of no length that have not fired, and whether one has. */
  let due = 0;
  let fired = false;
  /** Resolves when all that follows from what was done is done too. */
  const turn = () => new Promise<void>((resolve) => void setImmediate(() => resolve()));
  const random = new Uint32Array(RANDOM_WORDS);
  let drawn = RANDOM_WORDS;

  const { entry, compile } = bootGuest({
    send: output.send,
    timer(id, ms) {
      if (ms <= 0) {
        due++;
        return void setImmediate(() => {
          due--;
          fired = true;
          entry.fire(id);
        });
      }
      timers.set(
        id,
        setTimeout(() => {
          timers.delete(id);
          entry.fire(id);
        }, ms),
      );
    },
    clearTimer(id) {
      clearTimeout(timers.get(id));
      timers.delete(id);
    },
    elapsed: () => performance.now(),
    random() {
      if (drawn === RANDOM_WORDS) {
        crypto.getRandomValues(random);
        drawn = 0;
      }
      return random[drawn++] ?? 0;
    },
    url: urlParts,
  }, { compiled: readCompiledGuest() });
  // What nobody catches may be an object of the context: it is not looked at here.
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    entry.rejected(event.reason);
  });
  addEventListener("error", (event) => {
    event.preventDefault();
    entry.rejected(event.error);
  });

  const lines = createLines();
  const buffer = new Uint8Array(READ_BYTES);
  warmUp();
  // What was compiled is put in the runtime's cache when it next has a turn: afterwards it could not be.
  for (let turns = 0; turns < 2; turns++) await turn();
  const held = seal();
  takePowers();
  output.send(JSON.stringify({ t: "ready", v: WIRE_VERSION, seal: held }));
  let fixed: boolean | undefined;
  for (;;) {
    // Some runtimes let all that is due have its turn at once, and what follows from it only afterwards.
    do {
      fired = false;
      await turn();
    } while (fired);
    // Without a timer nothing goes on before the host says something: to stand still for it is the fastest way to wait.
    const count = timers.size + due === 0 ? stdin.readSync(buffer) : await stdin.read(buffer);
    if (count === null) return exit(0);
    for (const line of lines.add(buffer.subarray(0, count))) {
      if (fixed === undefined) {
        const load = JSON.parse(line) as LoadMessage;
        fixed = load.fixed !== undefined;
        start(load);
      } else entry.receive(line);
      // What follows from one message is done before the next, whatever else the pipe brought with it.
      if (fixed) await turn();
    }
  }

  function start({ modules, t: _t, ...rest }: LoadMessage): void {
    for (const { id, code, json, links } of modules) {
      if (json) {
        entry.define(id, undefined, code, "null");
        continue;
      }
      const body = compile(id, code);
      if (typeof body === "string") entry.define(id, undefined, body, JSON.stringify(links));
      else entry.define(id, body, "", JSON.stringify(links));
    }
    entry.start(JSON.stringify(rest));
  }
}

/**
 * What the runtime opens on first use, and could not once the process is sealed: the machine's time zone, and what signals
 * come through, which it wants half a second after it started, and dies without.
 */
function warmUp(): void {
  new Date().getTimezoneOffset();
  if (Deno.build.os === "windows") return;
  const ignore = () => {};
  Deno.addSignalListener("SIGWINCH", ignore);
  Deno.removeSignalListener("SIGWINCH", ignore);
}

/** Lines of a byte stream. UTF-8 that is cut between two pieces is put together. */
function createLines(): { add(bytes: Uint8Array): Generator<string> } {
  const decoder = new TextDecoder();
  let rest = "";
  return {
    *add(bytes) {
      let from = 0;
      for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
        const line = rest + decoder.decode(bytes.subarray(from, at), { stream: true });
        rest = "";
        from = at + 1;
        yield line;
      }
      rest += decoder.decode(bytes.subarray(from), { stream: true });
    },
  };
}

/**
 * Messages that are sent in one go are written in one go, as soon as it is over. What `console` says is written at once, and
 * what came before it: who looks for the place where a program hangs sees the last of it. A full pipe holds the process up.
 */
function createOutput(write: (bytes: Uint8Array) => number): { send(line: string): void } {
  const encoder = new TextEncoder();
  const settled = Promise.resolve();
  let waiting = "";

  function flush(): void {
    const text = waiting;
    waiting = "";
    const bytes = encoder.encode(text);
    for (let at = 0; at < bytes.length;) at += write(bytes.subarray(at));
  }

  return {
    send(line) {
      if (waiting === "") settled.then(flush);
      waiting += `${line}\n`;
      // Text that is kept here counts as memory of the process.
      if (waiting.length > 1_000_000 || line.startsWith(SAY)) flush();
    },
  };
}
