import type { ErrorJson, ProgramTurn, Pryx } from "../api.ts";
import type { Recording } from "../domain/cassette.ts";
import type { LinkedGraph } from "../domain/automation.ts";
import { EXIT, type PryxError, toPryxError } from "../domain/error.ts";
import type { SessionId } from "../domain/id.ts";
import type { Mandate } from "../domain/policy.ts";
import type { PolicyView } from "../policy/policy.ts";
import type { Cell, Sandbox } from "../sandbox/sandbox.ts";
import type { Store } from "../store/store.ts";
import { createAgentDesk } from "./_ask.ts";
import { describeFailure } from "./_failure.ts";
import { createQuestions } from "./_questions.ts";
import { deliver, runTests } from "./_after_load.ts";
import type { AutomationEnd, AutomationRun } from "./automation.ts";
import { askConsent, patternsOf } from "./consent.ts";
import { AutomationError, type Conversation, converse } from "./conversation.ts";
import { createDispatch } from "./dispatch.ts";
import { recordRun, type RunRecorder } from "./record_run.ts";
import { createTail } from "./_tail.ts";

/** What runs of automations share. */
export interface RunParts {
  pryx(): Promise<Pryx>;
  store(): Promise<Store>;
  sandbox(): Promise<Sandbox>;
  policy(): Promise<PolicyView>;
  toolNames(): Promise<readonly string[]>;
  variable(name: string): string | undefined;
  secretMark(name: string): string;
  secret(name: string): Promise<string>;
  readonly now: () => Date;
  /** Where the run is to be recorded, if it is. */
  recording(): Promise<Recording | undefined>;
}

/** Characters kept of what an automation prints, for the session: its end. */
const KEPT_OUTPUT = 64 * 1024;
/** From `signal` to the end of the process, milliseconds: time to close what is open. */
const GRACE_MS = 500;

/** Runs an automation from its first line to its end. Rejects only where it could not begin. */
export async function runAutomation(run: AutomationRun, parts: RunParts): Promise<AutomationEnd> {
  const { graph } = run;
  run.signal.throwIfAborted();
  const recording = await parts.recording();
  const recorder = recording && await recordRun(recording, {
    graph,
    args: run.args,
    cwd: run.cwd,
    now: () => parts.now().getTime(),
  });
  const starting = parts.sandbox().then((sandbox) => sandbox.cell({ fixed: recorder !== undefined }));
  starting.catch(() => {});
  const [pryx, sandbox] = await Promise.all([parts.pryx(), parts.sandbox()]);
  const mandate = mandateOf(graph, (await sandbox.baseline()).temp);
  // What its first command will wait for is found out meanwhile.
  if (graph.permissions?.run !== undefined) void sandbox.layers().catch(() => {});
  // This process works in no sessions but those of the run.
  using _showing = pryx.listen(run.show);
  await using turn = await pryx.openTurn({
    graph,
    args: run.args,
    mandate,
    workspace: graph.root,
    surface: run.surface,
    attended: run.attended,
    ...(run.limits ? { limits: run.limits } : {}),
  });
  const cancel = () => void pryx.cancel(turn.session, reasonOf(run.signal));
  run.signal.addEventListener("abort", cancel, { once: true });
  if (run.signal.aborted) cancel();
  let cell: Cell | undefined;
  try {
    cell = await starting;
    return await inCell(run, { ...parts, pryx, sandbox, mandate, turn, cell, recorder });
  } catch (error) {
    // Nothing of the automation ran: the end says why.
    const failure = toPryxError(error);
    await turn.end({ status: "failed", text: "", error: failure.toJSON() });
    return endOf(turn.session, "failed", failure.exitCode, failure.toJSON());
  } finally {
    run.signal.removeEventListener("abort", cancel);
    cell?.kill();
    void starting.then((late) => late.kill()).catch(() => {});
  }
}

/** The most that an automation may do: its manifest, and the temporary folder that every command has. */
function mandateOf(graph: LinkedGraph, temp: string): Mandate {
  return withTemp(
    { automation: graph.entry, graph: graph.hash, needs: patternsOf(graph.permissions ?? {}) },
    temp,
  );
}

/** `mandate`, and the temporary folder. */
export function withTemp(mandate: Mandate, temp: string): Mandate {
  const pattern = temp.replaceAll(/[*?[\]{}\\]/gu, "\\$&");
  return {
    ...mandate,
    needs: [...mandate.needs, { kind: "read", pattern }, { kind: "write", pattern }],
  };
}

interface Running extends Omit<RunParts, "pryx" | "sandbox"> {
  readonly pryx: Pryx;
  readonly sandbox: Sandbox;
  readonly mandate: Mandate;
  readonly turn: ProgramTurn;
  readonly cell: Cell;
  readonly recorder: RunRecorder | undefined;
}

async function inCell(run: AutomationRun, running: Running): Promise<AutomationEnd> {
  const { graph } = run;
  const { turn, mandate, pryx, cell, recorder } = running;
  const printed = createTail(KEPT_OUTPUT);
  const say = (to: "stdout" | "stderr", text: string) => {
    if (to === "stdout") printed.add(text);
    turn.say(to, text);
  };
  /** What is printed on behalf of the automation. */
  const print = (to: "stdout" | "stderr", text: string) => {
    recorder?.print(to, text);
    say(to, text);
  };
  const exited = Promise.withResolvers<number>();
  const store = await running.store();
  const agent = createAgentDesk({
    pryx,
    turn,
    mandate,
    principal: `automation:${graph.entry}`,
    workspace: graph.root,
    limits: run.limits ?? {},
    call: (name, params) => conversation.call(name, params),
  });
  const answer = createDispatch({
    ...running,
    agent,
    say,
    questions: createQuestions(turn, run.answers),
    state: store.automationState(`${graph.root}\0${graph.entry}`),
    workspace: graph.root,
    input: run.input,
    exit: (code) => exited.resolve(code),
  });
  const conversation: Conversation = converse({
    cell,
    name: graph.entry,
    answer,
    say,
    ...(recorder ? { tap: recorder.tap, clock: recorder.clock } : {}),
  });

  let consent: Disposable | undefined;
  const work = async (): Promise<number> => {
    await conversation.ready;
    consent = await askConsent({
      graph,
      mandate,
      turn,
      policy: await running.policy(),
      store,
      now: running.now,
    });
    conversation.load({
      modules: graph.modules,
      entry: graph.entry,
      args: run.args,
      cwd: run.cwd,
      workspace: graph.root,
      test: graph.test,
      ...(recorder ? { fixed: recorder.fixed } : {}),
    });
    const registered = await conversation.loaded;
    await conversation.idle();
    if (graph.test) {
      return await runTests(registered.tests, { graph, conversation, say: print, watch: run.tests ?? {} });
    }
    return await deliver(run, registered, conversation, print);
  };
  const working = work();
  working.catch(() => {});

  let exitCode: number = EXIT.done;
  let failure: PryxError | undefined;
  try {
    exitCode = await Promise.race([working, exited.promise, conversation.gone, aborted(turn.signal)]);
  } catch (error) {
    failure = turn.signal.aborted ? toPryxError(turn.signal.reason) : toPryxError(error);
    if (turn.signal.aborted) await ending(conversation, working, failure.message);
  }
  cell.kill();
  const { unapproved, personOnly } = turn.unanswered();
  const others = agent.unanswered;
  const stopped = unapproved.length + personOnly.length + others.unapproved.length + others.personOnly.length;
  // What flags would have allowed is said once, of all that was stopped.
  const error = failure && await describeFailure(failure, graph, stopped > 0);
  const status = failure === undefined ? "done" : failure.code === "cancelled" ? "cancelled" : "failed";
  await turn.end({
    status,
    text: printed.text(),
    ...(error ? { error } : {}),
    ...agent.spent,
    unanswered: others,
  });
  consent?.[Symbol.dispose]();
  const code = failure?.exitCode ?? (exitCode === EXIT.done && stopped > 0 ? EXIT.denied : exitCode);
  // An error of the automation's own making is in what it said.
  const recorded = failure instanceof AutomationError ? undefined : error;
  await recorder?.end({ status, exitCode: code, ...(recorded ? { error: recorded } : {}) });
  return endOf(turn.session, status, code, error);
}

/** Lets the automation close what it has open. */
async function ending(conversation: Conversation, working: Promise<unknown>, reason: string): Promise<void> {
  conversation.abort(reason);
  const grace = Promise.withResolvers<void>();
  const timer = setTimeout(grace.resolve, GRACE_MS);
  await Promise.race([grace.promise, working.catch(() => {}), conversation.gone.catch(() => {})]);
  clearTimeout(timer);
}

function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  if (signal.aborted) reject(signal.reason);
  else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  return promise;
}

function endOf(
  session: SessionId,
  status: AutomationEnd["status"],
  exitCode: number,
  error: ErrorJson | undefined,
): AutomationEnd {
  return { session, status, exitCode, ...(error ? { error } : {}) };
}

function reasonOf(signal: AbortSignal): string {
  return signal.reason instanceof Error ? signal.reason.message : "Cancelled";
}
