import {
  API_VERSION,
  type CapabilityChange,
  type LinkedGraph,
  type LockEntry,
  type Permissions,
} from "../domain/automation.ts";
import { escapeForDisplay } from "../domain/display.ts";
import { NEED_KINDS, type NeedKind } from "../domain/need.ts";
import { words } from "../domain/words.ts";

/** How an automation stands to what was locked of it. What it may do weighs most, then the API, then its code. */
export type LockState =
  | { readonly kind: "same" }
  | { readonly kind: "new" }
  | { readonly kind: "capabilities"; readonly changes: readonly CapabilityChange[] }
  /** Locked with another version of the API. */
  | { readonly kind: "api"; readonly locked: number; readonly now: number }
  /** Its text, or that of something it imports, is another. Hashes of the graph. */
  | { readonly kind: "code"; readonly locked: string; readonly now: string };

/** Compares a graph with its entry in the lock; undefined where it has none. */
export function lockState(graph: LinkedGraph, entry: LockEntry | undefined): LockState {
  if (entry === undefined) return { kind: "new" };
  const changes = diffPermissions(entry.permissions, graph.permissions);
  if (changes.length > 0) return { kind: "capabilities", changes };
  if (entry.api !== API_VERSION) return { kind: "api", locked: entry.api, now: API_VERSION };
  if (entry.graph !== graph.hash) return { kind: "code", locked: entry.graph, now: graph.hash };
  return { kind: "same" };
}

/** What was added, then what was removed, by kind. Patterns are compared as written. */
export function diffPermissions(
  before: Permissions | undefined,
  after: Permissions | undefined,
): CapabilityChange[] {
  return [...missing(before, after, "added"), ...missing(after, before, "removed")];
}

function missing(
  from: Permissions = {},
  to: Permissions = {},
  change: CapabilityChange["change"],
): CapabilityChange[] {
  return NEED_KINDS.flatMap((kind) => {
    const known = new Set(from[kind]);
    const others = [...new Set(to[kind])].filter((pattern) => !known.has(pattern)).sort();
    return others.map((pattern) => ({ change, kind, pattern }));
  });
}

/** A line for each change, as a reviewer would say it: ``job.pryx.ts may now run any `git push …` ``. */
export function describeChanges(changes: readonly CapabilityChange[], file: string): string[] {
  return changes.map(({ change, kind, pattern }) => {
    const what = describePermission(kind, pattern);
    const name = escapeForDisplay(file);
    if (change === "removed") return `${name} may no longer ${what}`;
    const broad = broadReason(kind, pattern);
    return `${name} may now ${what}${broad === undefined ? "" : ` (broad: ${broad})`}`;
  });
}

/** What a line of a manifest allows, in words that follow "may": `read src/**`, `reach api.example.org`. */
export function describePermission(kind: NeedKind, pattern: string): string {
  const shown = escapeForDisplay(pattern);
  switch (kind) {
    case "read":
    case "write":
      return isWholeProject(pattern) ? `${kind} every file of the project` : `${kind} ${shown}`;
    case "run":
      return describeRun(shown);
    case "net":
      return describeNet(shown);
    case "env":
      return pattern === "*" ? "read every environment variable" : `read the environment variable ${shown}`;
    case "use":
      return describeUse(shown);
  }
}

function describeRun(pattern: string): string {
  if (pattern === "*" || pattern === "**") return "run any command";
  if (pattern.startsWith("=")) return `run exactly \`${pattern.slice(1).trim()}\``;
  return `run any \`${pattern} …\``;
}

function describeNet(pattern: string): string {
  if (pattern === "*") return "reach any public host";
  if (pattern === "**") return "reach the whole network, this machine's own services included";
  if (pattern === "unix") return "reach sockets of this machine: docker, D-Bus, ssh-agent";
  return pattern.startsWith("*.") ? `reach any host below ${pattern.slice(2)}` : `reach ${pattern}`;
}

function describeUse(pattern: string): string {
  const [what, name, tool] = pattern.split("/");
  if (pattern === "agent") return "ask the agent";
  if (what === "secret" && name) return `send the secret ${name}`;
  if (what === "channel" && name) return `write to the channel ${name}`;
  if (what === "mcp" && name) {
    return tool === undefined || tool === "*"
      ? `call every tool of the MCP server ${name}`
      : `call ${tool} of the MCP server ${name}`;
  }
  return pattern === "*" ? "use everything: the agent, secrets, servers, channels" : `use ${pattern}`;
}

const INTERPRETERS = new Set(words(`
  sh bash zsh dash ksh fish pwsh powershell cmd env xargs sudo doas su ssh eval exec nohup time timeout
  python python2 python3 node deno bun ruby perl php lua osascript awk docker podman make npx pnpx bunx uvx
`));

/** Why a line of a manifest allows more than it seems to; undefined when it does not. */
export function broadReason(kind: NeedKind, pattern: string): string | undefined {
  switch (kind) {
    case "run": {
      const command = pattern.replace(/^=/u, "").trim();
      if (/^\*+(?:\s|$)/u.test(command)) return "it can do whatever you can";
      const name = command.split("/").at(-1) ?? "";
      return !pattern.startsWith("=") && INTERPRETERS.has(name)
        ? "that runs whatever it is told to"
        : undefined;
    }
    case "net":
      return pattern === "*" || pattern === "**" || pattern === "unix" || /^\*\.[^.]+$/u.test(pattern)
        ? "what it reads can be sent anywhere"
        : undefined;
    case "write":
      if (isWholeProject(pattern)) return "its own code and that of others too";
      return isHome(pattern) ? "far beyond the project" : undefined;
    case "read":
      return isHome(pattern) ? "far beyond the project" : undefined;
    case "env":
      return pattern === "*" ? "keys and tokens are kept there" : undefined;
    case "use":
      return /^(?:\*|secret\/\*)/u.test(pattern) ? "secrets that do not exist yet too" : undefined;
  }
}

function isWholeProject(pattern: string): boolean {
  return /^(?:\.\/?|(?:\.\/)?\*\*(?:\/\*)?)$/u.test(pattern);
}

const WIDE_FOLDERS = new Set(words("~ $HOME /home /Users /root /etc /var /opt /usr"));

/** A home folder, all of them, the whole disk, or what is around the project; not a named file or folder in one of them. */
function isHome(pattern: string): boolean {
  const folder = pattern.replace(/(?:\/\*{1,2})+$/u, "").replace(/\/$/u, "");
  if (folder === "") return pattern.startsWith("/");
  return WIDE_FOLDERS.has(folder) || /^\/(?:home|Users)\/[^/]+$/u.test(folder) ||
    /^\.\.(?:\/\.\.)*$/u.test(folder);
}

/** How an automation differs from what was locked of it, a line each, as a reviewer says it. Empty when it does not. */
export function describeDrift(graph: LinkedGraph, entry: LockEntry | undefined): string[] {
  const state = lockState(graph, entry);
  const name = escapeForDisplay(graph.entry);
  switch (state.kind) {
    case "same":
      return [];
    case "new":
      return [
        `${name} is not locked yet`,
        ...describeChanges(diffPermissions(undefined, graph.permissions), graph.entry),
      ];
    case "capabilities":
      return describeChanges(state.changes, graph.entry);
    case "api":
      return [`${name} was locked for version ${state.locked} of the API; this is version ${state.now}`];
    case "code":
      return [`the code of ${name}, or of a file that it imports, has changed; what it may do has not`];
  }
}
