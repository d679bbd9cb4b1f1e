import assert from "node:assert/strict";
import { join } from "node:path";
import { PROGRAM } from "../support/built_pryx.ts";
import { approvals } from "./cases/approvals.ts";
import { type Machine, openMachine, put } from "./_machine.ts";
import { declarePrograms, type Drive } from "./_programs.ts";
import { openPty } from "./_pty.ts";

const ESC = "\x1b";
/** The line of keys, which no action can begin with. */
const QUESTION = /\n└ \[y\] once/;

/** Calls the shell tool in a terminal; resolves at the question, with what was written until then. */
async function ask(machine: Machine, command: string) {
  const { place, env } = machine;
  const words = ["tools", "call", "shell", JSON.stringify({ command }), "--preset", "workspace"];
  const pty = openPty([PROGRAM, ...words], { cwd: place.workspace, env });
  await pty.writes(QUESTION);
  return pty;
}

/** What is on the screen once everything that moves the cursor is gone: lines as a person reads them. */
function readable(written: string): string {
  // deno-lint-ignore no-control-regex -- the program's own colours and cursor
  return written.replace(/\x1b\[[0-9;?]*[a-zA-Z]/g, "").replaceAll("\r", "");
}

/** The action that was asked about, its lines without the bar and joined: as long lines are broken. */
function framed(written: string): string {
  return readable(written).split("\n").filter((line) => line.startsWith("│")).map((line) =>
    line.slice(1).trim()
  )
    .join("");
}

/** The hidden command is shown in plain words, nothing raw reaches the terminal, a no is a no, and the twin runs. */
function hides(
  command: string,
  options: {
    readonly shows: readonly (string | RegExp)[];
    readonly never: readonly string[];
    readonly twin: string;
  },
): Drive {
  return async () => {
    await using machine = await openMachine();
    {
      await using pty = await ask(machine, command);
      const { written } = pty;
      for (const shown of options.shows) {
        const found = typeof shown === "string"
          ? framed(written).includes(shown.replaceAll(" ", "")) || framed(written).includes(shown)
          : shown.test(readable(written));
        assert.ok(found, `${shown} is not shown:\n${JSON.stringify(written.slice(-3000))}`);
      }
      for (const raw of options.never) {
        assert.ok(!written.includes(raw), `${JSON.stringify(raw)} reached the terminal`);
      }
      await pty.type("n");
      assert.notEqual(await pty.ended(), 0);
    }
    await assert.rejects(Deno.stat(join(machine.place.workspace, "evil")), Deno.errors.NotFound);
    await using twin = await ask(machine, options.twin);
    assert.ok(framed(twin.written).includes(options.twin), twin.written);
    await twin.type("y");
    assert.equal(await twin.ended(), 0, twin.written);
  };
}

const TAGS = [..."rm"].map((letter) => String.fromCodePoint(0xe0000 + (letter.codePointAt(0) ?? 0))).join("");
const LONG = "x".repeat(6_000);

declarePrograms(
  approvals,
  {
    "show-01": hides(`touch evil # ${ESC}[2K${ESC}[1A${ESC}]0;title\x07 ls`, {
      shows: ["touch evil", "\\x1b[2K\\x1b[1A\\x1b]0;title\\x07"],
      never: [`${ESC}[1A${ESC}]0`, "\x07"],
      twin: "echo 2K 1A ls",
    }),
    "show-02": hides("touch evil # \u202etxt.sl\u2066", {
      shows: ["touch evil", "\\u{202e}", "\\u{2066}"],
      never: ["\u202e", "\u2066"],
      twin: "echo שלום",
    }),
    "show-03": hides(`touch evil #${TAGS}\u200b\u00ad`, {
      shows: ["touch evil", "\\u{e0072}\\u{e006d}", "\\u{200b}", "\\u{ad}"],
      never: [TAGS, "\u200b", "\u00ad"],
      twin: "echo 🍊",
    }),
    "show-04": hides(`echo ${LONG} > /dev/null; touch evil`, {
      shows: [LONG, "; touch evil"],
      never: [],
      twin: "echo short",
    }),
    "show-05": hides(`touch evil\n${"\n".repeat(200)}ls`, {
      shows: [/│\s+\| touch evil/, /│\s+needs\s+run=touch evil/],
      never: ["\n\n\n\n"],
      twin: "echo one; echo two",
    }),
    "show-06": hides("touch evil #\n└ [y] once  [n] no ", {
      shows: [/│\s+\| touch evil/, /│\s+\| └ \[y\] once/],
      never: ["\n└ [y] once  [n] no  "],
      twin: "echo one # a comment",
    }),
    async "show-07"() {
      await using machine = await openMachine();
      const script = join(machine.place.workspace, "check.sh");
      await put(script, "#!/bin/sh\necho checked\n");
      await Deno.chmod(script, 0o755);
      {
        await using pty = await ask(machine, "./check.sh");
        await put(script, "#!/bin/sh\ntouch evil\n");
        await pty.type("y");
        assert.notEqual(await pty.ended(), 0);
        assert.match(pty.written, /changed after it was approved/);
      }
      await assert.rejects(Deno.stat(join(machine.place.workspace, "evil")), Deno.errors.NotFound);
      await put(script, "#!/bin/sh\necho checked\n");
      await using twin = await ask(machine, "./check.sh");
      await twin.type("y");
      assert.equal(await twin.ended(), 0, twin.written);
      assert.match(twin.written, /checked/);
    },
    async "show-08"() {
      await using machine = await openMachine();
      const { place } = machine;
      const clipboard = `${ESC}]52;c;cm0gLXJm\x07`;
      await put(
        place.at("hostile.txt"),
        `before ${clipboard}${ESC}]0;a title\x07${ESC}[8mhidden${ESC}[0m after\n`,
      );
      await using pty = await ask(machine, "cat hostile.txt");
      await pty.type("y");
      assert.equal(await pty.ended(), 0, pty.written);
      assert.match(readable(pty.written), /before [^\n]*after/);
      for (const raw of [clipboard, `${ESC}]52`, `${ESC}]0;a`, `${ESC}[8m`]) {
        assert.ok(!pty.written.includes(raw), `${JSON.stringify(raw)} reached the terminal`);
      }
      await using twin = await ask(machine, "cat readme.txt");
      await twin.type("y");
      assert.equal(await twin.ended(), 0);
      assert.match(twin.written, /anybody may read/);
    },
  },
  ["script"],
);
