import { join, sep } from "node:path";
import { GLOB_CHARACTERS, isGlob, isInside } from "./_paths.ts";

/** What stands where, as it was when it was first asked. */
export interface Glance {
  /** True for what is there itself, a link that leads nowhere too. Absolute. */
  has(path: string): boolean;
  namesIn(folder: string): Iterable<string>;
}

/** Folders that one glob may look into. */
const MAX_LISTED = 500;

/**
 * The existing paths that an absolute glob names, one folder after the other. Undefined when they are too many to be
 * looked for. `**` at the end stands for the folder itself; `**` before other names is not followed, because it could
 * lead anywhere.
 */
export async function expandGlob(glob: string, glance: Glance): Promise<readonly string[] | undefined> {
  const segments = segmentsOf(glob);
  const last = segments.at(-1) === "**" ? segments.slice(0, -1) : segments;
  if (last.includes("**") || last.length === 0) return [];
  let found: string[] = [sep];
  let listed = 0;
  for (const segment of last) {
    const next: string[] = [];
    if (!isGlob(segment)) {
      for (const folder of found) next.push(join(folder, segment));
      found = next.filter(glance.has);
      continue;
    }
    const matches = await compiled(segment);
    for (const folder of found) {
      if (++listed > MAX_LISTED) return undefined;
      for (const name of glance.namesIn(folder)) if (matches(name)) next.push(join(folder, name));
    }
    found = next;
  }
  return found;
}

/**
 * Of literals and anchored globs, those that could name something in one of `places`, each once: what names a folder and
 * what names all below it find the same folder.
 */
export function leadingTo(places: readonly string[], entries: readonly string[]): readonly string[] {
  const leads = (entry: string) => {
    const glob = entry.search(GLOB_CHARACTERS);
    const literal = glob < 0 ? entry : entry.slice(0, entry.lastIndexOf(sep, glob)) || sep;
    return places.some((root) => isInside(literal, root) || (glob >= 0 && isInside(root, literal)));
  };
  return [...new Set(entries.map((entry) => entry.replace(/\/\*\*$/, "") || entry))].filter(leads);
}

/** Cut at each slash outside of braces. */
function segmentsOf(glob: string): string[] {
  const segments: string[] = [];
  let depth = 0;
  let segment = "";
  for (let at = 0; at < glob.length; at++) {
    const char = glob[at];
    if (char === "\\") {
      segment += char + (glob[++at] ?? "");
      continue;
    }
    if (char === "{") depth++;
    if (char === "}") depth = Math.max(0, depth - 1);
    if (char === "/" && depth === 0) {
      if (segment !== "") segments.push(segment);
      segment = "";
    } else {
      segment += char;
    }
  }
  if (segment !== "") segments.push(segment);
  return segments;
}

const matchers = new Map<string, (name: string) => boolean>();

async function compiled(segment: string): Promise<(name: string) => boolean> {
  const known = matchers.get(segment);
  if (known) return known;
  const { default: picomatch } = await import("picomatch");
  const made = picomatch(segment, { dot: true, noextglob: true, nonegate: true });
  matchers.set(segment, made);
  return made;
}
