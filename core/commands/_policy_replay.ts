import { escapeForDisplay } from "../domain/display.ts";
import { parseDuration } from "../domain/duration.ts";
import { EXIT, PryxError, toPryxError } from "../domain/error.ts";
import type { Decision, Grant } from "../domain/policy.ts";
import type { Json } from "../domain/schema.ts";
import type { Policy } from "../policy/policy.ts";
import type { SessionRow, Store } from "../store/store.ts";
import { createDifferences, differenceLines, skippedLines } from "./_policy_differences.ts";
import { pickSession } from "./_pick_session.ts";
import { WHAT_IF, whatIf } from "./_policy_text.ts";
import { grantsThen, type RecordedDecision, recordedDecisions } from "./_recorded_decisions.ts";
import { count } from "./_session_text.ts";
import { type CommandContext, defineCommand } from "./command.ts";

/** Policies of other folders that are kept; each costs its settings and a few hundred compiled rules. */
const MAX_POLICIES = 32;
/** Decisions between two looks at whether to stop. */
const PAUSE_EVERY = 2_000;

/** `policy replay`: what a policy would have decided about work that was done. */
export const replayPolicy = defineCommand({
  name: "policy replay",
  summary: "Judge recorded sessions again, and show every decision that would differ",
  description:
    "Takes the decisions that policy made in past sessions (not what a person answered), with what the session had read from outside and the grants that were valid then, and judges them by the policy in force now in each session's folder, or by --policy FILE in place of your config file. Flags that a run was given (--allow, --preset) are not in force now; give them here too where they matter. Nothing is run and nothing changes. Exits 0 when no decision would differ, 1 when some would.",
  input: {
    type: "object",
    properties: {
      policy: { type: "string", description: "Config file to judge by, in place of your own" },
      session: {
        type: "array",
        items: { type: "string" },
        description: "Only this session; may be repeated. Default: all, of every folder",
      },
      since: { type: "string", description: "Only decisions of this last time: 12h, 7d" },
      ...WHAT_IF,
    },
  },
  complete: { policy: "files" },
  examples: [
    { line: "pryx policy replay", note: "Would today's policy have decided as it did then?" },
    { line: "pryx policy replay --policy new.jsonc --since 30d", note: "Before new rules are put in force" },
    { line: "pryx policy replay --session last --preset workspace", note: "One session, another preset" },
  ],
  async run(input, outer) {
    const ctx = whatIf(await withConfigFile(outer, input.policy), input);
    const store = await ctx.store({ reading: true });
    // A candidate that cannot be read is an error of this call, not of some session's folder.
    await ctx.config();
    const since = startOf(input.since);
    const sessions = chosenSessions(store, input.session, ctx.cwd, since);
    const ids = new Set(sessions.map(({ id }) => id));
    const grants = store.grants({ now: new Date().toISOString(), all: true });
    const policyIn = policiesOf(ctx);
    const differences = createDifferences();
    const skipped: { session: string; workspace: string; because: string }[] = [];
    let decisions = 0;
    let judged = 0;
    for (const session of sessions) {
      const found = await policyIn(session.workspace);
      if ("because" in found) {
        skipped.push({ session: session.id, workspace: session.workspace, because: found.because });
        continue;
      }
      const before = decisions;
      const parentIsRead = session.parent !== null && ids.has(session.parent);
      for (const decision of recordedDecisions(store, session, { ...(since && { since }), parentIsRead })) {
        if (++decisions % PAUSE_EVERY === 0) await pause(ctx.signal);
        differences.add(session, decision, judgeAgain(found.policy, grants, session, decision));
      }
      if (decisions > before) judged++;
      ctx.signal.throwIfAborted();
    }
    const all = differences.all();
    const differ = all.reduce((sum, { seqs }) => sum + seqs.length, 0);
    const total = `${count(decisions, "decision")} in ${count(judged, "session")}: ${
      differ === 0 ? "none" : differ.toLocaleString("en-US")
    } would differ`;
    const text = [...differenceLines(all), ...skippedLines(skipped), total].join("\n");
    return {
      data: { decisions, sessions: judged, differ, differences: all, skipped } as unknown as Json,
      text: escapeForDisplay(text),
      exitCode: differ > 0 ? EXIT.error : EXIT.done,
    };
  },
});

async function withConfigFile(ctx: CommandContext, file: string | undefined): Promise<CommandContext> {
  if (file === undefined) return ctx;
  const { resolve } = await import("node:path");
  const path = resolve(ctx.cwd, file);
  const info = await Deno.stat(path).catch(() => undefined);
  if (!info?.isFile) {
    throw new PryxError("usage", `There is no file ${path} to judge by`, {
      fix: "name a config file: it has the shape of the one that pryx config path names",
    });
  }
  return ctx.with({ configFile: path });
}

function startOf(since: string | undefined): string | undefined {
  if (since === undefined) return undefined;
  const ms = parseDuration(since);
  if (ms === undefined) {
    throw new PryxError("usage", `--since: "${since}" is not a duration`, {
      fix: "write one such as 12h or 7d",
    });
  }
  return new Date(Date.now() - ms).toISOString();
}

/** Oldest first. */
function chosenSessions(
  store: Store,
  named: readonly string[] | undefined,
  cwd: string,
  since: string | undefined,
): SessionRow[] {
  const rows = named === undefined
    ? store.sessions()
    : [...new Map(named.map((text) => pickSession(store, text, cwd)).map((row) => [row.id, row])).values()];
  return rows.filter(({ updatedAt }) => since === undefined || updatedAt >= since)
    .sort((a, b) => compareText(a.createdAt, b.createdAt) || compareText(a.id, b.id));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

type Found = { readonly policy: Policy } | { readonly because: string };

/** The policy in force in a folder, or why there is none. Each is made once while it is among the last few. */
function policiesOf(ctx: CommandContext): (workspace: string) => Promise<Found> {
  const known = new Map<string, Promise<Found>>();
  const open = async (workspace: string): Promise<Found> => {
    try {
      return { policy: (await (workspace === ctx.cwd ? ctx : ctx.with({ cwd: workspace })).policy()).policy };
    } catch (error) {
      const { code, message } = toPryxError(error);
      // The folder has gone, or its own settings are wrong now.
      if (code !== "usage" && code !== "config_invalid") throw error;
      return { because: message };
    }
  };
  return (workspace) => {
    const found = known.get(workspace) ?? open(workspace);
    known.delete(workspace);
    known.set(workspace, found);
    for (const [oldest] of known) {
      if (known.size <= MAX_POLICIES) break;
      known.delete(oldest);
    }
    return found;
  };
}

function judgeAgain(
  policy: Policy,
  grants: readonly Grant[],
  session: SessionRow,
  decision: RecordedDecision,
): Decision {
  return policy.evaluate(decision.judgements.map(({ need }) => need), {
    origin: decision.origin,
    taint: decision.taint,
    grants: grantsThen(grants, session, decision),
  });
}

/** Lets an interrupt through. */
async function pause(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  signal.throwIfAborted();
}
