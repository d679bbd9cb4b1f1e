import { EXIT, PryxError } from "../domain/error.ts";
import type { TurnId } from "../domain/id.ts";
import { type Command, defineCommand } from "./command.ts";
import { changesOf, type FileChange, netChanges } from "./_file_changes.ts";
import { pickSession } from "./_pick_session.ts";
import { diffFile } from "./_session_diff.ts";
import { count, within } from "./_session_text.ts";
import { applyStep, planUndo, type UndoStep } from "./_session_undo.ts";

/** Input of every command that takes one session. */
export const ID = {
  type: "string",
  description: "Id of the session, its beginning or end, or last (the default): the newest in this folder",
} as const;

const diff = defineCommand({
  name: "sessions diff",
  summary: "Show what a session changed in files",
  description:
    "A unified diff from before its first change to after its last, of every file. It applies with patch -p1.",
  input: {
    type: "object",
    properties: {
      id: ID,
      turn: { type: "string", description: "Only of this turn: its id, its beginning or end, or last" },
    },
  },
  positionals: ["id"],
  examples: [
    { line: "pryx sessions diff", note: "All changes of the last session here" },
    { line: "pryx sessions diff last --turn last", note: "Only those of its last turn that changed files" },
    { line: "pryx sessions diff 2n9f > changes.patch", note: "As a patch" },
  ],
  async run(input, ctx) {
    const store = await ctx.store({ reading: true });
    const row = pickSession(store, input.id, ctx.cwd);
    const all = changesOf(store.events(row.id));
    const changes = input.turn === undefined ? all : ofTurn(all, input.turn);
    const blobs = await ctx.blobs();
    const files = [];
    for (const change of netChanges(changes)) {
      ctx.signal.throwIfAborted();
      files.push(await diffFile(change, row.workspace, blobs));
    }
    const shown = files.map(({ path, change, diff, note }) => {
      const about = note === null ? "" : `# ${within(row.workspace, path)} (${change}): ${note}\n`;
      return about + (diff ?? "");
    });
    const text = files.length === 0 ? "Nothing to show: no file is changed." : shown.join("").trimEnd();
    return { data: { session: row.id, files: files.map((file) => ({ ...file })) }, text };
  },
});

const undo = defineCommand({
  name: "sessions undo",
  summary: "Take back what a session changed in files",
  description:
    "Puts files back as they were before the last turn that changed any; again, and the turn before it follows. Nothing is touched when \
something else has changed one of them since, unless forced. What undoing replaces is kept.",
  input: {
    type: "object",
    properties: {
      id: ID,
      turn: { type: "string", description: "This turn instead: its id, its beginning or end" },
      all: { type: "boolean", description: "All changes of the session" },
      force: { type: "boolean", description: "Also files that something else has changed since" },
      dryRun: { type: "boolean", description: "Only show what would be done" },
    },
  },
  positionals: ["id"],
  examples: [
    { line: "pryx sessions undo", note: "The last turn of the last session here" },
    { line: "pryx sessions undo 2n9f --all", note: "Everything a session changed" },
    { line: "pryx sessions undo --dry-run", note: "Shows it and changes nothing" },
  ],
  async run(input, ctx) {
    if (input.all && input.turn !== undefined) {
      throw new PryxError("usage", "--all and --turn exclude each other", { fix: "Give one of them" });
    }
    const store = await ctx.store();
    const row = pickSession(store, input.id, ctx.cwd);
    using _lease = store.lease(row.id);
    const all = changesOf(store.events(row.id));
    const changes = input.all ? all : ofTurn(all, input.turn ?? "last");
    const turn = input.all ? null : changes[0]?.turn ?? null;
    const net = netChanges(changes);
    const data = {
      session: row.id,
      turn,
      undone: [] as string[],
      conflicts: [] as Conflict[],
      dryRun: input.dryRun === true,
    };
    if (net.length === 0) return { data: plain(data), text: "Nothing to undo: no file is changed." };

    const blobs = await ctx.blobs();
    const steps = await planUndo(net, blobs);
    ctx.signal.throwIfAborted();
    const name = (path: string) => within(row.workspace, path);
    const conflicts = steps.filter((step) => step.conflict !== null && !(input.force && step.possible));
    data.conflicts = conflicts.map(({ path, conflict }) => ({ path, reason: conflict ?? "" }));
    // Forced, what cannot be put back is left out; otherwise it is all or nothing.
    const doable = input.force ? steps.filter((step) => step.possible) : steps;
    const problems = conflicts.map(({ path, conflict }) => `  ${name(path)}: ${conflict}`).join("\n");
    if (conflicts.length > 0 && !input.force) {
      const text =
        `Nothing was undone. ${
          count(conflicts.length, "file")
        } cannot be put back without loss:\n${problems}\n` +
        "To put back what can be, and lose those changes: --force";
      return { data: plain(data), text, exitCode: EXIT.error };
    }
    const left = problems === "" ? "" : `\nCannot be put back:\n${problems}`;
    if (input.dryRun) return { data: plain(data), text: `Would undo:\n${list(doable, name)}${left}` };

    const replaced: string[] = [];
    try {
      for (const step of doable) {
        const hash = await applyStep(step, blobs);
        if (hash !== undefined) replaced.push(hash);
        data.undone.push(step.path);
      }
    } finally {
      // Also when it broke off: what was put back is recorded.
      if (data.undone.length > 0) {
        const paths = data.undone;
        const record = { ...(turn ? { turn } : {}), paths, replaced };
        store.append(row.id, [{ type: "undone", turn: null, data: record }], { durable: true });
        store.audit("undo", {
          session: row.id,
          turn,
          paths,
          forced: input.force === true,
          by: `human:${ctx.surface.name}`,
        });
      }
    }
    const text = `Undone:\n${list(doable, name)}${left}`;
    return { data: plain(data), text, ...(conflicts.length > 0 ? { exitCode: EXIT.error } : {}) };
  },
});

interface Conflict {
  readonly path: string;
  readonly reason: string;
}

function plain<T extends { conflicts: Conflict[] }>(data: T) {
  return { ...data, conflicts: data.conflicts.map((conflict) => ({ ...conflict })) };
}

function list(steps: readonly UndoStep[], name: (path: string) => string): string {
  return steps.map(({ path, action }) => `  ${action === "remove" ? "removed " : "restored"} ${name(path)}`)
    .join("\n");
}

/** The changes of one turn. `last`: of the last turn that has any. */
function ofTurn(changes: readonly FileChange[], text: string): FileChange[] {
  const turns = [...new Set(changes.map(({ turn }) => turn))];
  const of = (turn: TurnId | null | undefined) => changes.filter((change) => change.turn === turn);
  if (text === "last") return of(turns.findLast((turn) => netChanges(of(turn)).length > 0));
  const matches = turns.filter((turn) => turn !== null && (turn.startsWith(text) || turn.endsWith(text)));
  if (matches.length !== 1) {
    throw new PryxError(
      "not_found",
      matches.length === 0
        ? `No turn "${text}" changed files that are not put back`
        : `"${text}" fits several turns`,
      { fix: turns.length === 0 ? "No change is left" : `The turns are: ${turns.join(", ")}` },
    );
  }
  return of(matches[0]);
}

export const commands: readonly Command[] = [diff, undo];
