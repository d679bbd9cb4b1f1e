import assert from "node:assert/strict";
import { type BuiltPryx, builtPryx, PROGRAM } from "../support/built_pryx.ts";
import { hasProgram, openTmux } from "../support/tmux.ts";

// Where there is no tmux, the gate has said so.
const ignore = !hasProgram("tmux");

const WRITES = `import { fs } from "pryx";
export const permissions = { write: ["a.txt"] };
await fs.write("a.txt", "made\\n");
console.log("it is written");
`;

function inTerminal(pryx: BuiltPryx) {
  const { NO_COLOR: _, ...env } = pryx.env;
  const line = 'cd "$1" && "$2" run job.pryx.ts; echo "ended with $?"';
  return openTmux(["sh", "-c", line, "sh", pryx.workspace, PROGRAM], env);
}

async function answer(pryx: BuiltPryx, text: string): Promise<string> {
  await using terminal = await inTerminal(pryx);
  const asking = await terminal.shows(/Number or text/);
  assert.match(
    asking,
    /job\.pryx\.ts (?:declares that it may|has changed since you allowed it):[\s\S]*write a\.txt/,
  );
  await terminal.type(text);
  await terminal.press("Enter");
  return await terminal.shows(/ended with \d/);
}

Deno.test("at a terminal the manifest is shown and asked about, once for as long as the code stays", {
  ignore,
}, async () => {
  await using pryx = await builtPryx();
  await pryx.write("job.pryx.ts", WRITES);
  assert.match(await answer(pryx, "1"), /it is written[\s\S]*ended with 0/);
  assert.equal(await pryx.read("a.txt"), "made\n");
  // What was allowed for good holds where nobody is there, and for this code alone.
  assert.equal((await pryx.run(["run", "job.pryx.ts"])).code, 0);
  await pryx.write("job.pryx.ts", `${WRITES}// changed\n`);
  assert.equal((await pryx.run(["run", "job.pryx.ts"])).code, 3);
});

Deno.test("a no to the manifest ends the run before anything of it happens", { ignore }, async () => {
  await using pryx = await builtPryx();
  await pryx.write("job.pryx.ts", `console.log("begun");\n${WRITES}`);
  const screen = await answer(pryx, "no");
  assert.match(screen, /You did not allow job\.pryx\.ts what it declares[\s\S]*ended with 3/);
  assert.doesNotMatch(screen, /begun/);
  await assert.rejects(pryx.read("a.txt"), Deno.errors.NotFound);
});

Deno.test("what changed since the last yes is what could not be done before, and was not allowed anyway", {
  ignore,
}, async () => {
  await using pryx = await builtPryx();
  await pryx.write("job.pryx.ts", WRITES.replace("write:", 'read: ["."], write:'));
  await answer(pryx, "1");
  await pryx.write(
    "job.pryx.ts",
    WRITES.replace('["a.txt"]', '["a.txt", "b.txt"]').replace("write:", 'read: ["."], write:'),
  );
  const screen = await answer(pryx, "1");
  assert.match(screen, /has changed since you allowed it:[\s\S]*may now write b\.txt/);
  assert.doesNotMatch(screen, /may now (?:read|write a)|may no longer/);
});

Deno.test(
  "Enter stands for the default of a question, which is shown as it would be typed",
  { ignore },
  async () => {
    await using pryx = await builtPryx();
    await pryx.write(
      "job.pryx.ts",
      `import { ui } from "pryx";
const parts = await ui.multiselect("parts", ["web", "api", "docs"], { default: ["web", "api"] });
console.log(parts.join("+"), await ui.confirm("sure", "Sure?", { default: true }));
`,
    );
    await using terminal = await inTerminal(pryx);
    await terminal.shows(/with commas between, web, api by default\]/);
    await terminal.press("Enter");
    await terminal.shows(/Sure\?/);
    await terminal.press("Enter");
    await terminal.shows(/web\+api true[\s\S]*ended with 0/);
  },
);
