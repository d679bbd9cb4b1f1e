import type { Pryx } from "../core/api.ts";
import type { CommandSurface } from "../core/commands/command.ts";
import { PryxError } from "../core/domain/error.ts";
import type { PryxEvent } from "../core/domain/event.ts";
import type { QuestionDesk } from "./question_desk.ts";
import { emptyRun, render } from "./run_view.ts";
import { sanitize, spellOut } from "./sanitize.ts";
import { createStyle, wantsColor } from "./style.ts";
import { createTerminalInput, type TerminalInput } from "./terminal_input.ts";
import { readAll } from "./_read_all.ts";
import { columnsOf, type TerminalIo } from "./terminal_io.ts";
import { createTerminalOutput, type TerminalOutput } from "./terminal_output.ts";
import type { PromptTerminal } from "./terminal_prompts.ts";

/** The command line as a running command sees it, and what the command line itself needs of it. */
export interface TerminalSurface extends CommandSurface, AsyncDisposable {
  readonly output: TerminalOutput;
  /** Says where approvals and questions are answered. */
  attach(pryx: Pryx): void;
  /** True when the failure with this message was shown as the end of a turn. */
  hasShown(message: string): boolean;
}

/** What a terminal shows, and how it asks. */
interface TerminalSurfaceOptions {
  readonly io: TerminalIo;
  readonly json: boolean;
  /** With `json`: events are printed. Default true; false for commands that print one value at their end. */
  readonly events?: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
  /** Ends every question. */
  readonly signal: AbortSignal;
  /** Called on Ctrl-C at a question and when the reader of standard output has gone. */
  readonly interrupt: (reason: "key" | "closed") => void;
  /** `cli`. */
  readonly name?: string;
  /** How long before a key counts a question is on the screen, milliseconds. */
  readonly typedAheadMs?: number;
}

/**
 * The surface of a command line: answers on standard output (with `json`, events too), progress and questions on
 * standard error.
 */
export function createTerminalSurface(options: TerminalSurfaceOptions): TerminalSurface {
  const { io, json } = options;
  const closing = new AbortController();
  const signal = AbortSignal.any([options.signal, closing.signal]);
  const name = options.name ?? "cli";
  const attended = !json && io.stdin.isTerminal() && io.stderr.isTerminal();
  const style = createStyle(wantsColor(io.stderr.isTerminal(), options.color, io.env));
  const output = createTerminalOutput(io, () => options.interrupt("closed"));
  const run = emptyRun({ outIsTerminal: io.stdout.isTerminal(), style, quiet: options.quiet, json });
  let pryx: () => Promise<Pryx> = () =>
    Promise.reject(new PryxError("internal", "The terminal is not attached"));
  let desk: Promise<QuestionDesk> | undefined;
  let input: TerminalInput | undefined;

  const terminal = (): PromptTerminal => ({
    input: input ??= createTerminalInput(io.stdin, options.typedAheadMs),
    output,
    columns: () => columnsOf(io),
    interrupt: () => options.interrupt("key"),
  });

  /** Loaded at the first question: most runs have none. */
  function ask(event: PryxEvent): void {
    desk ??= import("./question_desk.ts").then(({ createQuestionDesk }) =>
      createQuestionDesk({ terminal: terminal(), style, pryx, signal, by: `human:${name}` })
    );
    void desk.then((one) => one.event(event));
  }

  async function prompting<T>(work: (at: PromptTerminal) => Promise<T>): Promise<T> {
    if (!attended) throw unattended(io, json);
    using _held = output.hold();
    return await work(terminal());
  }

  return {
    name,
    attended,
    output,
    event(event) {
      if (json && options.events === false) return;
      const { out, err } = render(event, run);
      if (out !== "") output.out(out);
      // Whoever had enough of the answer needs no account of the rest.
      if (err !== "" && !(output.closed && output.failure === undefined)) output.err(err);
      if (!json && !options.quiet) output.status(run.status);
      if (attended && (desk !== undefined || asks(event))) ask(event);
    },
    note(text) {
      if (!options.quiet) output.err(`${sanitize(text).trimEnd()}\n`);
    },
    input() {
      if (io.stdin.isTerminal()) return Promise.resolve(undefined);
      return readAll(io.stdin, signal, () => {
        if (io.stderr.isTerminal()) {
          output.err("Reading standard input to its end; give it < /dev/null if there is none\n");
        }
      });
    },
    prompt: (question, { secret = false } = {}) =>
      prompting(async (at) => {
        const { askLine } = await import("./terminal_prompts.ts");
        return await askLine(at, spellOut(question), { signal, secret });
      }),
    confirm: (question) =>
      prompting(async (at) => {
        const { askConfirm } = await import("./terminal_prompts.ts");
        return await askConfirm(at, spellOut(question), signal);
      }),
    attach(to) {
      pryx = () => Promise.resolve(to);
    },
    hasShown: (message) => run.shownError === message,
    async [Symbol.asyncDispose]() {
      closing.abort(new PryxError("cancelled", "the run has ended"));
      await (await desk)?.idle();
      output[Symbol.dispose]();
    },
  } satisfies TerminalSurface;
}

function asks(event: PryxEvent): boolean {
  return event.type === "approval.requested" || event.type === "question.asked";
}

function unattended(io: TerminalIo, json: boolean): PryxError {
  const why = json
    ? "with --json nothing is asked"
    : io.stdin.isTerminal()
    ? "standard error is not a terminal"
    : "standard input is not a terminal";
  return new PryxError("usage", `Cannot ask a question: ${why}`, {
    fix: "Run it in a terminal, or give the answer as a flag or on standard input",
  });
}
