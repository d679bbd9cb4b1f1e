import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A PATH on which everything is found but bubblewrap, so that the layer behind it is what holds. */
export interface SearchPath extends AsyncDisposable {
  readonly path: string;
}

/**
 * Makes a folder of links to every program on `searchPath` but `bwrap`. Folders on it that hold no bwrap stay as they
 * are, in their order; only the others are replaced.
 */
export async function withoutBubblewrap(
  searchPath: string = Deno.env.get("PATH") ?? "/usr/local/bin:/usr/bin:/bin",
): Promise<SearchPath> {
  const made = await Deno.realPath(await makeFolder());
  const folders: string[] = [];
  for (const [index, folder] of [...new Set(searchPath.split(":"))].entries()) {
    if (await Deno.stat(join(folder, "bwrap")).then(() => false, () => true)) {
      folders.push(folder);
      continue;
    }
    const links = join(made, String(index));
    await Deno.mkdir(links);
    for await (const { name } of Deno.readDir(folder)) {
      if (name !== "bwrap") await Deno.symlink(join(folder, name), join(links, name));
    }
    folders.push(links);
  }
  return {
    path: folders.join(":"),
    [Symbol.asyncDispose]: () => Deno.remove(made, { recursive: true }),
  };
}

/** In the first place that can be written and does not count as temporary: rules about a program's bare name hold there. */
async function makeFolder(): Promise<string> {
  const dist = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "dist");
  await Deno.mkdir(dist, { recursive: true }).catch(() => {});
  for (const parent of [dist, Deno.env.get("HOME"), `/run/user/${Deno.uid()}`, "/run", "/opt"]) {
    if (parent === undefined || /^\/(?:tmp|var\/tmp|dev\/shm)(?:\/|$)/.test(parent)) continue;
    const made = await Deno.makeTempDir({ dir: parent, prefix: ".pryx-path-" }).catch(() => undefined);
    if (made !== undefined) return made;
  }
  throw new Error("There is no folder for links to programs but temporary ones");
}
