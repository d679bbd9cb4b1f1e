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

/** Where a path leads, and whether something is there. */
interface Led {
  readonly to: string;
  readonly there: boolean;
}

/**
 * Resolves what is there; of what is not, the part that is. A link to nothing resolves to where it points. Most of what it
 * is asked for is not there, and an error of the file system costs more than all else here: there is one for each at most.
 */
function createResolver(): (path: string) => string {
  const known = new Map<string, Led>();
  const real = (path: string, depth: number): Led => {
    const before = known.get(path);
    if (before !== undefined) return before;
    const found = lookAt(path, depth);
    known.set(path, found);
    return found;
  };
  const lookAt = (path: string, depth: number): Led => {
    const parent = dirname(path);
    if (parent === path || depth > 64) return { to: path, there: true };
    const around = real(parent, depth + 1);
    const to = join(around.to, basename(path));
    const entry = around.there ? attempt(() => Deno.lstatSync(to)) : undefined;
    if (entry === undefined) return { to, there: false };
    if (entry.isSymlink) {
      const link = attempt(() => Deno.readLinkSync(to));
      return link === undefined ? { to, there: true } : real(absolute(around.to, link), depth + 1);
    }
    // Elsewhere a name may be spelled in more than one way.
    return { to: Deno.build.os === "linux" ? to : attempt(() => Deno.realPathSync(to)) ?? to, there: true };
  };
  return (path) => real(path, 0).to;
}

/** Undefined where the file system says no: not there, not ours to see. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
