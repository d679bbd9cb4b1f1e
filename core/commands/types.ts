import { type Command, defineCommand } from "./command.ts";

export const commands: readonly Command[] = [defineCommand({
  name: "types",
  summary: "Print the declarations of the automation API",
  description:
    'What an automation can import from "pryx", as TypeScript declarations with their documentation. To set a project up for an editor: pryx init.',
  input: {
    type: "object",
    properties: {
      globals: {
        type: "boolean",
        description: "What is there without an import instead: console, timers, URL, …",
      },
    },
  },
  examples: [
    { line: "pryx types | less", note: "Read what an automation can do" },
    { line: "pryx types > pryx.d.ts", note: "Keep them where a tool looks for them" },
    { line: "pryx types --globals", note: "What needs no import" },
  ],
  async run({ globals }, ctx) {
    const automations = await ctx.automations();
    const declarations = globals
      ? (await automations.typeFiles())["globals.d.ts"]
      : await automations.declarations();
    return { data: { declarations }, text: declarations.trimEnd() };
  },
})];
