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

/** Answers the question for consent, once it stands there as `shown`. */
async function answer(
  pryx: BuiltPryx,
  text: string,
  shown = /job\.pryx\.ts (?:declares that it may|has changed since you allowed it):[\s\S]*write a\.txt/,
): Promise<string> {
  await using terminal = await inTerminal(pryx);
  assert.match(await terminal.shows(/Number or text/), shown);
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

Deno.test(
  "a change, also in what is imported, asks again and shows what may be done now that could not before",
  {
    ignore,
  },
  async () => {
    await using pryx = await builtPryx();
    await pryx.write("lib.ts", "export const text: string = 'made\\n';\n");
    const job = (permissions: string) =>
      `import { fs } from "pryx";
import { text } from "./lib.ts";
export const permissions = ${permissions};
await fs.write("a.txt", text);
console.log("it is written");
`;
    await pryx.write("job.pryx.ts", job('{ write: ["a.txt"], net: ["a.example.org"] }'));
    assert.match(await answer(pryx, "always"), /ended with 0/);
    await pryx.write("lib.ts", "export const text: string = 'other\\n';\n");
    assert.match(
      await answer(pryx, "always", /has changed since you allowed it\. It still declares/),
      /ended with 0/,
    );
    await pryx.write("job.pryx.ts", job('{ write: ["a.txt"], net: ["a.example.org", "b.example.org"] }'));
    const changed = await answer(pryx, "no", /has changed since you allowed it:[\s\S]*In all it may/);
    const lines = changed.split("\n").filter((line) => /may (?:now|no longer)/.test(line));
    assert.equal(lines.length, 1, changed);
    assert.match(lines[0] ?? "", /may now .*b\.example\.org/);
    assert.match(changed, /ended with 3/);
  },
);

Deno.test("a yes for once holds for one run, and what was given for good can be looked at and taken back", {
  ignore,
}, async () => {
  await using pryx = await builtPryx();
  await pryx.write("job.pryx.ts", WRITES);
  assert.match(await answer(pryx, "once"), /it is written[\s\S]*ended with 0/);
  assert.match((await pryx.run(["grants", "list"])).stdout, /^No grants/);
  assert.equal((await pryx.run(["run", "job.pryx.ts"])).code, 3);
  assert.match(await answer(pryx, "always"), /ended with 0/);
  assert.equal((await pryx.run(["run", "job.pryx.ts"])).code, 0);
  const { stdout } = await pryx.run(["grants", "list"]);
  assert.match(
    stdout,
    /write=a\.txt\n {2}for job\.pryx\.ts as of [0-9a-f]{8}; in .*work; until revoked; used 2 times/,
  );
  const revoked = await pryx.run(["grants", "revoke", stdout.split(" ")[0] ?? ""]);
  assert.equal(revoked.code, 0, revoked.stderr);
  assert.equal((await pryx.run(["run", "job.pryx.ts"])).code, 3);
});
