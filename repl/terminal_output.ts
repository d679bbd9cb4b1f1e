import { columnsOf, type TerminalIo, type TerminalOut } from "./terminal_io.ts";
import { cut } from "./sanitize.ts";

/** Written at once when this much has gathered, and otherwise after {@link FLUSH_MS}: no write per token. */
const FLUSH_CHARS = 64 * 1024;
const FLUSH_MS = 16;
const STATUS_MS = 250;

/** Both output streams of a process, in the order things were said. Never throws when a reader has gone. */
export interface TerminalOutput extends Disposable {
  /** The answer. Gathered, and written in large pieces. */
  out(text: string): void;
  /** Progress. What `out` holds is written first. */
  err(text: string): void;
  /** A passing line at the bottom of a terminal, gone before anything else is shown. Ignored elsewhere. */
  status(text: string): void;
  /** Keeps everything back until disposed: while a question is on the screen. {@link direct} still writes. */
  hold(): Disposable;
  /** Writes to standard error at once, past a hold. */
  direct(text: string): void;
  flush(): void;
  /** True once the reader of standard output has gone. */
  readonly closed: boolean;
  /** Why standard output cannot be written to, when that is not because its reader has gone: a full disk. */
  readonly failure: string | undefined;
}

/** @param onClosed called once when the reader of standard output has gone (`pryx … | head`). */
export function createTerminalOutput(
  io: Pick<TerminalIo, "stdout" | "stderr" | "columns">,
  onClosed: () => void = () => {},
): TerminalOutput {
  const stdout = createWriter(io.stdout, onClosed);
  const stderr = createWriter(io.stderr, () => {});
  const live = io.stderr.isTerminal();
  let pending = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  let holds = 0;
  let held: { stream: "out" | "err"; text: string }[] = [];
  // A status line may only be drawn where the cursor stands at the start of a line.
  let atLineStart = true;
  let status = "";
  let drawn = false;
  let ticker: ReturnType<typeof setInterval> | undefined;
  let since = 0;

  function erase(): void {
    if (!drawn) return;
    stderr.write("\r\x1b[2K");
    drawn = false;
  }

  function draw(): void {
    if (status === "" || holds > 0 || !atLineStart) return;
    const seconds = Math.floor((Date.now() - since) / 1000);
    const text = seconds > 1 ? `${status} ${seconds} s` : status;
    stderr.write(`\r\x1b[2K\x1b[2m${cut(text, Math.max(20, columnsOf(io) - 1))}\x1b[22m`);
    drawn = true;
  }

  function flush(): void {
    if (timer !== undefined) clearTimeout(timer);
    timer = undefined;
    if (pending === "") return;
    erase();
    const text = pending;
    pending = "";
    stdout.write(text);
    if (io.stdout.isTerminal()) atLineStart = endsLine(text);
  }

  function release(): void {
    const said = held;
    held = [];
    for (const { stream, text } of said) output[stream](text);
  }

  const output: TerminalOutput = {
    out(text) {
      if (text === "") return;
      if (holds > 0) return void held.push({ stream: "out", text });
      pending += text;
      if (pending.length >= FLUSH_CHARS) flush();
      else timer ??= setTimeout(flush, FLUSH_MS);
    },
    err(text) {
      if (text === "") return;
      if (holds > 0) return void held.push({ stream: "err", text });
      flush();
      erase();
      stderr.write(text);
      if (live) atLineStart = endsLine(text);
    },
    status(text) {
      if (!live || text === status) return;
      status = text;
      since = Date.now();
      if (text === "") {
        if (ticker !== undefined) clearInterval(ticker);
        ticker = undefined;
        return erase();
      }
      // A new text does not begin to wait anew: one that changes all the time would never be seen.
      ticker ??= setInterval(draw, STATUS_MS);
      if (drawn) draw();
    },
    hold() {
      flush();
      erase();
      holds++;
      return {
        [Symbol.dispose]: once(() => {
          if (--holds === 0) release();
        }),
      };
    },
    direct(text) {
      flush();
      erase();
      stderr.write(text);
      if (live) atLineStart = endsLine(text);
    },
    flush,
    get closed() {
      return stdout.closed();
    },
    get failure() {
      return stdout.failure();
    },
    [Symbol.dispose]() {
      holds = 0;
      release();
      flush();
      output.status("");
    },
  };
  return output;
}

/** A colour may be switched off behind the newline. */
function endsLine(text: string): boolean {
  // deno-lint-ignore no-control-regex -- the escape character begins a colour
  return /\n(?:\x1b\[[0-9;]*m)*$/.test(text);
}

function createWriter(stream: TerminalOut, onClosed: () => void) {
  const encoder = new TextEncoder();
  let closed = false;
  let failure: string | undefined;
  return {
    closed: () => closed,
    failure: () => failure,
    write(text: string): void {
      if (closed) return;
      try {
        writeAll(stream, encoder.encode(text));
      } catch (error) {
        // EPIPE says the reader has gone, EIO that the terminal has; there is nobody left to tell.
        closed = true;
        if (error instanceof Deno.errors.BrokenPipe) onClosed();
        else if (!stream.isTerminal()) failure = error instanceof Error ? error.message : String(error);
      }
    },
  };
}

/** Writes everything, also to a pipe that its other end made non-blocking and that is full for now. */
function writeAll(stream: TerminalOut, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += stream.writeSync(bytes.subarray(at));
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    run();
  };
}
