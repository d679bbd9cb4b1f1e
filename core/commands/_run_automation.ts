import { basename, dirname, isAbsolute, join, relative } from "node:path";
import type { Limits } from "../api.ts";
import type { AutomationSource } from "../automation/automation.ts";
import {
  AUTOMATION_SUFFIX,
  type AutomationProblem,
  type LinkedGraph,
  type LockEntry,
} from "../domain/automation.ts";
import { PryxError } from "../domain/error.ts";
import { nearest } from "../domain/nearest.ts";
import { NEED_KINDS } from "../domain/need.ts";
import type { Json } from "../domain/schema.ts";
import type { CommandContext, CommandResult, Overrides } from "./command.ts";

/** Flags of `run` that are about automations alone. */
export interface AutomationFlags {
  readonly prompt?: readonly string[];
  readonly args?: readonly string[];
  readonly ts?: boolean;
  readonly frozen?: boolean;
  readonly allowLocked?: boolean;
  readonly lock?: string;
  readonly answer?: readonly string[];
  readonly trigger?: string;
  readonly triggerHeader?: readonly string[];
  readonly replay?: string;
}

/**
 * Whether the words behind `run` name an automation instead of a job for the agent. A sentence that happens to end with the
 * name of one is a job, unless there is a file of that name.
 */
export function isAutomation({ prompt: [first = ""] = [], ts }: AutomationFlags, cwd: string): boolean {
  if (ts === true) return true;
  if (!first.endsWith(AUTOMATION_SUFFIX)) return false;
  return !/\s/u.test(first) || isThere(inFolder(cwd, first));
}

/** Runs a `.pryx.ts` file, or what is piped in with `--ts`. */
export async function runAutomationFile(
  flags: AutomationFlags,
  overrides: Overrides,
  outer: CommandContext,
): Promise<CommandResult> {
  if (flags.allowLocked && flags.lock === undefined) {
    throw new PryxError("usage", "--allow-locked takes its authority from a lock file, and none is named", {
      fix:
        "name one that the change under test cannot write, as that of the base branch: --lock base/pryx.lock",
    });
  }
  const { graph, ctx: inRoot } = await linkSource(await sourceOf(flags, outer), overrides, outer);
  const { root } = graph;
  const lockFile = flags.lock === undefined ? join(root, "pryx.lock") : inFolder(outer.cwd, flags.lock);
  if (flags.frozen || flags.allowLocked) await requireLocked(graph, lockFile, inRoot);
  const ctx = flags.allowLocked
    ? inRoot.with({ allow: [...overrides.allow ?? [], ...lockedFlags(graph)] })
    : inRoot;
  const config = await ctx.config();
  const limits: Limits = config.limits;
  // What asks in the run is answered where a command's own Pryx is: at this terminal.
  if (ctx.surface.attended) await ctx.pryx();
  const end = await (await ctx.automations()).run({
    graph,
    args: flags.args ?? [],
    cwd: outer.cwd,
    surface: ctx.surface.name,
    attended: ctx.surface.attended,
    limits,
    show: (event) => ctx.surface.event(event),
    input: inputOf(flags, ctx),
    answers: readAnswers(flags.answer ?? []),
    ...(flags.trigger === undefined
      ? {}
      : { trigger: { ...readTrigger(flags.trigger), headers: readHeaders(flags.triggerHeader ?? []) } }),
    signal: ctx.signal,
  });
  const { session, status, exitCode, error } = end;
  return { data: { session, status, exitCode, error: error ?? null } as unknown as Json, exitCode };
}

/** The graph of an automation, and the context of the project that it is in. Says what is wrong with it. */
export async function linkSource(
  source: AutomationSource,
  overrides: Overrides,
  outer: CommandContext,
): Promise<{ graph: LinkedGraph; ctx: CommandContext }> {
  const root = await rootOf(source, outer);
  const ctx = outer.with({ ...overrides, cwd: root });
  const linking = await (await ctx.automations()).link(source);
  if ("problems" in linking) throw cannotRun(linking.problems, outer.cwd);
  for (const warning of linking.warnings) outer.surface.note(describeProblem(warning, outer.cwd));
  return { graph: linking.graph, ctx };
}

/** A file that is not there was named wrongly: that is no failure of an automation. */
async function rootOf(source: AutomationSource, ctx: CommandContext): Promise<string> {
  try {
    return await (await ctx.automations()).rootOf(source);
  } catch (error) {
    if (!("file" in source) || !(error instanceof PryxError) || error.code !== "not_found") throw error;
    const near = await similarFile(source.file);
    throw new PryxError("usage", `There is no file ${shown(source.file, ctx.cwd)}`, {
      fix: near === undefined ? "check the path" : `did you mean ${shown(near, ctx.cwd)}?`,
      cause: error,
    });
  }
}

/** The automation beside a path that is not there whose name is most like it. */
async function similarFile(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  try {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(folder)) {
      if (name.endsWith(AUTOMATION_SUFFIX)) names.push(basename(name, AUTOMATION_SUFFIX));
    }
    const near = nearest(basename(path, AUTOMATION_SUFFIX), names);
    return near === undefined ? undefined : join(folder, `${near}${AUTOMATION_SUFFIX}`);
  } catch {
    return undefined;
  }
}

export async function sourceOf(
  { prompt = [], ts }: AutomationFlags,
  { cwd, surface }: CommandContext,
): Promise<AutomationSource> {
  const [file] = prompt;
  if (!ts) return { file: inFolder(cwd, file ?? "") };
  if (file !== undefined && file !== "-") return { file: inFolder(cwd, file) };
  const piped = await surface.input();
  if (piped === undefined) {
    throw new PryxError("usage", "There is no automation on standard input", {
      fix: "pipe it in: … | pryx run --ts -",
    });
  }
  return { text: new TextDecoder().decode(piped), folder: cwd };
}

/** Standard input of the automation: what is piped in, unless that was the automation itself. */
function inputOf({ prompt = [], ts }: AutomationFlags, { surface }: CommandContext): () => Promise<string> {
  let text: Promise<string> | undefined;
  if (ts && (prompt[0] === undefined || prompt[0] === "-")) return () => Promise.resolve("");
  return () =>
    text ??= surface.input().then((bytes) => bytes === undefined ? "" : new TextDecoder().decode(bytes));
}

/** `pryx.lock` must say of this file what it is now. */
async function requireLocked(graph: LinkedGraph, lockFile: string, ctx: CommandContext): Promise<void> {
  const automations = await ctx.automations();
  const { entries } = await automations.readLock(lockFile);
  const drift = automations.describeDrift(graph, entries.get(graph.entry));
  if (drift.length === 0) return;
  throw new PryxError(
    "lock_drift",
    `${graph.entry} is not what ${shown(lockFile, ctx.cwd)} says\n  ${drift.join("\n  ")}`,
    {
      fix: "review it, then accept it with: pryx check --update",
    },
  );
}

/** What a lock from a trusted place vouches for, as `--allow` would say it. */
function lockedFlags({ permissions = {} }: LinkedGraph): string[] {
  const locked: LockEntry["permissions"] = permissions;
  return NEED_KINDS.flatMap((kind) => (locked[kind] ?? []).map((pattern) => `${kind}=${pattern}`));
}

/** `NAME=VALUE` each. */
export function readAnswers(pairs: readonly string[]): Record<string, string> {
  const answers: Record<string, string> = Object.create(null);
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) {
      throw new PryxError("usage", `--answer ${pair} is not NAME=VALUE`, {
        fix: "write --answer NAME=VALUE",
      });
    }
    answers[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return answers;
}

function readHeaders(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => {
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+)\s*[:=]\s*(.*)$/su.exec(pair) ?? [];
    if (name !== undefined && value !== undefined) return [name.toLowerCase(), value];
    throw new PryxError("usage", `--trigger-header ${pair} is not NAME=VALUE`, {
      fix: "write --trigger-header x-github-event=push",
    });
  }));
}

const TRIGGER = /^(?:(?<kind>webhook|message)\/(?<name>.+)|(?<schedule>schedule))$/u;

function readTrigger(text: string): { kind: "schedule" | "message" | "webhook"; name: string } {
  const { kind, name = "", schedule } = TRIGGER.exec(text)?.groups ?? {};
  if (schedule !== undefined) return { kind: "schedule", name: "" };
  if (kind === "webhook" || kind === "message") return { kind, name };
  throw new PryxError("usage", `--trigger ${text} is no event`, {
    fix: "write --trigger webhook/NAME, message/CHANNEL or schedule",
  });
}

function cannotRun(problems: readonly AutomationProblem[], cwd: string): PryxError {
  const count = problems.length === 1 ? "" : `: ${problems.length} problems`;
  const [first] = problems;
  return new PryxError(
    "input_invalid",
    `Cannot run ${first ? shown(first.file, cwd) : "it"}${count}\n${
      problems.map((one) => `  ${describeProblem(one, cwd)}`).join("\n")
    }`,
    { fix: "see all that is wrong, types too, with: pryx check" },
  );
}

/** `src/job.pryx.ts:3:7: error: …`, as compilers write it. */
export function describeProblem(
  { file, line, column, severity, code, message, fix }: AutomationProblem,
  cwd: string,
): string {
  const label = /^TS\d+$/u.test(code) ? `${severity} ${code}` : severity;
  return `${shown(file, cwd)}:${line}:${column}: ${label}: ${message}${fix === undefined ? "" : ` (${fix})`}`;
}

function shown(path: string, cwd: string): string {
  if (!isAbsolute(path)) return path;
  const short = relative(cwd, path);
  return short === "" || short.startsWith("..") ? path : short;
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function inFolder(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}
