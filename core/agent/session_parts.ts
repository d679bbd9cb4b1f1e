import type { EventData, EventDraft, LiveType, PryxEvent } from "../domain/event.ts";
import type { SessionId, TurnId } from "../domain/id.ts";
import type { Mandate, Origin } from "../domain/policy.ts";
import type { SessionState } from "../domain/session.ts";
import type { Policy } from "../policy/policy.ts";
import type { ModelCatalog } from "../providers/provider.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { Store } from "../store/store.ts";
import type { LongOutput, NeedContext, OutputStream, Tool } from "../tools/tool.ts";
import type { AgentParts } from "./agent_parts.ts";
import type { ApprovalDesk } from "./approval_desk.ts";
import { createNeedContext } from "./host.ts";
import { readIgnored } from "./ignored.ts";
import { keepOutput, openOutput } from "./outputs.ts";
import { redactBytes } from "./redact_data.ts";
import type { Revealer } from "./reveal.ts";
import type { FolderOptions, KnownFiles, SnapshotOptions } from "./snapshots.ts";

/** What the work of one session has at hand. Made by the session's runner; the turn and its calls only use it. */
export interface SessionParts {
  readonly session: SessionId;
  /** Absolute, resolved. */
  readonly workspace: string;
  /** Kept up to date by `append`. */
  readonly state: SessionState;
  readonly store: Store;
  /** Compiled on first use: no request to a model waits for it. */
  policy(): Promise<Policy>;
  readonly tools: readonly Tool[];
  readonly desk: ApprovalDesk;
  readonly catalog: ModelCatalog;
  readonly needContext: NeedContext;
  readonly snapshots: SnapshotOptions & FolderOptions;
  readonly now: () => Date;
  sandbox(): Promise<Sandbox>;
  /** Known secrets out of a text. */
  redact(text: string): string;
  /** Absent: secret marks stand for nothing. */
  readonly revealer?: Revealer;
  /** Keeps a large output; returns its absolute path. */
  keep(name: string, content: Uint8Array | string): Promise<string>;
  keepLong(name: string): LongOutput;
  append(drafts: readonly EventDraft[], options?: { durable?: boolean }): readonly PryxEvent[];
  live<T extends LiveType>(turn: TurnId, type: T, data: EventData<T>): void;
  /** A notice that a session shows once. */
  noticeOnce(text: string): void;
}

/** How one call is made: who asks, in which turn, and who could approve it. */
export interface CallOptions {
  readonly origin: Origin;
  readonly turn: TurnId;
  readonly signal: AbortSignal;
  readonly attended: boolean;
  readonly approvalTimeoutMs: number;
  /** Why a person must look at this call whatever policy says (the loop guard). */
  readonly suspicious?: string;
  /** The automation that is behind it: the most that can be allowed. */
  readonly mandate?: Mandate;
  /** Live output as the tool emits it, nothing taken out: for the program that called. */
  readonly onOutput?: (text: string, stream: OutputStream) => void;
  /** Surfaces are not told of live output. */
  readonly unseen?: boolean;
}

/** What the runner adds to the parts that all sessions share. */
interface SessionHold {
  readonly session: SessionId;
  readonly workspace: string;
  readonly state: SessionState;
  readonly known: KnownFiles;
  readonly tools: readonly Tool[];
  readonly append: SessionParts["append"];
  readonly noticeOnce: SessionParts["noticeOnce"];
}

/** What one turn works with. Rules to ignore and policy are read once, when they are first needed. */
export function createSessionParts(agent: AgentParts, hold: SessionHold): SessionParts {
  const { session, workspace, state, known, tools, append, noticeOnce } = hold;
  const { store, blobs, desk, catalog, now, journal, home, searchPath, shellNeeds, outputs, redact } = agent;
  let compiled: Promise<Policy> | undefined;
  const policy = () => compiled ??= agent.policy(workspace);
  const isClosed = async (path: string) => (await policy()).isSecret(path);
  let ignored: Promise<(path: string) => boolean> | undefined;
  return {
    session,
    workspace,
    state,
    store,
    policy,
    tools,
    desk,
    catalog,
    now,
    needContext: createNeedContext({ workspace, home, searchPath, shellNeeds, isClosed }),
    snapshots: {
      blobs,
      workspace,
      known,
      isSecret: isClosed,
      ignored: (folder) => ignored ??= readIgnored(folder),
    },
    sandbox: agent.sandbox,
    redact,
    ...(agent.revealer ? { revealer: agent.revealer } : {}),
    keep: (name, content) => keepOutput(outputs, session, name, redactBytes(content, redact)),
    keepLong: (name) => openOutput(outputs, session, name, redact),
    append,
    live: (turn, type, data) => journal.live(session, turn, type, data),
    noticeOnce,
  };
}
