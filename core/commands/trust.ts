import { relative } from "node:path";
import { escapeForDisplay } from "../domain/display.ts";
import { PryxError } from "../domain/error.ts";
import type { Json } from "../domain/schema.ts";
import type { TrustState } from "../policy/policy.ts";
import { type Command, type CommandContext, type CommandResult, defineCommand } from "./command.ts";

const trust = defineCommand({
  name: "trust",
  summary: "Let this folder's instructions, skills and hooks take effect",
  description:
    "Instructions found in a folder (AGENTS.md, CLAUDE.md, skills, hooks) are inert until a person trusts them, by the hash of exactly these files. A change of any of them asks again. Trust never widens policy.",
  input: {
    type: "object",
    properties: {
      show: { type: "boolean", description: "Show what the files say, and change nothing" },
      trust: {
        type: "string",
        pattern: "^[0-9a-f]{64}$",
        patternName: "64 hexadecimal digits, in lower case",
        description: "Trust without asking, if the files have this hash (SHA-256); for CI",
      },
      remove: { type: "boolean", description: "Take trust back" },
    },
  },
  examples: [
    { line: "pryx trust --show", note: "Read what the folder would tell the agent" },
    { line: "pryx trust", note: "Show the files, then ask" },
    {
      line: "pryx trust --trust 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      note: "In CI, with the hash that was reviewed",
    },
    { line: "pryx trust --remove", note: "Make them inert again" },
  ],
  async run(input, ctx) {
    if (Number(input.show ?? false) + Number(input.trust !== undefined) + Number(input.remove ?? false) > 1) {
      throw new PryxError("usage", "--show, --trust and --remove exclude each other");
    }
    const state = await (await ctx.policy()).trust();
    if (input.remove) return await remove(state, ctx);
    if (input.show && state.files.length > 0) return await showFiles(state);
    if (state.files.length === 0) {
      return { data: data(state), text: `There are no instructions in ${state.folder}: nothing to trust` };
    }
    if (input.trust === undefined && state.trusted) {
      return { data: data(state), text: escapeForDisplay(`Already trusted\n${listing(state)}`) };
    }
    if (input.trust !== undefined) checkHash(input.trust, state);
    else if (!await ask(state, ctx)) {
      return { data: data(state), text: "Not trusted: the instructions stay inert" };
    }
    return await accept(state, ctx);
  },
});

function checkHash(wanted: string, state: TrustState): void {
  if (wanted === state.hash) return;
  throw new PryxError(
    "conflict",
    `The instructions in ${state.folder} have the hash ${state.hash}, not ${wanted}`,
    {
      fix: "review what changed with: pryx trust --show",
    },
  );
}

async function ask(state: TrustState, ctx: CommandContext): Promise<boolean> {
  if (!ctx.surface.attended) {
    throw new PryxError("usage", "Nobody is there to say whether to trust this folder", {
      fix: `review it with pryx trust --show, then: pryx trust --trust ${state.hash}`,
    });
  }
  ctx.surface.note(escapeForDisplay(listing(state)));
  return await ctx.surface.confirm(
    `Trust ${
      state.files.length === 1 ? "this file" : `these ${state.files.length} files`
    } to instruct the agent in ${escapeForDisplay(state.folder)}?`,
  );
}

async function accept(state: TrustState, ctx: CommandContext): Promise<CommandResult> {
  const store = await ctx.store();
  store.trust(state.folder, state.hash, new Date().toISOString());
  store.audit("trust", { folder: state.folder, hash: state.hash, by: `human:${ctx.surface.name}` });
  const trusted = { ...state, trusted: true };
  return { data: data(trusted), text: escapeForDisplay(`Trusted\n${listing(trusted)}`) };
}

async function remove(state: TrustState, ctx: CommandContext): Promise<CommandResult> {
  const store = await ctx.store();
  const removed = store.untrust(state.folder);
  if (removed) store.audit("trust", { folder: state.folder, hash: null, by: `human:${ctx.surface.name}` });
  return {
    data: { ...data({ ...state, trusted: false }), removed },
    text: escapeForDisplay(
      removed ? `No longer trusted: ${state.folder}` : `${state.folder} was not trusted`,
    ),
  };
}

async function showFiles(state: TrustState): Promise<CommandResult> {
  const parts: string[] = [];
  for (const file of state.files) {
    parts.push(
      `── ${nameOf(file, state)}`,
      new TextDecoder().decode(await Deno.readFile(file)).trimEnd(),
      "",
    );
  }
  return { data: data(state), text: escapeForDisplay([...parts, listing(state)].join("\n")) };
}

function listing(state: TrustState): string {
  return [
    ...state.files.map((file) => `  ${nameOf(file, state)}`),
    `hash    ${state.hash}`,
    `trusted ${state.trusted ? "yes" : "no"}`,
  ].join("\n");
}

function nameOf(file: string, state: TrustState): string {
  return relative(state.folder, file) || file;
}

function data(state: TrustState): { [key: string]: Json } {
  return { folder: state.folder, files: state.files, hash: state.hash, trusted: state.trusted };
}

export const commands: readonly Command[] = [trust];
