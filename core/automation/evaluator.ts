import type { ErrorJson } from "../api.ts";
import { PryxError, toPryxError } from "../domain/error.ts";
import type { Cell } from "../sandbox/sandbox.ts";
import { createAgentDesk } from "./_ask.ts";
import { completionTarget } from "./_completion.ts";
import { createQuestions } from "./_questions.ts";
import { createOrigins, failureOf, interrupted, syntaxFailure } from "./_evaluation_failure.ts";
import type { Evaluated, Evaluator, EvaluatorRequest } from "./automation.ts";
import { AutomationError, type CellCall, type Conversation, converse } from "./conversation.ts";
import { createDispatch } from "./dispatch.ts";
import { type RunParts, withTemp } from "./run_automation.ts";
import { createTail } from "./_tail.ts";

/** Characters kept of what was printed, for the session: its end. */
const KEPT_OUTPUT = 64 * 1024;
/** From an interruption to the end of the process, milliseconds. */
const GRACE_MS = 1_000;
/** A completion that takes longer is none. */
const COMPLETION_MS = 500;
/** Characters of a value's text at most, and names of a completion. */
const LONGEST = 1_000_000;
const MOST_NAMES = 2_000;

type EvaluatorParts = Pick<
  RunParts,
  "pryx" | "store" | "sandbox" | "toolNames" | "variable" | "secretMark" | "secret"
>;

/** A cell with the state of a prompt. */
interface Prompt {
  readonly cell: Cell;
  readonly conversation: Conversation;
  /** False when its process is gone. */
  alive: boolean;
}

/** One input while it is evaluated. */
interface Evaluating {
  /** Ends what it has asked of the host. */
  readonly controller: AbortController;
  readonly exited: PromiseWithResolvers<number>;
}

/**
 * Opens a prompt for TypeScript: a cell that stays, and one turn for all that is evaluated in it, whose calls go through
 * policy like an automation's.
 */
export async function openEvaluator(request: EvaluatorRequest, parts: EvaluatorParts): Promise<Evaluator> {
  const { name, workspace } = request;
  const [pryx, sandbox, store] = await Promise.all([parts.pryx(), parts.sandbox(), parts.store()]);
  const mandate = request.mandate && withTemp(request.mandate, (await sandbox.baseline()).temp);
  const listening = request.show && pryx.listen((event) => request.show?.(event));
  const turn = await pryx.openTurn({
    graph: {
      file: `<${name}>`,
      root: workspace,
      entry: name,
      modules: [],
      hash: mandate?.graph ?? "",
      permissions: undefined,
      test: false,
    },
    args: request.title === undefined ? [] : [request.title],
    ...(mandate ? { mandate } : {}),
    workspace,
    surface: request.surface,
    attended: request.attended,
    ...(request.limits ? { limits: request.limits } : {}),
  }).catch((error) => {
    listening?.[Symbol.dispose]();
    throw error;
  });

  const printed = createTail(KEPT_OUTPUT);
  let evaluating: Evaluating | undefined;
  let prompt: Promise<Prompt> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let count = 0;
  let closed = false;
  const origins = createOrigins();

  function print(text: string, to: "stdout" | "stderr" = "stdout"): void {
    if (to === "stdout") printed.add(text);
    turn.say(to, text);
  }

  /** What the code prints. */
  function say(to: "stdout" | "stderr", text: string): void {
    request.say?.(to, text);
    print(text, to);
  }

  const agent = createAgentDesk({
    pryx,
    turn,
    ...(mandate ? { mandate } : {}),
    principal: mandate ? `automation:${mandate.automation}` : "human",
    workspace,
    limits: request.limits ?? {},
    call: async (method, params) => await (await opened()).conversation.call(method, params),
  });
  const dispatch = createDispatch({
    ...parts,
    turn,
    agent,
    say,
    sandbox,
    questions: createQuestions(turn, request.answers),
    state: store.automationState(`${workspace}\0${name}`),
    workspace,
    input: request.input,
    exit: (code) => evaluating?.exited.resolve(code),
  });

  /** A call belongs to the input that was evaluated when it was made, and ends when that is interrupted. */
  function answer(call: CellCall): Promise<unknown> {
    if (!evaluating) return dispatch(call);
    return dispatch({ ...call, signal: AbortSignal.any([call.signal, evaluating.controller.signal]) });
  }

  function opened(): Promise<Prompt> {
    prompt ??= start();
    // What was in the way may be gone at the next try.
    prompt.catch(() => prompt = undefined);
    return prompt;
  }

  async function start(): Promise<Prompt> {
    if (closed) throw new PryxError("cancelled", `${name} has ended`);
    const cell = await sandbox.cell();
    const conversation = converse({
      cell,
      name,
      answer,
      say,
    });
    const started: Prompt = { cell, conversation, alive: true };
    conversation.gone.catch(() => started.alive = false);
    await conversation.ready;
    conversation.load({ modules: [], entry: "", args: [], cwd: request.cwd, workspace });
    if (closed) cell.kill();
    return started;
  }

  /** The next input gets a new process, which gets ready meanwhile. */
  function startAgain({ cell }: Prompt): void {
    cell.kill();
    prompt = undefined;
    if (!closed && !turn.signal.aborted) opened().catch(() => {});
  }

  async function evaluate(text: string, signal: AbortSignal): Promise<Evaluated> {
    const { prepareEvaluation } = await import("./_evaluation.ts");
    const prepared = prepareEvaluation(text);
    if (prepared.kind === "problem") return syntaxFailure(prepared.problem);
    if (prepared.kind !== "code") return prepared;
    const stop = AbortSignal.any([signal, turn.signal]);
    if (stop.aborted) return interrupted(stop.reason, false);
    const number = ++count;
    const script = origins.add(number, prepared.origin);
    const here = await opened();
    const { conversation } = here;
    const current: Evaluating = { controller: new AbortController(), exited: Promise.withResolvers() };
    evaluating = current;
    const running = conversation.call("evaluate", { code: prepared.code, name: script });
    running.catch(() => {});
    const aborting = untilAborted(stop);
    try {
      const ended = await Promise.race([
        running.then((value) => ({ value })),
        current.exited.promise,
        // A prompt ends by being gone alone; that it failed is said here.
        conversation.loaded,
        conversation.gone,
        aborting.promise,
      ]);
      if (typeof ended === "number") {
        conversation.abort("It has asked to end");
        return { kind: "exit", code: ended };
      }
      return valueOf("value" in ended ? ended.value : undefined);
    } catch (error) {
      if (!here.alive) {
        startAgain(here);
        return { ...failureOf(toPryxError(error), origins, number), stateLost: true };
      }
      if (error !== stop.reason) return failureOf(toPryxError(error), origins, number);
      const reason = toPryxError(stop.reason);
      current.controller.abort(reason);
      conversation.abort(reason.message);
      const gaveWay = await within(running, GRACE_MS);
      if (!gaveWay) startAgain(here);
      return interrupted(reason, !gaveWay);
    } finally {
      evaluating = undefined;
      aborting[Symbol.dispose]();
    }
  }

  async function complete(text: string): Promise<readonly string[]> {
    const target = completionTarget(text);
    if (!target) return [];
    try {
      const { conversation } = await opened();
      const asked = conversation.call("complete", { path: target.path });
      asked.catch(() => {});
      const late = untilAborted(AbortSignal.timeout(COMPLETION_MS));
      return namesOf(await Promise.race([asked, conversation.gone, late.promise]), target.prefix);
    } catch {
      return [];
    }
  }

  async function close(error?: ErrorJson): Promise<void> {
    if (closed) return;
    closed = true;
    await prompt?.then(({ cell }) => cell[Symbol.asyncDispose]()).catch(() => {});
    await turn.end({
      status: error === undefined ? "done" : error.code === "cancelled" ? "cancelled" : "failed",
      text: printed.text(),
      ...(error ? { error } : {}),
      ...agent.spent,
      unanswered: agent.unanswered,
    });
    listening?.[Symbol.dispose]();
  }

  // It gets ready while the person types.
  try {
    await opened();
  } catch (error) {
    await close(toPryxError(error).toJSON());
    throw error;
  }

  return {
    session: turn.session,
    evaluate(text, { signal = new AbortController().signal } = {}) {
      const next = last.then(() => evaluate(text, signal));
      last = next.catch(() => {});
      return next;
    },
    complete,
    print: (text) => print(text),
    unanswered() {
      const [own, others] = [turn.unanswered(), agent.unanswered];
      return {
        unapproved: [...own.unapproved, ...others.unapproved],
        personOnly: [...own.personOnly, ...others.personOnly],
      };
    },
    close,
    [Symbol.asyncDispose]: () => close(),
  } satisfies Evaluator;
}

/** What a cell answers is of any shape. */
function valueOf(answer: unknown): Evaluated {
  const { text, type } = Object(answer) as { readonly text?: unknown; readonly type?: unknown };
  if (typeof text !== "string" || typeof type !== "string") {
    return failureOf(
      new AutomationError({ name: "Error", message: "its answer makes no sense" }),
      createOrigins(),
      0,
    );
  }
  return { kind: "value", text: text.slice(0, LONGEST), type: type.slice(0, 20) };
}

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

function namesOf(answer: unknown, prefix: string): string[] {
  if (!Array.isArray(answer)) return [];
  return answer.slice(0, MOST_NAMES).filter((one): one is string =>
    typeof one === "string" && one.startsWith(prefix) && one.length <= 200 && IDENTIFIER.test(one)
  );
}

/** Rejects with the reason of `signal`. Disposing forgets it. */
function untilAborted(signal: AbortSignal): Disposable & { readonly promise: Promise<never> } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const stop = () => reject(signal.reason);
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  return { promise, [Symbol.dispose]: () => signal.removeEventListener("abort", stop) };
}

/** Whether it settles in time. */
async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), ms);
  work.then(() => resolve(true), () => resolve(true));
  return await promise.finally(() => clearTimeout(timer));
}
