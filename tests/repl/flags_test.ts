import assert from "node:assert/strict";
import { defineCommand } from "../../core/commands/command.ts";
import { flagsOf, kebab } from "../../repl/_flags.ts";
import { renderCommandHelp } from "../../repl/help.ts";
import { createStyle } from "../../repl/style.ts";
import { didYouMean, editDistance, suggest } from "../../repl/suggest.ts";

const command = defineCommand({
  name: "go",
  summary: "Go",
  description: "Goes somewhere. ".repeat(12).trim(),
  input: {
    type: "object",
    properties: {
      where: { type: "array", items: { type: "string" }, description: "Where to" },
      profile: { type: "string", description: "Profile" },
      replayModel: { type: "string" },
      speed: { type: "string", enum: ["slow", "fast"], default: "slow", description: "How fast" },
      check: { type: "boolean", default: true, description: "Look first" },
      limit: { anyOf: [{ type: "integer" }, { type: "null" }] },
      tags: { type: "array", items: { type: "string" }, description: "Tags" },
      reason: { type: "string", description: "Why" },
    },
    required: ["where", "reason"],
  },
  positionals: ["where"],
  short: { speed: "s" },
  examples: [{ line: "pryx go home", note: "Goes home" }],
  run: () => Promise.resolve({ data: null }),
});

Deno.test("flagsOf() types and names every property", () => {
  const short = flagsOf(command).map(({ flag, type, list, metavar }) =>
    [flag, type, list, metavar].join(" ")
  );
  assert.deepEqual(short, [
    "where string true WHERE",
    "profile string false NAME",
    "replay-model string false FILE",
    "speed string false SPEED",
    "check boolean false ",
    "limit integer false N",
    "tags string true TEXT",
    "reason string false TEXT",
  ]);
  assert.deepEqual(["maxCost", "old_text", "outputSchema"].map(kebab), [
    "max-cost",
    "old-text",
    "output-schema",
  ]);
});

Deno.test("renderCommandHelp() says all there is about a command, within its width", () => {
  const help = renderCommandHelp(command, [], { style: createStyle(false), width: 70 });
  assert.match(help, /Usage: pryx go WHERE… --reason TEXT \[flags\]/);
  assert.match(help, /-s, --speed SPEED +How fast \(one of slow, fast; default slow\)/);
  assert.match(help, /--no-check +Turn off: Look first/);
  assert.match(help, /--tags TEXT +Tags \(may be repeated\)/);
  assert.match(help, /--reason TEXT +Why \(required\)/);
  assert.equal(help.split("\n").filter((line) => line.length > 70).length, 0, help);
});

Deno.test("suggest() finds what was meant: typing errors, beginnings, nothing far off", () => {
  const words = ["run", "sessions", "secrets", "tools", "trust"];
  assert.deepEqual(suggest("sesions", words), ["sessions"]);
  assert.deepEqual(suggest("se", words), ["sessions", "secrets"]);
  assert.deepEqual(suggest("rnu", words), ["run"]);
  assert.deepEqual(suggest("xylophone", words), []);
  assert.equal(didYouMean("tool", words), 'Did you mean "tools"?');
  assert.equal(editDistance("ab", "ba"), 1);
  assert.equal(editDistance("", "abc"), 3);
});
