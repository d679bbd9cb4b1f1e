import assert from "node:assert/strict";
import type { FlagSpec } from "../../../core/automation/api.d.ts";
import { createGuest, here } from "./_guest.ts";

const FLAGS = {
  limit: { type: "number", short: "n", default: 20, description: "How many commits" },
  format: { type: "string", choices: ["md", "json"], default: "md", description: "How it is written" },
  dryRun: { type: "boolean", short: "d", description: "Changes nothing" },
  color: { type: "boolean", default: true },
  tag: { type: "strings", short: "t" },
  from: { type: "string", required: true, description: "Where to begin" },
} as const satisfies Record<string, FlagSpec>;
const POSITIONAL = ["version", "[files...]"] as const;

function declare(...args: string[]) {
  const guest = createGuest(() => new Promise(() => {}), { args });
  return {
    ...guest,
    values: () =>
      here(guest.api.args.declare({ description: "Writes notes.", flags: FLAGS, positional: POSITIONAL })),
  };
}

Deno.test("args.declare() reads every way to write a flag", () => {
  const defaults = {
    limit: 20,
    format: "md",
    dryRun: false,
    color: true,
    tag: [],
    from: "a",
    positional: ["1.0"],
  };
  const cases: readonly [string, Record<string, unknown>][] = [
    ["--from a 1.0", {}],
    ["1.0 --from=a --limit=-5", { limit: -5 }],
    ["--from a --limit -5 1.0", { limit: -5 }],
    ["-n 3 --from a 1.0", { limit: 3 }],
    ["-n3 --from= 1.0", { limit: 3, from: "" }],
    ["-dn=3 --from a 1.0", { dryRun: true, limit: 3 }],
    ["--dry-run --from a 1.0", { dryRun: true }],
    ["--dryRun --from a 1.0", { dryRun: true }],
    ["--dry-run=false --no-color --from a 1.0", { color: false }],
    ["-t x --tag=y --tag z --from a 1.0", { tag: ["x", "y", "z"] }],
    ["--from a -- 1.0 --limit -x", { positional: ["1.0", "--limit", "-x"] }],
    ["--from a - b", { positional: ["-", "b"] }],
    ["--from a --format json 1.0 f g", { format: "json", positional: ["1.0", "f", "g"] }],
  ];
  for (const [line, over] of cases) {
    assert.deepEqual(declare(...line.split(" ")).values(), { ...defaults, ...over }, line);
  }
});

Deno.test("args.declare() prints help and ends", () => {
  const at = declare("--limit", "x", "--help");
  assert.throws(at.values, { code: "cancelled" });
  assert.deepEqual(at.asked.map(({ method, params }) => [method, params]), [["exit", { code: 0 }]]);
  assert.deepEqual(at.said, [`stdout: Usage: pryx run job.pryx.ts --from <from> [flags] <version> [<files>...]

Writes notes.

Flags:
  -n, --limit <number>  How many commits (default: 20)
      --format <text>   How it is written (one of: md, json; default: md)
  -d, --dry-run         Changes nothing
      --no-color        (on unless it is switched off)
  -t, --tag <text>...
      --from <text>     Where to begin (required)
  -h, --help            Shows this
`]);
});

Deno.test("args.declare() says everything that is wrong at once, and ends with exit code 2", () => {
  const at = declare(
    "--limti",
    "3",
    "--format=xml",
    "--limit",
    "many",
    "--dry-run=perhaps",
    "-z",
    "--json",
    "--tag",
  );
  assert.throws(at.values, { code: "cancelled" });
  assert.deepEqual(at.asked.map(({ method, params }) => [method, params]), [["exit", { code: 2 }]]);
  assert.deepEqual(at.said, [`stderr: There is no flag --limti: did you mean --limit?
--format is one of md, json, not "xml"
--limit is a number, not "many"
--dry-run is true or false, not "perhaps"
There is no flag -z
--json is a flag of pryx: it stands before the file, as in pryx run --json … job.pryx.ts
--tag needs a value
--from is missing

Usage: pryx run job.pryx.ts --from <from> [flags] <version> [<files>...]
--help says more
`]);
  assert.throws(declare("--from", "a").values);
  const many = createGuest(() => new Promise(() => {}), { args: ["one", "two"] });
  assert.throws(() => many.api.args.declare({ positional: ["[name]"] }));
  assert.match(many.said.join(""), /a word too many: "two"/);
});

Deno.test("args.declare() refuses declarations that cannot work", () => {
  const { api: { args } } = createGuest();
  const wrong: readonly [Parameters<typeof args.declare>[0], RegExp][] = [
    [{ flags: { "a b": { type: "boolean" } } }, /cannot be named 'a b'/],
    [{ flags: { positional: { type: "boolean" } } }, /cannot be named/],
    [{ flags: { help: { type: "boolean" } } }, /--help is there twice/],
    [{ flags: { aB: { type: "boolean" }, "a-b": { type: "boolean" } } }, /--a-b is there twice/],
    [{ flags: { a: { type: "boolean", short: "xy" } } }, /for short/],
    [{ positional: ["all...", "one"] }, /Nothing can follow all\.\.\./],
    [{ positional: ["[a]", "b"] }, /b has to be there/],
    [{ positional: ["a]"] }, /no positional word/],
  ];
  for (const [spec, message] of wrong) {
    assert.throws(() => args.declare(spec), { name: "TypeError", message });
  }
});

Deno.test("args reads undeclared words as they stand there", () => {
  const { api: { args } } = createGuest(undefined, {
    args: ["a", "--name=x=y", "--to", "b", "--yes", "--no-x", "-v", "-1", "--__proto__=z", "--", "--c"],
  });
  assert.deepEqual(here(args.positional), ["a", "--c"]);
  assert.deepEqual(Object.entries(args.flags), [
    ["name", "x=y"],
    ["to", "b"],
    ["yes", true],
    ["no-x", true],
    ["v", "-1"],
    ["__proto__", "z"],
  ]);
  assert.equal(args.raw.length, 11);
});
