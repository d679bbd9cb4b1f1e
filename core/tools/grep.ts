import { failed, showPath, suggestNames } from "./_paths.ts";
import type { MatchingLine } from "./_rg_output.ts";
import { type Search, search } from "./_ripgrep.ts";
import { clip, count } from "./_text.ts";
import { truncate } from "./_truncate.ts";
import { defineTool, type ToolContext, type ToolResult } from "./tool.ts";

const MAX_OUTPUT_BYTES = 2 * 1024 * 1024;
const MAX_PER_FILE = 200;
const MAX_COLUMNS = 400;
const MAX_LINE_CHARS = 500;
const FLAGS = [`--max-columns=${MAX_COLUMNS}`, "--max-columns-preview", `--max-count=${MAX_PER_FILE}`];

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
    const info = await ctx.files.stat(real);
    if (info === null) {
      return failed(`Cannot search ${path}: it does not exist${await suggestNames(real, ctx)}`);
    }
    // Ripgrep would wait for a pipe, and read a device without end.
    if (info.kind === "other") return failed(`Cannot search ${path}: it is neither a file nor a folder`);
    const found = await search(pattern, real, ctx, { flags: FLAGS, maxOutputBytes: MAX_OUTPUT_BYTES });
    return "failure" in found ? failed(found.failure) : await answer(pattern, found, ctx);
  },
});

async function answer(pattern: string, { files: found, cut }: Search, ctx: ToolContext): Promise<ToolResult> {
  if (found.length === 0) return { text: `No match for ${pattern}${cut ? `: ${cut}` : ""}` };
  const files = found.map(({ path, lines }) => ({ path: showPath(path, ctx.cwd), lines }))
    .sort((a, b) => a.path < b.path ? -1 : 1);
  const matches = files.reduce((sum, { lines }) => sum + lines.length, 0);
  const groups = files.map(({ path, lines }) => {
    const more = lines.length >= MAX_PER_FILE
      ? `\n  [stopped after ${MAX_PER_FILE} matching lines in this file]`
      : "";
    return `${path}\n${lines.map(showLine).join("\n")}${more}`;
  });
  const summary = `${count(matches, "matching line")} in ${count(files.length, "file")}${
    cut ? `; ${cut}` : ""
  }`;
  const text = `${summary}\n\n${groups.join("\n\n")}`;
  return { ...await truncate(text, ctx, "grep.txt"), data: { matches, files: files.length } };
}

function showLine({ line, text }: MatchingLine): string {
  if (line === undefined) return `  ${text}`;
  return `  ${line}: ${text.length <= MAX_LINE_CHARS ? text : `${clip(text, MAX_LINE_CHARS)}…`}`;
}
