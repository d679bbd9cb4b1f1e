import { dirname } from "node:path";
import type { Permissions } from "../domain/automation.ts";
import { type Need, NEED_KINDS, type NeedKind } from "../domain/need.ts";
import { within } from "./_session_text.ts";

/** So many files of one folder are declared as the folder. */
const MANY = 3;

/**
 * The least that needs say: patterns of a manifest, relative to the root of the project. What only was within reach, and
 * what nobody knew beforehand, no pattern can name.
 */
export function manifestOf(needs: readonly Need[], root: string): Permissions {
  const kinds: { [K in NeedKind]?: string[] } = {};
  for (const kind of NEED_KINDS) {
    const own = needs.filter((need) =>
      need.kind === kind && need.reach === undefined && need.opaque === undefined && !need.enter
    );
    const patterns = kind === "read" || kind === "write"
      ? folded(own.map(({ target }) => target === root ? "." : within(root, target)))
      : own.flatMap((need) => kind === "run" ? commandOf(need) : [need.target]);
    const sorted = [...new Set(patterns)].sort();
    if (sorted.length > 0) kinds[kind] = sorted;
  }
  return withoutCovered(kinds);
}

/** Its first words, as far as they name a command and not what it works on: `git log`, `npm run build`, `ls`. */
function commandOf({ argv = [], target, wrapper }: Need): string[] {
  const words = argv.length > 0 ? argv : target.split(/\s+/u);
  const [program = "", second = "", third = ""] = words;
  if (wrapper || program === "") return [];
  const isWord = (word: string) => /^[a-z][a-z0-9:_-]*$/u.test(word);
  if (!SUBCOMMANDS.has(program) || !isWord(second)) return [program];
  return [second === "run" && isWord(third) ? `${program} run ${third}` : `${program} ${second}`];
}

/** Programs whose second word says what they do. */
const SUBCOMMANDS: ReadonlySet<string> = new Set(
  [
    ...[
      "git",
      "gh",
      "npm",
      "npx",
      "pnpm",
      "yarn",
      "bun",
      "deno",
      "cargo",
      "go",
      "docker",
      "podman",
      "kubectl",
    ],
    ...["make", "pip", "pip3", "uv", "poetry", "bundle", "dotnet", "mix", "systemctl", "apt", "brew"],
  ],
);

/** Folders in the place of many of their files. */
function folded(paths: readonly string[]): string[] {
  const inFolder = new Map<string, Set<string>>();
  for (const path of new Set(paths)) {
    const folder = path === "." ? path : dirname(path);
    inFolder.set(folder, (inFolder.get(folder) ?? new Set()).add(path));
  }
  const folders = [...inFolder].filter(([, files]) => files.size > MANY).map(([folder]) => folder);
  return [...new Set(paths)].map((path) => folders.find((folder) => isBelow(path, folder)) ?? path);
}

function isBelow(path: string, folder: string): boolean {
  return folder === "." ? !path.startsWith("/") : path === folder || path.startsWith(`${folder}/`);
}

/** Without what another pattern says already; what may be written may be read. */
function withoutCovered(kinds: Permissions): Permissions {
  const slim: { [K in NeedKind]?: readonly string[] } = { ...kinds };
  for (const kind of ["write", "read"] as const) {
    const others = kind === "read" ? [...kinds.read ?? [], ...kinds.write ?? []] : kinds.write ?? [];
    const left = (kinds[kind] ?? []).filter((path) =>
      !others.some((other) => other !== path && isBelow(path, other)) &&
      !(kind === "read" && kinds.write?.includes(path))
    );
    if (left.length > 0) slim[kind] = left;
    else delete slim[kind];
  }
  return slim;
}
