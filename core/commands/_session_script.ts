import { resolve } from "node:path";
import { AUTOMATION_SUFFIX, CASSETTE_SUFFIX } from "../domain/automation.ts";
import { EXIT, messageOf, PryxError } from "../domain/error.ts";
import type { Json } from "../domain/schema.ts";
import { linkSource } from "./_run_automation.ts";
import { stepsOf } from "./_script_calls.ts";
import type { ScriptLine } from "./_script_steps.ts";
import { scriptOf } from "./_script_text.ts";
import { ID } from "./_session_files.ts";
import { count, oneLine, within } from "./_session_text.ts";
import { pickSession } from "./_pick_session.ts";
import { type CommandContext, defineCommand } from "./command.ts";

const script = defineCommand({
  name: "sessions script",
  summary: "Make an automation of what a session did",
  description:
    `Writes a ${AUTOMATION_SUFFIX} file that makes the same calls, with the least permissions they need, and a recording of it beside it, \
made of what the session was answered: pryx run --replay of the two works at once, and pryx test finds them. What the model said stands between the calls; \
what it decided is yours to put into code. Overwrites nothing.`,
  input: {
    type: "object",
    properties: {
      id: ID,
      output: {
        type: "string",
        description: `File to write, *${AUTOMATION_SUFFIX}; session-ID${AUTOMATION_SUFFIX} by default`,
      },
    },
  },
  positionals: ["id"],
  short: { output: "o" },
  examples: [
    { line: "pryx sessions script", note: "Of the last session here" },
    { line: "pryx sessions script 2n9f -o release.pryx.ts", note: "Under a name of its own" },
  ],
  async run(input, ctx) {
    const store = await ctx.store({ reading: true });
    const row = pickSession(store, input.id, ctx.cwd);
    const file = resolve(
      ctx.cwd,
      input.output ?? `session-${row.id.slice(-8).toLowerCase()}${AUTOMATION_SUFFIX}`,
    );
    if (!file.endsWith(AUTOMATION_SUFFIX)) {
      throw new PryxError(
        "usage",
        `${input.output} does not end in ${AUTOMATION_SUFFIX}, as automations do`,
        {
          fix: `name it NAME${AUTOMATION_SUFFIX}`,
        },
      );
    }
    const cassette = `${file.slice(0, -AUTOMATION_SUFFIX.length)}${CASSETTE_SUFFIX}`;
    await refuseExisting(file, cassette);
    const made = scriptOf(stepsOf(store.events(row.id)), {
      title: row.title || "A session",
      session: row.id,
      root: row.workspace,
    });
    if (made.lines.length === 0) {
      throw new PryxError("not_found", `Session ${row.id} made no call that an automation could make`, {
        fix: `look at it with: pryx sessions show ${row.id}`,
      });
    }
    await writeNew(file, made.code);
    const notes = made.leftOut.map((what) => `left out: ${what}`);
    const { root, problem } = await rehearse(file, cassette, made.lines, new Date(row.createdAt), ctx);
    if (root !== row.workspace) {
      notes.push(`the session worked in ${row.workspace}; paths of the automation are relative to ${root}`);
    }
    const shown = (path: string) => within(ctx.cwd, path);
    const text = [
      `${shown(file)}: ${count(made.lines.length, "call")}`,
      ...notes.map((note) => `  ${note}`),
      problem === undefined
        ? `Run it again from its recording: pryx run --replay ${shown(cassette)} ${shown(file)}`
        : `Its recording could not be made: ${problem}`,
    ].join("\n");
    const data = {
      session: row.id,
      file,
      cassette: problem === undefined ? cassette : null,
      calls: made.lines.length,
      permissions: made.permissions,
      leftOut: made.leftOut,
      problem: problem ?? null,
    };
    return {
      data: data as unknown as Json,
      text,
      exitCode: problem === undefined ? EXIT.done : EXIT.error,
    };
  },
});

export const commands = [script];

/** Runs it once in a cell with the session's answers, which makes the recording. */
async function rehearse(
  file: string,
  cassette: string,
  lines: readonly ScriptLine[],
  now: Date,
  outer: CommandContext,
): Promise<{ root: string; problem?: string }> {
  const { graph, ctx } = await linkSource({ file }, {}, outer);
  const left = [...lines];
  const end = await (await ctx.automations()).rehearse({
    graph,
    cassette,
    now,
    answer(method, params) {
      const next = left.shift();
      const asked = method === "tool" ? toolOf(params) : method;
      if (next?.expects === asked) return Promise.resolve(next.answer);
      const instead = next === undefined ? "nothing more" : next.expects;
      throw new PryxError("internal", `The automation calls ${asked}, where the session has ${instead}`);
    },
    signal: ctx.signal,
  });
  if (end.status === "done" && left.length === 0) return { root: graph.root };
  await Deno.remove(cassette).catch(() => {});
  const problem = end.error?.message ?? `${count(left.length, "call")} of the session did not come`;
  return { root: graph.root, problem: oneLine(problem, 400) };
}

function toolOf(params: Json): string {
  return typeof params === "object" && params !== null && "name" in params ? String(params.name) : "";
}

async function refuseExisting(...files: readonly string[]): Promise<void> {
  for (const file of files) {
    if (await Deno.lstat(file).catch(() => undefined) === undefined) continue;
    throw new PryxError("conflict", `${file} is there already, and nothing is overwritten`, {
      fix: `name another with -o NAME${AUTOMATION_SUFFIX}`,
    });
  }
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(file, text, { createNew: true, mode: 0o755 });
  } catch (cause) {
    throw new PryxError("io", `Cannot write ${file}: ${messageOf(cause)}`, {
      fix: "check the folder",
      cause,
    });
  }
}
