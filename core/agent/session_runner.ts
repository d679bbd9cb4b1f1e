import type { ProgramRequest, ProgramTurn, Submission } from "../api.ts";
import type { EventData, EventOf } from "../domain/event.ts";
import { PryxError, toPryxError } from "../domain/error.ts";
import { newId, type SessionId, type TurnId } from "../domain/id.ts";
import { NO_USAGE } from "../domain/message.ts";
import type { SessionState } from "../domain/session.ts";
import type { AgentParts, ResolvedModel } from "./agent_parts.ts";
import { type CallOutcome, callTool } from "./call_tool.ts";
import { readInstructions, systemPrompt } from "./context.ts";
import { functionTools } from "./function_tools.ts";
import { openProgramTurn } from "./program_turn.ts";
import { openSessionLog, type SessionLog } from "./session_log.ts";
import { type CallOptions, createSessionParts, type SessionParts } from "./session_parts.ts";
import type { KnownFiles } from "./snapshots.ts";
import { runTurn } from "./turn.ts";

/** What the session is busy with. */
interface Work {
  readonly turn: TurnId;
  readonly abort: AbortController;
  readonly done: Promise<void>;
  /** It takes no more input: its end is decided, or it is no turn of a model. */
  closed: boolean;
  /** Its last event is written. */
  ended: boolean;
}

type End = Omit<EventData<"turn.ended">, "ms">;

/** The single writer of one session: takes inputs in order, runs one turn at a time, owns the session's lease. */
export class SessionRunner {
  readonly id: SessionId;
  readonly #parts: AgentParts;
  readonly #log: SessionLog;
  readonly #known: KnownFiles = new Map();
  readonly #noticed = new Set<string>();
  #work: Work | undefined;

  constructor(id: SessionId, parts: AgentParts) {
    this.id = id;
    this.#parts = parts;
    this.#log = openSessionLog(id, parts);
  }

  get idle(): boolean {
    return this.#work === undefined;
  }

  /** Whether an input can be taken now: nothing runs, or what runs will still see it. */
  get takesInput(): boolean {
    const work = this.#work;
    return work === undefined || !work.closed && !work.abort.signal.aborted;
  }

  /** Resolves when what runs now is over. Never rejects. */
  async settled(): Promise<void> {
    await this.#work?.done;
  }

  /** True until the end of `turn` is stored. */
  isRunning(turn: TurnId): boolean {
    return this.#work?.turn === turn && !this.#work.ended;
  }

  cancel(reason: PryxError): void {
    this.#work?.abort.abort(reason);
  }

  /**
   * Stores the input and starts a turn on it; while one runs, the input steers that turn. Synchronous up to the store.
   * The caller has seen {@link takesInput}.
   */
  submit(submission: Submission, workspace: string, model: ResolvedModel): { turn: TurnId; seq: number } {
    if (!this.takesInput) throw this.#busy();
    if (this.#work) {
      const { turn } = this.#work;
      return { turn, seq: this.#appendInput(submission, turn, true) };
    }
    const { work, state, finish } = this.#begin(workspace);
    try {
      const seq = this.#appendInput(submission, work.turn, false);
      void this.#run(work, state, submission, model).finally(finish);
      return { turn: work.turn, seq };
    } catch (error) {
      finish();
      throw error;
    }
  }

  /** Runs one call outside a model's turn, as a turn of its own. */
  async call(
    request: { tool: string; args: unknown },
    options: Omit<CallOptions, "turn">,
    workspace: string,
    surface: string,
  ): Promise<CallOutcome> {
    if (this.#work) throw this.#busy();
    const { work, state, finish } = this.#begin(workspace);
    const { turn } = work;
    work.closed = true;
    const started = performance.now();
    try {
      const { device, config } = this.#parts;
      const text = `tool ${request.tool}`;
      this.#log.append([
        { type: "input", turn, data: { text, principal: options.origin, surface, device } },
        { type: "turn.started", turn, data: { model: "none", preset: config.preset } },
      ]);
      const args = JSON.stringify(request.args ?? {});
      const outcome = await callTool(this.#sessionParts(state), { id: "", name: request.tool, args }, {
        ...options,
        signal: AbortSignal.any([options.signal, work.abort.signal]),
        turn,
      });
      const { unapproved, personOnly } = outcome;
      const status = outcome.status === "cancelled" ? "cancelled" : "done";
      const ms = Math.round(performance.now() - started);
      const end: End = { ...NOTHING_SPENT, status, text: outcome.text, unapproved, personOnly };
      work.ended = true;
      this.#log.append([{ type: "turn.ended", turn, data: { ...end, ms } }], { durable: true });
      return outcome;
    } finally {
      finish();
    }
  }

  /** Begins a turn that a program drives. The session is this process's until it has ended. */
  open(request: ProgramRequest, workspace: string): ProgramTurn {
    if (this.#work) throw this.#busy();
    const { work, state, finish } = this.#begin(workspace);
    const { turn, abort } = work;
    work.closed = true;
    const started = performance.now();
    const limits = { ...this.#parts.config.limits, ...withoutUndefined(request.limits ?? {}) };
    const timer = this.#deadline(abort, limits.timeoutMs, "allow more with --timeout");
    try {
      const { graph, args, surface, attended, mandate, recorded } = request;
      const { device, config } = this.#parts;
      const { entry, hash, permissions = {} } = graph;
      const text = [entry, ...args].join(" ");
      const principal = mandate ? `automation:${mandate.automation}` : "human";
      this.#log.append([
        { type: "input", turn, data: { text, principal, surface, device } },
        {
          type: "turn.started",
          turn,
          data: {
            model: "none",
            preset: config.preset,
            automation: { file: entry, graph: hash, permissions: { ...permissions } },
            ...(recorded ? { recorded } : {}),
          },
        },
      ]);
      return openProgramTurn(this.#sessionParts(state, { programs: true }), {
        turn,
        signal: abort.signal,
        ...(mandate ? { mandate } : {}),
        attended,
        approvalTimeoutMs: limits.approvalTimeoutMs,
        stop: (reason) => abort.abort(reason),
        end: (end) => {
          clearTimeout(timer);
          work.ended = true;
          try {
            this.#end(turn, { ...end, ms: Math.round(performance.now() - started) });
          } finally {
            finish();
          }
        },
      });
    } catch (error) {
      clearTimeout(timer);
      finish();
      throw error;
    }
  }

  #busy(): PryxError {
    return new PryxError("session_busy", `A turn is running in session ${this.id}`);
  }

  /** From here the session is this process's, and can be cancelled; until `finish`. */
  #begin(workspace: string): { work: Work; state: SessionState; finish: () => void } {
    const state = this.#log.open(workspace);
    const { promise, resolve } = Promise.withResolvers<void>();
    const turn = newId<TurnId>(this.#parts.now().getTime());
    const work: Work = { turn, abort: new AbortController(), done: promise, closed: false, ended: false };
    this.#work = work;
    const finish = () => {
      this.#work = undefined;
      this.#log.close();
      resolve();
    };
    return { work, state, finish };
  }

  /** A turn from its input to its end. Never rejects. */
  async #run(work: Work, state: SessionState, submission: Submission, model: ResolvedModel): Promise<void> {
    const { turn, abort } = work;
    const started = performance.now();
    const limits = { ...this.#parts.config.limits, ...withoutUndefined(submission.limits ?? {}) };
    const timer = this.#deadline(abort, limits.timeoutMs);
    let end: End;
    try {
      end = await this.#turn(work, state, submission, model, limits);
    } catch (error) {
      // Nothing but a bug or a broken store ends up here; the turn still has to end.
      end = { ...NOTHING_SPENT, status: "failed", text: "", error: toPryxError(error).toJSON() };
    } finally {
      clearTimeout(timer);
      work.closed = true;
    }
    const ms = Math.round(performance.now() - started);
    // Whoever asks from here on finds it in the store; who asked before is told of it.
    work.ended = true;
    this.#end(turn, { ...end, ms });
  }

  #end(turn: TurnId, data: EventData<"turn.ended">): void {
    try {
      this.#log.append([{ type: "turn.ended", turn, data }], { durable: true });
    } catch (error) {
      // The store is gone (disk full, say): surfaces in this process must still learn that the turn is over.
      this.#parts.journal.lost(this.id, turn, data, error);
    }
  }

  #deadline(
    abort: AbortController,
    timeoutMs: number | undefined,
    fix = "allow more with --timeout, and go on with --continue",
  ): ReturnType<typeof setTimeout> | undefined {
    if (timeoutMs === undefined) return undefined;
    return setTimeout(() => {
      abort.abort(new PryxError("timeout", `The time limit of ${timeoutMs} ms was reached`, { fix }));
    }, timeoutMs);
  }

  async #turn(
    work: Work,
    state: SessionState,
    submission: Submission,
    model: ResolvedModel,
    limits: { turns: number; cost?: number | undefined; approvalTimeoutMs: number },
  ): Promise<End> {
    const { config, now, trust, catalog } = this.#parts;
    const { turn } = work;
    const { workspace } = state;
    const { attended, outputSchema, mandate } = submission;
    const parts = this.#sessionParts(state, submission);
    const instructions = await readInstructions(await trust(workspace), workspace, Deno.readFile);
    const recorded = model.provider.recorded === true;
    parts.append([{
      type: "turn.started",
      turn,
      data: {
        model: `${model.provider.name}/${model.model}`,
        preset: config.preset,
        contextFiles: instructions.files,
        ...(recorded ? { recorded } : {}),
      },
    }]);
    for (const notice of [...config.notices ?? [], instructions.notice]) if (notice) parts.noticeOnce(notice);
    const platform = `${Deno.build.os} ${Deno.build.arch}`;
    return await runTurn(parts, {
      turn,
      provider: model.provider,
      model: model.model,
      systemPrompt: systemPrompt(
        { workspace, platform, now: now().toISOString(), attended },
        instructions.text,
      ),
      contextWindow: async () =>
        (await catalog.info(model.provider.name, model.model))?.contextWindow ?? config.contextWindow,
      maxSteps: limits.turns,
      maxCost: limits.cost,
      attended,
      approvalTimeoutMs: limits.approvalTimeoutMs,
      signal: work.abort.signal,
      onEnding: () => {
        work.closed = true;
      },
      ...(outputSchema ? { outputSchema } : {}),
      ...(mandate ? { mandate } : {}),
    });
  }

  /** `programs`: with the tools that only programs have. */
  #sessionParts(
    state: SessionState,
    { tools: names, functions = [], programs = false }: Pick<Submission, "tools" | "functions"> & {
      readonly programs?: boolean;
    } = {},
  ): SessionParts {
    const { tools, programTools } = this.#parts;
    // A function goes before a tool of its name: two of one name no provider takes.
    const own = new Set(functions.map(({ name }) => name));
    const chosen = tools.filter(({ name }) => !own.has(name) && (names?.includes(name) ?? true));
    return createSessionParts(this.#parts, {
      tools: programs ? [...tools, ...programTools] : [...chosen, ...functionTools(functions)],
      session: this.id,
      workspace: state.workspace,
      state,
      known: this.#known,
      append: this.#log.append,
      noticeOnce: (text) => {
        if (this.#noticed.has(text)) return;
        this.#noticed.add(text);
        const turn = this.#work?.turn ?? null;
        this.#log.append([{ type: "notice", turn, data: { text, level: "warning" } }]);
      },
    });
  }

  #appendInput(submission: Submission, turn: TurnId, steering: boolean): number {
    const { text, context, surface, key, taints } = submission;
    const data: EventOf<"input">["data"] = {
      text,
      ...(context === undefined ? {} : { context }),
      principal: submission.principal ?? "human",
      surface,
      profile: this.#parts.config.profile,
      device: this.#parts.device,
      ...(key === undefined ? {} : { key }),
      ...(steering ? { steering } : {}),
      ...(taints?.length ? { taints: [...taints] } : {}),
    };
    const [event] = this.#log.append([{ type: "input", turn, data }]);
    return event?.seq ?? 0;
  }
}

const NOTHING_SPENT = { usage: NO_USAGE, cost: 0, steps: 0, unapproved: [] } as const;

function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as never;
}
