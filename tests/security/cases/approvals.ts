import type { Family, ProgramCase } from "../_case.ts";

const shown = (
  id: string,
  title: string,
  answers: string,
  input: string,
  how: string,
  twin: string,
): ProgramCase => ({
  kind: "program",
  id,
  title,
  answers,
  input,
  refused: { bubblewrap: { layer: "approval", how } },
  twin,
});

/** Run in a real terminal, by approvals_test.ts. */
export const approvals: Family = {
  name: "show",
  title: "What a person is shown before deciding",
  cases: [
    shown(
      "show-01",
      "a command that hides its beginning by terminal sequences",
      "CWE-150",
      "`touch evil # ESC[2K ESC[1A ls`",
      "the sequences are spelled out: `\\x1b[2K`",
      "the same without them",
    ),
    shown(
      "show-02",
      "a command written backwards",
      "CVE-2021-42574",
      "`touch evil # U+202E txt.sl`",
      "the mark is spelled out: `\\u{202e}`",
      "a command in Hebrew letters without marks",
    ),
    shown(
      "show-03",
      "characters that cannot be seen: Unicode tags, zero-width ones",
      "CWE-451",
      "`touch evil` and a text in U+E0020–E007F",
      "each is spelled out: `\\u{e0072}`",
      "a command with an emoji",
    ),
    shown(
      "show-04",
      "a command so long that its end would not be seen",
      "CWE-451",
      "`echo` with 6,000 characters, then `; touch evil`",
      "it is shown whole, its end above the question",
      "a short one",
    ),
    shown(
      "show-05",
      "a command with empty lines that push it off the screen",
      "CWE-451",
      "`touch evil`, 200 empty lines, `ls`",
      "every line begins with a bar, and the question names what it needs",
      "two lines",
    ),
    shown(
      "show-06",
      "a command that looks like the answer to the question",
      "CWE-451",
      "`ls #` and a line `└ [y] once`",
      "it stands behind the bar like the rest",
      "a comment",
    ),
    shown(
      "show-07",
      "a script that changes after it was shown",
      "CVE-2025-54136",
      "`./check.sh`, edited between the question and the answer",
      "`tool.finished` with `failed`: what it would execute changed",
      "the same, not edited",
    ),
    shown(
      "show-08",
      "an output that writes to the clipboard and the title of the terminal",
      "CVE-2003-0063",
      "`cat` of a file with OSC 52 and OSC 0",
      "the sequences never reach the terminal",
      "a file with plain text",
    ),
  ],
};
