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

  /** What one question may cost; undefined where nothing limits it. */
  function reserve(budget: number | undefined): number | undefined {
    if (limits.cost === undefined) return budget;
    const left = limits.cost - (cost ?? 0) - reserved;
    if (left <= 0) {
      throw new PryxError("budget", `The budget of $${limits.cost} is used up`, {
        fix: "allow more with --max-cost",
      });
    }
    const mine = Math.min(left, budget ?? left);
    reserved += mine;
    return mine;
  }

  async function ask(question: Ask, { signal, event }: CellCall): Promise<Answer> {
    const session = question.session;
    if (session !== undefined && !own.has(session)) {
      throw new PryxError("not_found", `There is no session ${session} of this automation`);
    }
    await need(turn, "use=agent");
    const budget = reserve(question.budget);
    try {
      return await answer(question, budget, signal, event);
    } finally {
      if (limits.cost !== undefined) reserved -= budget ?? 0;
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
    using _listening = question.stream
      ? pryx.listen((one) => {
        if (one.session !== session || one.type !== "message.delta" || one.data.kind !== "text") return;
        event(one.data.text);
      })
      : { [Symbol.dispose]() {} };
    const all = AbortSignal.any([signal, turn.signal]);
    const stop = () => void pryx.cancel(session, "The automation no longer waits for it");
    if (all.aborted) stop();
    else all.addEventListener("abort", stop, { once: true });
    const { data } = await pryx.ended(session, submitted.turn).finally(() =>
      all.removeEventListener("abort", stop)
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

  function submission(question: Ask, budget: number | undefined): Submission {
    const { prompt, context, session, schema, model, tools, functions = [], maxTurns, timeoutMs, preset } =
      question;
    const kinds = preset === undefined ? undefined : NARROWED[preset];
    const { needs, ...from } = mandate ?? ANYTHING;
    const narrowed = kinds ? { ...from, needs: needs.filter(({ kind }) => kinds.includes(kind)) } : mandate;
    const taints = turn.taints();
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
          const value = await options.call("tool", { name, args, ...(id === undefined ? {} : { id }) });
          return typeof value === "string" ? value : JSON.stringify(value);
        },
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
