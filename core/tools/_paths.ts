import { basename, dirname, isAbsolute, join, relative } from "node:path";
import { PryxError } from "../domain/error.ts";
import type { NeedContext, ToolContext, ToolResult } from "./tool.ts";

/** `path` as a reader of the workspace would write it: from `cwd` when it is inside, else absolute. */
export function showPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  if (short === "") return ".";
  return short.startsWith("..") || isAbsolute(short) ? path : short;
}

/** Absolute path of what stands at `path` itself: its folder after symlinks, and its name. A link is not followed. */
export async function resolveEntry(path: string, ctx: Pick<NeedContext, "resolve">): Promise<string> {
  const plain = path.replace(/(?<=[^/\\])[/\\]+$/u, "");
  const name = basename(plain);
  // These name a folder by way of another.
  if (["", ".", "..", "~"].includes(name) || plain === "/") return await ctx.resolve(path);
  return join(await ctx.resolve(dirname(plain)), name);
}

/** A failed result: the model is told, the turn goes on. */
export function failed(text: string): ToolResult {
  return { text, failed: true };
}

/** What a missing file's folder has under similar names, as a sentence; empty when it has none or may not be read. */
export async function suggestNames(path: string, ctx: ToolContext): Promise<string> {
  const folder = dirname(path);
  let names: string[];
  try {
    if (await ctx.files.mayRead?.(folder) === false) return "";
    names = (await ctx.files.list(folder)).map(({ name }) => name);
  } catch (error) {
    if (error instanceof PryxError && error.code !== "cancelled") return "";
    throw error;
  }
  const wanted = basename(path);
  const near = names.map((name) => ({ name, distance: nameDistance(wanted, name) }))
    .filter(({ distance }) => distance <= Math.max(2, Math.floor(wanted.length / 3)))
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  const shown: string[] = [];
  for (const { name } of near.slice(0, 10)) {
    const full = folder.endsWith("/") ? folder + name : `${folder}/${name}`;
    if (await ctx.files.mayRead?.(full) === false) continue;
    shown.push(showPath(full, ctx.cwd));
    if (shown.length === 3) break;
  }
  return shown.length === 0 ? "" : `. Did you mean ${shown.join(" or ")}?`;
}

/** Edits between two names, their case apart; a name that differs in its extension only is near. */
function nameDistance(a: string, b: string): number {
  const x = a.toLowerCase(), y = b.toLowerCase();
  if (x === y) return 0;
  const stem = (name: string) => name.replace(/(?<=.)\.[^.]*$/, "");
  if (stem(x) === stem(y)) return 1;
  let row = Array.from({ length: y.length + 1 }, (_, i) => i);
  for (let i = 1; i <= x.length; i++) {
    const next = [i];
    for (let j = 1; j <= y.length; j++) {
      const change = (row[j - 1] ?? 0) + (x[i - 1] === y[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[y.length] ?? 0;
}
