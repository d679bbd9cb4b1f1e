import assert from "node:assert/strict";
import { defineCommand } from "../../core/commands/command.ts";
import { PryxError } from "../../core/domain/error.ts";
import { globalsOf, leadingWords, parseArgv } from "../../repl/parse_argv.ts";

const command = defineCommand({
  name: "do it",
  summary: "Do it",
  input: {
    type: "object",
    properties: {
      prompt: { type: "string", description: "What to do" },
      maxTurns: { type: "integer", minimum: 1, description: "Steps" },
      maxCost: { type: "number", minimum: 0 },
      preset: { type: "string", enum: ["read-only", "workspace"] },
      allow: { type: "array", items: { type: "string" } },
      output: { type: "string" },
      continue: { type: "boolean" },
      cache: { type: "boolean", default: true },
      limit: { type: "integer", default: 20 },
      cwd: { type: "string" },
      value: {},
    },
    required: ["prompt"],
  },
  positionals: ["prompt"],
  short: { output: "o", continue: "c" },
  examples: [],
  run: () => Promise.resolve({ data: null }),
});

const list = defineCommand({
  name: "many",
  summary: "Many",
  input: {
    type: "object",
    properties: { first: { type: "string" }, rest: { type: "array", items: { type: "string" } } },
  },
  positionals: ["first", "rest"],
  examples: [],
  run: () => Promise.resolve({ data: null }),
});

function inputOf(...argv: string[]): Record<string, unknown> {
  return { ...parseArgv(command, argv).input };
}

function usage(...argv: string[]): { message: string; fix: string } {
  try {
    parseArgv(command, argv);
  } catch (error) {
    assert(error instanceof PryxError);
    assert.equal(error.code, "usage");
    return { message: error.message, fix: error.fix ?? "" };
  }
  throw new Error(`${argv.join(" ")} was taken`);
}

Deno.test("parseArgv() reads every kind of flag in every spelling", () => {
  assert.deepEqual(
    inputOf(
      "say hi",
      "--max-turns",
      "3",
      "--max-cost=0.5",
      "--preset",
      "workspace",
      "-c",
      "-ofile",
      "--no-cache",
    ),
    {
      cache: false,
      limit: 20,
      prompt: "say hi",
      maxTurns: 3,
      maxCost: 0.5,
      preset: "workspace",
      continue: true,
      output: "file",
    },
  );
});

Deno.test("parseArgv() collects a flag that may be repeated", () => {
  assert.deepEqual(inputOf("x", "--allow", "run=git", "--allow=net=a.org")["allow"], [
    "run=git",
    "net=a.org",
  ]);
});

Deno.test("parseArgv() takes a dash, and anything after --, as arguments", () => {
  assert.equal(inputOf("-")["prompt"], "-");
  assert.equal(inputOf("--", "-x")["prompt"], "-x");
  assert.equal(inputOf("--max-turns", "2", "--", "--help")["prompt"], "--help");
  assert.equal(parseArgv(command, ["--", "--help"]).globals.help, false);
});

Deno.test("parseArgv() gives a list argument all the rest", () => {
  assert.deepEqual(parseArgv(list, ["a", "b", "c"]).input, { first: "a", rest: ["b", "c"] });
  assert.deepEqual(parseArgv(list, []).input, {});
});

Deno.test("parseArgv() gives a flag both to the command and to the globals when both know it", () => {
  const { globals, input } = parseArgv(command, [
    "x",
    "--cwd",
    "/w",
    "--json",
    "--no-color",
    "--profile",
    "p",
  ]);
  assert.equal(input["cwd"], "/w");
  assert.deepEqual(globals, {
    json: true,
    debug: false,
    quiet: false,
    color: false,
    help: false,
    cwd: "/w",
    profile: "p",
  });
});

Deno.test("parseArgv() reads a value of any type as JSON where it is JSON", () => {
  assert.deepEqual(inputOf("x", "--value", "[1]")["value"], [1]);
  assert.equal(inputOf("x", "--value", "openai/gpt-5")["value"], "openai/gpt-5");
});

Deno.test("parseArgv() lists every problem at once", () => {
  const { message } = usage("--max-turns", "many", "--preset", "workspac", "--wrong");
  assert.match(message, /--max-turns must be a number, not "many"/);
  assert.match(message, /--preset must be one of read-only, workspace, not "workspac"/);
  assert.match(message, /--wrong is not a flag it knows/);
});

Deno.test("parseArgv() names the nearest flag and the nearest value", () => {
  assert.match(usage("x", "--max-turn", "3").fix, /Did you mean "--max-turns"\?/);
  assert.match(usage("x", "--preset", "workspac").fix, /Did you mean "workspace"\?/);
  assert.match(usage("x", "--jsn").fix, /Did you mean "--json"\?/);
});

Deno.test("parseArgv() checks values against the schema and names the flag", () => {
  assert.match(usage("x", "--max-turns", "0").message, /--max-turns must be 1 or more, not 0/);
  assert.match(usage("x", "--max-turns", "1.5").message, /--max-turns must be a whole number/);
  assert.match(usage().message, /PROMPT is missing/);
});

Deno.test("parseArgv() does not swallow the next flag as a value", () => {
  const { message, fix } = usage("x", "--output", "--json");
  assert.match(message, /--output needs a value \(FILE\), and "--json" looks like a flag/);
  assert.match(fix, /write --output=--json/);
  assert.equal(inputOf("x", "--output", "-")["output"], "-");
});

Deno.test("parseArgv() tells to quote a prompt of several words", () => {
  const { message, fix } = usage("fix", "the", "bug");
  assert.match(message, /takes one argument, not 3/);
  assert.match(fix, /quote it: "fix the bug"/);
});

Deno.test("parseArgv() refuses a value for a switch, but for true and false", () => {
  assert.match(usage("x", "--continue=maybe").message, /--continue is a switch/);
  assert.equal(inputOf("x", "--continue=false")["continue"], false);
});

Deno.test("parseArgv() checks nothing when help is asked for", () => {
  assert.equal(parseArgv(command, ["--max-turns", "x", "--help"]).globals.help, true);
});

Deno.test("leadingWords() passes over global flags and keeps everything else", () => {
  assert.deepEqual(leadingWords(["--json", "-C", "/w", "do", "it", "--max-turns", "3", "x"]), {
    words: ["do", "it"],
    flags: ["--json", "-C", "/w"],
    rest: ["--max-turns", "3", "x"],
  });
  assert.deepEqual(leadingWords(["run", "--", "-x"]), { words: ["run"], flags: [], rest: ["--", "-x"] });
  assert.deepEqual(leadingWords(["-C/w", "--cwd=/w", "run", "-"]), {
    words: ["run", "-"],
    flags: ["-C/w", "--cwd=/w"],
    rest: [],
  });
});

Deno.test("leadingWords() leaves what follows an automation to it", () => {
  assert.deepEqual(leadingWords(["--json", "run", "a.pryx.ts", "--json", "b"]), {
    words: ["run", "a.pryx.ts"],
    flags: ["--json"],
    rest: ["--json", "b"],
  });
});

const PROGRAM = defineCommand({
  name: "start",
  summary: "Starts a program",
  input: {
    type: "object",
    properties: {
      file: { type: "array", items: { type: "string" } },
      text: { type: "boolean" },
      allow: { type: "array", items: { type: "string" } },
      args: { type: "array", items: { type: "string" } },
    },
  },
  positionals: ["file"],
  passThrough: {
    to: "args",
    behind: (word, flags) => word.endsWith(".x") || (flags.has("text") && word === "-"),
  },
  examples: [],
  run: () => Promise.resolve({ data: null }),
});

Deno.test("parseArgv() leaves everything behind a program's name to the program, as it was typed", () => {
  const parsed = parseArgv(PROGRAM, [
    "--allow",
    "a",
    "job.x",
    "--allow",
    "b",
    "--json",
    "-q",
    "--",
    "--help",
    "",
    "-",
  ]);
  assert.deepEqual(parsed.input, {
    allow: ["a"],
    file: ["job.x"],
    args: ["--allow", "b", "--json", "-q", "--", "--help", "", "-"],
  });
  assert.deepEqual([parsed.globals.json, parsed.globals.help, parsed.globals.quiet], [false, false, false]);
});

Deno.test("parseArgv() reads the flags before a program's name, the globals too", () => {
  const { input, globals } = parseArgv(PROGRAM, ["--json", "--text", "-", "--json", "x"]);
  assert.deepEqual(input, { text: true, file: ["-"], args: ["--json", "x"] });
  assert.equal(globals.json, true);
  assert.throws(() => parseArgv(PROGRAM, ["--unknown", "job.x"]), { code: "usage" });
});

Deno.test("parseArgv() takes a flag's value for no program, and a word that is none for none", () => {
  assert.deepEqual(parseArgv(PROGRAM, ["--allow", "a.x", "word", "--text"]).input, {
    allow: ["a.x"],
    file: ["word"],
    text: true,
  });
  assert.deepEqual(parseArgv(PROGRAM, ["-", "--allow", "b"]).input, { file: ["-"], allow: ["b"] });
});

Deno.test("parseArgv() looks for a program in the first place alone: a sentence may name one", () => {
  const { input } = parseArgv(PROGRAM, ["explain", "job.x", "--text", "--allow", "a"]);
  assert.deepEqual(input, { file: ["explain", "job.x"], text: true, allow: ["a"] });
});

Deno.test("globalsOf() takes no flag of an automation for pryx's own, and those behind a prompt for nobody else's", () => {
  assert.equal(globalsOf(["run", "job.pryx.ts", "--json"]).json, false);
  assert.equal(globalsOf(["run", "--json", "job.pryx.ts"]).json, true);
  assert.equal(globalsOf(["run", "explain", "job.pryx.ts", "--json"]).json, true);
});
