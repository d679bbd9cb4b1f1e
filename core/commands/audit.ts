import { EXIT, PryxError } from "../domain/error.ts";
import type { Json } from "../domain/schema.ts";
import type { AuditEntry, Store } from "../store/store.ts";
import { type Command, type CommandResult, defineCommand } from "./command.ts";
import { localTime, oneLine } from "./_session_text.ts";

const verify = defineCommand({
  name: "audit verify",
  summary: "Check that nobody changed the audit log",
  description:
    `Every entry holds the hash of the one before it, so changed, removed and moved entries show. What the log alone cannot show is that \
all of it was written anew, or that its end was cut off by someone who also reset the database's counter: keep the head that is printed \
somewhere else, and give it with --head another time. Exit code 1 when the log is broken, and where.`,
  input: {
    type: "object",
    properties: {
      head: {
        type: "string",
        pattern: "^[0-9a-fA-F]{64}$",
        patternName: "64 hexadecimal digits",
        description: "A head that an earlier verification printed; it must still be in the log",
      },
    },
  },
  examples: [
    { line: "pryx audit verify", note: "Prints the number of entries and the head" },
    {
      line: 'pryx audit verify --head "$(cat head.txt)"',
      note: "Also finds a log that was cut off or written anew since",
    },
  ],
  async run(input, ctx): Promise<CommandResult> {
    const store = await ctx.store({ reading: true });
    const verdict = store.verifyAudit();
    if (!verdict.ok) {
      const text = `The audit log is broken at entry ${verdict.badSeq}: ${verdict.problem}.\n` +
        `The ${verdict.entries} before it are as they were written. See them with: pryx audit show`;
      return { data: { ...verdict }, text, exitCode: EXIT.error };
    }
    const { entries, head } = verdict;
    const sums = `${entries === 1 ? "1 entry" : `${entries.toLocaleString("en-US")} entries`}, head ${head}`;
    if (input.head === undefined) return { data: { ...verdict }, text: `The audit log is whole: ${sums}` };
    const seq = seqOf(store, input.head.toLowerCase());
    if (seq === undefined) {
      const problem = "the given head is not in it: entries were cut off its end, or it was written anew";
      return {
        data: { ok: false, entries, head, problem },
        text: `The audit log fits together, but ${problem}.\n${sums}`,
        exitCode: EXIT.error,
      };
    }
    return {
      data: { ...verdict, headSeq: seq },
      text: `The audit log is whole, and the given head is entry ${seq} of it: ${sums}`,
    };
  },
});

const show = defineCommand({
  name: "audit show",
  summary: "Show the audit log",
  description:
    "Decisions, approvals, grants, trust, changes of config and secrets (never their values), deletions and undos.",
  input: {
    type: "object",
    properties: {
      last: { type: "integer", minimum: 1, description: "How many of the last entries; default 20" },
      after: { type: "integer", minimum: 0, description: "Entries after this number instead" },
      kind: {
        type: "string",
        description:
          "Only this kind: decision, approval, grant, revoke, trust, config, secret, session, undo",
      },
      session: { type: "string", description: "Only entries about this session" },
    },
  },
  examples: [
    { line: "pryx audit show", note: "The last 20 entries" },
    { line: "pryx audit show --kind grant --last 100", note: "The last 100 grants" },
    { line: "pryx audit show --after 0 --json", note: "All of it, for programs" },
  ],
  async run(input, ctx): Promise<CommandResult> {
    if (input.last !== undefined && input.after !== undefined) {
      throw new PryxError("usage", "--last and --after exclude each other", { fix: "Give one of them" });
    }
    const store = await ctx.store({ reading: true });
    const fits = (entry: AuditEntry) =>
      (input.kind === undefined || entry.kind === input.kind) &&
      (input.session === undefined || entry.data.session === input.session);
    const last = input.after === undefined ? input.last ?? 20 : Infinity;
    const filtered = input.kind !== undefined || input.session !== undefined;
    const source = store.auditEntries(
      input.after !== undefined ? { after: input.after } : filtered ? {} : { last },
    );
    const entries: AuditEntry[] = [];
    for (const entry of source) {
      if (!fits(entry)) continue;
      entries.push(entry);
      if (entries.length > last) entries.shift();
    }
    const lines = entries.map((entry) =>
      `${`#${entry.seq}`.padEnd(6)} ${localTime(entry.at, "second")}  ${entry.kind.padEnd(9)} ${
        oneLine(describe(entry), 200)
      }`
    );
    return {
      data: entries as unknown as Json,
      text: lines.length === 0 ? "No entries." : lines.join("\n"),
    };
  },
});

/**
 * What a person looks for: of a decision its verdict, tool and needs; of the rest `name=value`, plain values as they are,
 * others as JSON. Digests and ids of calls are for programs (--json).
 */
function describe({ kind, data }: AuditEntry): string {
  const { verdict, by, tool, needs, session } = data;
  if (kind === "decision" && typeof verdict === "string" && Array.isArray(needs)) {
    const targets = needs.map((need) => String(need).replace(new RegExp(`^${verdict} `, "u"), ""));
    const who = by === "policy" ? "" : ` by ${by}`;
    return `${verdict}${who} · ${tool} · ${targets.join(", ") || "needs nothing"} · session ${session}`;
  }
  return Object.entries(data).filter(([, value]) => value !== null && value !== undefined)
    .map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`).join(" ");
}

function seqOf(store: Store, hash: string): number | undefined {
  // The head of an empty log: before every entry.
  if (/^0+$/.test(hash)) return 0;
  for (const entry of store.auditEntries()) {
    if (entry.hash === hash) return entry.seq;
  }
  return undefined;
}

export const commands: readonly Command[] = [verify, show];
