import { failed, suggestNames } from "./_paths.ts";
import { count, formatSize } from "./_text.ts";
import { truncate } from "./_truncate.ts";
import { defineTool } from "./tool.ts";
import type { FolderEntry } from "../sandbox/sandbox.ts";

const MAX_SHOWN = 1_000;

export const listDir = defineTool({
  name: "list_dir",
  description:
    "Lists what is in one folder: folders first, with a slash at the end, then files with their sizes. Hidden and " +
    "ignored entries are listed too. To find files in folders below, use glob.",
  parameters: {
    type: "object",
    properties: {
      path: {
        type: "string",
        minLength: 1,
        description: "Absolute, or relative to the workspace; . for the workspace",
      },
    },
    required: ["path"],
  },
  async needs({ path }, ctx) {
    return [{ kind: "read", target: await ctx.resolve(path) }];
  },
  title: ({ path }) => `list ${path}`,
  async run({ path }, ctx) {
    const real = await ctx.resolve(path);
    const info = await ctx.files.stat(real);
    if (info === null) {
      return failed(`Cannot list ${path}: it does not exist${await suggestNames(real, ctx)}`);
    }
    if (info.kind !== "folder") return failed(`Cannot list ${path}: it is not a folder. Use read_file`);
    const entries = [...await ctx.files.list(real)].sort(compareEntries);
    if (entries.length === 0) return { text: `${path} is empty` };
    const lines = entries.slice(0, MAX_SHOWN).map(showEntry);
    const left = entries.length - lines.length;
    if (left > 0) {
      lines.push(
        "",
        `[${count(left, "more entry", "more entries")} of ${entries.length}; find them with glob]`,
      );
    }
    return { ...await truncate(lines.join("\n"), ctx, "list.txt"), data: { entries: entries.length } };
  },
});

function compareEntries(a: FolderEntry, b: FolderEntry): number {
  if ((a.kind === "folder") !== (b.kind === "folder")) return a.kind === "folder" ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** A name may hold a newline: shown as such, it would be two entries. */
function showEntry({ name, kind, size }: FolderEntry): string {
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  const shown = name.replace(/[\u0000-\u001f\u007f]/g, (char) => JSON.stringify(char).slice(1, -1));
  if (kind === "folder") return `${shown}/`;
  if (kind === "link") return `${shown} -> (link)`;
  return kind === "file" ? `${shown}  ${formatSize(size)}` : `${shown}  (device, pipe or socket)`;
}
