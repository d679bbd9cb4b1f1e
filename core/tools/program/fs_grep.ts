import { basename, relative } from "node:path";
import { PryxError } from "../../domain/error.ts";
import { showPath } from "../_paths.ts";
import { search } from "../_ripgrep.ts";
import { count } from "../_text.ts";
import { defineTool } from "../tool.ts";

const DEFAULT_LIMIT = 10_000;
const MAX_LIMIT = 100_000;
const MAX_OUTPUT_BYTES = 32 * 1024 * 1024;

/**
 * Lines that match, by path and number, without binary files and what ignore files name. Data: `{matches: {path, line,
 * text}[], more}`, paths relative to the workspace (absolute outside of it); `more`: there are others.
 */
export const fsGrep = defineTool({
  name: "fs_grep",
  description: "Searches the text of files for a regular expression",
  parameters: {
    type: "object",
    properties: {
      pattern: { type: "string", minLength: 1, description: "In ripgrep's syntax" },
      path: { type: "string", minLength: 1, description: "File or folder; the workspace by default" },
      glob: { type: "string", minLength: 1, description: "Only files whose path below the folder matches" },
      ignoreCase: { type: "boolean" },
      limit: { type: "integer", minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT },
    },
    required: ["pattern"],
  },
  async needs({ path = "." }, ctx) {
    return [{ kind: "read", target: await ctx.resolve(path) }];
  },
  title: ({ pattern, path }) => `search for ${pattern}${path === undefined ? "" : ` in ${path}`}`,
  async run({ pattern, path = ".", glob, ignoreCase, limit = DEFAULT_LIMIT }, ctx) {
    const refuse = (why: string, code: "input_invalid" | "not_found" | "io") =>
      new PryxError(code, `Cannot search ${path}: ${why}`);
    if (pattern.includes("\0")) {
      throw refuse("a pattern cannot hold a NUL character; write \\x00", "input_invalid");
    }
    const real = await ctx.resolve(path);
    const info = await ctx.files.stat(real);
    if (info === null) throw refuse("it does not exist", "not_found");
    // Ripgrep would wait for a pipe, and read a device without end.
    if (info.kind === "other") throw refuse("it is neither a file nor a folder", "io");
    const found = await search(pattern, real, ctx, {
      flags: [`--max-count=${limit + 1}`, ...(ignoreCase ? ["--ignore-case"] : []), ...typeFlags(glob)],
      maxOutputBytes: MAX_OUTPUT_BYTES,
    });
    if ("failure" in found) throw new PryxError("tool_failed", found.failure);
    const wanted = await matcher(glob);
    const all = found.files
      .filter((file) => wanted(file.path === real ? basename(real) : relative(real, file.path)))
      .flatMap((file) =>
        file.lines.flatMap(({ line, text }) =>
          line === undefined ? [] : [{ path: showPath(file.path, ctx.cwd), line, text }]
        )
      );
    const more = all.length > limit || found.cut !== undefined;
    const matches = all.slice(0, limit);
    return {
      text: `${count(matches.length, "matching line")}${found.cut === undefined ? "" : `; ${found.cut}`}`,
      data: { matches, more },
    };
  },
});

/**
 * Spares ripgrep files that cannot match, by the last part of the glob. Not as a glob of its own: that would bring in what
 * ignore files name. What decides is {@link matcher}.
 */
function typeFlags(glob: string | undefined): string[] {
  const name = glob?.slice(glob.lastIndexOf("/") + 1) ?? "";
  return /^[\w.*?-]+$/u.test(name) && name !== "**"
    ? ["--type-add", `wanted:${name}`, "--type", "wanted"]
    : [];
}

/** As `fs_glob` reads a glob: without a slash it holds in every folder. */
async function matcher(glob: string | undefined): Promise<(path: string) => boolean> {
  if (glob === undefined) return () => true;
  const { default: picomatch } = await import("picomatch");
  return picomatch(glob.replace(/^\.\//u, ""), {
    dot: true,
    noextglob: true,
    nonegate: true,
    basename: !glob.includes("/"),
  });
}
