import assert from "node:assert/strict";
import { COMMANDS } from "../../core/command_index.ts";
import { resolveCommand } from "../../repl/command_index.ts";
import { completions } from "../../repl/completions.ts";
import { parseArgv } from "../../repl/parse_argv.ts";

/** What stands behind `pryx` in a line of shell, up to a pipe, a redirection or the end of a substitution. */
function argvOf(line: string): string[] {
  const rest = /\bpryx((?: |"[^"]*"|'[^']*'|[^\s"'|<>)])*)/.exec(line)?.[1] ?? "";
  return (rest.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? []).map((word) => word.replace(/["']/g, ""));
}

/** Quotes inside quotes (JSON arguments) out of the way, and a hash for what a file would give. */
function unquoted(line: string): string {
  return line.replace('"$(cat head.txt)"', "0".repeat(64)).replace(
    /'(\{[^']*\})'/g,
    (_all, json: string) => `'${json.replaceAll('"', "`")}'`,
  );
}

Deno.test("every command has a summary, described flags, and examples that the command line accepts", async () => {
  const index = [...COMMANDS, {
    name: "completions",
    summary: "",
    load: () => Promise.resolve([completions]),
  }];
  let examples = 0;
  for (const entry of index) {
    for (const command of await entry.load()) {
      assert.ok(command.summary.length > 0 && !command.summary.endsWith("."), command.name);
      assert.ok(command.examples.length > 0, `${command.name} has no example`);
      for (const [key, { description }] of Object.entries(command.input.properties)) {
        assert.ok(description, `${command.name}: ${key} is not described`);
      }
      for (const { line, note } of command.examples) {
        examples++;
        assert.ok(note.length > 0, line);
        const argv = argvOf(unquoted(line));
        const found = await resolveCommand(index, argv);
        assert.equal(found.kind === "command" ? found.command.name : found.kind, command.name, line);
        if (found.kind === "command") parseArgv(found.command, argv.slice(found.words));
      }
    }
  }
  assert.ok(examples > 50, `${examples}`);
});
