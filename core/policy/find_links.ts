import { pathOf } from "./_links.ts";
import { placeOf, type PolicyOptions, sourcesOf } from "./create_policy.ts";

/**
 * Finds the rules whose paths go through symlinks, for the `links` of `createPolicy`: without it, a denial of
 * `~/.ssh` says nothing about the folder that a linked `~/.ssh` is. `resolve` gives the absolute path after symlinks,
 * and rejects or gives the path itself when nothing is there.
 */
export async function findLinks(
  options: PolicyOptions,
  resolve: (path: string) => Promise<string>,
): Promise<ReadonlyMap<string, string>> {
  const place = placeOf(options);
  const bases = new Set<string>();
  for (const source of sourcesOf(options)) {
    const path = pathOf(source, place);
    if (path) bases.add(path.base);
  }
  const links = new Map<string, string>();
  await Promise.all([...bases].map(async (base) => {
    const to = await resolve(base).catch(() => base);
    if (to !== base) links.set(base, to);
  }));
  return links;
}
