import { delimiter, isAbsolute } from "node:path";
import { words } from "../domain/words.ts";
import { TOOLCHAIN_VARIABLES } from "./baseline.ts";

/** Names that children inherit. Everything else stays here: keys, tokens, loaders' and shells' hooks, sockets of agents. */
const INHERITED = new Set(words("PATH HOME USER LOGNAME LANG LANGUAGE TZ TMPDIR SHELL COLUMNS LINES"));
const INHERITED_PREFIX = /^(LC_|XDG_)/;
/** XDG_RUNTIME_DIR holds sockets (D-Bus and with it the keyring, Wayland, podman): a child has no business there. */
const WITHHELD = new Set(["XDG_RUNTIME_DIR"]);
/** Without these no Windows program starts. */
const WINDOWS = new Set(words(`
  SYSTEMROOT WINDIR COMSPEC PATHEXT TEMP TMP USERPROFILE APPDATA LOCALAPPDATA PROGRAMFILES
`));

/** Nobody sits at a child's terminal: no pager, no editor, no prompt for a password, no colours. */
const FIXED: Readonly<Record<string, string>> = {
  TERM: "dumb",
  NO_COLOR: "1",
  PAGER: "cat",
  GIT_PAGER: "cat",
  GH_PAGER: "cat",
  SYSTEMD_PAGER: "cat",
  GIT_EDITOR: "true",
  GIT_TERMINAL_PROMPT: "0",
  DEBIAN_FRONTEND: "noninteractive",
};

/** Where there is no network, package managers that try again and again would keep a command busy for minutes before they say so. */
export const OFFLINE: Readonly<Record<string, string>> = {
  npm_config_fetch_retries: "0",
  npm_config_update_notifier: "false",
  PIP_RETRIES: "0",
  PIP_DISABLE_PIP_VERSION_CHECK: "1",
  CARGO_NET_RETRY: "0",
};

/**
 * The environment of a child: an allowlist of `inherited`, what makes programs behave without a terminal, and what the
 * caller adds on purpose. Where a toolchain lives passes, as an absolute path: without it those that do not live below
 * home are not found (the official images of Rust and Go). PATH keeps its absolute folders only: an empty or relative one would run programs out of
 * whatever folder a command starts in.
 */
export function childEnvironment(
  inherited: Readonly<Record<string, string>>,
  added: Readonly<Record<string, string>> = {},
  home?: string,
): Record<string, string> {
  const windows = Deno.build.os === "windows";
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(inherited)) {
    const known = windows ? name.toUpperCase() : name;
    if (WITHHELD.has(known)) continue;
    if (known in TOOLCHAIN_VARIABLES && isAbsolute(value)) env[name] = value;
    if (INHERITED.has(known) || INHERITED_PREFIX.test(known) || (windows && WINDOWS.has(known))) {
      env[known === "PATH" ? "PATH" : name] = value;
    }
  }
  if (home !== undefined && env.HOME === undefined) env.HOME = home;
  const merged = { ...env, ...FIXED, ...added };
  const path = merged.PATH?.split(delimiter).filter((folder) => isAbsolute(folder)).join(delimiter);
  return { ...merged, PATH: path || (windows ? merged.PATH ?? "" : "/usr/local/bin:/usr/bin:/bin") };
}
