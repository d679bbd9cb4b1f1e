import { failed, showPath } from "./_paths.ts";
import { count, countLines, formatSize } from "./_text.ts";
import { defineTool } from "./tool.ts";

export const writeFile = defineTool({
  name: "write_file",
  description:
    "Writes a whole file: makes it, with missing folders, or replaces what was there. To change a part of a file, use " +
    "edit_file.",
  parameters: {
    type: "object",
    properties: {
      path: { type: "string", minLength: 1, description: "Absolute, or relative to the workspace" },
      content: { type: "string", description: "Everything that the file will hold" },
    },
    required: ["path", "content"],
  },
  async needs({ path }, ctx) {
    return [{ kind: "write", target: await ctx.resolve(path) }];
  },
  title: ({ path }) => `write ${path}`,
  async run({ path, content }, ctx) {
    const real = await ctx.resolve(path);
    const before = await ctx.files.stat(real);
    if (before?.kind === "folder" || /[/\\]$/.test(path)) {
      return failed(`Cannot write ${path}: it is a folder. Name a file in it`);
    }
    const bytes = new TextEncoder().encode(content);
    await ctx.files.write(real, bytes);
    const lines = countLines(content);
    const size = `${count(lines, "line")}, ${formatSize(bytes.length)}`;
    const shown = showPath(real, ctx.cwd);
    return {
      text: before === null
        ? `Created ${shown} (${size})`
        : `Overwrote ${shown} (${size}; it had ${formatSize(before.size)})`,
      data: { path: real, created: before === null, lines, bytes: bytes.length },
    };
  },
});
