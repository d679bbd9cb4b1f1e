import type { Baseline, Envelope } from "../domain/envelope.ts";
import type { Need, NeedKind } from "../domain/need.ts";
import type {
  Decision,
  Grant,
  Mandate,
  Origin,
  PresetName,
  Rule,
  SandboxGrants,
  Verdict,
} from "../domain/policy.ts";

/** What a decision depends on beside rules. */
export interface PolicyContext {
  readonly origin: Origin;
  /** Sources of content from outside that is in the session's context; empty when untainted. */
  readonly taint: readonly string[];
  /** Grants that are valid now, for this session, workspace and host. */
  readonly grants: readonly Grant[];
  /** The automation that asks, or that asked the agent: its manifest is the most that can be allowed. */
  readonly mandate?: Mandate;
}

/** The policy in force for one workspace: rules compiled once, asked often. */
export interface Policy {
  readonly preset: PresetName;
  readonly workspace: string;
  /** Every rule in force, strongest layer first, the preset's last. */
  readonly rules: readonly Rule[];
  /** What the preset permits, in one line for people. */
  readonly summary?: string;
  /** What holds where no rule matches. */
  readonly defaults?: Readonly<Record<NeedKind, Verdict>>;
  /** Pure and total. */
  evaluate(needs: readonly Need[], context: PolicyContext): Decision;
  /** Folders and files that a call with these allowed needs may touch, and what stays forbidden inside them. */
  roots(needs: readonly Need[]): SandboxGrants;
  /**
   * What a child process that runs with these allowed needs may touch. `workspace`: also what the rules allow anyway,
   * workspace and network, as a shell command has it; without, the needs alone.
   */
  envelope(
    needs: readonly Need[],
    options: { readonly baseline: Baseline; readonly workspace: boolean } & PolicyContext,
  ): Envelope;
  /** The first pattern of a mandate that covers a need; undefined when none does. */
  declared(need: Need, mandate: Mandate): Mandate["needs"][number] | undefined;
  /** True for files whose content must never be kept or shown: secrets and pryx's own. */
  isSecret(path: string): boolean;
}

/** Policy as commands show it. */
export interface PolicyView {
  readonly policy: Policy;
  /** The needs that a tool call or a command line would state. */
  needsOf(
    action: { tool: string; args: unknown } | { shell: string } | { need: Need },
  ): Promise<readonly Need[]>;
  /**
   * True when the rule, were it the only one, would decide an example: a command line for `run`, else a target. An allow
   * decides what it covers as a whole; a deny or an ask, what it covers any part of.
   */
  covers(rule: Rule, example: string): Promise<boolean>;
  /**
   * What the processes of a command line with these needs could reach on this machine although it was not stated, and
   * what they may touch, line by line.
   */
  confine(
    needs: readonly Need[],
    origin: Origin,
  ): Promise<{ reach: readonly Need[]; may: readonly string[] }>;
  /** What would be decided now, with the grants that are valid now. */
  explain(needs: readonly Need[], origin: Origin): Promise<Decision>;
  /** The instructions found in the workspace, their hash, and whether a person trusts them. */
  trust(): Promise<TrustState>;
}

/** The instructions found in a folder, and whether a person trusts them as they are now. */
export interface TrustState {
  readonly folder: string;
  /** Absolute paths, sorted. */
  readonly files: readonly string[];
  /** SHA-256 (hex) over names and contents; of nothing when there are no files. */
  readonly hash: string;
  readonly trusted: boolean;
}
