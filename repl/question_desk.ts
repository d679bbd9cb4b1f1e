import type { Pryx } from "../core/api.ts";
import { toPryxError } from "../core/domain/error.ts";
import type { EventData, PryxEvent } from "../core/domain/event.ts";
import type { ApprovalId } from "../core/domain/id.ts";
import {
  answerOf,
  type Choice,
  choiceOf,
  describeAnswer,
  renderApproval,
  renderKeys,
  renderSpans,
  SPANS,
} from "./approval_prompt.ts";
import { frame } from "./_frame.ts";
import { sanitizeLine, spellOut } from "./sanitize.ts";
import type { Style } from "./style.ts";
import { askLine, pressed, type PromptTerminal } from "./terminal_prompts.ts";

/** Approvals and questions of the agent, put to the person at the terminal one after the other. */
export interface QuestionDesk {
  /** Takes notice of an event: queues what asks, takes away what was answered elsewhere. */
  event(event: PryxEvent): void;
  /** Resolves when nothing is waiting. */
  idle(): Promise<void>;
}

/** What the desk asks with, and whom it tells the answer. */
interface QuestionDeskOptions {
  readonly terminal: PromptTerminal;
  readonly style: Style;
  /** Made on the first answer. */
  readonly pryx: () => Promise<Pick<Pryx, "decide" | "answer">>;
  /** Ends every question. */
  readonly signal: AbortSignal;
  /** Who answers: `human:cli`. */
  readonly by: string;
  readonly now?: () => number;
}

/** Takes the line of keys away; what comes next stands in its place. */
const CLEAR = "\r\x1b[2K";

interface Waiting {
  readonly id: string;
  readonly session: string;
  readonly gone: AbortController;
  readonly show: (signal: AbortSignal) => Promise<void>;
  /** Says that nobody will answer here, so that the run does not wait for ever. */
  readonly giveUp: () => Promise<unknown>;
}

/** Asks one question at a time, in the order they came. */
export function createQuestionDesk(options: QuestionDeskOptions): QuestionDesk {
  const { terminal, style, pryx, by } = options;
  const now = options.now ?? Date.now;
  const queue: Waiting[] = [];
  let working: Promise<void> | undefined;

  function add(waiting: Omit<Waiting, "gone">): void {
    queue.push({ ...waiting, gone: new AbortController() });
    working ??= work();
  }

  async function work(): Promise<void> {
    try {
      for (let next = queue[0]; next; next = queue[0]) await put(next);
    } finally {
      // At once: what is asked from here on is to begin anew.
      working = undefined;
    }
  }

  async function put(next: Waiting): Promise<void> {
    using _held = terminal.output.hold();
    const signal = AbortSignal.any([next.gone.signal, options.signal]);
    try {
      await next.show(signal);
    } catch (error) {
      const why = next.gone.signal.aborted ? String(next.gone.signal.reason) : toPryxError(error).message;
      terminal.output.direct(`${CLEAR}${style.dim(`└ ${sanitizeLine(why)}`)}\n`);
      if (!signal.aborted) await next.giveUp().catch(() => {});
    }
    queue.splice(queue.indexOf(next), 1);
  }

  function drop(id: string, why: string): void {
    for (const waiting of queue) if (waiting.id === id) waiting.gone.abort(why);
  }

  async function approve(asked: EventData<"approval.requested">, signal: AbortSignal): Promise<void> {
    terminal.output.direct(renderApproval(asked, style, terminal.columns()));
    const choice = await pressed(terminal, signal, renderKeys(asked, style), (key) => choiceOf(key, asked));
    const answer = answerOf(choice, asked, by, { ...await more(choice, signal), now: now() });
    const first = await (await pryx()).decide(asked.approval as ApprovalId, answer);
    const said = style.bold(sanitizeLine(first ? describeAnswer(answer) : "it was answered elsewhere"));
    terminal.output.direct(`${CLEAR}${style.yellow("└")} ${said}\n`);
  }

  async function more(choice: Choice, signal: AbortSignal): Promise<{ spanMs?: number; note?: string }> {
    if (choice === "until") {
      terminal.output.direct("\n");
      return {
        spanMs: await pressed(terminal, signal, renderSpans(style), (key) => SPANS[key.toLowerCase()]?.ms),
      };
    }
    if (choice !== "say") return {};
    terminal.output.direct(CLEAR);
    return { note: await askLine(terminal, "└ Why not?", { signal }) };
  }

  async function question(asked: EventData<"question.asked">, signal: AbortSignal): Promise<void> {
    const { from = "The agent", options: choices = [], default: preset } = asked;
    const bar = style.cyan("│");
    const columns = terminal.columns();
    const lines = frame(bar, spellOut(asked.text), columns);
    for (const [at, choice] of choices.entries()) {
      const plain = `  ${at + 1}  `;
      lines.push(...frame(bar, spellOut(choice), columns, { plain, shown: style.bold(plain) }));
    }
    terminal.output.direct(
      `${style.cyan("┌")} ${style.bold(`${sanitizeLine(from)} asks`)}\n${lines.join("\n")}\n`,
    );
    let text = "";
    while (text === "") {
      const typed = await askLine(
        terminal,
        `└ ${choices.length ? "Number or text:" : "Answer:"}`,
        {
          signal,
        },
      );
      text = choices[Number(typed.trim()) - 1] ?? typed.trim();
      // Enter alone takes what is offered.
      if (text === "" && preset !== undefined) break;
    }
    const first = await (await pryx()).answer(asked.question, text, by);
    if (!first) terminal.output.direct(style.dim("  it was answered elsewhere\n"));
  }

  return {
    event(event) {
      switch (event.type) {
        case "approval.requested":
          return add({
            id: event.data.approval,
            session: event.session,
            show: (signal) => approve(event.data, signal),
            giveUp: async () => {
              const answer = answerOf("deny", event.data, by, {
                note: "nobody is at the terminal",
                now: now(),
              });
              await (await pryx()).decide(event.data.approval as ApprovalId, answer);
            },
          });
        case "question.asked":
          return add({
            id: event.data.question,
            session: event.session,
            show: (signal) => question(event.data, signal),
            giveUp: async () => await (await pryx()).answer(event.data.question, "(no answer)", by),
          });
        case "approval.decided":
          return drop(event.data.approval, `answered by ${event.data.by}: ${event.data.verdict}`);
        case "question.answered":
          return drop(event.data.question, `answered by ${event.data.by}: ${event.data.text}`);
        case "turn.ended":
          for (const waiting of queue) {
            if (waiting.session === event.session) waiting.gone.abort("the turn has ended");
          }
      }
    },
    async idle() {
      await working;
    },
  };
}
