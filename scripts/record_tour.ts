/**
 * Records the model's side of `pryx tour` anew (core/commands/_tour_recording.ts): a scripted model goes through the real
 * agent once. Run it after a change to the tour's words or to its project.
 *
 *     deno run -A scripts/record_tour.ts
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TOUR_FILES, TOUR_PROMPT } from "../core/commands/tour.ts";
import { createModelRecorder } from "../core/providers/record.ts";
import { createRecording } from "../core/providers/recording.ts";
import { scriptedProvider, type Step } from "../tests/support/scripted_provider.ts";
import { testPryx } from "../tests/support/test_pryx.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const STEPS: readonly Step[] = [
  {
    text: "I'll look at the project first.",
    calls: [["list_dir", { path: "." }], ["read_file", { path: "total.sh" }], ["read_file", {
      path: "check.sh",
    }]],
  },
  { text: "Now the check, to see it fail.", calls: [["shell", { command: "sh ./check.sh" }]] },
  {
    text: "The loop sets `total` to each price instead of adding it, so only the last line counts.",
    calls: [["edit_file", {
      path: "total.sh",
      old_text: "total=$price",
      new_text: "total=$((total + price))",
    }]],
  },
  { text: "Once more.", calls: [["shell", { command: "sh ./check.sh" }]] },
  {
    text:
      "It passes. I'll look whether the project's settings say anything about rounding, and when the file was last changed.",
    calls: [["read_file", { path: ".env" }], ["shell", { command: "ls -l total.sh" }]],
  },
];

const ANSWER = `The check passes now.

- \`total.sh\` kept only the last price: the loop set \`total=$price\`. It now adds: \`total=$((total + price))\`.
- \`sh ./check.sh\` says: check passed: 670.

I could not read \`.env\`: your policy keeps it closed, and the fix does not need it.`;

async function record(): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".jsonl" });
  await Deno.remove(file);
  const provider = scriptedProvider([...STEPS, { text: ANSWER }]);
  const folder = await Deno.realPath(await Deno.makeTempDir());
  const places = { workspace: join(folder, "work"), home: join(folder, "home") };
  const recorded = createModelRecorder(createRecording({ file, ...places }))(provider);
  try {
    await using test = await testPryx({
      provider: { ...recorded, name: "recorded" },
      preset: "workspace",
      allow: ["run=sh ./check.sh"],
      folder,
    });
    for (const [name, content] of Object.entries(TOUR_FILES)) {
      await Deno.writeTextFile(join(test.workspace, name), content);
    }
    const end = await test.run(TOUR_PROMPT);
    if (end.data.status !== "done") {
      throw new Error(`the tour ended ${end.data.status}: ${end.data.error?.message}`);
    }
    return await Deno.readTextFile(file);
  } finally {
    await Deno.remove(folder, { recursive: true });
    await Deno.remove(file);
  }
}

function asLines(text: string): string {
  return text.trimEnd().split("\n").map((line) => `  ${JSON.stringify(line)},\n`).join("");
}

if (import.meta.main) {
  const text = `// Made by scripts/record_tour.ts: do not edit.

/** The model's side of the tour. Tools really run, so one recording serves with and without a person at hand. */
export const RECORDING = [
${asLines(await record())}].join("\\n");
`;
  const path = `${ROOT}core/commands/_tour_recording.ts`;
  await Deno.writeTextFile(path, text);
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", path] }).output();
}
