import type * as Api from "../api.d.ts";
import type { Guest } from "./guest.ts";

/** The git command line, read. */
export function gitApi(
  guest: Guest,
  { sh, fs, ShellError }: Pick<typeof Api, "sh" | "fs" | "ShellError">,
) {
  const FIELDS = ["hash", "author", "email", "date", "subject", "body"] as const;

  /** A name of a branch or commit: git would read one that begins with a dash as an option. */
  const refOf = (ref: unknown, what: string): string => {
    if (typeof ref !== "string") throw new TypeError(`${what} is a string, not ${guest.inspect(ref)}`);
    // deno-lint-ignore no-control-regex -- these are what no name can have
    if (ref === "" || ref.startsWith("-") || /[\x00-\x20\x7f]/.test(ref)) {
      throw new guest.PryxError(`${what} cannot be ${guest.inspect(ref)}`, { code: "input_invalid" });
    }
    return ref;
  };
  const rangeOf = (range: string | undefined) =>
    range === undefined ? [] : [refOf(range, "A range of commits")];
  const pathsOf = (paths: readonly string[] | undefined) => paths === undefined ? [] : ["--", ...paths];

  /** `git status --porcelain=v2 --branch -z` (git-status(1), "Porcelain Format Version 2"). */
  const parseStatus = (text: string): Api.GitStatus => {
    let branch: string | null = null;
    let upstream: string | null = null;
    let ahead = 0;
    let behind = 0;
    const files: Api.GitStatus["files"][number][] = [];
    const items = text.split("\0");
    for (let at = 0; at < items.length; at++) {
      const item = items[at] ?? "";
      const rest = item.slice(2);
      // Paths may have spaces: they are what is left after a fixed number of fields.
      const pathAfter = (fields: number) => rest.split(" ").slice(fields).join(" ");
      const [index = ".", tree = "."] = rest;
      switch (item[0]) {
        case "#": {
          const [name, value = "", other = ""] = rest.split(" ");
          if (name === "branch.head") branch = value === "(detached)" ? null : value;
          else if (name === "branch.upstream") upstream = value;
          else if (name === "branch.ab") [ahead, behind] = [Math.abs(Number(value)), Math.abs(Number(other))];
          break;
        }
        case "1":
          files.push({ path: pathAfter(7), index, tree });
          break;
        case "2":
          files.push({ path: pathAfter(8), from: items[++at] ?? "", index, tree });
          break;
        case "u":
          files.push({ path: pathAfter(9), index, tree });
          break;
        case "?":
          files.push({ path: rest, index: "?", tree: "?" });
      }
    }
    return { branch, upstream, ahead, behind, files, clean: files.length === 0 };
  };

  const parseLog = (text: string): Api.GitCommit[] => {
    const parts = text.split("\0");
    const commits: Api.GitCommit[] = [];
    for (let at = 0; at + FIELDS.length < parts.length; at += FIELDS.length) {
      const commit = Object.fromEntries(FIELDS.map((field, i) => [field, parts[at + i] ?? ""]));
      commits.push({ ...commit, body: (parts[at + 5] ?? "").trimEnd() } as unknown as Api.GitCommit);
    }
    return commits;
  };

  /** Standard output as it is: readers would take newlines away that belong to a path. */
  const outputOf = async (command: Api.ShellCommand): Promise<string> => (await command.quiet()).stdout;

  const git: typeof Api.git = {
    async status() {
      return parseStatus(await outputOf(sh`git status --porcelain=v2 --branch -z --untracked-files=all`));
    },

    async diff({ staged = false, range, paths } = {}) {
      const words = [...(staged ? ["--cached"] : []), ...rangeOf(range), ...pathsOf(paths)];
      return await outputOf(sh`git diff --no-color --no-ext-diff ${words}`);
    },

    async log({ range, limit = 20, paths } = {}) {
      if (!Number.isInteger(limit) || limit < 1) {
        throw new TypeError("The limit of git.log() is a whole number, 1 or more");
      }
      const words = [...rangeOf(range), ...pathsOf(paths)];
      const format = "--format=%H%x00%an%x00%ae%x00%aI%x00%s%x00%b";
      try {
        return parseLog(
          await outputOf(
            sh`git log -z --no-color --no-show-signature --encoding=UTF-8 --max-count=${limit} ${format} ${words}`,
          ),
        );
      } catch (error) {
        // Before the first commit there is nothing, which is no failure.
        const unborn = error instanceof ShellError && /does not have any commits yet/.test(error.stderr);
        if (range === undefined && unborn) return [];
        throw error;
      }
    },

    async branch() {
      return await sh`git branch --show-current`.text() || null;
    },

    async createBranch(name, from) {
      const start = from === undefined ? [] : [refOf(from, "Where a branch begins")];
      await sh`git switch --create ${refOf(name, "The name of a branch")} ${start}`.quiet();
    },

    async commit(message, { paths, all = false } = {}) {
      if (typeof message !== "string" || message.trim() === "") throw new TypeError("A commit has a message");
      if (all) await sh`git add --all`.quiet();
      else if (paths !== undefined && paths.length > 0) await sh`git add ${pathsOf(paths)}`.quiet();
      await sh`git commit --quiet --message=${message}`.quiet();
      return await sh`git rev-parse HEAD`.text();
    },

    async worktree(ref, body) {
      const commit = refOf(ref, "What a worktree has");
      const folder = `${await fs.temp("worktree-")}/tree`;
      try {
        await sh`git worktree add ${folder} ${commit}`.quiet();
      } catch (error) {
        if (!(error instanceof ShellError)) throw error;
        // The branch is checked out elsewhere: the same commit, then, without the branch.
        await sh`git worktree add --detach ${folder} ${commit}`.quiet();
      }
      let failed = true;
      try {
        const result = await body(folder);
        failed = false;
        return result;
      } finally {
        // What went wrong in the body is what should be told.
        const removed = sh`git worktree remove --force ${folder}`.quiet();
        await (failed ? removed.result().catch(() => {}) : removed);
      }
    },
  };

  return { git } satisfies Pick<typeof Api, "git">;
}
