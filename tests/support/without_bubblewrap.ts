import { join } from "node:path";

/** A PATH on which everything is found but bubblewrap, so that the layer behind it is what holds. */
export interface SearchPath extends AsyncDisposable {
  readonly path: string;
}

/**
 * Makes a folder of links to every program on `searchPath` but `bwrap`. Folders on it that hold no bwrap stay as they
 * are, in their order; only the others are replaced.
 *
 * @param parent where the folder is made; by default among temporary files, where rules about a bare name of a program
 * do not hold.
 */
export async function withoutBubblewrap(
  searchPath: string = Deno.env.get("PATH") ?? "/usr/local/bin:/usr/bin:/bin",
  parent?: string,
): Promise<SearchPath> {
  const made = await Deno.realPath(await Deno.makeTempDir({ dir: parent, prefix: "pryx-path-" }));
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
