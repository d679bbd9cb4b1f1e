import { resolveEntry } from "../_paths.ts";
import { defineTool } from "../tool.ts";

/**
 * Moves a file, a link itself, or a folder with everything in it, to where nothing is. Rejects before anything is done with
 * `conflict` when something is at `to`, and with `denied` when a file in the folder is closed, here or there.
 */
export const fsMove = defineTool({
  name: "fs_move",
  description: "Moves a file or a folder to where nothing is",
  parameters: {
    type: "object",
    properties: { from: { type: "string", minLength: 1 }, to: { type: "string", minLength: 1 } },
    required: ["from", "to"],
  },
  wholeFolders: true,
  async needs({ from, to }, ctx) {
    const [source, target] = [await resolveEntry(from, ctx), await ctx.resolve(to)];
    return [
      { kind: "read", target: source },
      { kind: "write", target: source },
      { kind: "write", target },
    ];
  },
  title: ({ from, to }) => `move ${from} to ${to}`,
  async run({ from, to }, ctx) {
    await ctx.files.move(await resolveEntry(from, ctx), await ctx.resolve(to));
    return { text: "moved", data: null };
  },
});
