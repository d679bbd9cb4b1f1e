/**
 * The only lists of built-in adapters. Each entry is loaded when it is first used; a new provider, tool, secret store
 * or command is its file, its test and one line here.
 */
import type { Command } from "./commands/command.ts";
import type { ProviderConfig } from "./config/config.ts";
import type { Provider } from "./providers/provider.ts";
import type { Tool } from "./tools/tool.ts";

export interface CommandEntry {
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
    summary: "Show, explain and test what is allowed",
    load: group(() => import("./commands/policy.ts")),
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
];

/** The agent's tools, in the order a model is told of them. */
export async function loadTools(): Promise<readonly Tool[]> {
  const modules = await Promise.all([
    import("./tools/read_file.ts").then((module) => module.readFile),
    import("./tools/list_dir.ts").then((module) => module.listDir),
    import("./tools/glob.ts").then((module) => module.glob),
    import("./tools/grep.ts").then((module) => module.grep),
    import("./tools/edit_file.ts").then((module) => module.editFile),
    import("./tools/write_file.ts").then((module) => module.writeFile),
    import("./tools/shell.ts").then((module) => module.shell),
    import("./tools/fetch.ts").then((module) => module.fetchTool),
    import("./tools/ask_user.ts").then((module) => module.askUser),
  ]);
  return modules;
}

/** A provider of the kind that its config names. */
export async function createProvider(
  config: ProviderConfig,
  key: () => Promise<string | undefined>,
): Promise<Provider> {
  const { createOpenAIProvider } = await import("./providers/openai.ts");
  return createOpenAIProvider(config, { key });
}
