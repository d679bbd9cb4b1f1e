import { join } from "node:path";

/** Copies what is in a folder into another one, which is made. */
export async function copy(from: URL, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const source = new URL(encodeURIComponent(name) + (isDirectory ? "/" : ""), from);
    if (isDirectory) await copy(source, join(to, name));
    else await Deno.copyFile(source, join(to, name));
  }
}
