import { EXIT, PryxError } from "../domain/error.ts";
import { PRESETS } from "../domain/policy.ts";
import type { Json } from "../domain/schema.ts";
import { parseJsonArguments } from "./_json_arguments.ts";
import { type Command, defineCommand } from "./command.ts";

const list = defineCommand({
  name: "tools list",
  summary: "Show the tools the agent has",
  input: { type: "object", properties: {} },
  examples: [{ line: "pryx tools list", note: "Names and what they do" }],
  async run(_input, ctx) {
    const tools = await ctx.tools();
    const width = Math.max(...tools.map((tool) => tool.name.length));
    const lines = tools.map((tool) => {
      const names = Object.keys(tool.parameters.properties).map((name) =>
        tool.parameters.required?.includes(name) ? name : `${name}?`
      );
      const first = tool.description.split(/(?<=\.)\s/, 1)[0] ?? "";
      const rest = wrap(first, 78 - width).map((line) => `${" ".repeat(width)}  ${line}`);
      return [`${tool.name.padEnd(width)}  {${names.join(", ")}}`, ...rest].join("\n");
    });
    const data = tools.map(({ name, description, parameters }) => ({ name, description, parameters }));
    return { data: data as unknown as Json, text: lines.join("\n") };
  },
});

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

const call = defineCommand({
  name: "tools call",
  summary: "Run one tool under policy, without a model",
  description:
    "The call is judged, recorded and confined like the agent's own. Its arguments are one JSON object; without it they are read from standard input.",
  input: {
    type: "object",
    properties: {
      name: { type: "string", description: "Name of the tool" },
      arguments: { type: "string", description: "JSON object of its arguments" },
      preset: { type: "string", enum: PRESETS, description: "What is allowed where no rule says otherwise" },
      allow: { type: "array", items: { type: "string" }, description: "Allow kind=target" },
      deny: { type: "array", items: { type: "string" }, description: "Deny kind=target" },
    },
    required: ["name"],
  },
  positionals: ["name", "arguments"],
  examples: [
    { line: `pryx tools call read_file '{"path":"README.md"}'`, note: "Reads a file as the agent would" },
    {
      line: `pryx tools call shell '{"command":"git status"}' --allow run='git status'`,
      note: "Runs one command",
    },
  ],
  async run(input, outer) {
    const { preset, allow, deny } = input;
    const ctx = outer.with({
      ...(preset === undefined ? {} : { preset }),
      ...(allow === undefined ? {} : { allow }),
      ...(deny === undefined ? {} : { deny }),
    });
    const tools = await ctx.tools();
    if (!tools.some((tool) => tool.name === input.name)) {
      throw new PryxError("usage", `There is no tool "${input.name}"`, {
        fix: `the tools are ${tools.map((tool) => tool.name).join(", ")}`,
      });
    }
    const args = parseJsonArguments(input.arguments ?? await stdinText(ctx.surface.input()));
    const pryx = await ctx.pryx();
    using _shown = pryx.listen((event) => {
      // There is no model to name, and the text is the command's own result: neither is shown as a turn's.
      if (event.type === "turn.started") return;
      ctx.surface.event(
        event.type === "turn.ended" ? { ...event, data: { ...event.data, text: "" } } : event,
      );
    });
    const outcome = await pryx.callTool({
      tool: input.name,
      args,
      origin: "human",
      workspace: ctx.cwd,
      surface: ctx.surface.name,
      attended: ctx.surface.attended,
      signal: ctx.signal,
    });
    const { status, text, unapproved, personOnly } = outcome;
    const exitCode = status === "done"
      ? EXIT.done
      : status === "cancelled"
      ? EXIT.interrupted
      : unapproved.length + personOnly.length > 0 || status === "denied"
      ? EXIT.denied
      : EXIT.error;
    const data: Json = {
      session: outcome.session,
      status,
      text,
      unapproved,
      personOnly,
      ...(outcome.data === undefined ? {} : { data: outcome.data }),
      ...(outcome.exitCode === undefined ? {} : { exitCode: outcome.exitCode }),
    };
    return { data, text, exitCode };
  },
});

async function stdinText(input: Promise<Uint8Array | undefined>): Promise<string> {
  const bytes = await input;
  return bytes === undefined ? "" : new TextDecoder().decode(bytes);
}

export const commands: readonly Command[] = [list, call];
