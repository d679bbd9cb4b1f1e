import { relative } from "node:path";
import { PryxError } from "../domain/error.ts";
import type { Refusal } from "../domain/envelope.ts";
import { formatNeed, type Need } from "../domain/need.ts";
import type { ProcessResult, ProcessSpec } from "../sandbox/sandbox.ts";
import { networkNeeds } from "./_network_needs.ts";
import { networkedProgram } from "./_networked.ts";
import type { NeedContext, ToolContext, ToolResult } from "./tool.ts";

/** Seconds that a command may take, for tools that run command lines. */
export const DEFAULT_SECONDS = 120;
export const MAX_SECONDS = 600;
/** A command is run again when what the sandbox refused was granted, so many times in all. */
const MAX_ATTEMPTS = 4;
/** The first that is there. The last one is for systems that keep no shell in /bin. */
const SHELLS = ["/bin/bash", "/bin/sh", "bash"] as const;
/** Only bash says on its command line that a pipeline fails with any of its commands. */
const BASHES = ["/bin/bash", "bash"] as const;

/** What is said of a command that a limit of the sandbox ended. */
export const LIMITS: Readonly<Record<NonNullable<ProcessResult["limit"]>, string>> = {
  "cpu": "it used more CPU time than a command may",
  "memory": "it took more memory than a command may",
  "processes": "it started more processes than a command may",
  "file size": "it wrote a larger file than a command may",
};

/** What a command line in `cwd` will want. Throws `input_invalid` on what is no command line. */
export async function commandNeeds(
  { command, cwd = "." }: { readonly command: string; readonly cwd?: string },
  ctx: NeedContext,
): Promise<readonly Need[]> {
  if (command.trim() === "") throw new PryxError("input_invalid", "The command is empty");
  if (command.includes("\0")) throw new PryxError("input_invalid", "The command has a NUL character in it");
  const folder = await ctx.resolve(cwd);
  const stated = await ctx.shellNeeds(command, folder);
  const needs = [...stated, ...networkNeeds(stated)];
  if (!isOutside(folder, ctx.cwd)) return needs;
  const enter: Need = { kind: "read", target: folder };
  return [...needs, enter];
}

function isOutside(folder: string, workspace: string): boolean {
  return /^\.\.([/\\]|$)/.test(relative(workspace, folder)) || /^[A-Za-z]:/.test(relative(workspace, folder));
}

export interface CommandOptions {
  /** A pipeline fails with any of its commands. Needs bash. */
  readonly pipefail?: boolean;
  /** Ends what earlier commands left in the background first. */
  readonly endsBackground?: boolean;
  /** Called before it runs once more: what it has written until then it will write again. */
  onAgain(): void;
  /** Where what it puts out comes from; added to as it becomes known, cancelled or not. */
  readonly taints: Set<string>;
}

export interface CommandOutcome {
  /** Of the last run. */
  readonly result: ProcessResult;
  /** What is said of refusals that stay: none when all were granted. */
  readonly refused: readonly string[];
  /** From 1. */
  readonly attempts: number;
}

/**
 * Runs a command line in a shell. What the sandbox refused a command that failed is asked for, and the command run again
 * with it. Rejects when it is cancelled, and when there is no shell.
 */
export async function runCommand(
  command: string,
  spec: Omit<ProcessSpec, "argv">,
  ctx: ToolContext,
  { pipefail = false, endsBackground = false, onAgain, taints }: CommandOptions,
): Promise<CommandOutcome> {
  // From its start something may have come in.
  taintOf(command, {}).forEach((source) => taints.add(source));
  const granted = new Set<string>();
  for (let attempt = 1;; attempt++) {
    const again = { ...spec, endsBackground: endsBackground && attempt === 1 };
    const result = await runInShell(command, again, ctx, pipefail);
    taintOf(command, result).forEach((source) => taints.add(source));
    const refused = await openUp(result, ctx, granted);
    if (refused.length > 0 || !result.refusals?.length || attempt === MAX_ATTEMPTS) {
      return { result, refused, attempts: attempt };
    }
    onAgain();
  }
}

/** What a result says of where its content came from. */
export function tainting(sources: ReadonlySet<string>): Pick<ToolResult, "taints"> {
  return sources.size === 0 ? {} : { taints: [...sources].join(", ") };
}

/**
 * Asks for what the sandbox refused a command that failed, so that it can run again with it. Resolves with what is said of
 * refusals that stay: none when all were granted. `granted`: what was before, to which this adds.
 */
async function openUp(
  result: ProcessResult,
  ctx: ToolContext,
  granted: Set<string>,
): Promise<string[]> {
  const { refusals = [], code } = result;
  if (!isWorthAnother(result)) return refusals.map(passedOver);
  const stays: string[] = [];
  for (const { need, evidence } of refusals) {
    // Once something stays closed, the command will not run again: nobody need be asked about the rest.
    if (stays.length > 0) break;
    const name = formatNeed(need);
    if (granted.has(name)) {
      stays.push(`the sandbox refused ${name} although it is allowed (${evidence})`);
      break;
    }
    try {
      const meaning = meaningOf(need);
      await ctx.require(
        need,
        `the sandbox refused it${
          meaning === "" ? "" : `: ${meaning}`
        } (${evidence}). The command failed (exit code ${code}); ` +
          "allowing this runs all of it again, from its beginning",
      );
      granted.add(name);
    } catch (error) {
      if (!(error instanceof PryxError) || error.code !== "denied") throw error;
      const meaning = meaningOf(need);
      stays.push(
        `the sandbox refused ${name}${meaning === "" ? "" : `: ${meaning}`}. ${error.message}`,
      );
    }
  }
  return stays;
}

/** A command that did what it was to do, or ran into a limit, is not run a second time. */
function isWorthAnother({ code, timedOut, outputExceeded, limit }: ProcessResult): boolean {
  return code !== 0 && code !== null && !timedOut && outputExceeded !== true && limit === undefined;
}

function passedOver({ need, evidence }: Refusal): string {
  return `the sandbox refused ${
    formatNeed(need)
  } (${evidence}); the command was not run again, and nobody was asked. ` +
    "If that part matters, run it alone";
}

/** What a need opens, where its target does not say it. */
function meaningOf({ kind, target }: Need): string {
  return kind === "net" ? MEANINGS[target] ?? "" : "";
}

const MEANINGS: Readonly<Record<string, string>> = {
  "*": "every public host, because it did not say which one it wanted",
  "**": "the whole network, this machine's own services too",
  "unix": "Unix sockets, and with them docker, D-Bus and ssh-agent, which have more rights than the command",
};

/** What a command brings in from the network comes from others: it must not be able to steer what carries things out. */
function taintOf(command: string, { connected = [] }: Partial<ProcessResult>): string[] {
  const program = networkedProgram(command);
  return [...connected, ...(program === undefined ? [] : [`the command ${program}`])];
}

async function runInShell(
  command: string,
  spec: Omit<ProcessSpec, "argv">,
  ctx: ToolContext,
  pipefail: boolean,
): Promise<ProcessResult> {
  let missing: unknown;
  const options = pipefail ? ["-o", "pipefail"] : [];
  for (const program of pipefail ? BASHES : SHELLS) {
    try {
      // After `--` a command that begins with a dash is no option of the shell.
      return await ctx.run({ ...spec, argv: [program, ...options, "-c", "--", command] });
    } catch (error) {
      if (!(error instanceof PryxError) || error.code !== "not_found") throw error;
      missing ??= error;
    }
  }
  throw missing;
}
