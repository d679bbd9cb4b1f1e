import { PryxError } from "../../domain/error.ts";
import { splitPattern } from "../_glob_pattern.ts";
import { showPath } from "../_paths.ts";
import { count } from "../_text.ts";
import { defineTool } from "../tool.ts";

/** Files that a program gets without having said how many it wants: more of them are an error, not a list that was cut. */
const MAX_PATHS = 50_000;

/**
 * Files that match, newest first, without what ignore files name. Data: `{paths, more}`, relative to the workspace (absolute
 * outside of it); `more`: there are others beyond `limit`.
 */
export const fsGlob = defineTool({
  name: "fs_glob",
  description: "Finds files by name pattern, newest first",
  parameters: {
    type: "object",
    properties: {
      pattern: { type: "string", minLength: 1 },
      cwd: { type: "string", minLength: 1, description: "The folder to search; the workspace by default" },
      limit: { type: "integer", minimum: 1, maximum: MAX_PATHS },
    },
    required: ["pattern"],
  },
  async needs({ pattern, cwd }, ctx) {
    return [{ kind: "read", target: await ctx.resolve(splitPattern({ pattern, path: cwd }).folder) }];
  },
  title: ({ pattern, cwd }) => `find ${pattern}${cwd === undefined ? "" : ` in ${cwd}`}`,
  async run({ pattern, cwd, limit }, ctx) {
    const place = splitPattern({ pattern, path: cwd });
    const real = await ctx.resolve(place.folder);
    const found = await ctx.files.glob(real, place.pattern, limit ?? MAX_PATHS);
    if (found.more && limit === undefined) {
      throw new PryxError("io", `Cannot find all of ${pattern}: there is more than can be looked through`, {
        fix: "Narrow the pattern, or set a limit",
      });
    }
    const paths = found.paths.map((path) => showPath(path, ctx.cwd));
    return { text: count(paths.length, "file"), data: { paths, more: found.more } };
  },
});
