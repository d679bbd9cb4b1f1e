import { PryxError } from "../domain/error.ts";
import type { ProcessResult } from "../sandbox/sandbox.ts";
import { parseMatches } from "./_rg_output.ts";
import { failed, showPath, suggestNames } from "./_paths.ts";
import { count } from "./_text.ts";
import { truncate } from "./_truncate.ts";
import { defineTool, type ToolContext, type ToolResult } from "./tool.ts";

const TIME_LIMIT_MS = 30_000;
const MAX_OUTPUT_BYTES = 2 * 1024 * 1024;
const MAX_PER_FILE = 200;
const MAX_COLUMNS = 400;

export const grep = defineTool({
  name: "grep",
  description:
    "Searches the text of files for a regular expression (ripgrep's syntax; lower-case and upper-case differ unless it " +
    "begins with (?i)) and shows matching lines with their numbers, by file. Skips binary files, hidden files and what " +
    "ignore files name, unless path names them.",
  parameters: {
    type: "object",
    properties: {
      pattern: {
        type: "string",
        minLength: 1,
        description: "Regular expression; escape . ( [ { to mean themselves",
      },
      path: {
        type: "string",
        minLength: 1,
        description: "File or folder to search; the workspace by default",
      },
    },
    required: ["pattern"],
  },
  async needs({ path = "." }, ctx) {
    return [{ kind: "read", target: await ctx.resolve(path) }];
  },
  title: ({ pattern, path }) => `search for ${pattern}${path === undefined ? "" : ` in ${path}`}`,
  async run({ pattern, path = "." }, ctx) {
    if (pattern.includes("\0")) {
      return failed("Cannot search: a pattern cannot hold a NUL character; write \\x00");
    }
    const real = await ctx.resolve(path);
    const found = await ctx.files.stat(real);
    if (found === null) {
      return failed(`Cannot search ${path}: it does not exist${await suggestNames(real, ctx)}`);
    }
    // Ripgrep would wait for a pipe, and read a device without end.
    if (found.kind === "other") return failed(`Cannot search ${path}: it is neither a file nor a folder`);
    const result = await runRipgrep(pattern, real, ctx);
    ctx.signal.throwIfAborted();
    const { head, tail, dropped } = result.stdout;
    const output = decode(dropped > 0 ? [head] : [head, tail]);
    const problem = decode([result.stderr.head, result.stderr.tail]).trim();
    const cut = result.timedOut || result.outputExceeded === true || dropped > 0;
    // 2 also stands for a file that could not be read: what was found elsewhere still counts.
    const unread = unreadable(problem);
    if (result.code === 2 && output === "" && unread === undefined) {
      return failed(`Cannot search for ${pattern}: ${reasonOf(problem)}`);
    }
    if (!cut && result.code !== 0 && result.code !== 1 && result.code !== 2) {
      return failed(`ripgrep ended with ${result.signal ?? `code ${result.code}`}: ${reasonOf(problem)}`);
    }
    return await answer(pattern, output, {
      ...(unread === undefined ? {} : { cut: unread }),
      ...(result.timedOut ? { cut: `the search was stopped after ${TIME_LIMIT_MS / 1000} s` } : {}),
      ...(cut && !result.timedOut ? { cut: "there are more matches than can be shown" } : {}),
    }, ctx);
  },
});

async function runRipgrep(pattern: string, real: string, ctx: ToolContext): Promise<ProcessResult> {
  const args = [
    "--no-config",
    "--null",
    "--line-number",
    "--with-filename",
    "--no-heading",
    "--color=never",
    "--no-require-git",
    `--max-columns=${MAX_COLUMNS}`,
    "--max-columns-preview",
    `--max-count=${MAX_PER_FILE}`,
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
    maxOutputBytes: MAX_OUTPUT_BYTES * 2,
    killAfterBytes: MAX_OUTPUT_BYTES,
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

async function answer(
  pattern: string,
  output: string,
  { cut }: { cut?: string },
  ctx: ToolContext,
): Promise<ToolResult> {
  const files: { path: string; lines: string[] }[] = [];
  let matches = 0;
  for (const file of parseMatches(output)) {
    // Ripgrep was told of what is denied; its reading of a glob is not the one that counts.
    if (await ctx.files.mayRead?.(file.path) === false) continue;
    matches += file.lines.length;
    files.push({ path: showPath(file.path, ctx.cwd), lines: [...file.lines] });
  }
  if (files.length === 0) return { text: `No match for ${pattern}${cut ? `: ${cut}` : ""}` };
  files.sort((a, b) => a.path < b.path ? -1 : 1);
  const groups = files.map(({ path, lines }) => {
    const more = lines.length >= MAX_PER_FILE
      ? `\n  [stopped after ${MAX_PER_FILE} matching lines in this file]`
      : "";
    return `${path}\n${lines.join("\n")}${more}`;
  });
  const summary = `${count(matches, "matching line")} in ${count(files.length, "file")}${
    cut ? `; ${cut}` : ""
  }`;
  const text = `${summary}\n\n${groups.join("\n\n")}`;
  return { ...await truncate(text, ctx, "grep.txt"), data: { matches, files: files.length } };
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
