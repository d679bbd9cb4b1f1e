import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import fc from "fast-check";
import { type FlagShape, tokenize } from "../../repl/_tokens.ts";

const FLAGS: Readonly<Record<string, FlagShape>> = {
  all: { type: "boolean", short: "a" },
  quiet: { type: "boolean" },
  name: { type: "string", short: "n" },
  output: { type: "string", short: "o" },
};

/** The same by the module that it stands in for. */
function asNode(args: string[]) {
  const { tokens } = parseArgs({
    args,
    options: { ...FLAGS },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return tokens.map((token) => ({ ...token }));
}

for (
  const argv of [
    ["--all", "x", "-a", "-", "--", "--all", "-n"],
    ["--name", "--all", "--name=", "--name=a=b", "--name"],
    ["-n", "-a", "-nvalue", "-an", "value", "-anvalue", "-na", "-n"],
    ["-xa", "-x", "--unknown", "y", "--unknown=1", "---", "--=", "--=x", "-=", "--no-all"],
    ["--all=yes", "-a=yes", "-5", "-a5", "", "--constructor", "-\u{1f600}a"],
  ]
) {
  Deno.test(`tokenize() sees ${argv.join(" ")} as parseArgs() does`, () => {
    assert.deepEqual(tokenize(argv, FLAGS), asNode(argv));
  });
}

Deno.test("tokenize() sees any words as parseArgs() does", () => {
  const piece = fc.constantFrom(
    "-",
    "--",
    "a",
    "n",
    "o",
    "x",
    "=",
    "all",
    "name",
    "output",
    "no-all",
    "1",
    " ",
    "é",
  );
  const word = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(""))
    // There `-a-` is `-a --`: a slip of its own.
    .filter((text) => !/^-[^-].*-/u.test(text));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
      assert.deepEqual(tokenize(argv, FLAGS), asNode(argv));
    }),
    { numRuns: 2_000 },
  );
});
