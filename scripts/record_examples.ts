/**
 * Records examples/*.cassette.jsonl anew: each run is real but for the model, which a server on this machine plays. Run it
 * after a change to what an example asks for, and look at the difference.
 *
 *     deno run -A scripts/build.ts --kind launcher --out dist/test && deno run -A scripts/record_examples.ts
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { git, withExamples } from "../tests/examples/_project.ts";
import { type BuiltPryx, withModel } from "../tests/support/built_pryx.ts";
import type { ModelScript } from "../tests/support/model_server.ts";

const EXAMPLES = fileURLToPath(new URL("../examples", import.meta.url));

interface Recording {
  /** The example, without `.pryx.ts`. */
  readonly name: string;
  readonly args: readonly string[];
  readonly exitCode: number;
  readonly model: ModelScript;
  prepare?(pryx: BuiltPryx): Promise<void>;
}

const finding = (shape: number, severity: string, cause: string, next: string) => ({
  shape,
  severity,
  cause,
  next,
});

const RECORDINGS: readonly Recording[] = [
  {
    name: "log_triage",
    args: ["data/app.log"],
    exitCode: 1,
    model: [{
      text: JSON.stringify({
        findings: [
          finding(
            1,
            "critical",
            "The database does not answer within five seconds",
            "Its load, and its limit of connections",
          ),
          finding(
            2,
            "high",
            "Follows from the first: an order is lost without a connection",
            "Whether orders are tried again",
          ),
          finding(3, "medium", "The query has no index to go by", "The plan of the query"),
          finding(4, "medium", "Slow queries hold connections for too long", "The size of the pool"),
        ],
      }),
    }],
  },
  {
    name: "release_notes",
    args: ["1.1.0"],
    exitCode: 0,
    model: ({ body }) => {
      const text: string = body.messages.at(-1).content;
      const commits = [...text.matchAll(/^([0-9a-f]{9}) (fix|feat): (.+)$/gm)];
      const sections = commits.map(([, hash, kind, what]) => ({
        title: kind === "fix" ? "Fixed" : "Added",
        entries: [{ text: `${what?.[0]?.toUpperCase()}${what?.slice(1)}`, commits: [hash] }],
      }));
      return { text: JSON.stringify({ sections }) };
    },
    async prepare({ workspace, write }) {
      await write("CHANGELOG.md", "# Changelog\n\n## 1.0.0 (2026-01-01)\n\n- First.\n");
      await git(workspace, "init", "-q");
      await git(workspace, "add", "CHANGELOG.md");
      await git(workspace, "commit", "-qm", "First");
      await git(workspace, "tag", "v1.0.0");
      for (const subject of ["fix: tea is no longer cold", "chore: tidy up", "feat: sencha"]) {
        await git(workspace, "commit", "-q", "--allow-empty", "-m", subject);
      }
    },
  },
  {
    name: "explain_test_failure",
    args: ["--", "sh", "test.sh"],
    exitCode: 1,
    model: [
      { text: "I'll look at the function.", calls: [{ name: "read_file", args: { path: "sum.sh" } }] },
      {
        text: JSON.stringify({
          summary: "The sum is a difference.",
          failures: [{
            test: "total 1 2",
            file: "sum.sh",
            line: 2,
            cause: "It takes the second number away from the first",
            fix: "Write + in the place of -",
          }],
        }),
      },
    ],
    async prepare({ write }) {
      await write("sum.sh", "total() {\n  echo $(($1 - $2))\n}\n");
      await write(
        "test.sh",
        '. ./sum.sh\n[ "$(total 1 2)" = 3 ] || { echo "total 1 2 is $(total 1 2), not 3" >&2; exit 1; }\n',
      );
    },
  },
];

async function record({ name, args, exitCode, model, prepare }: Recording): Promise<string> {
  await using pryx = await withModel(model);
  await withExamples(pryx);
  await prepare?.(pryx);
  const tape = join(pryx.home, "tape.jsonl");
  const flags = ["--frozen", "--allow-locked", "--lock", "pryx.lock", "--record", tape];
  const { code, stderr } = await pryx.run(["run", ...flags, `${name}.pryx.ts`, ...args]);
  if (code !== exitCode) throw new Error(`${name} ended ${code}:\n${stderr}`);
  return await Deno.readTextFile(tape);
}

if (import.meta.main) {
  for (const recording of RECORDINGS) {
    const file = join(EXAMPLES, `${recording.name}.cassette.jsonl`);
    await Deno.writeTextFile(file, await record(recording));
  }
}
