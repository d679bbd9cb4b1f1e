import { basename, delimiter, dirname, isAbsolute, join, relative, sep } from "node:path";
import type { Baseline } from "../domain/envelope.ts";
import { words } from "../domain/words.ts";
import { entryAt, realPath } from "./_existing.ts";
import { isInside, outermost } from "./_paths.ts";

export interface BaselineOptions {
  readonly home: string;
  /** pryx's own environment: PATH, and where toolchains say they live. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders that no entry may hold: pryx's own. */
  readonly own: readonly string[];
  /** The private temporary folder of children; need not exist yet. */
  readonly temp: string;
}

/** A name that leads elsewhere, to be made again where the file system is put together anew. Both absolute. */
export interface NamedLink {
  readonly path: string;
  readonly target: string;
}

export interface BaselineFolders extends Baseline {
  readonly links: readonly NamedLink[];
}

/** The system: programs, libraries, settings. Nothing of a user, no sockets, no logs. */
const SYSTEM = words(`
  /usr /bin /sbin /lib /lib32 /lib64 /libx32 /opt /etc /nix /gnu /snap /sys /proc /run/current-system
  /run/systemd/resolve /run/resolvconf /run/NetworkManager/resolv.conf
  /run/NetworkManager/no-stub-resolv.conf /var/lib/dpkg /var/lib/alternatives
`);
const SYSTEM_MACOS = words(`
  /usr /bin /sbin /opt /etc /private/etc /System /Library /Applications/Xcode.app /nix
`);
/** Links of the system that programs name and that lie in no folder above. */
const SYSTEM_LINKS = ["/var/run", "/var/lock"];

/** Below home: what compilers, interpreters and package managers keep there. Credentials are files of their own, which rules close. */
const TOOLCHAINS = words(`
  .asdf .bun .cabal .cache/Cypress .cache/deno .cache/go-build .cache/ms-playwright .cache/node .cache/pip
  .cache/pnpm .cache/uv .cache/yarn .cargo .config/git .deno .dotnet .elan .fnm .ghcup .gitconfig .gradle
  .hex .ivy2/cache .jenv .juliaup .julia .local/bin .local/include .local/lib .local/share/fnm
  .local/share/mise .local/share/pipx .local/share/pnpm .local/share/uv .local/state/fnm_multishells
  .m2/repository .mix .nodenv .npm .nuget/packages .nvm .opam .phpenv .pixi .plenv .poetry .pub-cache .pyenv
  .rbenv .rustup .rvm .sdkman .stack .swiftly .volta .yarn .zig go/bin go/pkg sdk
`);

/** Variables that say where a toolchain lives; a child inherits them. `""`: the folder itself; else what is read below it. */
export const TOOLCHAIN_VARIABLES: Readonly<Record<string, readonly string[]>> = {
  ASDF_DATA_DIR: [""],
  ASDF_DIR: [""],
  BUN_INSTALL: [""],
  CARGO_HOME: [""],
  DENO_DIR: [""],
  FNM_DIR: [""],
  GOPATH: ["bin", "pkg"],
  GOROOT: [""],
  JAVA_HOME: [""],
  MISE_DATA_DIR: [""],
  NVM_DIR: [""],
  PNPM_HOME: [""],
  PYENV_ROOT: [""],
  RBENV_ROOT: [""],
  RUSTUP_HOME: [""],
  SDKMAN_DIR: [""],
  UV_PYTHON_INSTALL_DIR: [""],
  VIRTUAL_ENV: [""],
  VOLTA_HOME: [""],
};

/** What belongs to a folder of programs and lies beside it. */
const BESIDE_PROGRAMS = ["lib", "lib64", "libexec", "share", "include"];

/**
 * What every child may read and run. Existing folders only, after symlinks; never home as a whole, never a folder that
 * holds home or one of pryx's own. A PATH folder brings the `lib` and `share` beside it.
 */
export function findBaseline(options: BaselineOptions, os: string = Deno.build.os): BaselineFolders {
  const { home, env, own, temp } = options;
  const named = [
    ...os === "darwin" ? SYSTEM_MACOS : SYSTEM,
    ...TOOLCHAINS.map((path) => join(home, path)),
    ...(env.PATH ?? "").split(delimiter).filter((folder) => isAbsolute(folder)).flatMap(programFolders),
    ...Object.entries(TOOLCHAIN_VARIABLES).flatMap(([name, below]) => {
      const folder = env[name];
      return folder === undefined || !isAbsolute(folder) ? [] : below.map((path) => join(folder, path));
    }),
  ];
  const kept = [home, ...own].map((path) => realPath(path) ?? path);
  const read = new Set<string>();
  const links = new Map<string, string>();
  for (const path of named) {
    const real = realPath(path);
    if (real === undefined || real === sep || kept.some((one) => isInside(one, real))) continue;
    // Inside pryx's own folders nothing is a toolchain, but home is where toolchains live.
    if (own.some((one) => isInside(real, realPath(one) ?? one))) continue;
    read.add(real);
    for (const link of linksOn(path)) links.set(link.path, link.target);
  }
  for (const path of [...SYSTEM_LINKS, home]) {
    for (const link of linksOn(path)) links.set(link.path, link.target);
  }
  return {
    read: outermost([...read]),
    links: [...links].map(([path, target]) => ({ path, target })),
    temp,
  };
}

function programFolders(folder: string): string[] {
  const parent = dirname(folder);
  if (basename(folder) !== "bin" && basename(folder) !== "sbin") return [folder];
  return [folder, ...BESIDE_PROGRAMS.map((name) => join(parent, name))];
}

/** The symlinks that are passed on the way to `path`, each with the real place of its name. */
export function linksOn(path: string): NamedLink[] {
  const found: NamedLink[] = [];
  let at: string = sep;
  for (const name of relative(sep, path).split(sep)) {
    const here = join(at, name);
    const real = realPath(here);
    if (real === undefined) break;
    if (entryAt(here)?.isSymlink) found.push({ path: here, target: real });
    at = real;
  }
  return found;
}
