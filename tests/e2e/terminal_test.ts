import assert from "node:assert/strict";
import { PROGRAM, withModel } from "../support/built_pryx.ts";
import { hasProgram, openTmux } from "../support/tmux.ts";

const writes = {
  text: "I'll write a file.",
  calls: [{ name: "write_file", args: { path: "a.txt", content: "made\n" } }],
};

// Where there is no tmux, the gate has said so.
const ignore = !hasProgram("tmux");

/** The built program in a real terminal, in the workspace of `pryx`. */
function inTerminal(pryx: Awaited<ReturnType<typeof withModel>>, ...args: string[]) {
  const { NO_COLOR: _, ...env } = pryx.env;
  return openTmux(["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", pryx.workspace, PROGRAM, ...args], env);
}

Deno.test("on a terminal a run streams, asks in place, and goes on with the answer", { ignore }, async () => {
  await using pryx = await withModel([writes, { text: "Wrote it." }]);
  await using terminal = await inTerminal(pryx, "run", "write a file");
  const asking = await terminal.shows(/\[y\] once/);
  // Everything that was said before the question is still there.
  assert.match(asking, /I'll write a file\./);
  assert.match(asking, /write_file: write a\.txt/);
  assert.match(asking, /no rule matches; preset read-only: ask write/);
  await terminal.type("y");
  const end = await terminal.shows(/done in/);
  assert.match(end, /Wrote it\./);
  assert.match(end, /approved by human:cli/);
  assert.equal(await pryx.read("a.txt"), "made\n");
});

Deno.test("on a terminal a denial with a reason is told to the model", { ignore }, async () => {
  await using pryx = await withModel([writes, { text: "Understood." }]);
  await using terminal = await inTerminal(pryx, "run", "write a file");
  await terminal.shows(/\[y\] once/);
  await terminal.type("e");
  await terminal.shows(/[Ww]hy/);
  await terminal.type("use b.txt instead");
  await terminal.press("Enter");
  await terminal.shows(/done in/);
  const told = pryx.server.requests[1]?.body.messages.at(-1).content;
  assert.match(told, /use b\.txt instead/);
  await assert.rejects(pryx.read("a.txt"), Deno.errors.NotFound);
});

Deno.test("Ctrl-C at a question ends the run, and nothing was done", { ignore }, async () => {
  await using pryx = await withModel([writes]);
  await using terminal = await inTerminal(pryx, "run", "write a file");
  await terminal.shows(/\[y\] once/);
  await terminal.press("C-c");
  await terminal.shows(/cancelled in/);
  await assert.rejects(pryx.read("a.txt"), Deno.errors.NotFound);
  const again = await pryx.run(["why"]);
  assert.match(again.stdout, /cancelled/);
});
