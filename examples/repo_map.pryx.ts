#!/usr/bin/env -S pryx run
/**
 * A map of the project as Markdown: its folders and files with their sizes, and what each file says of itself in its first
 * comment. For people who are new here, and for agents.
 *
 *     pryx run repo_map.pryx.ts                  # prints it
 *     pryx run repo_map.pryx.ts --write          # writes REPO_MAP.md
 *     pryx run repo_map.pryx.ts --check          # fails when REPO_MAP.md is stale: for CI
 *
 * To learn from it: no agent and no network, so there is nothing in the manifest but files; `fs.list` leaves out what
 * `.gitignore` does; `parallel` reads many files, a few at a time.
 */
import { args, exit, type FolderEntry, fs, log, parallel, type Permissions, PryxError } from "pryx";
import { firstComment, formatSize, toTree } from "./_repo_map.ts";

export const permissions = {
  read: ["."],
  write: ["REPO_MAP.md"],
} satisfies Permissions;

const OUT = "REPO_MAP.md";
/** Larger files are no source text that anybody wrote. */
const MAX_BYTES = 200_000;

const { depth, write, check } = args.declare({
  description: "Maps the project: folders, files, sizes, and what each file says of itself.",
  flags: {
    depth: { type: "number", default: 4, short: "d", description: "Folders deeper than this are summed up" },
    write: { type: "boolean", short: "w", description: `Write ${OUT} instead of printing` },
    check: { type: "boolean", description: `Fail when ${OUT} is not what would be written` },
  },
});

const entries = await fs.list(".", { recursive: true });
// The map would change its own size.
const files = entries.filter(({ kind, path }) => kind === "file" && path !== OUT);
if (files.length === 0) throw new PryxError("There are no files here", { code: "not_found" });

const described = await parallel(files, async (file) => ({ ...file, about: await about(file) }), {
  limit: 16,
});
const map = render(described);

if (check) {
  const found = await fs.exists(OUT) ? await fs.read(OUT) : "";
  if (found !== map) {
    log.error(`${OUT} is stale: run repo_map.pryx.ts --write, and commit it`);
    exit(1);
  }
  log.info(`${OUT} is up to date`);
} else if (write) {
  await fs.write(OUT, map);
  log.info(`Wrote ${OUT}: ${files.length} files`);
} else console.log(map.trimEnd());

/** What a file says of itself; nothing for what is no text, or too large. */
async function about({ path, size }: FolderEntry): Promise<string> {
  if (size > MAX_BYTES) return "";
  const bytes = await fs.readBytes(path);
  if (bytes.includes(0)) return "";
  return firstComment(path, new TextDecoder().decode(bytes.subarray(0, 4_000)));
}

function render(found: readonly (FolderEntry & { readonly about: string })[]): string {
  const bytes = found.reduce((sum, { size }) => sum + size, 0);
  const kinds = new Map<string, { files: number; bytes: number }>();
  for (const { name, size } of found) {
    const kind = /[^.]\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? "other";
    const sum = kinds.get(kind) ?? { files: 0, bytes: 0 };
    kinds.set(kind, { files: sum.files + 1, bytes: sum.bytes + size });
  }
  const largest = [...kinds].sort(([a, x], [b, y]) => y.bytes - x.bytes || (a < b ? -1 : 1)).slice(0, 8);
  return [
    "# Map of the repository",
    "",
    `${found.length} files, ${formatSize(bytes)}.`,
    "",
    "| kind | files | size |",
    "|---|---:|---:|",
    ...largest.map(([kind, sum]) => `| ${kind} | ${sum.files} | ${formatSize(sum.bytes)} |`),
    "",
    ...toTree(found, depth),
    "",
  ].join("\n");
}
