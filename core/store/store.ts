import type { EventDraft, PryxEvent } from "../domain/event.ts";
import type { ApprovalId, GrantId, SessionId, TurnId } from "../domain/id.ts";
import type { Approval, ApprovalAnswer, Grant } from "../domain/policy.ts";

/** A session as lists show it. */
export interface SessionRow {
  readonly id: SessionId;
  readonly workspace: string;
  readonly profile: string;
  readonly parent: SessionId | null;
  readonly title: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly lastSeq: number;
  /** Status of its last turn; `running` also covers one that a dead process left behind. */
  readonly status: "empty" | "running" | "done" | "failed" | "cancelled" | "interrupted";
  /** Pid of the live process that holds its lease. */
  readonly holder?: number;
}

/** A place in a session where the words stand; `at` is ISO 8601. */
export interface SearchHit {
  readonly session: SessionId;
  readonly seq: number;
  readonly at: string;
  readonly role: string;
  /** Text around the hit, the hit itself between « and ». */
  readonly snippet: string;
}

/** A link of the audit chain; `at` is ISO 8601. */
export interface AuditEntry {
  readonly seq: number;
  readonly at: string;
  /** `decision`, `approval`, `grant`, `revoke`, `trust`, `config`, `secret`, `session`, `undo`. */
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** SHA-256 (hex) of the entry before; zeros for the first. */
  readonly previous: string;
  /** SHA-256 (hex) over the canonical bytes of {seq, at, kind, data, previous}. */
  readonly hash: string;
}

/** Whether the chain is whole; `badSeq` is the first entry that does not fit, `head` the hash of the last. */
export type AuditVerdict =
  | { readonly ok: true; readonly entries: number; readonly head: string }
  | { readonly ok: false; readonly entries: number; readonly badSeq: number; readonly problem: string };

/** A hold on a session: one writer at a time. Released on dispose. */
export interface Lease extends Disposable {
  readonly session: SessionId;
}

/** What is kept of the message being streamed: overwritten, at most every 250 ms. */
export interface PartialMessage {
  readonly turn: TurnId;
  readonly text: string;
  readonly at: string;
}

/**
 * The durable memory: one SQLite database that many pryx processes share. Synchronous, because SQLite is; calls are
 * short. Errors are PryxErrors: `database`, `database_newer`, `database_corrupt`, `disk_full`, `read_only`.
 */
export interface Store extends Disposable {
  /**
   * Appends to a session, in one transaction, and returns the events as stored. `durable` waits for the disk (turn
   * ends). The caller holds the session's lease. A `message` or `turn.ended` clears the session's partial message.
   * Throws `conflict` when an `input` has an idempotency key that another input has: of two processes that bring the
   * same job, one stores it.
   */
  append(session: SessionId, drafts: readonly EventDraft[], options?: { durable?: boolean }): PryxEvent[];
  /** Stored events of a session after a sequence number, oldest first. */
  events(session: SessionId, after?: number, limit?: number): IterableIterator<PryxEvent>;
  /** Stored events of all sessions after a row id, oldest first; for following other processes. */
  eventsSince(rowId: number, limit?: number): { rowId: number; event: PryxEvent }[];
  lastRowId(): number;

  /**
   * Copies the events of `source` up to and with number `at` into the new session `target`, under the same numbers and
   * times; only the first, `session.created`, is new: it names `parent` and `forkedAt`.
   */
  fork(source: SessionId, target: SessionId, at: number): void;

  session(id: SessionId): SessionRow | undefined;
  sessions(query?: { workspace?: string; limit?: number; offset?: number }): SessionRow[];
  /** Sessions whose id begins with, or ends with, `text`. */
  matchSessions(text: string): SessionRow[];
  /** Removes a session, its events and its index. Its audit entries stay. Throws `session_busy` while it is held. */
  deleteSession(id: SessionId): void;
  /** Which of these contents (hashes of {@link Blobs}) no event names (`file.changed`, `undone`), so that nothing can be restored from them. */
  unusedContents(hashes: readonly string[]): string[];
  search(query: string, limit?: number): SearchHit[];

  /** Takes the session's lease, or throws `session_busy` naming the pid that holds it. A lease of a dead process is taken over. */
  lease(session: SessionId): Lease;
  /** The input that has an idempotency key, in whichever session; a copy of it in a fork is not meant. */
  keyedInput(key: string): { session: SessionId; turn: TurnId; seq: number } | undefined;

  writePartial(session: SessionId, turn: TurnId, text: string): void;
  partial(session: SessionId): PartialMessage | undefined;
  clearPartial(session: SessionId): void;

  putApproval(approval: Approval): void;
  approval(id: ApprovalId): Approval | undefined;
  openApprovals(): Approval[];
  /** True when this answer is the first valid one: open and not expired. */
  answerApproval(id: ApprovalId, answer: ApprovalAnswer, now: string): boolean;
  expireApproval(id: ApprovalId): void;

  putGrant(grant: Grant): void;
  /** Grants that are neither revoked nor used up nor expired at `now`; `all` shows every one. */
  grants(query: { now: string; all?: boolean }): Grant[];
  /** Counts one use. False when the grant has none left, is revoked or expired. */
  useGrant(id: GrantId, now: string): boolean;
  revokeGrant(id: GrantId, now: string): boolean;

  /** The hash under which a person trusted a folder's instructions. */
  trustedHash(folder: string): string | undefined;
  trust(folder: string, hash: string, at: string): void;
  untrust(folder: string): boolean;

  /** What one automation keeps from run to run; `owner` names it. Opens nothing. */
  automationState(owner: string): AutomationState;

  audit(kind: string, data: Readonly<Record<string, unknown>>): AuditEntry;
  auditEntries(query?: { after?: number; limit?: number; last?: number }): IterableIterator<AuditEntry>;
  verifyAudit(): AuditVerdict;
}

/** Text by key. Keys have 1 to 512 characters, values a million; else `input_invalid`. */
export interface AutomationState {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
  /** Sets `value` where `before` still stands (undefined: nothing); false where it does not. */
  swap(key: string, before: string | undefined, value: string): boolean;
  remove(key: string): boolean;
  /** In order. */
  keys(prefix: string): string[];
}

/** Contents of files by hash, beside the database: what `sessions diff` and `sessions undo` restore from. Files 0600. */
export interface Blobs {
  /** SHA-256 (hex) of the content, once it is on disk. */
  put(bytes: Uint8Array): Promise<string>;
  get(hash: string): Promise<Uint8Array | undefined>;
  /** False when it was not there. */
  remove(hash: string): Promise<boolean>;
  /** The hashes under which contents are kept. `olderThan`: only those that were last put before. */
  list(options?: { olderThan?: Date }): AsyncIterable<string>;
}
