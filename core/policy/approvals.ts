import { sha256 } from "@noble/hashes/sha2.js";
import { escapeForDisplay } from "../domain/display.ts";
import { type ApprovalId, type CallId, type GrantId, newId, type SessionId } from "../domain/id.ts";
import { formatNeed, type Need, type NeedKind } from "../domain/need.ts";
import type { Approval, ApprovalAnswer, Decision, Grant, Judgement, Scope } from "../domain/policy.ts";
import { escapeGlob } from "./_glob.ts";
import { parseHost } from "./_net_pattern.ts";
import { areKnown, quoteWords, UNKNOWN } from "./_words.ts";

export { escapeForDisplay };

/** Everything that makes an action what it is. What a tool does not have is left out. */
interface ActionIdentity {
  readonly tool: string;
  readonly args: unknown;
  readonly cwd: string;
  readonly argv?: readonly string[];
  /** Names of variables that are passed on, never values. */
  readonly env?: readonly string[];
  /** `kind=target` of what it needs. */
  readonly needs?: readonly string[];
  /** What its processes may touch, as shown. */
  readonly may?: readonly string[];
  /** SHA-256 (hex) of files it would run or change, by path. */
  readonly files?: Readonly<Record<string, string>>;
}

/** SHA-256 (hex) of the action in its canonical form: what runs must have the digest of what was shown. */
export function actionDigest(action: ActionIdentity): string {
  return sha256(new TextEncoder().encode(canonicalJson(action))).toHex();
}

/**
 * One text for one value: JSON with sorted keys and without spaces. Members that are undefined are left out. Total:
 * what JSON has no word for (functions, bigints, NaN, a value within itself) is written as a tagged text, so that it
 * still differs from its neighbours.
 */
export function canonicalJson(value: unknown): string {
  return canonical(value, []);
}

function canonical(value: unknown, around: readonly object[]): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    return Number.isFinite(value) ? JSON.stringify(value) : tagged(String(value));
  }
  if (typeof value !== "object") return tagged(`${typeof value} ${String(value)}`);
  if (around.includes(value)) return tagged("within itself");
  const inside = [...around, value];
  if (value instanceof Date) {
    return canonical(Number.isNaN(value.getTime()) ? NaN : value.toISOString(), inside);
  }
  if (Array.isArray(value)) {
    return `[${Array.from(value, (one) => one === undefined ? "null" : canonical(one, inside)).join(",")}]`;
  }
  const members = value as Readonly<Record<string, unknown>>;
  return `{${
    Object.keys(members).filter((key) => members[key] !== undefined).sort()
      .map((key) => `${JSON.stringify(key)}:${canonical(members[key], inside)}`).join(",")
  }}`;
}

function tagged(text: string): string {
  return `{"\\u0000":${JSON.stringify(text)}}`;
}

/** The whole action as a person reads it before deciding: nothing left out, nothing hidden. */
export function approvalSummary(action: {
  readonly tool: string;
  /** The action in one line. */
  readonly title: string;
  readonly args: unknown;
  readonly needs: readonly Need[];
  readonly cwd?: string;
  /** What its processes may touch, line by line. */
  readonly may?: readonly string[];
}): string {
  // Only lines of pryx's own begin at the left: nothing in the action can pass for them.
  const lines = action.title.includes("\n")
    ? [`${action.tool}:`, ...barred(action.title)]
    : [`${action.tool}: ${action.title}`];
  if (action.cwd !== undefined) lines.push(`in ${oneLine(action.cwd)}`);
  lines.push(...argLines(action.args, action.title));
  if (action.needs.length > 0) {
    lines.push("needs:");
    for (const need of action.needs) {
      const why = need.opaque ?? (need.reach && `within reach: ${need.reach}`);
      lines.push(oneLine(`  ${formatNeed(need)}${why === undefined ? "" : ` (${why})`}`));
    }
  }
  if (action.may?.length) lines.push("may:", ...action.may.map((line) => oneLine(`  ${line}`)));
  return escapeForDisplay(lines.join("\n"));
}

function oneLine(text: string): string {
  return text.replaceAll("\n", "\\n");
}

function barred(text: string): string[] {
  return text.split("\n").map((line) => `  | ${line}`);
}

/** Arguments by name, those of several lines indented below their name. The one that is the title is not repeated. */
function argLines(args: unknown, title: string): string[] {
  if (typeof args !== "object" || args === null) return args === undefined ? [] : [canonicalJson(args)];
  const verb = /^\S+ /u.exec(title)?.[0] ?? "";
  return Object.entries(args).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const text = typeof value === "string" ? value : canonicalJson(value);
    if (title === text || title === verb + text) return [];
    const label = /^\w+$/u.test(name) ? name : JSON.stringify(name);
    return text.includes("\n") ? [`${label}:`, ...barred(text)] : [`${label}: ${text}`];
  });
}

/** A question to a person, open until `ttlMs` from `now`. */
export function newApproval(about: {
  readonly session: SessionId;
  readonly call: CallId;
  readonly tool: string;
  readonly digest: string;
  readonly summary: string;
  readonly judgements: readonly Judgement[];
  readonly now: Date;
  readonly ttlMs: number;
}): Approval {
  const { session, call, tool, digest, summary, judgements, now, ttlMs } = about;
  return {
    id: newId<ApprovalId>(now.getTime()),
    session,
    call,
    digest,
    tool,
    summary,
    judgements,
    createdAt: now.toISOString(),
    expiresAt: new Date(now.getTime() + ttlMs).toISOString(),
    status: "open",
  };
}

/** The asks that a standing answer may cover. */
function coverable(judgements: readonly Judgement[]): Judgement[] {
  return judgements.filter(({ verdict, onceOnly, need }) =>
    verdict === "ask" && !onceOnly && need.opaque === undefined && areKnown(need.argv ?? [])
  );
}

/** True when an answer to these can hold no longer than once: some may not stand, or there is nothing that could. */
export function isOnceOnly(judgements: readonly Judgement[]): boolean {
  return judgements.some(({ onceOnly }) => onceOnly) || coverable(judgements).length === 0;
}

/**
 * The grant that an answer makes, for exactly what was shown; undefined when it makes none: a denial, `once`, or
 * nothing in it that a standing answer may cover (managed asks, what cannot be known before it runs, in words too).
 */
export function grantFromAnswer(
  approval: Approval,
  answer: ApprovalAnswer,
  context: { readonly workspace: string; readonly session: SessionId; readonly now: string },
): Grant | undefined {
  const { duration, scope, by } = answer;
  if (answer.verdict !== "allow" || duration.kind === "once") return undefined;
  const covered = coverable(approval.judgements);
  if (covered.length === 0) return undefined;
  const needs = new Map(
    covered.map(({ need }) => {
      const one = { kind: need.kind, pattern: grantPattern(need, scope) };
      return [formatNeed({ kind: one.kind, target: one.pattern }), one];
    }),
  );
  return {
    id: newId<GrantId>(Date.parse(context.now)),
    needs: [...needs.values()],
    scope,
    ...(scope === "workspace" ? { workspace: context.workspace } : {}),
    duration,
    ...(duration.kind === "session" ? { session: context.session } : {}),
    uses: 0,
    // Who allows it while content from outside is there, and was told so, means it for that time too.
    untrusted: covered.some((one) => one.tainted === true),
    approval: approval.id,
    createdAt: context.now,
    by,
  };
}

function grantPattern(need: Need, scope: Scope): string {
  if (scope === "domain" && need.kind === "net") {
    const host = parseHost(need.target);
    // Only a name that stays in the brackets of the grammar: an IPv6 address with its port is its own pattern.
    if (host && !host.name.includes(":")) return host.name;
  }
  if (scope === "integration" && need.kind === "use") {
    const [kind, name] = need.target.split("/");
    if (kind !== undefined && name !== undefined) return escapeGlob(`${kind}/${name}`);
  }
  return need.kind === "run" ? `=${commandOf(need)}` : patternOf(need);
}

/** The pattern that names the target of a need and nothing else. */
function patternOf(need: Need): string {
  switch (need.kind) {
    case "net":
      return need.target;
    case "run":
      return commandOf(need);
    default:
      return escapeGlob(need.target);
  }
}

/** A command as a pattern: by its words; by its path where a bare name would not match it. */
function commandOf(need: Need): string {
  if (!need.argv?.length) return need.target;
  const [first = "", ...rest] = need.argv;
  const needsPath = need.executable !== undefined && (need.inWritableFolder === true || first.includes("/"));
  // Only words before one that is not known can be named.
  const open = rest.findIndex((word) => word.includes(UNKNOWN));
  const named = open < 0 ? rest : rest.slice(0, open);
  return quoteWords([needsPath ? need.executable ?? first : first, ...named]);
}

/**
 * The values of `--allow` that would have let a decision through. Asks that no flag answers are not in it. `declared`: the
 * words in which an automation's manifest declares a need, which say it shorter and for its next call too.
 */
export function unapprovedFlags(
  decision: Decision,
  declared: (need: Need) => { readonly kind: NeedKind; readonly pattern: string } | undefined = () =>
    undefined,
): string[] {
  const flags = decision.judgements
    .filter((one) => one.verdict === "ask" && !one.onceOnly && one.need.opaque === undefined)
    .map(({ need }) => {
      const own = need.reach === undefined ? declared(need) : undefined;
      return formatNeed(
        own ? { kind: own.kind, target: own.pattern } : { kind: need.kind, target: patternOf(need) },
      );
    });
  return [...new Set(flags)];
}

/** Asks of a decision that only a person can answer, no flag: one sentence each. */
export function personOnlyAsks(decision: Decision): string[] {
  const asks = decision.judgements.filter((one) =>
    one.verdict === "ask" && (one.onceOnly || one.need.opaque !== undefined)
  );
  return [...new Set(asks.map((one) => escapeForDisplay(`${formatNeed(one.need)}: ${one.reason}`)))];
}
