import { PryxError } from "../domain/error.ts";
import type { ProcessResult } from "../sandbox/sandbox.ts";
import { type FileMatches, parseMatches } from "./_rg_output.ts";
import { count } from "./_text.ts";
import type { ToolContext } from "./tool.ts";

const TIME_LIMIT_MS = 30_000;

export interface Search {
  /** By path; only files that may be read. */
  readonly files: readonly FileMatches[];
  /** Why there may be more matches than these. */
  readonly cut?: string;
}

/**
 * Searches a file or folder with ripgrep. `flags`: options of it, before those that keep denied files out. `failure`: what to
 * say when it could not search at all. Rejects when it was cancelled, or there is no ripgrep.
 */
export async function search(
  pattern: string,
  real: string,
  ctx: ToolContext,
  { flags, maxOutputBytes }: { readonly flags: readonly string[]; readonly maxOutputBytes: number },
): Promise<Search | { readonly failure: string }> {
  const result = await runRipgrep(pattern, real, ctx, flags, maxOutputBytes);
  ctx.signal.throwIfAborted();
  const { head, tail, dropped } = result.stdout;
  const output = decode(dropped > 0 ? [head] : [head, tail]);
  const problem = decode([result.stderr.head, result.stderr.tail]).trim();
  const stopped = result.timedOut || result.outputExceeded === true || dropped > 0;
  // 2 also stands for a file that could not be read: what was found elsewhere still counts.
  const unread = unreadable(problem);
  if (result.code === 2 && output === "" && unread === undefined) {
    return { failure: `Cannot search for ${pattern}: ${reasonOf(problem)}` };
  }
  if (!stopped && result.code !== 0 && result.code !== 1 && result.code !== 2) {
    return { failure: `ripgrep ended with ${result.signal ?? `code ${result.code}`}: ${reasonOf(problem)}` };
  }
  const files: FileMatches[] = [];
  for (const file of parseMatches(output)) {
    // Ripgrep was told of what is denied; its reading of a glob is not the one that counts.
    if (await ctx.files.mayRead?.(file.path) !== false) files.push(file);
  }
  files.sort((a, b) => a.path < b.path ? -1 : 1);
  const cut = result.timedOut
    ? `the search was stopped after ${TIME_LIMIT_MS / 1000} s`
    : stopped
    ? "there are more matches than can be shown"
    : unread;
  return { files, ...(cut === undefined ? {} : { cut }) };
}

async function runRipgrep(
  pattern: string,
  real: string,
  ctx: ToolContext,
  flags: readonly string[],
  maxOutputBytes: number,
): Promise<ProcessResult> {
  const args = [
    "--no-config",
    "--null",
    "--line-number",
    "--with-filename",
    "--no-heading",
    "--color=never",
    "--no-require-git",
    ...flags,
    // Globs are rooted in the working folder: from `/` an absolute one means what it says. Last one wins, so these are last.
    ...(ctx.files.denied ?? []).flatMap((entry) => ["--glob", `!${entry}`]),
    "--regexp",
    pattern,
    "--",
    real,
  ];
  const spec = {
    cwd: "/",
    // An rg in the workspace, say in node_modules/.bin, is what somebody put there: reading must not run it.
    notFrom: ctx.cwd,
    timeoutMs: TIME_LIMIT_MS,
    maxOutputBytes: maxOutputBytes * 2,
    killAfterBytes: maxOutputBytes,
    signal: ctx.signal,
  };
  try {
    return await ctx.run({ ...spec, argv: ["rg", ...args] });
  } catch (error) {
    if (!(error instanceof PryxError) || error.code !== "not_found") throw error;
  }
  const result = await ctx.run({ ...spec, argv: [await bundledRipgrep(), ...args] });
  // What a shell says of a program that it cannot start.
  if (result.code === 126 || result.code === 127) throw missingRipgrep();
  return result;
}

/** The ripgrep that comes with pryx; used where PATH has none. */
async function bundledRipgrep(): Promise<string> {
  try {
    const { rgPath } = await import("@vscode/ripgrep");
    if (typeof rgPath === "string" && rgPath !== "") return rgPath;
  } catch {
    // No build of it for this machine: the error below says what to do.
  }
  throw missingRipgrep();
}

function missingRipgrep(): PryxError {
  return new PryxError("tool_failed", "Cannot search: ripgrep was not found", {
    fix: "Install ripgrep so that rg is on PATH",
  });
}

/** What could not be read, when that is all that went wrong: ripgrep says each with the system's error behind it. */
function unreadable(problem: string): string | undefined {
  const lines = problem.split("\n").filter((line) => line !== "");
  const [first] = lines;
  if (first === undefined || !lines.every((line) => /\(os error \d+\)$/u.test(line))) return undefined;
  const text = first.replace(/^rg: /u, "");
  const shown = text.length > 300 ? `${text.slice(0, 120)} … ${text.slice(-120)}` : text;
  return `${count(lines.length, "place")} could not be searched: ${shown}`;
}

/** Ripgrep's own message, without its name in front. */
function reasonOf(stderr: string): string {
  const text = stderr.replace(/^rg: /gm, "").trim();
  return text === "" ? "ripgrep gave no reason" : text.slice(0, 2_000);
}

function decode(parts: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  return parts.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode();
}
