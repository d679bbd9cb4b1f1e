import type { Pryx, Submission } from "./api.ts";
import type { AgentParts, ResolvedModel } from "./agent/agent_parts.ts";
import { type ApprovalDesk, createApprovalDesk } from "./agent/approval_desk.ts";
import { createJournal, followSession, type Journal } from "./agent/journal.ts";
import type { Revealer } from "./agent/reveal.ts";
import { SessionRunner } from "./agent/session_runner.ts";
import type { Command } from "./commands/command.ts";
import type { Config, Paths } from "./config/config.ts";
import { PryxError } from "./domain/error.ts";
import type { EventOf } from "./domain/event.ts";
import { newId, type SessionId, type TurnId } from "./domain/id.ts";
import type { Policy } from "./policy/policy.ts";
import { createPolicy } from "./policy/create_policy.ts";
import { findLinks } from "./policy/find_links.ts";
import { shellNeeds } from "./policy/shell_command.ts";
import { trustState } from "./policy/trust.ts";
import type { ModelCatalog, Provider } from "./providers/provider.ts";
import type { Sandbox } from "./sandbox/sandbox.ts";
import type { Blobs, Store } from "./store/store.ts";
import type { Tool } from "./tools/tool.ts";

/** What the composition root chose, opened and will close: pryx.ts makes and disposes none of it. */
interface PryxParts {
  readonly config: Config;
  readonly paths: Paths;
  /** Absolute, resolved. */
  readonly home: string;
  /** PATH, as commands will see it. */
  readonly searchPath: string;
  /** Host name. */
  readonly device: string;
  readonly now: () => Date;
  readonly store: Store;
  readonly blobs: Blobs;
  readonly tools: readonly Tool[];
  /** Tools that programs have beside them, and models have not. */
  readonly programTools: readonly Tool[];
  readonly catalog: ModelCatalog;
  /** Started on first use. */
  sandbox(): Promise<Sandbox>;
  /** Rejects with `model_unknown` when there is no provider of that name. */
  provider(name: string): Promise<Provider>;
  /** The model to use when none was named; rejects with what to do. */
  defaultModel(): Promise<string>;
  /** pryx's own program, files and folders: out of reach. None when it runs from source. */
  readonly program: readonly string[];
  /** The policy of a workspace, where somebody has compiled it already. */
  compiled?(workspace: string): Promise<Policy> | undefined;
  commands(): Promise<readonly Command[]>;
  redact(text: string): string;
  /** What secret marks stand for; absent: nothing. */
  readonly revealer?: Revealer;
}

/** Sessions that are kept in memory while nothing runs in them. */
const MAX_RUNNERS = 32;
/** Either confines the files that a command can reach. */
const KERNEL_LAYERS: readonly string[] = ["landlock", "bubblewrap"];

/** Wires the parts into the one `Pryx` that every surface talks to. Opens and starts nothing until it is asked. */
export function createPryx(parts: PryxParts): Pryx {
  const { store, now } = parts;
  const journal = createJournal(store, now);
  const desk = createApprovalDesk(store, now);
  const runners = createRunners(agentParts(parts, journal, desk));
  return {
    async submit(submission: Submission) {
      await requireSandbox(parts);
      const model = await resolveModel(parts, submission.model);
      const { id, workspace } = placeOf(parts, submission.session, submission.workspace);
      const { key } = submission;
      const before = () => key === undefined ? undefined : store.keyedInput(key);
      let runner = runners.of(id);
      // A turn that is about to end does not see an input any more. Others may wait for the same moment, and be first.
      while (!runner.takesInput) {
        await runner.settled();
        runner = runners.of(id);
      }
      const known = before();
      if (known) return known;
      try {
        const { turn, seq } = runner.submit(submission, workspace, model);
        return { session: id, turn, seq };
      } catch (error) {
        // Another process stored the same job in between.
        const other = before();
        if (!other) throw error;
        if (submission.session === undefined) store.deleteSession(id);
        return other;
      }
    },
    events: ({ session, after, signal }) => {
      if (session === undefined) {
        throw new PryxError("input_invalid", "Name the session whose events are wanted");
      }
      return followSession(store, journal, session, after ?? 0, signal);
    },
    listen: (on) => journal.listen(on),
    async callTool({ tool, args, origin, workspace, session, surface, attended, signal }) {
      await requireSandbox(parts);
      const place = placeOf(parts, session, workspace);
      const outcome = await runners.of(place.id).call(
        { tool, args },
        {
          origin,
          attended,
          approvalTimeoutMs: parts.config.limits.approvalTimeoutMs,
          signal: signal ?? new AbortController().signal,
        },
        place.workspace,
        surface,
      );
      const status = outcome.status === "interrupted" ? "cancelled" : outcome.status;
      return { ...outcome, status, session: place.id };
    },
    async openTurn(request) {
      await requireSandbox(parts);
      const { id, workspace } = placeOf(parts, undefined, request.workspace);
      return runners.of(id).open(request, workspace);
    },
    decide: (approval, answer) => Promise.resolve(desk.decide(approval, answer)),
    answer: (question, text, by) => Promise.resolve(desk.answer(question, text, by)),
    async cancel(session, reason = "Cancelled") {
      const runner = runners.get(session);
      runner?.cancel(new PryxError("cancelled", reason));
      await runner?.settled();
    },
    async ended(session, turn) {
      if (runners.get(session)?.isRunning(turn)) return await endOf(journal, session, turn);
      const stop = new AbortController();
      try {
        for await (const event of followSession(store, journal, session, 0, stop.signal)) {
          if (event.type === "turn.ended" && event.turn === turn) return event;
        }
      } finally {
        stop.abort();
      }
      throw new PryxError("internal", `Turn ${turn} has no end`);
    },
    commands: () => parts.commands(),
    async [Symbol.asyncDispose]() {
      await runners.close();
    },
  } satisfies Pryx;
}

function agentParts(parts: PryxParts, journal: Journal, desk: ApprovalDesk): AgentParts {
  const { store, now } = parts;
  const policies = new Map<string, Promise<Policy>>();
  return {
    config: parts.config,
    store,
    blobs: parts.blobs,
    journal,
    desk,
    tools: parts.tools,
    programTools: parts.programTools,
    catalog: parts.catalog,
    home: parts.home,
    searchPath: parts.searchPath,
    outputs: outputsFolder(parts.paths),
    device: parts.device,
    now,
    policy(workspace) {
      const known = policies.get(workspace);
      if (known) return known;
      const policy = parts.compiled?.(workspace) ??
        parts.sandbox().then((sandbox) => sandbox.baseline())
          .then(({ temp }) => policyOf({ ...parts, temp }, workspace));
      policies.set(workspace, policy);
      // A failure is not kept: what was in the way may be gone at the next try.
      policy.catch(() => policies.delete(workspace));
      return policy;
    },
    trust: (workspace) => trustState(workspace, (folder) => store.trustedHash(folder)),
    sandbox: () => parts.sandbox(),
    shellNeeds,
    redact: parts.redact,
    ...(parts.revealer ? { revealer: parts.revealer } : {}),
  };
}

/** The sessions that this process works in. */
function createRunners(agent: AgentParts) {
  const runners = new Map<SessionId, SessionRunner>();
  let closing = false;
  return {
    /** The runner of a session, made when there is none. */
    of(id: SessionId): SessionRunner {
      if (closing) throw new PryxError("cancelled", "pryx is shutting down");
      const runner = runners.get(id) ?? new SessionRunner(id, agent);
      // The one used last is the last to go: a daemon meets more sessions than it should hold in memory.
      runners.delete(id);
      runners.set(id, runner);
      for (const [old, { idle }] of runners) {
        if (runners.size <= MAX_RUNNERS) break;
        if (idle && old !== id) runners.delete(old);
      }
      return runner;
    },
    get: (id: SessionId) => runners.get(id),
    /** Cancels what runs, and waits until it has ended. No session is worked in from then on. */
    async close(): Promise<void> {
      closing = true;
      for (const runner of runners.values()) {
        runner.cancel(new PryxError("cancelled", "pryx is shutting down"));
      }
      for (const runner of runners.values()) await runner.settled();
    },
  };
}

/** The end of a turn that runs in this process, without reading the store again and again. */
function endOf(journal: Journal, session: SessionId, turn: TurnId): Promise<EventOf<"turn.ended">> {
  return new Promise((resolve) => {
    const listening = journal.listen((event) => {
      if (event.type !== "turn.ended" || event.session !== session || event.turn !== turn) return;
      listening[Symbol.dispose]();
      resolve(event);
    });
  });
}

/** `sandbox: "required"` is a promise: nothing begins where no kernel layer is there to keep it. */
async function requireSandbox(parts: PryxParts): Promise<void> {
  if (parts.config.sandbox !== "required") return;
  const layers = await (await parts.sandbox()).layers();
  if (layers.some(({ name, active }) => active && KERNEL_LAYERS.includes(name))) return;
  throw new PryxError(
    "sandbox",
    "Cannot work here: the configuration requires the kernel's sandbox, and none is active",
    { fix: "see what is active with: pryx policy show; to work without it: pryx config set sandbox auto" },
  );
}

/** The provider and model that `PROVIDER/MODEL` names; without a name, the configured or the default one. */
async function resolveModel(parts: PryxParts, name: string | undefined): Promise<ResolvedModel> {
  const full = name ?? parts.config.model ?? await parts.defaultModel();
  const slash = full.indexOf("/");
  if (slash < 1 || slash === full.length - 1) {
    throw new PryxError("model_unknown", `"${full}" is not a model name: write PROVIDER/MODEL`, {
      fix: "see the names with: pryx models",
    });
  }
  return { provider: await parts.provider(full.slice(0, slash)), model: full.slice(slash + 1) };
}

/** The session that is meant and its workspace; a new session when none is named. */
function placeOf(
  { store, now }: PryxParts,
  session: SessionId | undefined,
  workspace: string | undefined,
): { id: SessionId; workspace: string } {
  if (session === undefined) {
    if (workspace === undefined) throw new PryxError("input_invalid", "A new session needs a workspace");
    return { id: newId<SessionId>(now().getTime()), workspace };
  }
  const row = store.session(session);
  if (!row) {
    throw new PryxError("not_found", `There is no session "${session}"`, { fix: "pryx sessions list" });
  }
  return { id: session, workspace: row.workspace };
}

/** The policy in force in a workspace: the config's rules over the preset's, and pryx's own files out of reach. */
export async function policyOf(
  parts: Pick<PryxParts, "config" | "paths" | "home" | "program"> & {
    /** The temporary folder of commands: file tools may read and write there too. */
    readonly temp: string;
  },
  workspace: string,
): Promise<Policy> {
  const { config, paths, home, program, temp } = parts;
  const options = {
    preset: config.preset,
    workspace,
    home,
    rules: config.rules,
    protectedPaths: [
      paths.config,
      paths.data,
      paths.state,
      paths.cache,
      ...program,
    ],
    readablePaths: [outputsFolder(paths), temp],
    writablePaths: [temp],
  };
  const links = await findLinks(options);
  return createPolicy({ ...options, links });
}

function outputsFolder(paths: Paths): string {
  return `${paths.state}/outputs`;
}
