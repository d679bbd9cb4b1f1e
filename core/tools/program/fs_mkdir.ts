import { defineTool } from "../tool.ts";

/** Makes a folder, with those above it; one that is there stays as it is. */
export const fsMkdir = defineTool({
  name: "fs_mkdir",
  description: "Makes a folder, with those above it",
  parameters: {
    type: "object",
    properties: { path: { type: "string", minLength: 1 } },
    required: ["path"],
  },
  async needs({ path }, ctx) {
    return [{ kind: "write", target: await ctx.resolve(path) }];
  },
  title: ({ path }) => `make the folder ${path}`,
  async run({ path }, ctx) {
    await ctx.files.mkdir(await ctx.resolve(path));
    return { text: "the folder is there", data: null };
  },
});
