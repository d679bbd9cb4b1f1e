import type { Submission } from "../api.ts";
import type { EventData, EventDraft, EventOf, PryxEvent } from "../domain/event.ts";
import { PryxError } from "../domain/error.ts";
import { newId, type SessionId, type TurnId } from "../domain/id.ts";
import { NO_USAGE } from "../domain/message.ts";
import { applyEvent, foldSession, type SessionState } from "../domain/session.ts";
import type { Policy } from "../policy/policy.ts";
import type { Lease } from "../store/store.ts";
import { callTool } from "./call_tool.ts";
import { readInstructions, systemPrompt } from "./context.ts";
import type { AgentParts, ResolvedModel } from "./agent_parts.ts";
import { createNeedContext } from "./host.ts";
import { readIgnored } from "./ignored.ts";
import { keepOutput } from "./outputs.ts";
import { repairs } from "./repairs.ts";
import type { CallOptions, SessionParts } from "./session_parts.ts";
import type { KnownFiles } from "./snapshots.ts";
import { runTurn } from "./turn.ts";

/** The single writer of one session: takes inputs in order, runs one turn at a time, owns the session's lease. */
export class SessionRunner {
  readonly id: SessionId;
  readonly #parts: AgentParts;
  readonly #known: KnownFiles = new Map();
  readonly #noticed = new Set<string>();
  #state: SessionState | undefined;
  #lease: Lease | undefined;
  #running:
    | { readonly turn: TurnId; readonly abort: AbortController; readonly done: Promise<void> }
    | undefined;

  constructor(id: SessionId, parts: AgentParts) {
    this.id = id;
    this.#parts = parts;
  }

  /** Stores the input and starts a turn on it; while one runs, the input steers that turn. Synchronous up to the store. */
  submit(submission: Submission, workspace: string, model: ResolvedModel): { turn: TurnId; seq: number } {
    const running = this.#running;
    if (running) {
      const seq = this.#appendInput(submission, running.turn, true);
      return { turn: running.turn, seq };
    }
    this.#open(workspace);
    const turn = newId<TurnId>(this.#parts.now().getTime());
    const seq = this.#appendInput(submission, turn, false);
    const abort = new AbortController();
    const done = this.#run(turn, submission, model, abort).finally(() => {
      this.#running = undefined;
      this.#close();
    });
    this.#running = { turn, abort, done };
    return { turn, seq };
  }

  /** Runs one call outside a model's turn, as a turn of its own. */
  async call(
    request: { tool: string; args: unknown },
    options: Omit<CallOptions, "turn">,
    workspace: string,
    surface: string,
  ) {
    if (this.#running) throw new PryxError("session_busy", `A turn is running in session ${this.id}`);
    this.#open(workspace);
    const turn = newId<TurnId>(this.#parts.now().getTime());
    const started = performance.now();
    try {
      this.#append([
        {
          type: "input",
          turn,
          data: {
            text: `tool ${request.tool}`,
            principal: options.origin,
            surface,
            device: this.#parts.device,
          },
        },
        { type: "turn.started", turn, data: { model: "none", preset: this.#parts.config.preset } },
      ]);
      const parts = this.#sessionParts(workspace);
      const outcome = await callTool(parts, {
        id: "",
        name: request.tool,
        args: JSON.stringify(request.args),
      }, {
        ...options,
        turn,
      });
      const status = outcome.status === "cancelled" ? "cancelled" : "done";
      this.#append([{
        type: "turn.ended",
        turn,
        data: {
          status,
          text: outcome.text,
          usage: NO_USAGE,
          cost: 0,
          steps: 0,
          ms: Math.round(performance.now() - started),
          unapproved: outcome.unapproved,
          personOnly: outcome.personOnly,
        },
      }], { durable: true });
      return outcome;
    } finally {
      this.#close();
    }
  }

  cancel(reason: PryxError): void {
    this.#running?.abort.abort(reason);
  }

  /** Resolves when no turn runs any more. */
  async idle(): Promise<void> {
    await this.#running?.done;
  }

  async #run(
    turn: TurnId,
    submission: Submission,
    model: ResolvedModel,
    abort: AbortController,
  ): Promise<void> {
    const started = performance.now();
    const limits = { ...this.#parts.config.limits, ...withoutUndefined(submission.limits ?? {}) };
    const timer = limits.timeoutMs === undefined ? undefined : setTimeout(() => {
      abort.abort(
        new PryxError("timeout", `The time limit of ${limits.timeoutMs} ms was reached`, {
          fix: "allow more with --timeout, and go on with --continue",
        }),
      );
    }, limits.timeoutMs);
    let end: Omit<EventData<"turn.ended">, "ms">;
    try {
      end = await this.#work(turn, submission, model, limits, abort.signal);
    } catch (error) {
      // Nothing but a bug or a broken store ends up here; the turn still has to end.
      const cause = error instanceof PryxError
        ? error
        : new PryxError("internal", error instanceof Error ? error.message : String(error), { cause: error });
      end = {
        status: "failed",
        text: "",
        error: cause.toJSON(),
        usage: NO_USAGE,
        cost: 0,
        steps: 0,
        unapproved: [],
      };
    } finally {
      clearTimeout(timer);
    }
    const ms = Math.round(performance.now() - started);
    try {
      this.#append([{ type: "turn.ended", turn, data: { ...end, ms } }], { durable: true });
    } catch (error) {
      // The store is gone (disk full, say): surfaces in this process must still learn that the turn is over.
      this.#parts.journal.lost(this.id, turn, { ...end, ms }, error);
    }
  }

  async #work(
    turn: TurnId,
    submission: Submission,
    model: ResolvedModel,
    limits: { turns: number; cost?: number | undefined; approvalTimeoutMs: number },
    signal: AbortSignal,
  ) {
    const { config, now, trust, catalog } = this.#parts;
    const workspace = this.#state?.workspace ?? "";
    const parts = this.#sessionParts(workspace);
    const instructions = await readInstructions(
      await trust(workspace),
      workspace,
      (path) => Deno.readTextFile(path),
    );
    const recorded = model.provider.recorded === true;
    this.#append([{
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
    const { outputSchema } = submission;
    return await runTurn(parts, {
      turn,
      provider: model.provider,
      model: model.model,
      systemPrompt: systemPrompt({
        workspace,
        platform: `${Deno.build.os} ${Deno.build.arch}`,
        now: now().toISOString(),
        attended: submission.attended,
      }, instructions.text),
      contextWindow: async () =>
        (await catalog.info(model.provider.name, model.model))?.contextWindow ?? config.contextWindow,
      maxSteps: limits.turns,
      maxCost: limits.cost,
      attended: submission.attended,
      approvalTimeoutMs: limits.approvalTimeoutMs,
      signal,
      ...(outputSchema ? { outputSchema } : {}),
    });
  }

  #sessionParts(workspace: string): SessionParts {
    const { store, blobs, desk, tools, catalog, now, journal, home, searchPath, shellNeeds, outputs } =
      this.#parts;
    const state = this.#state;
    if (!state) throw new Error("the session is not open");
    let compiled: Promise<Policy> | undefined;
    const policy = () => compiled ??= this.#parts.policy(workspace);
    let ignored: ((path: string) => boolean) | undefined;
    return {
      session: this.id,
      workspace,
      state,
      store,
      policy,
      tools,
      desk,
      catalog,
      now,
      needContext: createNeedContext({ workspace, home, searchPath, shellNeeds }),
      snapshots: {
        blobs,
        workspace,
        known: this.#known,
        isSecret: async (path) => (await policy()).isSecret(path),
        ignored: async (folder) => ignored ??= await readIgnored(folder),
      },
      sandbox: this.#parts.sandbox,
      redact: this.#parts.redact,
      keep: (name, content) => keepOutput(outputs, this.id, name, content),
      append: (drafts, options) => this.#append(drafts, options),
      live: (turn, type, data) => journal.live(this.id, turn, type, data),
      noticeOnce: (text) => {
        if (this.#noticed.has(text)) return;
        this.#noticed.add(text);
        this.#append([{
          type: "notice",
          turn: this.#running?.turn ?? null,
          data: { text, level: "warning" },
        }]);
      },
    };
  }

  /** Takes the lease, learns what others wrote, and closes what a dead process left open. */
  #open(workspace: string): void {
    this.#lease = this.#parts.store.lease(this.id);
    try {
      if (this.#state) {
        for (const event of this.#parts.store.events(this.id, this.#state.lastSeq)) {
          applyEvent(this.#state, event);
        }
      } else {
        this.#state = foldSession(this.id, this.#parts.store.events(this.id));
      }
      if (this.#state.lastSeq === 0) {
        const profile = this.#parts.config.profile;
        this.#append([{ type: "session.created", turn: null, data: { workspace, profile } }]);
      }
      const repair = repairs(this.#state, this.#parts.store.partial(this.id)?.text ?? "");
      if (repair.length > 0) this.#append(repair, { durable: true });
      this.#parts.store.clearPartial(this.id);
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  #close(): void {
    this.#lease?.[Symbol.dispose]();
    this.#lease = undefined;
  }

  #append(drafts: readonly EventDraft[], options?: { durable?: boolean }): readonly PryxEvent[] {
    const state = this.#state;
    if (!state) throw new Error("the session is not open");
    return this.#parts.journal.append(this.id, drafts, {
      ...options,
      before: (event) => applyEvent(state, event),
    });
  }

  #appendInput(submission: Submission, turn: TurnId, steering: boolean): number {
    const { text, context, surface, key } = submission;
    const data: EventOf<"input">["data"] = {
      text,
      ...(context === undefined ? {} : { context }),
      principal: submission.principal ?? "human",
      surface,
      profile: this.#parts.config.profile,
      device: this.#parts.device,
      ...(key === undefined ? {} : { key }),
      ...(steering ? { steering } : {}),
    };
    const [event] = this.#append([{ type: "input", turn, data }]);
    return event?.seq ?? 0;
  }
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as never;
}
