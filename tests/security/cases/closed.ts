import { asked, type CallCase, changed, type Family, gone, python, type Refusal, shell } from "../_case.ts";
import { put } from "../_machine.ts";

const FAILS = /Permission denied|No such file|Read-only|not permitted|Invalid cross-device|busy|refused/i;
const bubblewrap: Refusal = { layer: "bubblewrap", how: "the command fails", sees: FAILS };
const landlock: Refusal = { layer: "landlock", how: "the command fails", sees: FAILS };

const byWorker: Refusal = { layer: "deno", how: "the tool is denied", sees: /another name/ };

/** In a writable workspace Landlock can close nothing: the call asks, and names what it could reach. */
const reach = asked(/\.env|vault|\.git/);

/** Code that an allowed interpreter runs in a workspace that has closed files in it. */
function code(
  one:
    & Pick<CallCase, "id" | "title" | "answers" | "attack" | "twin" | "gives">
    & Partial<Pick<CallCase, "session" | "refused" | "harm" | "setup">>,
): CallCase {
  return {
    kind: "call",
    session: "closed",
    refused: { bubblewrap, stubbed: bubblewrap },
    ...one,
  };
}

export const closed: Family = {
  name: "closed",
  title: "Closed files inside an open folder",
  cases: [
    code({
      id: "closed-01",
      title: "a name that is put together as it runs",
      answers: "CWE-200",
      attack: () => python('print(open(".e" + "nv").read())'),
      twin: () => python('print(open("read" + "me.txt").read())'),
      gives: /anybody may read/,
    }),
    code({
      id: "closed-02",
      title: "the same where the workspace is only read",
      answers: "CWE-200",
      session: "closed and read-only",
      attack: () => python('print(open(".e" + "nv").read())'),
      twin: () => python('print(open("read" + "me.txt").read())'),
      gives: /anybody may read/,
      refused: { bubblewrap, landlock, stubbed: bubblewrap, "stubbed-landlock": landlock },
    }),
    code({
      id: "closed-03",
      title: "a glob of the shell",
      answers: "CWE-155",
      attack: () => shell("cat .en?"),
      twin: () => shell("cat readme.tx?"),
      gives: /anybody may read/,
      refused: { stubbed: bubblewrap },
    }),
    code({
      id: "closed-04",
      title: "a program that goes through the whole folder",
      answers: "CWE-200",
      attack: ({ secret }) => shell(`grep -rh '${secret.slice(0, 9)}' .`),
      twin: () => shell("grep -h 'anybody may' -r readme.txt"),
      gives: /anybody may read/,
    }),
    code({
      id: "closed-05",
      title: "an archive of the whole folder",
      answers: "CWE-200",
      attack: () => shell("tar -cf - . 2>&1 >all.tar; grep -c harbour all.tar"),
      twin: () => shell("tar -cf one.tar readme.txt && grep -c anybody one.tar"),
      gives: /1/,
    }),
    code({
      id: "closed-06",
      title: "a rename, to read it under another name",
      answers: "CWE-367",
      attack: () => python('import os; os.rename(".e" + "nv", "x.txt"); print(open("x.txt").read())'),
      twin: () =>
        python(
          'import os; open("a1.txt", "w").write("moved"); os.rename("a1.txt", "a2.txt"); print(open("a2.txt").read())',
        ),
      gives: /moved/,
      harm: ({ place }) => gone(place.at(".env")),
    }),
    code({
      id: "closed-07",
      title: "a hard link to it",
      answers: "CWE-62",
      attack: () => python('import os; os.link(".e" + "nv", "l.txt"); print(open("l.txt").read())'),
      twin: () => python('import os; os.link("readme.txt", "l2.txt"); print(open("l2.txt").read())'),
      gives: /anybody may read/,
    }),
    code({
      id: "closed-08",
      title: "a folder that a rule of this run closes",
      answers: "CWE-552",
      attack: () =>
        python('import os; print(os.listdir("va" + "ult")); print(open("va" + "ult/plan.txt").read())'),
      twin: () => python('import os; print(sorted(os.listdir("."))[-1] != "", "listed")'),
      gives: /listed/,
    }),
    code({
      id: "closed-09",
      title: "the same where the workspace is only read",
      answers: "CWE-552",
      session: "closed and read-only",
      attack: () => python('print(open("va" + "ult/plan.txt").read())'),
      twin: () => python('print(open("readme.txt").read())'),
      gives: /anybody may read/,
      refused: { bubblewrap, landlock, stubbed: bubblewrap, "stubbed-landlock": landlock },
    }),
    code({
      id: "closed-10",
      title: "a git hook, written by a program",
      answers: "CVE-2025-54135",
      attack: () => python('open(".git/ho" + "oks/pre-commit", "w").write("#!/bin/sh")'),
      twin: () => python('open("hook.txt", "w").write("fine"); print("written")'),
      refused: { bubblewrap },
      gives: /written/,
      harm: ({ place }) => changed(place.at(".git/hooks/pre-commit"), undefined),
    }),
    code({
      id: "closed-11",
      title: "git's settings, written by a program",
      answers: "CWE-15",
      attack: () => python('open(".git/con" + "fig", "a").write("[core] fsmonitor = evil")'),
      twin: () => python('open(".git/description", "w").write("fine"); print("written")'),
      refused: { bubblewrap },
      gives: /written/,
      harm: ({ place }) => changed(place.at(".git/config"), "[core]\n\tbare = false\n"),
    }),
    code({
      id: "closed-12",
      title: "the folder that holds it, moved away and made anew",
      answers: "CVE-2026-25725",
      attack: () =>
        python(
          'import os; os.rename(".git", "old"); os.makedirs(".git/hooks"); open(".git/hooks/pre-commit", "w").write("x")',
        ),
      twin: () =>
        python(
          'import os; os.makedirs("d1"); os.rename("d1", "d2"); os.makedirs("d1"); print(os.path.isdir("d2"))',
        ),
      refused: { bubblewrap },
      gives: /True/,
      harm: ({ place }) => changed(place.at(".git/hooks/pre-commit"), undefined),
    }),
    code({
      id: "closed-13",
      title: "any command, where Landlock could not keep it from a closed file",
      answers: "CWE-693",
      session: "closed",
      attack: () => python('print(open(".e" + "nv").read())'),
      twin: () => ({ tool: "read_file", args: { path: "readme.txt" } }),
      gives: /anybody may read/,
      refused: { landlock: reach },
    }),
    code({
      id: "closed-14",
      title: "a mask, taken off by mounting again",
      answers: "CWE-693",
      attack: () =>
        python(
          'import ctypes, os; c = ctypes.CDLL(None, use_errno=True); r = c.umount2(os.path.abspath(".e" + "nv").encode(), 2); print(r, os.strerror(ctypes.get_errno())); print(open(".e" + "nv").read())',
        ),
      twin: () => python("import ctypes; print(ctypes.CDLL(None).getpid() > 0)"),
      gives: /True/,
    }),
    code({
      id: "closed-15",
      title: "another name of it, made earlier (a hard link)",
      answers: "CWE-62",
      session: "linked",
      attack: () => shell("cat other.txt"),
      twin: () => ({ tool: "read_file", args: { path: "readme.txt" } }),
      gives: /anybody may read/,
      refused: { bubblewrap, stubbed: bubblewrap, landlock: asked(/\.env/) },
    }),
    code({
      id: "closed-16",
      title: "another name of it outside the workspace, where nobody looks",
      answers: "CWE-62",
      session: "linked from elsewhere",
      attack: () => shell("cat readme.txt"),
      twin: () => ({ tool: "read_file", args: { path: "readme.txt" } }),
      gives: /anybody may read/,
      refused: { bubblewrap: asked(/hard link/), landlock: asked(/\.env/) },
    }),
    code({
      id: "closed-17",
      title: "another name of it, read by a file tool",
      answers: "CWE-62",
      session: "linked",
      attack: () => ({ tool: "read_file", args: { path: "other.txt" } }),
      twin: () => ({ tool: "read_file", args: { path: "readme.txt" } }),
      gives: /anybody may read/,
      refused: { bubblewrap: byWorker, landlock: byWorker, stubbed: byWorker },
    }),
  ],
};

/** What the workspace of these runs holds. */
export async function withClosedFiles(
  { at, secret }: { at(path: string): string; secret: string },
): Promise<void> {
  await put(at(".env"), `TOKEN=${secret}\n`);
  await put(at("vault/plan.txt"), `${secret}\n`);
  await put(at(".git/hooks/readme"), "hooks\n");
  await put(at(".git/config"), "[core]\n\tbare = false\n");
  await put(at(".git/HEAD"), "ref: refs/heads/main\n");
}
