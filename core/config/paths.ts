import { posix, win32 } from "node:path";
import { PryxError } from "../domain/error.ts";
import type { Paths } from "./config.ts";

/** What decides where pryx's folders are. */
interface FindPathsOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: typeof Deno.build.os;
  /** The user's home folder, where the environment does not say. */
  readonly home?: string;
  /** For tests. On a real machine the managed folder is fixed: a user who could move it could leave it. */
  readonly managed?: string;
}

/**
 * Where pryx keeps its things: XDG places on Linux, the platforms' own on macOS and Windows, all below `$PRYX_HOME` when
 * that is set. Looks at nothing on disk. Throws `usage` when there is no home folder to start from.
 */
export function findPaths(options: FindPathsOptions): Paths {
  const { env, platform } = options;
  const path = platform === "windows" ? win32 : posix;
  const root = env.PRYX_HOME ? path.resolve(env.PRYX_HOME) : undefined;
  const home = homeFolder(options) ?? root;
  if (home === undefined) {
    throw new PryxError("usage", "Cannot find your home folder: the environment does not name one", {
      fix: platform === "windows" ? "Set USERPROFILE or PRYX_HOME" : "Set HOME or PRYX_HOME",
    });
  }
  const folders = root === undefined ? platformFolders(options, home) : {
    config: root,
    data: path.join(root, "data"),
    state: path.join(root, "state"),
    cache: path.join(root, "cache"),
  };
  return {
    home,
    ...folders,
    configFile: path.join(folders.config, "config.jsonc"),
    database: path.join(folders.data, "pryx.db"),
    managed: options.managed ?? (platform === "windows" ? "C:\\ProgramData\\pryx" : "/etc/pryx"),
  };
}

function homeFolder({ env, platform, home }: FindPathsOptions): string | undefined {
  const path = platform === "windows" ? win32 : posix;
  const named = (platform === "windows" ? env.USERPROFILE : env.HOME) || home;
  return named ? path.resolve(named) : undefined;
}

type Folders = Pick<Paths, "config" | "data" | "state" | "cache">;

function platformFolders({ env, platform }: FindPathsOptions, home: string): Folders {
  if (platform === "darwin") {
    const support = posix.join(home, "Library", "Application Support", "pryx");
    return {
      config: support,
      data: posix.join(support, "data"),
      state: posix.join(support, "state"),
      cache: posix.join(home, "Library", "Caches", "pryx"),
    };
  }
  if (platform === "windows") {
    const roaming = env.APPDATA || win32.join(home, "AppData", "Roaming");
    const local = win32.join(env.LOCALAPPDATA || win32.join(home, "AppData", "Local"), "pryx");
    return {
      config: win32.join(roaming, "pryx"),
      data: win32.join(local, "data"),
      state: win32.join(local, "state"),
      cache: win32.join(local, "cache"),
    };
  }
  const xdg = (name: string, ...otherwise: string[]) => {
    const value = env[name];
    // The XDG base directory specification: "If … a relative path … the path … should be ignored".
    return posix.join(value && posix.isAbsolute(value) ? value : posix.join(home, ...otherwise), "pryx");
  };
  return {
    config: xdg("XDG_CONFIG_HOME", ".config"),
    data: xdg("XDG_DATA_HOME", ".local", "share"),
    state: xdg("XDG_STATE_HOME", ".local", "state"),
    cache: xdg("XDG_CACHE_HOME", ".cache"),
  };
}
