import { escapeForDisplay } from "../domain/display.ts";
import { EXIT } from "../domain/error.ts";
import type { Json } from "../domain/schema.ts";
import type { Check } from "./_doctor_check.ts";
import {
  checkConfig,
  checkData,
  checkDisk,
  checkModel,
  checkProgram,
  checkSecrets,
} from "./_doctor_checks.ts";
import { checkSandbox } from "./_doctor_sandbox.ts";
import { count } from "./_session_text.ts";
import { type Command, type CommandContext, defineCommand } from "./command.ts";

const NAMES = ["program", "config", "data", "secrets", "model", "disk", "sandbox"] as const;

const CHECKS: Readonly<Record<typeof NAMES[number], (ctx: CommandContext) => Check[] | Promise<Check[]>>> = {
  program: checkProgram,
  config: checkConfig,
  data: checkData,
  secrets: checkSecrets,
  model: checkModel,
  disk: checkDisk,
  sandbox: checkSandbox,
};

export const commands: readonly Command[] = [defineCommand({
  name: "doctor",
  summary: "Check that pryx can work here, and how well it is confined",
  description:
    "Looks at the program, the settings, the data folder, the secret store, the model's key, room on the disk, and the sandbox: which layers are active, how to get the others, and what a confined child is really refused. Nothing is sent anywhere. Exits 1 when something fails; a warning is no failure.",
  input: {
    type: "object",
    properties: {
      only: {
        type: "array",
        items: { type: "string", enum: NAMES },
        description: "Only this check; may be repeated",
      },
    },
  },
  examples: [
    { line: "pryx doctor", note: "Everything, one line each, with what to do" },
    { line: "pryx doctor --only sandbox", note: "What holds a command here, tried for real" },
  ],
  async run(input, ctx) {
    const names = NAMES.filter((name) => input.only === undefined || input.only.includes(name));
    const checks: Check[] = [];
    for (const name of names) {
      ctx.signal.throwIfAborted();
      checks.push(...await CHECKS[name](ctx));
    }
    const amount = (status: Check["status"]) => checks.filter((check) => check.status === status).length;
    const [ok, warn, fail] = [amount("ok"), amount("warn"), amount("fail")];
    const text = [
      ...checks.flatMap(lines),
      "",
      `${ok} ok, ${count(warn, "warning")}, ${count(fail, "failure")}`,
    ].join("\n");
    return {
      data: { ok, warn, fail, checks } as unknown as Json,
      text: escapeForDisplay(text),
      exitCode: fail > 0 ? EXIT.error : EXIT.done,
    };
  },
})];

function lines({ name, status, detail, fix }: Check): string[] {
  const indent = " ".repeat(15);
  const under = (text: string) => text.split("\n").join(`\n${indent}`);
  return [
    `${status.padEnd(5)} ${name.padEnd(8)} ${under(detail)}`,
    ...(fix === undefined ? [] : [`${indent}fix: ${under(fix)}`]),
  ];
}
