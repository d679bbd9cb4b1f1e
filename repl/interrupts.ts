import { EXIT, PryxError } from "../core/domain/error.ts";

/** How a process is told of signals. `Deno` fits. */
export interface SignalSource {
  addSignalListener(signal: Deno.Signal, on: () => void): void;
  removeSignalListener(signal: Deno.Signal, on: () => void): void;
}

/** The wish to stop, from wherever it comes. */
export interface Interrupts extends Disposable {
  readonly signal: AbortSignal;
  /** Asks the work to stop, as a first Ctrl-C does; a second call does nothing. */
  stop(reason: string): void;
}

const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * The first SIGINT, SIGTERM or SIGHUP aborts `signal` with a `cancelled` PryxError, so that the work ends in order; the second
 * calls `exit` at once. All of them mean exit code 130. Listeners are gone when it is disposed.
 */
export function createInterrupts(
  source: SignalSource,
  on: { readonly first: (name: string) => void; readonly exit: (code: number) => void },
): Interrupts {
  const controller = new AbortController();
  let seen = 0;
  const listeners = SIGNALS.map((name) => {
    const listener = () => {
      if (++seen > 1) return on.exit(EXIT.interrupted);
      on.first(name);
      stop(`Interrupted by ${name}`);
    };
    source.addSignalListener(name, listener);
    return { name, listener };
  });

  function stop(reason: string): void {
    if (!controller.signal.aborted) controller.abort(new PryxError("cancelled", reason));
  }

  return {
    signal: controller.signal,
    stop,
    [Symbol.dispose]() {
      for (const { name, listener } of listeners.splice(0)) source.removeSignalListener(name, listener);
    },
  };
}
