import type { Config } from "../config/config.ts";
import type { Need } from "../domain/need.ts";
import type { Policy, TrustState } from "../policy/policy.ts";
import type { ModelCatalog, Provider } from "../providers/provider.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { Blobs, Store } from "../store/store.ts";
import type { Tool } from "../tools/tool.ts";
import type { ApprovalDesk } from "./approval_desk.ts";
import type { ShellHost } from "./host.ts";
import type { Journal } from "./journal.ts";
import type { Revealer } from "./reveal.ts";

/** A provider and the name it knows a model by. */
export interface ResolvedModel {
  readonly provider: Provider;
  readonly model: string;
}

/** What all sessions of a process share. Built once by pryx.ts from the parts that the composition root chose. */
export interface AgentParts {
  readonly config: Config;
  readonly store: Store;
  readonly blobs: Blobs;
  readonly journal: Journal;
  readonly desk: ApprovalDesk;
  readonly tools: readonly Tool[];
  /** Tools that programs have beside them, and models have not. */
  readonly programTools: readonly Tool[];
  readonly catalog: ModelCatalog;
  /** Absolute, resolved. */
  readonly home: string;
  /** PATH, as commands will see it. */
  readonly searchPath: string;
  /** Folder of kept outputs. */
  readonly outputs: string;
  /** Host name. */
  readonly device: string;
  readonly now: () => Date;
  policy(workspace: string): Promise<Policy>;
  trust(workspace: string): Promise<TrustState>;
  sandbox(): Promise<Sandbox>;
  shellNeeds(command: string, cwd: string, host: ShellHost): Promise<readonly Need[]>;
  /** Known secrets and well-known key shapes out of a text: nothing of them enters an event. */
  redact(text: string): string;
  /** What secret marks stand for; absent: nothing. */
  readonly revealer?: Revealer;
}
