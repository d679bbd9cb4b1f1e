import { join } from "node:path";
import { EXIT } from "../domain/error.ts";
import { type Command, type CommandContext, defineCommand } from "./command.ts";
import { RECORDING } from "./_tour_recording.ts";
import { resultOf, runOnce } from "./run.ts";

/** What the tour allows, in the words a person would use on the command line. */
const PRESET = "workspace";
const ALLOW = "run=sh ./check.sh";

/** What the person of the tour asks for. The recording answers exactly this. */
export const TOUR_PROMPT = "The check of this project fails. Find out why, fix it, and see that it passes.";

/** A small project with one bug, and one file that an agent has no business reading. Plain sh: it runs everywhere. */
export const TOUR_FILES: Readonly<Record<string, string>> = {
  "README.md": "# shopping\n\n`total.sh` adds up a shopping list, in cents. `check.sh` checks it.\n",
  "list.txt": "bread 250\nmilk 120\ncheese 300\n",
  "total.sh": `#!/bin/sh
# Prints the sum of a list with one "name price" a line.
total=0
while read -r name price; do
  total=$price
done <"$1"
echo "$total"
`,
  "check.sh": `#!/bin/sh
got=$(sh ./total.sh list.txt)
if [ "$got" != 670 ]; then
  echo "check failed: total.sh says $got, but the list adds up to 670"
  exit 1
fi
echo "check passed: $got"
`,
  ".env": "SHOP_TOKEN=only-an-example\n",
};

export const commands: readonly Command[] = [defineCommand({
  name: "tour",
  summary: "See pryx at work, without a key or a network",
  description:
    "A recorded model fixes a bug in a small project that is made for this. The model's side is recorded; everything else is real: the \
agent, the policy, the tools, the approvals, the session that is kept.",
  input: { type: "object", properties: {} },
  examples: [{ line: "pryx tour", note: "Takes a few seconds" }],
  streams: true,
  async run(_input, outer) {
    const folder = await makeProject();
    const { attended } = outer.surface;
    const recording = join(folder, ".tour-recording.jsonl");
    await Deno.writeTextFile(recording, RECORDING);
    const ctx = outer.with({
      cwd: folder,
      preset: PRESET,
      allow: [ALLOW],
      replayModel: recording,
      model: "recorded/tour",
    });
    const say = (text: string) => outer.surface.note(text);
    say(
      `A tour of pryx. The model's side is recorded: no key, no network.
The rest is real: the agent loop, the policy, the approvals, the tools,
and the session that is kept.

Project  ${folder}
Policy   --preset ${PRESET}           reads and writes there; commands ask
         --allow '${ALLOW}'  this one command may run
Job      ${TOUR_PROMPT.replace(" that it", "\n         that it")}
`,
    );
    const submission = { text: TOUR_PROMPT, workspace: ctx.cwd, surface: "tour", attended };
    const end = await runOnce(ctx, await ctx.pryx(), submission)
      .finally(() => Deno.remove(recording).catch(() => {}));
    const fixed = end.data.status === "done" && await checkPasses(ctx);
    if (fixed) say(closing(end.session, attended));
    const data = { session: end.session, status: end.data.status, fixed, folder };
    if (fixed) return { data };
    // A tour that was interrupted is no failure of the project: its own code says so.
    return { data, exitCode: resultOf(end).exitCode || EXIT.error };
  },
})];

async function makeProject(): Promise<string> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "pryx-tour-" }));
  for (const [name, content] of Object.entries(TOUR_FILES)) {
    await Deno.writeTextFile(join(folder, name), content);
  }
  return folder;
}

/** The tour claims that the bug is gone: so it looks. */
async function checkPasses(ctx: CommandContext): Promise<boolean> {
  const result = await (await ctx.sandbox()).run({
    argv: ["sh", "./check.sh"],
    cwd: ctx.cwd,
    timeoutMs: 10_000,
    maxOutputBytes: 10_000,
    signal: ctx.signal,
  });
  return result.code === 0;
}

function closing(session: string, attended: boolean): string {
  const short = session.slice(-6);
  return `
What you saw
- total.sh was changed because the policy allows writes in that folder,
  and sh ./check.sh ran because a rule names it.
- .env was denied: every preset keeps secret files closed,
  and no approval opens them.
${
    attended
      ? "- One command was in no rule, so it asked you;\n  your answer is in the audit log."
      : "- One command was in no rule. It would have asked you; with nobody at the\n  terminal it was denied, and the run said so."
  }

What to type next
  pryx sessions show ${short}  everything that happened, with every decision
  pryx sessions diff ${short}  what was changed; sessions undo puts it back
  pryx why ${short}            what was denied, and by which rule
  pryx audit verify          whether the log of decisions is whole
  pryx models                then: pryx run --model PROVIDER/MODEL "…"
`;
}
