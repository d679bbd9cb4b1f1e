import { escapeForDisplay } from "../domain/display.ts";
import { PryxError } from "../domain/error.ts";
import type { Duration, Grant } from "../domain/policy.ts";
import type { Json } from "../domain/schema.ts";
import { localTime } from "./_session_text.ts";
import { type Command, type CommandContext, defineCommand } from "./command.ts";

const list = defineCommand({
  name: "grants list",
  summary: "Show what you have allowed beyond the rules",
  input: {
    type: "object",
    properties: {
      all: { type: "boolean", description: "Also those that were revoked, used up or have expired" },
    },
  },
  examples: [
    { line: "pryx grants list", note: "Grants that hold now" },
    { line: "pryx grants list --all", note: "Every grant there ever was" },
  ],
  async run(input, ctx) {
    const store = await ctx.store({ reading: true });
    const now = new Date().toISOString();
    const valid = store.grants({ now });
    const grants = input.all ? store.grants({ now, all: true }) : valid;
    const holding = new Set(valid.map((grant) => grant.id));
    const data = grants.map((grant) => ({ ...grant, valid: holding.has(grant.id) }));
    const text = grants.length === 0
      ? "No grants: everything is decided by the rules (pryx policy show)"
      : grants.map((grant) => describeGrant(grant, holding.has(grant.id))).join("\n");
    return { data: data as unknown as Json, text: escapeForDisplay(text) };
  },
});

function describeGrant(grant: Grant, valid: boolean): string {
  const where = grant.scope === "workspace"
    ? `in ${grant.workspace ?? "any workspace"}`
    : `on this ${grant.scope}`;
  const left = grant.usesLeft === undefined ? "" : `, ${grant.usesLeft} left`;
  // It holds for the text that was read when it was given, and for no later one.
  const whose = grant.automation === undefined
    ? []
    : [`for ${grant.automation}${grant.graph === undefined ? "" : ` as of ${grant.graph.slice(0, 8)}`}`];
  const details = [
    ...whose,
    where,
    durationText(grant.duration),
    `used ${grant.uses} time${grant.uses === 1 ? "" : "s"}${left}`,
    `by ${grant.by} at ${localTime(grant.createdAt)}`,
    ...(grant.untrusted ? ["under taint too"] : []),
    ...(grant.revokedAt === undefined
      ? valid ? [] : ["no longer valid"]
      : [`revoked at ${localTime(grant.revokedAt)}`]),
  ];
  return `${grant.id}  ${needsText(grant)}\n  ${details.join("; ")}`;
}

/** A command that is granted as it stands, and not as a beginning, has `=` before it: said in words here. */
function needsText({ needs }: Grant): string {
  return needs.map(({ kind, pattern }) =>
    kind === "run" && pattern.startsWith("=") ? `run=${pattern.slice(1)} (exactly)` : `${kind}=${pattern}`
  ).join(", ");
}

function durationText(duration: Duration): string {
  switch (duration.kind) {
    case "once":
      return "once";
    case "session":
      return "for its session";
    case "until":
      return `until ${localTime(duration.at)}`;
    case "forever":
      return "until revoked";
  }
}

const revoke = defineCommand({
  name: "grants revoke",
  summary: "Take grants back",
  description: "From then on the rules decide again. What was already done is not undone.",
  input: {
    type: "object",
    properties: {
      ids: {
        type: "array",
        items: { type: "string" },
        description: "Ids, or the end of one that no other has",
      },
      all: { type: "boolean", description: "Every grant that holds now" },
    },
  },
  positionals: ["ids"],
  examples: [
    { line: "pryx grants revoke 1k2m3n", note: "One grant, by the end of its id" },
    { line: "pryx grants revoke --all", note: "All of them" },
  ],
  async run(input, ctx) {
    const store = await ctx.store();
    const now = new Date().toISOString();
    const valid = store.grants({ now });
    const ids = input.ids ?? [];
    if (ids.length === 0 && !input.all) {
      throw new PryxError("usage", "Name the grants to revoke", {
        fix: "pryx grants list shows their ids; --all takes every one",
      });
    }
    // All are looked up before any is revoked: a wrong id changes nothing.
    const chosen = input.all ? valid : ids.map((id) => findGrant(id, valid));
    const revoked = [...new Set(chosen)].filter((grant) => revokeOne(grant, now, store, ctx));
    return {
      data: { revoked: revoked.map((grant) => grant.id) },
      text: revoked.length === 0 ? "There is nothing to revoke" : escapeForDisplay(
        revoked.map((grant) => `Revoked ${grant.id}  ${needsText(grant)}`)
          .join("\n"),
      ),
    };
  },
});

function revokeOne(
  grant: Grant,
  now: string,
  store: Awaited<ReturnType<CommandContext["store"]>>,
  ctx: CommandContext,
): boolean {
  if (!store.revokeGrant(grant.id, now)) return false;
  store.audit("revoke", { grant: grant.id, needs: grant.needs, by: `human:${ctx.surface.name}` });
  return true;
}

function findGrant(text: string, grants: readonly Grant[]): Grant {
  const exact = grants.find((grant) => grant.id === text);
  if (exact) return exact;
  const found = text === "" ? [] : grants.filter(({ id }) => id.startsWith(text) || id.endsWith(text));
  const [only] = found;
  if (only && found.length === 1) return only;
  throw new PryxError(
    "not_found",
    found.length === 0
      ? `There is no valid grant "${text}"`
      : `"${text}" is the beginning or end of ${found.length} grants: ${
        found.map(({ id }) => id).join(", ")
      }`,
    { fix: "see the ids with: pryx grants list" },
  );
}

export const commands: readonly Command[] = [list, revoke];
