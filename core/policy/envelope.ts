import type { Baseline, Envelope, Network, PathAccess } from "../domain/envelope.ts";
import { formatPlace, type Need } from "../domain/need.ts";
import type { CompiledPolicy } from "./evaluate.ts";
import { evaluate, isDenied } from "./evaluate.ts";
import { isWithin, normalPath } from "./_path_pattern.ts";
import { compilePattern, type Pattern, subjectOf } from "./_pattern.ts";
import type { PolicyContext } from "./policy.ts";

/** What an envelope is made for, beside the needs. */
interface EnvelopeOptions extends PolicyContext {
  readonly baseline: Baseline;
  /** Also what the rules allow anyway, in the workspace and on the network: what a shell command has. */
  readonly workspace: boolean;
}

type Kind = "read" | "write";

/**
 * Turns allowed needs into what a child process may touch. A denial that nothing lifts is kept even where a need says
 * otherwise: this is a check of its own, beneath the decision.
 */
export function envelope(
  needs: readonly Need[],
  policy: CompiledPolicy,
  options: EnvelopeOptions,
): Envelope {
  const { baseline, workspace } = options;
  const wanted = needs.filter(({ reach, kind, enter }) => (reach === undefined || kind === "net") && !enter);
  const judge = judgeOf(policy, options);
  const open = (kind: Kind) => workspace ? openRoots(kind, policy, options, judge) : [];
  const undecided = (kind: Kind) => (target: string) => judge({ kind, target }) !== "allow";
  const decidedRead = pathsOf(wanted, "read").filter(undecided("read"));
  const decidedWrite = pathsOf(wanted, "write").filter(undecided("write"));
  // What is run must be there to be read.
  const programs = programsOf(wanted).filter((path) =>
    undecided("read")(path) && !inBaseline(path, baseline, policy)
  );
  const read = outermost([...open("read"), ...pathsOf(wanted, "read"), ...programs]);
  const write = outermost([...open("write"), ...pathsOf(wanted, "write")]);

  function access(path: string): PathAccess {
    if (isWithin(path, baseline.temp)) return "write";
    const may = (kind: Kind, decided: readonly string[], roots: readonly string[]) => {
      if (!roots.some((root) => isWithin(path, root))) return false;
      const verdict = judge({ kind, target: path });
      return verdict === "allow" || (verdict === "ask" && decided.some((root) => isWithin(path, root)));
    };
    // Who may write a file may read it: a rule about reading it closes both.
    if (may("read", [...decidedRead, ...decidedWrite, ...programs], [...read, ...write])) {
      return may("write", decidedWrite, write) ? "write" : "read";
    }
    // Inside a root its rules have spoken, unless the root is everything.
    const ruled = [...read, ...write].some((root) => root !== "/" && isWithin(path, root));
    return !ruled && inBaseline(path, baseline, policy) ? "read" : "none";
  }

  const granted = options.grants.map(({ id, usesLeft }) => [id, usesLeft === 0]);
  return {
    read,
    write,
    access,
    key: JSON.stringify([
      policy.id,
      options.origin,
      options.taint.length > 0,
      options.mandate?.graph,
      options.mandate?.needs,
      granted,
      baseline,
      decidedRead,
      decidedWrite,
      programs,
      read,
      write,
    ]),
    closed: closedAnywhere(policy),
    network: networkOf(wanted, policy, options, judge),
    unixSockets: wanted.some(isUnix) || (workspace && judge({ kind: "net", target: "unix" }) === "allow"),
  };
}

type Judge = (need: Need) => "allow" | "ask" | "deny";

function judgeOf(policy: CompiledPolicy, context: PolicyContext): Judge {
  return (need) => evaluate([need], policy, context).verdict;
}

function pathsOf(needs: readonly Need[], kind: Kind): string[] {
  return needs.flatMap((need) => {
    const path = need.kind === kind && need.reach === undefined ? normalPath(need.target) : undefined;
    return path === undefined ? [] : [path];
  });
}

function programsOf(needs: readonly Need[]): string[] {
  return needs.flatMap(({ kind, executable }) =>
    kind === "run" && executable !== undefined ? [normalPath(executable) ?? executable] : []
  );
}

/** Folders and files that rules or grants name without a wildcard, and that are allowed as a whole. */
function openRoots(kind: Kind, policy: CompiledPolicy, options: EnvelopeOptions, judge: Judge): string[] {
  const gives = (other: string) => other === kind || (kind === "read" && other === "write");
  const ruled = policy.rules.filter(({ rule }) => gives(rule.kind) && rule.verdict === "allow");
  const { mandate } = options;
  const granted = [...options.grants, ...mandate ? [mandate] : []].flatMap(({ needs }) =>
    needs.filter((need) => gives(need.kind)).flatMap(({ pattern }) => {
      const compiled = compilePattern(kind, pattern, policy.place, false);
      return typeof compiled === "string" ? [] : [compiled];
    })
  );
  const named = [...ruled.map(({ pattern }) => pattern), ...granted].flatMap(({ path }) =>
    path?.literal ?? []
  );
  return distinct(["/", policy.place.workspace, ...named])
    .filter((target) => judge({ kind, target }) === "allow" && !isWithin(target, options.baseline.temp));
}

/**
 * The system is open but for what a rule closes at its place: a rule for a name anywhere (`*.pem`) is about this user's
 * secrets, not about the certificates of the system.
 */
function inBaseline(path: string, baseline: Baseline, policy: CompiledPolicy): boolean {
  if (!baseline.read.some((root) => isWithin(path, root))) return false;
  const subject = subjectOf({ kind: "read", target: path }, policy.place);
  const found = policy.index.read.find(subject).filter(({ pattern, rule }) =>
    rule.verdict === "allow" || isAnchored(pattern)
  );
  return !isDenied(subject, found) && found[0]?.rule.verdict !== "ask";
}

function isAnchored({ path }: Pattern): boolean {
  return path !== undefined && path.base !== "/" && path.anywhere === undefined;
}

/** What rules close at one place: paths and globs to be looked up, whoever asks for the files found there is told more. */
function closedAnywhere(policy: CompiledPolicy): readonly string[] {
  const known = CLOSED.get(policy) ?? findClosed(policy);
  CLOSED.set(policy, known);
  return known;
}

/** A policy does not change, and is asked by every command. */
const CLOSED = new WeakMap<CompiledPolicy, readonly string[]>();

function findClosed(policy: CompiledPolicy): readonly string[] {
  const entries = policy.rules
    .filter(({ rule, pattern }) =>
      (rule.kind === "read" || rule.kind === "write") && rule.verdict !== "allow" && isAnchored(pattern)
    )
    .flatMap(({ pattern }) => pattern.path?.literal ?? pattern.path?.within(pattern.path.base) ?? []);
  return distinct(entries).sort();
}

function isUnix({ kind, target }: Need): boolean {
  return kind === "net" && target === "unix";
}

function networkOf(
  needs: readonly Need[],
  policy: CompiledPolicy,
  options: EnvelopeOptions,
  judge: Judge,
): Network {
  const decided = needs.filter((need) => need.kind === "net" && !isUnix(need));
  const whole = decided.some(({ target }) => target === "**") ||
    (options.workspace && judge({ kind: "net", target: "**" }) === "allow");
  if (whole) return "all";
  const named = options.workspace ? hostsAllowed(policy, options).filter(isDeclared(options, judge)) : [];
  const hosts = distinct([...decided.map(({ target }) => target), ...named]);
  if (hosts.length === 0) return "none";
  const patterns = decided.flatMap(({ target }) => {
    const compiled = compilePattern("net", target, policy.place, false);
    return typeof compiled === "string" ? [] : [compiled];
  });
  return {
    hosts,
    allows(host, port) {
      const need: Need = { kind: "net", target: formatPlace(host, port) };
      const verdict = judge(need);
      if (verdict !== "ask") return verdict === "allow" && (options.workspace || covers(patterns, need));
      return covers(patterns, need);
    },
  };

  function covers(patterns: readonly Pattern[], need: Need): boolean {
    const subject = subjectOf(need, policy.place);
    return patterns.some((pattern) => pattern.matches(subject));
  }
}

/** For an automation: the hosts that its manifest names, in the words of the rule that allows them or in its own. */
function isDeclared({ mandate }: PolicyContext, judge: Judge): (pattern: string) => boolean {
  if (mandate === undefined) return () => true;
  const declared = mandate.needs.filter(({ kind }) => kind === "net").map(({ pattern }) => pattern);
  return (pattern) => declared.includes(pattern) || judge({ kind: "net", target: pattern }) === "allow";
}

/** Patterns of hosts that rules and grants allow now: under taint only those that were meant for it. For people; `allows` decides. */
function hostsAllowed(policy: CompiledPolicy, { grants, taint }: PolicyContext): string[] {
  const calm = taint.length === 0;
  const rules = policy.rules.filter(({ rule }) =>
    rule.kind === "net" && rule.verdict === "allow" && (calm || rule.untrusted === true)
  );
  const granted = grants.filter(({ untrusted }) => calm || untrusted).flatMap(({ needs }) =>
    needs.filter(({ kind }) => kind === "net")
  );
  return [...rules.map(({ rule }) => rule.pattern), ...granted.map(({ pattern }) => pattern)]
    .filter((pattern) => pattern !== "unix" && pattern !== "**");
}

/** Without what another covers; the workspace stays beside `/`, because it is looked through and `/` is not. */
function outermost(paths: readonly string[]): string[] {
  const all = distinct(paths);
  return all.filter((path) => !all.some((other) => other !== path && other !== "/" && isWithin(path, other)));
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
