import { copy } from "./_copy.ts";
import type { BuiltPryx, Finished, RunOptions } from "../support/built_pryx.ts";

/** A project with everything of examples/ in it, its lock too: authority comes from there, as in CI. */
export async function withExamples(pryx: BuiltPryx): Promise<void> {
  await copy(new URL("../../examples/", import.meta.url), pryx.workspace);
}

/** Runs an example as CI does: as it was locked, with what the lock allows, and nobody to ask. */
export function runExample(
  pryx: BuiltPryx,
  name: string,
  args: readonly string[] = [],
  options: RunOptions & { readonly flags?: readonly string[] } = {},
): Promise<Finished> {
  const { flags = [], ...rest } = options;
  const locked = ["--frozen", "--allow-locked", "--lock", "pryx.lock"];
  return pryx.run(["run", ...locked, ...flags, `${name}.pryx.ts`, ...args], rest);
}

/** git, with an author, and dates that make hashes the same everywhere. */
export async function git(folder: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("git", {
    args: ["-c", "init.defaultBranch=main", ...args],
    cwd: folder,
    env: {
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_AUTHOR_NAME: "Ann",
      GIT_AUTHOR_EMAIL: "ann@example.org",
      GIT_COMMITTER_NAME: "Ann",
      GIT_COMMITTER_EMAIL: "ann@example.org",
      GIT_AUTHOR_DATE: "2026-03-01T10:00:00Z",
      GIT_COMMITTER_DATE: "2026-03-01T10:00:00Z",
    },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (code !== 0) throw new Error(`git ${args.join(" ")} ended ${code}:\n${text(stderr)}`);
  return text(stdout).trim();
}
