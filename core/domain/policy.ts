import type { ApprovalId, CallId, GrantId, SessionId } from "./id.ts";
import type { Need, NeedKind } from "./need.ts";

/** What may happen: at once, never, or after an answer. */
export type Verdict = "allow" | "deny" | "ask";

/** Strongest first. */
export const LAYERS = [
  "managed",
  "flag",
  "environment",
  "local",
  "project",
  "profile",
  "user",
  "preset",
] as const;
export type Layer = typeof LAYERS[number];

/** From the least that is allowed to the most. */
export const PRESETS = ["read-only", "workspace", "network-allowlist", "dangerously-full"] as const;
export type PresetName = typeof PRESETS[number];

/** Who asks for power. Only a person's own actions are `human`. */
export type Origin = "model" | "automation" | "mcp" | "human" | "channel";

/** One line of policy: what to do with needs of a kind whose target matches a pattern. */
export interface Rule {
  readonly verdict: Verdict;
  readonly kind: NeedKind;
  /** The pattern as written, for people. */
  readonly pattern: string;
  readonly layer: Layer;
  /** Where it stands: `~/.config/pryx/config.jsonc:12`, `--allow`, `preset read-only`. */
  readonly source: string;
  readonly reason?: string;
  /**
   * `secret`: the preset's denial of a secret file, which a user's or a flag's allow of exactly that path lifts.
   * `protected`: pryx's own files, which nothing lifts. Absent: an ordinary rule.
   */
  readonly guard?: "secret" | "protected";
  /** On an allow of `net`: holds under taint too. */
  readonly untrusted?: boolean;
  /** What it should and should not cover, as its author wrote beside it. Nothing depends on them but `policy test`. */
  readonly examples?: readonly RuleExample[];
}

/** A command line (of a `run` rule) or a target, and whether the rule by itself should match it. */
export interface RuleExample {
  readonly text: string;
  readonly matches: boolean;
  /** Where it stands: `~/.config/pryx/config.jsonc:14`. */
  readonly source: string;
}

/** What was decided about one need, and why. */
export interface Judgement {
  readonly need: Need;
  readonly verdict: Verdict;
  /** One sentence for people: which rule, grant or default decided. */
  readonly reason: string;
  readonly rule?: Rule;
  readonly grant?: GrantId;
  /** Every rule that matched, strongest layer first. */
  readonly matched: readonly Rule[];
  /** True when no approval can turn this ask into more than `once` (managed asks, what cannot be known before it runs). */
  readonly onceOnly?: boolean;
  /** True when content from outside is in the context and the need could carry something out: a standing answer must say so. */
  readonly tainted?: boolean;
}

/** The verdict over a whole call: the worst of its judgements (deny > ask > allow). */
export interface Decision {
  readonly verdict: Verdict;
  readonly judgements: readonly Judgement[];
}

/** How far a grant reaches beyond the one need it was given for. */
const SCOPES = ["workspace", "host", "domain", "integration"] as const;
export type Scope = typeof SCOPES[number];

/** How long an answer holds; `at` is ISO 8601. */
export type Duration =
  | { readonly kind: "once" }
  | { readonly kind: "session" }
  | { readonly kind: "until"; readonly at: string }
  | { readonly kind: "forever" };

/** Power given by a person: turns ask into allow for needs that match, never overrides a deny. */
export interface Grant {
  readonly id: GrantId;
  /** Patterns in the grammar of rules. */
  readonly needs: readonly { readonly kind: NeedKind; readonly pattern: string }[];
  readonly scope: Scope;
  /** Absolute path; a grant of scope `workspace` holds only in it. */
  readonly workspace?: string;
  readonly duration: Duration;
  readonly session?: SessionId;
  /** Uses left; absent means unlimited. */
  readonly usesLeft?: number;
  readonly uses: number;
  readonly untrusted: boolean;
  /** The approval that made it. */
  readonly approval?: ApprovalId;
  /** Hash of the module graph that it was given to: it holds for that automation as it was then, and for nobody else. */
  readonly graph?: string;
  /** The automation of that graph: path relative to the root of its project, which is {@link workspace}. */
  readonly automation?: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly revokedAt?: string;
  readonly by: string;
}

/**
 * What an automation declared that it may do. Whoever acts for it, its own code or an agent that it asked, gets no more:
 * what is not declared is denied, and what is declared still goes through policy.
 */
export interface Mandate {
  /** The automation as people know it: path relative to its project's root. */
  readonly automation: string;
  /** Hash of its module graph. */
  readonly graph: string;
  /** Patterns in the grammar of rules, relative to the project's root. */
  readonly needs: readonly { readonly kind: NeedKind; readonly pattern: string }[];
}

/** A question to a person: may this call go ahead? Durable: it survives the process that asked. */
export interface Approval {
  readonly id: ApprovalId;
  readonly session: SessionId;
  readonly call: CallId;
  /** SHA-256 (hex) of the canonical action; what runs must have the same. */
  readonly digest: string;
  readonly tool: string;
  /** The whole action as a person should read it, escaped. */
  readonly summary: string;
  readonly judgements: readonly Judgement[];
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly status: "open" | "allowed" | "denied" | "expired";
  readonly answer?: ApprovalAnswer;
}

/** What a person, or a surface for them, decided about an approval. */
export interface ApprovalAnswer {
  readonly verdict: "allow" | "deny";
  readonly duration: Duration;
  readonly scope: Scope;
  /** Told to the model with a denial. */
  readonly note?: string;
  /** Principal and surface: `human:cli`. */
  readonly by: string;
}

/** Absolute, resolved folders and files that a piece of work may touch. Made by policy, enforced by the sandbox. */
export interface SandboxGrants {
  readonly read: readonly string[];
  /** Writable roots are readable too. */
  readonly write: readonly string[];
  /** Inside the roots, and still forbidden. */
  readonly denied: readonly string[];
}
