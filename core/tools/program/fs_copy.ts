import { defineTool } from "../tool.ts";

/**
 * Copies a file, or a folder with everything in it, to where nothing is. Rejects before anything is done with `conflict`
 * when something is at `to`, `denied` when a file in the folder is closed, `io` when one is a link.
 */
export const fsCopy = defineTool({
  name: "fs_copy",
  description: "Copies a file, or a folder with everything in it, to where nothing is",
  parameters: {
    type: "object",
    properties: { from: { type: "string", minLength: 1 }, to: { type: "string", minLength: 1 } },
    required: ["from", "to"],
  },
  wholeFolders: true,
  async needs({ from, to }, ctx) {
    return [
      { kind: "read", target: await ctx.resolve(from) },
      { kind: "write", target: await ctx.resolve(to) },
    ];
  },
  title: ({ from, to }) => `copy ${from} to ${to}`,
  async run({ from, to }, ctx) {
    await ctx.files.copy(await ctx.resolve(from), await ctx.resolve(to));
    return { text: "copied", data: null };
  },
});
