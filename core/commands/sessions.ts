import { join } from "node:path";
import { PryxError } from "../domain/error.ts";
import { foldSession } from "../domain/session.ts";
import type { SessionRow } from "../store/store.ts";
import { type Command, defineCommand } from "./command.ts";
import { pickSession } from "./_pick_session.ts";
import { commands as continueCommands } from "./_session_continue.ts";
import { commands as scriptCommands } from "./_session_script.ts";
import { commands as fileCommands, ID } from "./_session_files.ts";
import { contentsOf, removeContents, removeOutputs } from "./_session_leftovers.ts";
import { count, dollars, localTime, oneLine, statusOf } from "./_session_text.ts";
import { timeline } from "./_timeline.ts";

const list = defineCommand({
  name: "sessions list",
  summary: "List sessions, the last used first",
  input: {
    type: "object",
    properties: {
      all: { type: "boolean", description: "Of every folder, not only this one" },
      limit: { type: "integer", minimum: 1, default: 20, description: "How many" },
      offset: { type: "integer", minimum: 0, default: 0, description: "How many to leave out first" },
    },
  },
  examples: [
    { line: "pryx sessions list", note: "Of this folder" },
    { line: "pryx sessions list --all --limit 100", note: "Of every folder" },
    { line: "pryx sessions list --json | jq -r '.[].id'", note: "For programs" },
  ],
  async run({ all, limit = 20, offset = 0 }, ctx) {
    const store = await ctx.store({ reading: true });
    const rows = store.sessions({ ...(all ? {} : { workspace: ctx.cwd }), limit, offset });
    const data = rows.map((row) => ({ ...row, status: statusOf(row) }));
    if (rows.length === 0) {
      const elsewhere = !all && store.sessions({ limit: 1 }).length > 0
        ? " Of other folders: pryx sessions list --all"
        : "";
      return { data, text: offset > 0 ? "No more sessions." : `No sessions here yet.${elsewhere}` };
    }
    const lines = rows.map((row) => {
      const where = all ? `\n${" ".repeat(18)}${row.workspace}` : "";
      const title = oneLine(row.title, 72) || "(no title)";
      return `${row.id}  ${localTime(row.updatedAt)}  ${statusOf(row).padEnd(11)}  ${title}${where}`;
    });
    if (rows.length === limit) {
      lines.push(`More: pryx sessions list${all ? " --all" : ""} --offset ${offset + limit}`);
    }
    return { data, text: lines.join("\n") };
  },
});

const show = defineCommand({
  name: "sessions show",
  summary: "Show what happened in a session",
  description:
    "What was said, every call with what was decided about it, files that changed, and what it cost. The numbers are those that fork --at takes.",
  input: {
    type: "object",
    properties: {
      id: ID,
      full: { type: "boolean", description: "Long texts in full, and the model's reasoning" },
      after: { type: "integer", minimum: 0, description: "Only what came after this number" },
    },
  },
  positionals: ["id"],
  examples: [
    { line: "pryx sessions show", note: "The last session here" },
    { line: "pryx sessions show 2n9f --full", note: "All of it" },
  ],
  async run(input, ctx) {
    const store = await ctx.store({ reading: true });
    const row = pickSession(store, input.id, ctx.cwd);
    const state = foldSession(row.id, store.events(row.id));
    const events = () => store.events(row.id, input.after ?? 0);
    const head = [
      `${row.id}  ${oneLine(row.title, 100) || "(no title)"}`,
      row.workspace,
      [
        `profile ${row.profile}`,
        row.holder === undefined ? statusOf(row) : `${statusOf(row)} in process ${row.holder}`,
        count(state.turns, "turn"),
        ...(state.usage.input + state.usage.output === 0 ? [] : [
          `${count(state.usage.input, "token")} in, ${state.usage.output.toLocaleString("en-US")} out`,
          dollars(state.cost),
        ]),
      ].join(" · "),
    ];
    if (state.taint.length > 0) {
      const sources = [...new Set(state.taint.map(({ source }) => oneLine(source, 100)))];
      head.push(`content from outside: ${sources.join(", ")}`);
    }
    const { full = false, after = 0 } = input;
    const lines = timeline(store.events(row.id), { workspace: row.workspace, full, after });
    const partial = store.partial(row.id);
    const cut = partial ? [`…     being written: ${oneLine(partial.text, 400)}`] : [];
    const data = {
      ...row,
      status: statusOf(row),
      turns: state.turns,
      usage: { ...state.usage },
      cost: state.cost,
      events: JSON.parse(JSON.stringify([...events()])),
    };
    return { data, text: [...head, "", ...lines, ...cut].join("\n") };
  },
});

const search = defineCommand({
  name: "sessions search",
  summary: "Find words in what was said, answered and put out by tools",
  description:
    'All words must occur, also as parts of words; "quoted text" as it stands. Of long outputs the first 6000 and the last 2000 characters are searched.',
  input: {
    type: "object",
    properties: {
      query: { type: "array", items: { type: "string" }, description: "Words" },
      limit: { type: "integer", minimum: 1, default: 20, description: "How many hits" },
    },
    required: ["query"],
  },
  positionals: ["query"],
  examples: [
    { line: "pryx sessions search flaky test", note: "Both words" },
    { line: `pryx sessions search '"connection reset"'`, note: "Exactly this" },
  ],
  async run({ query, limit = 20 }, ctx) {
    const words = query.join(" ").trim();
    if (words === "") {
      throw new PryxError("usage", "There is nothing to search for", { fix: "Name a word or more" });
    }
    const store = await ctx.store({ reading: true });
    const hits = store.search(words, limit);
    const data = hits.map((hit) => ({ ...hit }));
    if (hits.length === 0) return { data, text: `Nothing found for: ${oneLine(words, 100)}` };
    const lines: string[] = [];
    let session = "";
    for (const hit of hits) {
      if (hit.session !== session) {
        session = hit.session;
        lines.push(`${hit.session}  ${oneLine(store.session(hit.session)?.title ?? "", 72) || "(no title)"}`);
      }
      lines.push(`  ${`#${hit.seq}`.padEnd(5)} ${localTime(hit.at)}  ${hit.role}: ${hit.snippet}`);
    }
    return { data, text: lines.join("\n") };
  },
});

const remove = defineCommand({
  name: "sessions delete",
  summary: "Delete sessions for good",
  description:
    "Removes their events, what was searched and what waits for approval, and overwrites it in the database; long outputs and contents of files that were kept go too, where no other session needs them. The audit log keeps its entries.",
  input: {
    type: "object",
    properties: {
      ids: { type: "array", items: { type: "string" }, description: "Ids, their beginnings or ends" },
      yes: { type: "boolean", description: "Do not ask" },
    },
    required: ["ids"],
  },
  positionals: ["ids"],
  short: { yes: "y" },
  examples: [
    { line: "pryx sessions delete 2n9f", note: "Asks first" },
    { line: "pryx sessions delete 2n9f 8x1c --yes", note: "In scripts" },
  ],
  async run(input, ctx) {
    if (input.ids.length === 0) {
      throw new PryxError("usage", "No session is named", { fix: "See them with: pryx sessions list" });
    }
    const store = await ctx.store();
    const rows = new Map<string, SessionRow>();
    for (const id of input.ids) {
      const row = pickSession(store, id, ctx.cwd);
      rows.set(row.id, row);
    }
    if (!input.yes) {
      const names = [...rows.values()].map((row) => `${row.id} (${oneLine(row.title, 60) || "no title"})`)
        .join(", ");
      if (!ctx.surface.attended) {
        throw new PryxError(
          "usage",
          `Deleting ${names} needs a confirmation, and nobody is here to give it`,
          { fix: "Add --yes" },
        );
      }
      if (!await ctx.surface.confirm(`Delete ${names} for good?`)) {
        return { data: { deleted: [], outputs: 0, contents: 0 }, text: "Nothing was deleted." };
      }
    }
    const deleted: string[] = [];
    const named: string[] = [];
    for (const row of rows.values()) {
      ctx.signal.throwIfAborted();
      const kept = contentsOf(store.events(row.id));
      store.deleteSession(row.id);
      named.push(...kept);
      store.audit("session", { action: "delete", session: row.id, by: `human:${ctx.surface.name}` });
      deleted.push(row.id);
    }
    const outputs = await removeOutputs(store, join(ctx.paths.state, "outputs"));
    const contents = await removeContents(named, store, await ctx.blobs());
    const lines = deleted.map((id) => `Deleted ${id}`);
    if (outputs > 0) lines.push(`Removed kept outputs: ${outputs}`);
    if (contents === undefined) {
      lines.push(
        "Contents of files that were kept for undo stay on disk, because another session is at work.",
      );
    } else if (contents > 0) lines.push(`Removed kept contents of files: ${contents}`);
    return { data: { deleted, outputs, contents: contents ?? 0 }, text: lines.join("\n") };
  },
});

export const commands: readonly Command[] = [
  list,
  show,
  search,
  remove,
  ...continueCommands,
  ...fileCommands,
  ...scriptCommands,
];
