import type { Pryx } from "../../core/api.ts";
import type { CommandContext, CommandSurface } from "../../core/commands/command.ts";
import type { EventData, EventOf, EventType, PryxEvent } from "../../core/domain/event.ts";
import { EVENT_VERSION } from "../../core/domain/event.ts";
import type { SessionId, TurnId } from "../../core/domain/id.ts";
import type { ApprovalAnswer } from "../../core/domain/policy.ts";

/** A Pryx that runs nothing: it keeps what it was told, so that a surface can be tested by itself. */
export interface FakePryx extends Pryx {
  readonly decided: { readonly approval: string; readonly answer: ApprovalAnswer }[];
  readonly answered: { readonly question: string; readonly text: string; readonly by: string }[];
  /** Resolves with the next decision. */
  nextDecision(): Promise<{ readonly approval: string; readonly answer: ApprovalAnswer }>;
  nextAnswer(): Promise<{ readonly question: string; readonly text: string; readonly by: string }>;
}

/** @param first what `decide` and `answer` return: false stands for "answered elsewhere before". */
export function createFakePryx(first = true): FakePryx {
  const decisions = createMailbox<FakePryx["decided"][number]>();
  const answers = createMailbox<FakePryx["answered"][number]>();
  const unused = () => Promise.reject(new Error("the fake does not do this"));
  return {
    decided: decisions.all,
    answered: answers.all,
    nextDecision: decisions.next,
    nextAnswer: answers.next,
    decide(approval, answer) {
      decisions.put({ approval, answer });
      return Promise.resolve(first);
    },
    answer(question, text, by) {
      answers.put({ question, text, by });
      return Promise.resolve(first);
    },
    submit: unused,
    callTool: unused,
    openTurn: unused,
    cancel: unused,
    ended: unused,
    commands: () => Promise.resolve([]),
    events: () => {
      throw new Error("the fake has no events");
    },
    listen: () => ({ [Symbol.dispose]() {} }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  } as FakePryx;
}

function createMailbox<T>() {
  const all: T[] = [];
  let wake = Promise.withResolvers<T>();
  return {
    all,
    next: () => wake.promise,
    put(item: T) {
      all.push(item);
      wake.resolve(item);
      wake = Promise.withResolvers<T>();
    },
  };
}

/** A command line at which nobody is, with nothing piped in; `more` says what is different. */
export function fakeSurface(more: Partial<CommandSurface> = {}): CommandSurface {
  const nobody = () => Promise.reject(new Error("nobody is here"));
  return {
    name: "cli",
    attended: false,
    event: () => {},
    note: () => {},
    input: () => Promise.resolve(undefined),
    prompt: nobody,
    confirm: nobody,
    ...more,
  };
}

/** A context whose parts all reject, but for those given. */
export function fakeContext(
  surface: CommandSurface,
  signal: AbortSignal,
  parts: Partial<CommandContext> = {},
): CommandContext {
  const missing: () => Promise<never> = () => Promise.reject(new Error("the test gave no such part"));
  const context: CommandContext = {
    signal,
    cwd: "/tmp",
    paths: {
      home: "/nowhere",
      config: "/nowhere/config",
      data: "/nowhere/data",
      state: "/nowhere/state",
      cache: "/nowhere/cache",
      configFile: "/nowhere/config/config.jsonc",
      database: "/nowhere/data/pryx.db",
      managed: "/nowhere/etc",
    },
    config: missing,
    configFile: missing,
    pryx: missing,
    store: missing,
    blobs: missing,
    policy: missing,
    secrets: missing,
    provider: missing,
    catalog: missing,
    sandbox: missing,
    tools: missing,
    automations: missing,
    with: () => context,
    ...parts,
    surface,
  };
  return context;
}

let seq = 0;

/** An event of the fake session, with the data given. */
export function fakeEvent<T extends EventType>(type: T, data: EventData<T>): EventOf<T> & PryxEvent {
  return {
    v: EVENT_VERSION,
    seq: ++seq,
    session: "0session" as SessionId,
    turn: "0turn" as TurnId,
    at: "2030-01-02T03:04:05.678Z",
    type,
    data,
  } as unknown as EventOf<T> & PryxEvent;
}
