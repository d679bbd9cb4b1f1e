import { assert, test } from "pryx";
import { firstComment, formatSize, toTree } from "./_repo_map.ts";

test("firstComment() takes the first sentence of the first comment", () => {
  assert.equal(
    firstComment("a.ts", "#!/usr/bin/env x\n/**\n * Adds numbers. Slowly.\n */\n"),
    "Adds numbers",
  );
  assert.equal(firstComment("a.go", "package a\n\n// Reads\n// lines.\nfunc x() {}\n"), "Reads lines");
  assert.equal(firstComment("a.py", '# coding: utf-8\n"""Does it.\n\nMore."""\n'), "Does it");
  assert.equal(
    firstComment("a.ts", "/** Not this. */\nlet a;\n/** This. */\nexport const b = 1;\n"),
    "Not this",
  );
  assert.equal(
    firstComment("a.ts", "import b;\n/** No. */\ntype C = 1;\n/** One. */\nexport class D {}\n"),
    "One",
  );
  assert.equal(firstComment("README.md", "text\n# The title\n"), "The title");
});

test("firstComment() is empty for licences, data and code without a comment", () => {
  assert.equal(firstComment("a.ts", "// Copyright somebody\nlet a;\n"), "");
  assert.equal(firstComment("a.json", '{"a": "// no"}'), "");
  assert.equal(firstComment("a.ts", "let a = 1;\n"), "");
});

test("toTree() sums up what is deeper than it should show", () => {
  const file = (path: string, size: number) => ({ path, size, about: "" });
  assert.equal(toTree([file("b/c/d.ts", 1_500), file("b/c/e.ts", 500), file("a.ts", 7)], 2), [
    "- **b/** (2.0 kB)",
    "  - **c/** (2.0 kB, 2 files)",
    "- `a.ts` (7 B)",
  ]);
});

test("formatSize() rounds", () => {
  assert.equal([999, 1_000, 12_345, 2_500_000].map(formatSize), ["999 B", "1.0 kB", "12 kB", "2.5 MB"]);
});
