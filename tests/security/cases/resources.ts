import type { Family } from "../_case.ts";

/** Run by resources_test.ts. */
export const resources: Family = {
  name: "bomb",
  title: "Commands that take all there is, or stay",
  cases: [
    {
      kind: "program",
      id: "bomb-01",
      title: "a fork bomb",
      answers: "CWE-400",
      input: "python3 that forks until it cannot",
      refused: {
        bubblewrap: { layer: "limits", how: "it is stopped, and all its children with it" },
        landlock: { layer: "limits", how: "it is stopped, and all its children with it" },
      },
      twin: "python3 with four children",
    },
    {
      kind: "program",
      id: "bomb-02",
      title: "all the memory at once",
      answers: "CWE-770",
      input: "python3 that maps nine tenths of the machine's memory",
      refused: {
        bubblewrap: { layer: "limits", how: "`Cannot allocate memory`" },
        landlock: { layer: "limits", how: "`Cannot allocate memory`" },
      },
      twin: "the same with 64 MB",
    },
    {
      kind: "program",
      id: "bomb-03",
      title: "an output without end",
      answers: "CWE-400",
      input: "`yes`",
      refused: {
        bubblewrap: {
          layer: "limits",
          how: "stopped after 256 MB, of which the model is shown 30,000 characters",
        },
      },
      twin: "`yes | head`",
    },
    {
      kind: "program",
      id: "bomb-04",
      title: "a loop without end",
      answers: "CWE-835",
      input: "`while :; do :; done` with a time limit of a second",
      refused: {
        bubblewrap: { layer: "limits", how: "stopped at its time limit" },
        landlock: { layer: "limits", how: "stopped at its time limit" },
      },
      twin: "a loop that ends",
    },
    {
      kind: "program",
      id: "reaper-01",
      title: "a child that leaves its group and session",
      answers: "CWE-404",
      input: "python3 that forks twice and calls `setsid`; the command ends, and pryx with it",
      refused: {
        bubblewrap: { layer: "bubblewrap", how: "it ends with its pid namespace" },
        landlock: { layer: "reaper", how: "it is found by its mark and killed" },
      },
      twin: "a command that waits for its child",
    },
    {
      kind: "program",
      id: "reaper-02",
      title: "the same with an empty environment",
      answers: "CWE-404",
      input: "the same by `execve` with no variables",
      refused: { bubblewrap: { layer: "bubblewrap", how: "it ends with its pid namespace" } },
      twin: "a command that waits for its child",
    },
    {
      kind: "program",
      id: "reaper-03",
      title: "what runs when pryx is killed",
      answers: "CWE-404",
      input: "`kill -9` of pryx while a command runs",
      refused: {
        bubblewrap: { layer: "reaper", how: "the command and its children end" },
        landlock: { layer: "reaper", how: "the command and its children end" },
      },
      twin: "the next run works",
    },
  ],
};
