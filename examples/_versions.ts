import type { Json } from "pryx";

/** How far one version is from another. */
export type Difference = "major" | "minor" | "patch" | "none";

/** Parts of `package.json` that name packages by version. */
const SECTIONS = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

/**
 * Packages of npm that a `package.json` or `deno.json` asks for, with the version as it stands there. What comes from elsewhere
 * (`file:`, `git+…`, `workspace:`, `jsr:`) or has no version is left out.
 */
export function dependenciesOf(manifest: Json): { readonly name: string; readonly wanted: string }[] {
  const found = new Map<string, string>();
  for (const section of SECTIONS) {
    for (const [name, wanted] of Object.entries(recordOf(manifest, section))) {
      const alias = /^npm:((?:@[^/@]+\/)?[^@]+)@(.+)$/.exec(wanted);
      if (alias) found.set(alias[1] ?? "", alias[2] ?? "");
      else if (/^[\^~<>=v]*\s*\d/.test(wanted)) found.set(name, wanted);
    }
  }
  for (const target of Object.values(recordOf(manifest, "imports"))) {
    const [, name = "", wanted = ""] = /^npm:\/?((?:@[^/@]+\/)?[^/@]+)@([^/]+)/.exec(target) ?? [];
    if (name !== "") found.set(name, wanted);
  }
  return [...found].map(([name, wanted]) => ({ name, wanted }));
}

function recordOf(value: Json, key: string): Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  const part = (value as { readonly [key: string]: Json })[key];
  if (typeof part !== "object" || part === null) return {};
  return Object.fromEntries(
    Object.entries(part).flatMap(([name, text]) => typeof text === "string" ? [[name, text]] : []),
  );
}

/** The first version that a range names: `^1.2.3` → `1.2.3`, `>=2 <4` → `2`. */
export function lowest(range: string): string {
  return /\d+(?:\.\d+)*(?:-[0-9A-Za-z.-]+)?/.exec(range)?.[0] ?? "0";
}

/** By the rules of semver.org, section 11, as far as a report needs: `none` also when `from` is the newer one. */
export function difference(from: string, to: string): Difference {
  const [a, b] = [partsOf(from), partsOf(to)];
  for (const [at, name] of (["major", "minor", "patch"] as const).entries()) {
    if (b.numbers[at] === a.numbers[at]) continue;
    return (b.numbers[at] ?? 0) > (a.numbers[at] ?? 0) ? name : "none";
  }
  // 2.0.0-rc.1 comes before 2.0.0.
  return a.before && !b.before ? "patch" : "none";
}

function partsOf(version: string): { readonly numbers: readonly number[]; readonly before: boolean } {
  const [core = "", before] = version.split("+", 1)[0]?.split(/-(.*)/, 2) ?? [];
  const numbers = core.split(".").map(Number);
  return { numbers: [0, 1, 2].map((at) => numbers[at] ?? 0), before: before !== undefined };
}
