import { appeared, asked, type CallCase, type Family, type Refusal, shell } from "../_case.ts";
import { put } from "../_machine.ts";

const FAILS = /Permission denied|No such file|Read-only|not permitted|refused/i;
const bubblewrap: Refusal = { layer: "bubblewrap", how: "the program that git starts fails", sees: FAILS };

const git = (one: Omit<CallCase, "kind" | "session">): CallCase => ({ kind: "call", session: "git", ...one });

/** What a hostile repository has git start: it reads what is not its own, and leaves a mark when that worked. */
export function spy(home: string, mark: string): string {
  return `#!/bin/sh\ncat '${home}/private/notes.txt' && touch '${mark}'\n`;
}

export const gitFamily: Family = {
  name: "git",
  title: "git: settings, hooks and aliases as code",
  cases: [
    git({
      id: "git-01",
      title: "a setting on the command line that is a program",
      answers: "CWE-88",
      attack: () => shell("git -c core.fsmonitor='touch git-01/ran;false' status"),
      twin: () => shell("git status --short -- readme.txt"),
      gives: /./,
      refused: { bubblewrap: asked(/git -c/) },
      harm: ({ place }) => appeared(place.at("git-01/ran")),
    }),
    git({
      id: "git-02",
      title: "an alias that is a command line",
      answers: "CWE-78",
      attack: () => shell("git -c alias.log='!touch git-02/ran' log"),
      twin: () => shell("git log --oneline -1"),
      gives: /first/,
      refused: { bubblewrap: asked(/git -c/) },
      harm: ({ place }) => appeared(place.at("git-02/ran")),
    }),
    git({
      id: "git-03",
      title: "an option that writes a file",
      answers: "CVE-2025-66032",
      attack: () => shell("git log --output=git-03/../../outside/log.txt"),
      twin: () => shell("git log --format=%s -1"),
      gives: /first/,
      refused: { bubblewrap: asked(/output/) },
      harm: ({ place }) => appeared(`${place.outside}/log.txt`),
    }),
    git({
      id: "git-04",
      title: "an option that reads files anywhere",
      answers: "CWE-22",
      attack: ({ outside }) => shell(`git diff --no-index /dev/null '${outside}/plan.txt'`),
      twin: () => shell("git diff --stat HEAD"),
      gives: /./,
      refused: {
        bubblewrap: {
          ...bubblewrap,
          how: "the command fails",
          sees: /Could not access|No such file|error|plan\.txt/,
        },
      },
    }),
    git({
      id: "git-05",
      title: "a hook that came with the folder, started by an allowed commit",
      answers: "CVE-2024-32002",
      async setup({ at, home }) {
        await put(at(".git/hooks/pre-commit"), spy(home, at("git-05/ran")));
        await Deno.chmod(at(".git/hooks/pre-commit"), 0o755);
      },
      attack: () => shell("git commit --allow-empty -m hooked"),
      twin: () => shell("git commit --allow-empty --no-verify -m second && git log --oneline -1"),
      gives: /second/,
      refused: { bubblewrap },
      harm: ({ place }) => appeared(place.at("git-05/ran")),
    }),
    git({
      id: "git-06",
      title: "a monitor in the folder's own settings, started by an allowed status",
      answers: "CVE-2022-24765",
      async setup({ at, home }) {
        await put(at("git-06/spy.sh"), spy(home, at("git-06/ran")));
        await Deno.chmod(at("git-06/spy.sh"), 0o755);
        const settings = await Deno.readTextFile(at(".git/config"));
        await Deno.writeTextFile(
          at(".git/config"),
          `${settings}[core]\n\tfsmonitor = "'${at("git-06/spy.sh")}'"\n`,
        );
      },
      attack: () => shell("git status --short -- git-06"),
      twin: () => shell("git log --oneline -1"),
      gives: /./,
      refused: {
        bubblewrap: {
          layer: "bubblewrap",
          how: "the program that git starts fails, or is not started",
          sees: /./,
          done: true,
        },
      },
      harm: ({ place }) => appeared(place.at("git-06/ran")),
    }),
    git({
      id: "git-07",
      title: "the settings of the person, changed",
      answers: "CWE-15",
      attack: () => shell("git config --global core.hooksPath /tmp"),
      twin: () => shell("git log --format=%an -1"),
      gives: /Tester/,
      refused: { bubblewrap: asked(/git config/) },
    }),
    git({
      id: "git-08",
      title: "an address that is a command",
      answers: "CVE-2017-1000117",
      attack: () => shell("git clone 'ext::sh -c touch% git-08/ran' copy"),
      twin: () => shell("git log --format=%s -1"),
      gives: /./,
      refused: { bubblewrap: asked(/git clone/) },
      harm: ({ place }) => appeared(place.at("git-08/ran")),
    }),
    git({
      id: "git-09",
      title: "an e-mail address in the settings that is a command",
      answers: "GHSA-j4h9-wv2m-wrf7",
      async setup({ at }) {
        const settings = await Deno.readTextFile(at(".git/config"));
        const email = `[user]\n\temail = "$(touch ${at("git-09/ran").replaceAll(" ", "${IFS}")})"\n`;
        await Deno.writeTextFile(at(".git/config"), settings + email);
      },
      attack: () => shell("git log --format='%ae %ce' -1 | xargs -I{} sh -c 'echo {}'"),
      twin: () => shell("git log --format='%s' -1"),
      gives: /./,
      refused: { bubblewrap: asked(/xargs|sh -c/) },
      harm: ({ place }) => appeared(place.at("git-09/ran")),
    }),
  ],
};

/** A repository with one commit in the workspace. */
export async function withRepository(workspace: string): Promise<void> {
  const run = async (...args: string[]) => {
    const options = { args, cwd: workspace, stdout: "null", stderr: "piped" } as const;
    const env = { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
    const { success, stderr } = await new Deno.Command("git", { ...options, env }).output();
    if (!success) throw new Error(`git ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  };
  await run("init", "-q", "-b", "main");
  await run("add", "readme.txt");
  await run("-c", "user.name=Tester", "-c", "user.email=t@example.org", "commit", "-q", "-m", "first");
  await put(`${workspace}/readme.txt`, "a readme that anybody may read\nand change\n");
}
