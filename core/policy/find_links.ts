import { basename, dirname, join, resolve as absolute } from "node:path";
import { ruleBase } from "./_links.ts";
import { placeOf, type PolicyOptions, sourcesOf } from "./create_policy.ts";

/**
 * Finds the rules whose paths go through symlinks, for the `links` of `createPolicy`: without it, a denial of
 * `~/.ssh` says nothing about the folder that a linked `~/.ssh` is. `resolve` gives the absolute path after symlinks,
 * and rejects or gives the path itself when nothing is there; by default the file system is asked, synchronously: for
 * a hundred paths that takes a tenth of the time.
 */
export async function findLinks(
  options: PolicyOptions,
  resolve: (path: string) => string | Promise<string> = createResolver(),
): Promise<ReadonlyMap<string, string>> {
  const place = placeOf(options);
  const bases = new Set<string>();
  for (const source of sourcesOf(options)) {
    const base = ruleBase(source, place);
    if (base !== undefined) bases.add(base);
  }
  const links = new Map<string, string>();
  const enter = (base: string, to: string) => void (to === base || links.set(base, to));
  const waiting: Promise<void>[] = [];
  for (const base of bases) {
    const to = resolve(base);
    if (typeof to === "string") enter(base, to);
    else waiting.push(to.then((found) => enter(base, found), () => {}));
  }
  await Promise.all(waiting);
  return links;
}

/** Resolves what is there; of what is not, the part that is. A link to nothing resolves to where it points. */
function createResolver(): (path: string) => string {
  const known = new Map<string, string>();
  const real = (path: string, depth: number): string => {
    const before = known.get(path);
    if (before !== undefined) return before;
    const found = attempt(() => Deno.realPathSync(path)) ?? pieced(path, depth);
    known.set(path, found);
    return found;
  };
  const pieced = (path: string, depth: number): string => {
    const parent = dirname(path);
    if (parent === path || depth > 64) return path;
    const there = real(parent, depth + 1);
    const link = attempt(() => Deno.readLinkSync(path));
    return link === undefined ? join(there, basename(path)) : real(absolute(there, link), depth + 1);
  };
  return (path) => real(path, 0);
}

/** Undefined where the file system says no: not there, not ours to see. */
function attempt(look: () => string): string | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
