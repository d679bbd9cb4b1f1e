import assert from "node:assert/strict";
import { fromFileUrl } from "../support/demo_path.ts";
import { hasProgram, openTmux } from "../support/tmux.ts";

const ignore = !hasProgram("tmux");
if (ignore) throw new Error("tmux is missing: install the package tmux to test real terminals");

const DEMO = fromFileUrl("terminal_demo.ts");
/** A shell around the demo shows its exit code and whether the terminal echoes afterwards. */
const demo = (args: string) =>
  openTmux([
    "sh",
    "-c",
    `trap : INT; '${Deno.execPath()}' run -A --no-prompt '${DEMO}' ${args}; echo "exit $?"; stty -a | grep -o -- '-*echo '; cat`,
  ]);

Deno.test("a real terminal shows an approval and takes one key for it", async () => {
  await using tmux = await demo("approve");
  const screen = await tmux.shows(/\[e\] no, because/);
  assert.match(screen, /│ {3}git push \\x1b\[31mred\n/);
  await tmux.type("s");
  const after = await tmux.shows(/exit 0\necho/);
  assert.match(after, /runs ask\n└ allowed for this session\n/);
  assert.match(after, /decided: .*"kind":"session"/);
});

Deno.test("a real terminal takes a reason for a denial", async () => {
  await using tmux = await demo("approve");
  await tmux.shows(/\[e\] no, because/);
  await tmux.type("e");
  await tmux.shows(/Why not\?/);
  await tmux.type("use a branché");
  await tmux.press("BSpace", "Enter");
  assert.match(
    await tmux.shows(/exit 0\necho/),
    /└ Why not\? use a branch\n.*└ no: use a branch\n.*"note":/s,
  );
});

Deno.test("a real terminal loses an approval that was answered elsewhere, and the next question works", async () => {
  await using tmux = await demo("approve --elsewhere");
  await tmux.shows(/answered by human:http: allow/);
  await tmux.type("hello");
  await tmux.press("Enter");
  const screen = await tmux.shows(/exit 0/);
  assert.match(screen, /typed: hello/);
  assert.doesNotMatch(screen, /no, because/, "the keys are gone");
});

Deno.test("a real terminal does not show a secret, and echoes again afterwards", async () => {
  await using tmux = await demo("secret");
  await tmux.shows(/Key:/);
  await tmux.type("hunter22");
  await tmux.press("BSpace", "Enter");
  const screen = await tmux.shows(/exit 0\necho/);
  assert.match(screen, /length: 7/);
  assert.doesNotMatch(screen, /hunter/);
});

Deno.test("a real terminal is put back when Ctrl-C ends a secret prompt", async () => {
  await using tmux = await demo("secret");
  await tmux.shows(/Key:/);
  await tmux.press("C-c");
  assert.match(await tmux.shows(/exit 130\necho/), /pryx: /);
});

Deno.test("a real terminal ends a run with Ctrl-C, and leaves no status line behind", async () => {
  await using tmux = await demo("wait");
  await tmux.shows(/waiting for demo\/model/);
  await tmux.press("C-c");
  const screen = await tmux.shows(/exit 130/);
  assert.match(screen, /Stopping…/);
  assert.doesNotMatch(screen, /waiting for/);
});
