import { PryxError } from "../../domain/error.ts";
import type { FolderEntry } from "../../sandbox/sandbox.ts";
import { count } from "../_text.ts";
import { defineTool } from "../tool.ts";

const MAX_ENTRIES = 50_000;

/**
 * What is in a folder, by path. Data: `{entries: {name, path, kind, size}[]}`, `path` relative to the folder.
 * `recursive`: everything below, without what ignore files name. Rejects with `io` when there is more than can be listed.
 */
export const fsList = defineTool({
  name: "fs_list",
  description: "Lists what is in a folder, or everything below it that is not ignored",
  parameters: {
    type: "object",
    properties: { path: { type: "string", minLength: 1 }, recursive: { type: "boolean" } },
    required: ["path"],
  },
  async needs({ path }, ctx) {
    return [{ kind: "read", target: await ctx.resolve(path) }];
  },
  title: ({ path }) => `list ${path}`,
  async run({ path, recursive }, ctx) {
    const folder = await ctx.resolve(path);
    const tooMany = () =>
      new PryxError("io", `Cannot list ${path}: there is more in it than ${MAX_ENTRIES} files and folders`);
    let entries: readonly (FolderEntry & { readonly path: string })[];
    if (recursive) {
      const found = await ctx.files.tree(folder, MAX_ENTRIES);
      if (found.more) throw tooMany();
      entries = found.entries.map((entry) => {
        const below = entry.path.slice(folder === "/" ? 1 : folder.length + 1);
        return {
          name: below.slice(below.lastIndexOf("/") + 1),
          path: below,
          kind: entry.kind,
          size: entry.size,
        };
      });
    } else {
      const found = await ctx.files.list(folder);
      // A list is cut off there: what follows is not known.
      if (found.length >= MAX_ENTRIES) throw tooMany();
      entries = found.map(({ name, kind, size }) => ({ name, path: name, kind, size }))
        .sort((a, b) => a.name < b.name ? -1 : 1);
    }
    const data = { entries: entries.map((entry) => ({ ...entry })) };
    return { text: count(entries.length, "entry", "entries"), data };
  },
});
