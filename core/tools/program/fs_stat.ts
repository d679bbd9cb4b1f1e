import { defineTool } from "../tool.ts";

/** What stands at a path, behind links. Data: null where there is nothing, else `{kind, size, mode, mtime}`. */
export const fsStat = defineTool({
  name: "fs_stat",
  description: "Says what stands at a path: kind, size in bytes, permission bits, time of the last change",
  parameters: {
    type: "object",
    properties: { path: { type: "string", minLength: 1 } },
    required: ["path"],
  },
  async needs({ path }, ctx) {
    return [{ kind: "read", target: await ctx.resolve(path) }];
  },
  title: ({ path }) => `look at ${path}`,
  async run({ path }, ctx) {
    const info = await ctx.files.stat(await ctx.resolve(path));
    return { text: info === null ? "nothing there" : `a ${info.kind}`, data: info && { ...info } };
  },
});
