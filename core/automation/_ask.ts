import type { FunctionTool, Limits, ProgramTurn, Pryx, Submission, Unanswered } from "../api.ts";
import { ERROR_CODES, type ErrorCode, PryxError } from "../domain/error.ts";
import { addUsage, NO_USAGE, type Usage } from "../domain/message.ts";
import type { SessionId } from "../domain/id.ts";
import type { Mandate } from "../domain/policy.ts";
import type { Json } from "../domain/schema.ts";
import { need } from "./dispatch.ts";
import type { CellCall } from "./conversation.ts";
import type { HostCalls, Methods } from "./methods.ts";

type Ask = Methods["ask"]["params"];
type Answer = Methods["ask"]["value"];

interface AgentDeskOptions {
  readonly pryx: Pryx;
  readonly turn: ProgramTurn;
  /** The most that the agent may do for it. Absent: policy alone limits it. */
  readonly mandate?: Mandate;
  /** Who asks: `automation:FILE`, `human`. */
  readonly principal: string;
  readonly workspace: string;
  readonly limits: Limits;
  /** Calls a function of the automation. */
  call(name: "tool", params: HostCalls["tool"]["params"]): Promise<Json>;
}

/** The agent as an automation has it: with its mandate, within what is left of its budget. */
export interface AgentDesk {
  ask(ask: Ask, call: CellCall): Promise<Answer>;
  readonly spent: { readonly usage: Usage; readonly cost: number | null };
  readonly unanswered: Unanswered;
}

/** Kinds of needs that presets leave an agent of an automation: they only narrow. */
const NARROWED: Readonly<Record<string, readonly string[]>> = {
  "read-only": ["read", "env", "use"],
  "workspace": ["read", "write", "run", "env", "use"],
};

/** US dollars that are worth a question. */
const LEAST = 1e-6;

/** What a preset narrows where no mandate does. */
const ANYTHING: Mandate = {
  automation: "the question's preset",
  graph: "",
  needs: [
    { kind: "read", pattern: "/**" },
    { kind: "write", pattern: "/**" },
    { kind: "net", pattern: "**" },
    { kind: "run", pattern: "*" },
    { kind: "env", pattern: "*" },
    { kind: "use", pattern: "*" },
  ],
};

export function createAgentDesk(options: AgentDeskOptions): AgentDesk {
  const { pryx, turn, mandate, principal, workspace, limits } = options;
  const own = new Set<string>();
  const unapproved = new Set<string>();
  const personOnly = new Set<string>();
  let usage = NO_USAGE;
  let cost: number | null = 0;
  /** US dollars that questions under way may still spend. */
  let reserved = 0;
  /** Functions of the automation that an agent waits for: what they ask must not wait for that agent. */
  let functionsRunning = 0;
  /** Who waits for either of these to change. */
  const waiters = new Set<() => void>();
  /** Where content from outside came from that agents were shown: what they answered may hold it. */
  const sources = new Set<string>();

  function wake(): void {
    for (const waiter of waiters) waiter();
    waiters.clear();
  }

  /**
   * What one question may cost; undefined where nothing limits it. One that is given no budget of its own has all that is
   * left, so the next waits until it is known what of that was spent.
   */
  async function reserve(budget: number | undefined, signal: AbortSignal): Promise<number | undefined> {
    if (limits.cost === undefined) return budget;
    for (;;) {
      signal.throwIfAborted();
      const left = limits.cost - (cost ?? 0) - reserved;
      if (left > LEAST) {
        const mine = Math.min(left, budget ?? left);
        reserved += mine;
        return mine;
      }
      if (reserved < LEAST) {
        throw new PryxError("budget", `The budget of $${limits.cost} is used up`, {
          fix: "allow more with --max-cost",
        });
      }
      if (functionsRunning > 0) {
        throw new PryxError("budget", `All of the budget of $${limits.cost} is held by questions under way`, {
          fix: "give each question a budget of its own: agent.ask(…, { budget: 0.1 })",
        });
      }
      await changed(signal);
    }
  }

  function changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiter = () => {
        signal.removeEventListener("abort", waiter);
        waiters.delete(waiter);
        resolve();
      };
      waiters.add(waiter);
      signal.addEventListener("abort", waiter);
    });
  }

  async function ask(question: Ask, { signal, event }: CellCall): Promise<Answer> {
    const session = question.session;
    if (session !== undefined && !own.has(session)) {
      throw new PryxError("not_found", `There is no session ${session} of this automation`);
    }
    await need(turn, "use=agent");
    const all = AbortSignal.any([signal, turn.signal]);
    const budget = await reserve(question.budget, all);
    try {
      return await answer(question, budget, all, event);
    } finally {
      if (limits.cost !== undefined) reserved -= budget ?? 0;
      wake();
    }
  }

  async function answer(
    question: Ask,
    budget: number | undefined,
    signal: AbortSignal,
    event: (value: unknown) => void,
  ): Promise<Answer> {
    const submitted = await pryx.submit(submission(question, budget));
    const { session } = submitted;
    own.add(session);
    using _listening = pryx.listen((one) => {
      if (one.session !== session) return;
      if (one.type === "tool.finished" && one.data.taints) sources.add(one.data.taints);
      if (question.stream && one.type === "message.delta" && one.data.kind === "text") event(one.data.text);
    });
    const stop = () => void pryx.cancel(session, "The automation no longer waits for it");
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    const { data } = await pryx.ended(session, submitted.turn).finally(() =>
      signal.removeEventListener("abort", stop)
    );
    usage = addUsage(usage, data.usage);
    cost = cost === null || data.cost === null ? null : cost + data.cost;
    for (const one of data.unapproved) unapproved.add(one);
    for (const one of data.personOnly ?? []) personOnly.add(one);
    if (data.status !== "done") throw failure(data.error);
    return {
      text: data.text,
      ...(question.schema === undefined ? {} : { json: JSON.parse(data.text) as Json }),
      session,
      cost: data.cost,
      usage: { input: data.usage.input, output: data.usage.output },
    };
  }

  const taintsNow = () => [...new Set([...turn.taints(), ...sources])];

  function submission(question: Ask, budget: number | undefined): Submission {
    const { prompt, context, session, schema, model, tools, functions = [], maxTurns, timeoutMs, preset } =
      question;
    const kinds = preset === undefined ? undefined : NARROWED[preset];
    const { needs, ...from } = mandate ?? ANYTHING;
    const narrowed = kinds ? { ...from, needs: needs.filter(({ kind }) => kinds.includes(kind)) } : mandate;
    const taints = taintsNow();
    return {
      text: prompt,
      ...(context === undefined ? {} : { context }),
      ...(session === undefined ? { workspace } : { session: session as SessionId }),
      ...(model === undefined ? {} : { model }),
      ...(schema === undefined ? {} : { outputSchema: schema }),
      surface: "automation",
      principal,
      attended: turn.attended,
      limits: {
        ...limits,
        ...(budget === undefined ? {} : { cost: budget }),
        ...(maxTurns === undefined ? {} : { turns: maxTurns }),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      },
      ...(narrowed ? { mandate: narrowed } : {}),
      ...(tools === undefined ? {} : { tools }),
      functions: functions.map((one): FunctionTool => ({
        name: one.name,
        description: one.description,
        parameters: one.parameters,
        call: async (args) => {
          const { name, id } = one;
          functionsRunning++;
          wake();
          try {
            const value = await options.call("tool", { name, args, ...(id === undefined ? {} : { id }) });
            return typeof value === "string" ? value : JSON.stringify(value);
          } finally {
            functionsRunning--;
          }
        },
        taints: taintsNow,
      })),
      ...(taints.length === 0 ? {} : { taints }),
    };
  }

  return {
    ask,
    get spent() {
      return { usage, cost };
    },
    get unanswered() {
      return { unapproved: [...unapproved], personOnly: [...personOnly] };
    },
  };
}

function failure(error: { code: string; message: string; fix?: string } | undefined): PryxError {
  const code = error && Object.hasOwn(ERROR_CODES, error.code) ? error.code as ErrorCode : "tool_failed";
  const fix = error?.fix;
  return new PryxError(
    code,
    error?.message ?? "The agent's turn did not end",
    fix === undefined ? {} : { fix },
  );
}
