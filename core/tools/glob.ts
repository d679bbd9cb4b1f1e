import { splitPattern } from "./_glob_pattern.ts";
import { failed, showPath, suggestNames } from "./_paths.ts";
import { count } from "./_text.ts";
import { truncate } from "./_truncate.ts";
import { defineTool } from "./tool.ts";

const LIMIT = 500;

export const glob = defineTool({
  name: "glob",
  description:
    `Finds files by name pattern, newest first, at most ${LIMIT}. Examples: **/*.ts, src/**/*_test.{ts,tsx}, *.md (in ` +
    "every folder). Skips what ignore files (.gitignore) name. To search in the text of files, use grep.",
  parameters: {
    type: "object",
    properties: {
      pattern: { type: "string", minLength: 1, description: "Matched against paths below the folder" },
      path: { type: "string", minLength: 1, description: "The folder to search; the workspace by default" },
    },
    required: ["pattern"],
  },
  async needs(args, ctx) {
    return [{ kind: "read", target: await ctx.resolve(splitPattern(args).folder) }];
  },
  title: ({ pattern, path }) => `find ${pattern}${path === undefined ? "" : ` in ${path}`}`,
  async run(args, ctx) {
    const { folder, pattern } = splitPattern(args);
    const real = await ctx.resolve(folder);
    const info = await ctx.files.stat(real);
    if (info === null) {
      return failed(`Cannot search ${folder}: it does not exist${await suggestNames(real, ctx)}`);
    }
    if (info.kind !== "folder") return failed(`Cannot search ${folder}: it is not a folder`);
    const { paths, more } = await ctx.files.glob(real, pattern, LIMIT);
    if (paths.length === 0) {
      return { text: `No file matches ${args.pattern}${more ? " in what could be searched in time" : ""}` };
    }
    const lines = paths.map((path) => showPath(path, ctx.cwd));
    if (more) {
      lines.push("", `[the newest ${count(paths.length, "file")}; there are more: narrow the pattern]`);
    }
    return { ...await truncate(lines.join("\n"), ctx, "glob.txt"), data: { files: paths.length, more } };
  },
});
