/**
 * Needs: the one currency of power. A tool call, a shell command, an automation and an MCP call all state needs, one
 * engine judges them, and what it grants is what the sandbox permits.
 */
export const NEED_KINDS = ["read", "write", "net", "run", "env", "use"] as const;
export type NeedKind = typeof NEED_KINDS[number];

/**
 * One thing that an action wants to do. `target` by kind:
 * - `read`, `write`: an absolute path after symlinks were resolved (of its nearest existing ancestor, for a new file)
 * - `net`: `host`, `host:port` (host in lower case, no trailing dot); `*`: some public host that is not known before;
 *   `**`: the whole network, this machine's own services included; `unix`: sockets of this machine (docker, D-Bus, ssh-agent)
 * - `run`: the command line as a user would write it, `git log --oneline`
 * - `env`: the name of a variable
 * - `use`: `agent`, `mcp/SERVER/TOOL`, `channel/NAME`, `secret/NAME`
 */
export interface Need {
  readonly kind: NeedKind;
  readonly target: string;
  /** `run` only: the words after expansion, argv[0] as written. */
  readonly argv?: readonly string[];
  /** `run` only: the absolute path of the executable, when it was found. */
  readonly executable?: string;
  /** `run` only: the executable stands in a folder that the session may write to; bare-name rules do not match it. */
  readonly inWritableFolder?: boolean;
  /**
   * `run` only: it starts another command and changes nothing about what that does (`timeout 5 npm test`); the other's
   * need stands beside it. Allowed unless a rule speaks of it.
   */
  readonly wrapper?: boolean;
  /**
   * `read` only: the shell changes to that folder, which shows nothing of what is in it. Allowed unless a rule speaks of
   * it, and opens nothing: what is read there is a matter of its own.
   */
  readonly enter?: boolean;
  /** Why the target cannot be known before it runs. Such a need is never allowed by a pattern, only by a person or by `dangerously-full`. */
  readonly opaque?: string;
  /**
   * Not wanted, but within reach: why the sandbox of this machine cannot keep it from the command. A denial of such a
   * need asks instead: nothing was tried yet, and a person may accept it.
   */
  readonly reach?: string;
}

/** Reads `kind=target` as typed after `--allow` and `--deny`. Returns what is wrong, as text, when it is not one. */
export function parseNeed(text: string): Need | string {
  const at = text.indexOf("=");
  const kind = at < 0 ? text : text.slice(0, at);
  if (!(NEED_KINDS as readonly string[]).includes(kind)) {
    return `"${text}" is not kind=target: the kind is one of ${NEED_KINDS.join(", ")}`;
  }
  const target = at < 0 ? "" : text.slice(at + 1).trim();
  if (target === "") return `"${text}" names no target: write ${kind}=TARGET`;
  return { kind: kind as NeedKind, target };
}

/** `kind=target`, the form that `--allow` takes. */
export function formatNeed(need: Pick<Need, "kind" | "target">): string {
  return `${need.kind}=${need.target}`;
}

/** `host:port`, as the target of `net`: with brackets around IPv6. */
export function formatPlace(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
