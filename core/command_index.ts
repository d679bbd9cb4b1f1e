/**
 * The list of commands. Each is loaded when its word is typed; a new command is its file, its test and one line here.
 */
import type { Command } from "./commands/command.ts";

/** One first word of the command line, with the module behind it. */
interface CommandEntry {
  /** First word of the command. */
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<readonly Command[]>;
}

const group = (load: () => Promise<{ commands: readonly Command[] }>) => async () => (await load()).commands;

/** By first word, in the order that help shows. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "run",
    summary: "Give the agent one job, and print its answer",
    load: group(() => import("./commands/run.ts")),
  },
  {
    name: "eval",
    summary: "Evaluate TypeScript with the automation API",
    load: group(() => import("./commands/eval.ts")),
  },
  {
    name: "check",
    summary: "Check automations: types, imports, permissions, and pryx.lock",
    load: group(() => import("./commands/check.ts")),
  },
  {
    name: "test",
    summary: "Run tests of automations, and replay their recordings",
    load: group(() => import("./commands/test.ts")),
  },
  {
    name: "init",
    summary: "Set a project up for automations and editors",
    load: group(() => import("./commands/init.ts")),
  },
  {
    name: "types",
    summary: "Print the declarations of the automation API",
    load: group(() => import("./commands/types.ts")),
  },
  {
    name: "tour",
    summary: "See pryx at work, without a key or a network",
    load: group(() => import("./commands/tour.ts")),
  },
  { name: "why", summary: "Explain the last failure", load: group(() => import("./commands/why.ts")) },
  {
    name: "sessions",
    summary: "Look at, go on with, search, undo and export past work",
    load: group(() => import("./commands/sessions.ts")),
  },
  {
    name: "policy",
    summary: "Show, explain, test and replay what is allowed",
    load: group(() => import("./commands/policy.ts")),
  },
  {
    name: "sandbox",
    summary: "Run any command confined, without an agent",
    load: group(() => import("./commands/sandbox.ts")),
  },
  {
    name: "grants",
    summary: "List and revoke what you have allowed",
    load: group(() => import("./commands/grants.ts")),
  },
  {
    name: "trust",
    summary: "Trust this folder's instructions",
    load: group(() => import("./commands/trust.ts")),
  },
  {
    name: "secrets",
    summary: "Keep API keys, without ever showing them",
    load: group(() => import("./commands/secrets.ts")),
  },
  {
    name: "tools",
    summary: "List the agent's tools, or call one",
    load: group(() => import("./commands/tools.ts")),
  },
  { name: "models", summary: "List providers and models", load: group(() => import("./commands/models.ts")) },
  { name: "config", summary: "Read and change settings", load: group(() => import("./commands/config.ts")) },
  {
    name: "audit",
    summary: "Verify and show the audit log",
    load: group(() => import("./commands/audit.ts")),
  },
  {
    name: "doctor",
    summary: "Check that pryx can work here, and how well it is confined",
    load: group(() => import("./commands/doctor.ts")),
  },
];
