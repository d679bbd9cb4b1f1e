import { dirname, isAbsolute, join } from "node:path";
import { PryxError } from "../domain/error.ts";
import { newId, type SessionId } from "../domain/id.ts";
import { PRESETS } from "../domain/policy.ts";
import { foldSession } from "../domain/session.ts";
import { type Command, defineCommand } from "./command.ts";
import { pickSession } from "./_pick_session.ts";
import { toJsonLines, toMarkdown } from "./_session_export.ts";
import { ID } from "./_session_files.ts";
import { localTime, oneLine, statusOf } from "./_session_text.ts";
import { commands as runCommands } from "./run.ts";

const resume = defineCommand({
  name: "sessions resume",
  summary: "Go on with a session",
  description:
    "With a prompt, the same as: pryx run --resume ID PROMPT. Without one, where the session stands and how to go on.",
  input: {
    type: "object",
    properties: {
      id: ID,
      prompt: {
        type: "array",
        items: { type: "string" },
        description: "What to do next, or - to read it from standard input",
      },
      model: { type: "string", description: "The model to use" },
      preset: { type: "string", enum: PRESETS, description: "What is allowed where no rule says otherwise" },
      allow: { type: "array", items: { type: "string" }, description: "Allow kind=target" },
      deny: { type: "array", items: { type: "string" }, description: "Deny kind=target; final" },
    },
  },
  positionals: ["id", "prompt"],
  short: { model: "m" },
  examples: [
    { line: "pryx sessions resume last", note: "Where the last session here stands" },
    { line: 'pryx sessions resume 2n9f "now the tests"', note: "Goes on" },
  ],
  streams: true,
  async run({ id, ...input }, ctx) {
    const store = await ctx.store();
    const row = pickSession(store, id, ctx.cwd);
    if ((input.prompt ?? []).length > 0) {
      const [run] = runCommands;
      if (!run) throw new PryxError("internal", "There is no command to run prompts with");
      return await run.run({ ...input, resume: row.id }, ctx);
    }
    const state = foldSession(row.id, store.events(row.id));
    const answer = state.lastTurn?.end.text ?? "";
    const open = [...state.openCalls.values()].map((call) => call.summary ?? call.name);
    const status = statusOf(row);
    const lines = [
      `${row.id}  ${oneLine(row.title, 100) || "(no title)"}`,
      `${row.workspace} · ${status}${row.holder === undefined ? "" : ` in process ${row.holder}`} · ${
        localTime(row.updatedAt)
      }`,
    ];
    if (answer !== "") lines.push("", oneLine(answer, 400));
    for (const call of open) lines.push(`cut off, and not run again by itself: ${oneLine(call, 200)}`);
    lines.push("", "Go on with:", `  pryx run --resume ${row.id} "…"`, `  pryx sessions show ${row.id}`);
    const data = { ...row, status, lastAnswer: answer, interrupted: open };
    return { data, text: lines.join("\n") };
  },
});

const fork = defineCommand({
  name: "sessions fork",
  summary: "Go on from some point in a copy of a session",
  description:
    "The copy has all events up to and with number --at, and leaves the session itself alone. Files are not changed.",
  input: {
    type: "object",
    properties: {
      id: ID,
      at: {
        type: "integer",
        minimum: 1,
        description: "Number of the last event to copy (as in sessions show); default: the last one",
      },
    },
  },
  positionals: ["id"],
  examples: [
    { line: "pryx sessions fork", note: "A copy of the last session here" },
    { line: "pryx sessions fork 2n9f --at 12", note: "A copy up to event 12" },
  ],
  async run(input, ctx) {
    const store = await ctx.store();
    const row = pickSession(store, input.id, ctx.cwd);
    const session = newId<SessionId>();
    const at = input.at ?? row.lastSeq;
    store.fork(row.id, session, at);
    const text =
      `${session}\n  a copy of ${row.id} up to #${at}. Go on with: pryx run --resume ${session} "…"`;
    return { data: { session, parent: row.id, forkedAt: at }, text };
  },
});

const exportCommand = defineCommand({
  name: "sessions export",
  summary: "Write a session out, as JSON Lines or Markdown",
  description:
    "JSON Lines: every event as it is stored (docs/events.md), one a line. It holds whatever was said and read; look before you share it.",
  input: {
    type: "object",
    properties: {
      id: ID,
      format: { type: "string", enum: ["jsonl", "markdown"], description: "jsonl (the default) or markdown" },
      output: { type: "string", description: "File to write (0600) instead of standard output" },
    },
  },
  positionals: ["id"],
  short: { output: "o" },
  examples: [
    { line: "pryx sessions export 2n9f > session.jsonl", note: "Every event" },
    { line: "pryx sessions export last --format markdown -o session.md", note: "To read" },
  ],
  async run(input, ctx) {
    const store = await ctx.store({ reading: true });
    const row = pickSession(store, input.id, ctx.cwd);
    const events = store.events(row.id);
    const parts = input.format === "markdown" ? toMarkdown(row, events) : toJsonLines(events);
    if (input.output !== undefined) {
      const path = isAbsolute(input.output) ? input.output : join(ctx.cwd, input.output);
      const bytes = await writeParts(path, parts, ctx.signal);
      return { data: { session: row.id, path, bytes }, text: path };
    }
    const text = [...parts].join("\n");
    const data = input.format === "markdown" ? text : text.split("\n").map((line) => JSON.parse(line));
    return { data, text };
  },
});

/** Writes beside the file and renames, so that a file that is there stays whole until the new one is. */
async function writeParts(path: string, parts: Iterable<string>, signal: AbortSignal): Promise<number> {
  const temporary = join(dirname(path), `.${newId()}.tmp`);
  const encoder = new TextEncoder();
  let bytes = 0;
  try {
    {
      using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
      for (const part of parts) {
        signal.throwIfAborted();
        const line = encoder.encode(`${part}\n`);
        for (let at = 0; at < line.length;) at += await file.write(line.subarray(at));
        bytes += line.length;
      }
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    if (!(error instanceof Error) || signal.aborted) throw error;
    throw new PryxError("io", `Cannot write ${path}: ${error.message}`, {
      fix: "Name another file with -o",
      cause: error,
    });
  }
  return bytes;
}

export const commands: readonly Command[] = [resume, fork, exportCommand];
