import { PryxError } from "../../domain/error.ts";
import { resolveEntry } from "../_paths.ts";
import { defineTool } from "../tool.ts";

/**
 * Removes a file, a link itself, or a folder that is empty; `recursive`: with everything in it, unless a file in it is closed
 * (`denied`, nothing is done). Data: whether something was there.
 */
export const fsRemove = defineTool({
  name: "fs_remove",
  description: "Removes a file or an empty folder, or a folder with everything in it",
  parameters: {
    type: "object",
    properties: { path: { type: "string", minLength: 1 }, recursive: { type: "boolean" } },
    required: ["path"],
  },
  wholeFolders: true,
  async needs({ path }, ctx) {
    return [{ kind: "write", target: await resolveEntry(path, ctx) }];
  },
  title: ({ path, recursive }) => `remove ${path}${recursive ? " with everything in it" : ""}`,
  async run({ path, recursive }, ctx) {
    const target = await resolveEntry(path, ctx);
    if (ctx.cwd === target || ctx.cwd.startsWith(target === "/" ? "/" : `${target}/`)) {
      throw new PryxError("input_invalid", `Cannot remove ${path}: it holds the workspace`);
    }
    try {
      await ctx.files.remove(target, { folder: recursive ? "all" : "empty" });
    } catch (error) {
      if (!(error instanceof PryxError) || error.code !== "not_found") throw error;
      return { text: "nothing was there", data: false };
    }
    return { text: "removed", data: true };
  },
});
