import assert from "node:assert/strict";
import { join } from "node:path";
import { builtPryx, withModel } from "../support/built_pryx.ts";

const ANSWER = "Done: the total is right now.";

Deno.test("sessions script makes an automation of a session that replays at once, also on another machine", async () => {
  await using pryx = await withModel([
    { text: "I look at it first.", calls: [{ name: "read_file", args: { path: "a.txt" } }] },
    {
      calls: [
        { name: "shell", args: { command: "grep -c 'o`n\\e' a.txt; echo ${HOME:+there} \"`echo sub`\"" } },
        { name: "shell", args: { command: "false" } },
        { name: "list_dir", args: { path: "." } },
      ],
    },
    {
      calls: [{ name: "read_file", args: { path: "nope.txt" } }, {
        name: "glob",
        args: { pattern: "*.txt" },
      }],
    },
    {
      calls: [{ name: "grep", args: { pattern: "one" } }, {
        name: "read_file",
        args: { path: "a.txt", offset: 2 },
      }],
    },
    {
      text: "Now the change.",
      calls: [{ name: "edit_file", args: { path: "a.txt", old_text: "one", new_text: "two" } }],
    },
    { calls: [{ name: "write_file", args: { path: "out/b.txt", content: "a\n`${b}`\n" } }] },
    { text: ANSWER },
  ]);
  await pryx.write("a.txt", "one\nthree\n");
  const ran = await pryx.run([
    "run",
    "fix it",
    "--preset",
    "workspace",
    "--allow",
    "run=*",
    "--allow",
    "read=**",
  ]);
  assert.equal(ran.code, 0, ran.stderr);
  const made = await pryx.run(["sessions", "script", "last", "-o", "fix.pryx.ts"]);
  assert.equal(made.code, 0, made.stderr + made.stdout);
  assert.match(made.stdout, /left out: read_file .*nope\.txt: it failed/);
  const code = await pryx.read("fix.pryx.ts");
  assert.match(code, /^\/\/ Asked: fix it$/m);
  assert.match(code, /^\/\/ I look at it first\.$/m);
  assert.match(code, /await fs\.read\("a\.txt"\);/);
  assert.match(code, /await sh`false`\.result\(\);/);
  assert.match(code, /await fs\.edit\("a\.txt", "one", "two"\);/);
  assert.match(code, /await tools\.call\("read_file", \{"path":"a\.txt","offset":2\}\);/);
  const check = await pryx.run(["check", "fix.pryx.ts"]);
  assert.equal(check.code, 0, check.stdout + check.stderr);

  const again = await pryx.run(["sessions", "script", "last", "-o", "fix.pryx.ts"]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /is there already/);

  await using other = await builtPryx();
  for (const name of ["fix.pryx.ts", "fix.cassette.jsonl"]) await other.write(name, await pryx.read(name));
  const replay = await other.run(["run", "--replay", "fix.cassette.jsonl", "fix.pryx.ts"]);
  assert.equal(replay.code, 0, replay.stderr);
  assert.match(replay.stderr, /\+\+\+ b\/out\/b\.txt\n@@ .*\n\+a\n\+`\$\{b\}`/);
  assert.equal(await Deno.stat(join(other.workspace, "out")).catch(() => "none"), "none");
  const test = await other.run(["test"]);
  assert.equal(test.code, 0, test.stdout + test.stderr);
});
