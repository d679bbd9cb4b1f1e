import { join } from "node:path";

/** Which paths (relative to the folder, folders with a slash at the end) its own ignore files leave out. */
export async function readIgnored(folder: string): Promise<(relativePath: string) => boolean> {
  const texts: string[] = [];
  for (const name of [".gitignore", ".ignore"]) {
    texts.push(await Deno.readTextFile(join(folder, name)).catch(() => ""));
  }
  if (texts.every((text) => text.trim() === "")) return () => false;
  const { default: ignore } = await import("ignore");
  const rules = ignore().add(texts);
  return (path) => rules.ignores(path);
}
