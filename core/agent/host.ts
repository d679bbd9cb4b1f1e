import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { PryxError } from "../domain/error.ts";
import type { Need } from "../domain/need.ts";
import type { NeedContext } from "../tools/tool.ts";
import { askAboutClosedFiles } from "./closed_files.ts";
import { exists } from "./exists.ts";

/**
 * The absolute path after symlinks: of the file itself, or of its nearest existing ancestor plus the rest, for a file
 * that is still to be made. A link whose target is missing resolves to that target: writing through it would make it.
 */
function resolvePath(path: string, cwd: string, home: string): string {
  if (path.includes("\0")) throw new PryxError("input_invalid", "A path cannot hold a NUL character");
  if (path === "") throw new PryxError("input_invalid", "The path is empty");
  const expanded = path === "~" ? home : path.startsWith("~/") ? join(home, path.slice(2)) : path;
  return real(isAbsolute(expanded) ? resolve(expanded) : resolve(cwd, expanded), 0);
}

/** Synchronous: each command has several paths to look at, and a wait for each costs more than the look. */
function real(path: string, depth: number): string {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    const parent = dirname(path);
    if (parent === path || depth > 64) {
      throw new PryxError("io", `Cannot find where "${path}" leads: its links go round in circles`, {
        cause: error,
      });
    }
    const link = linkAt(path);
    return link === null
      ? join(real(parent, depth + 1), basename(path))
      : real(resolve(real(parent, depth + 1), link), depth + 1);
  }
}

function linkAt(path: string): string | null {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return null;
  }
}

/** The absolute path of the file that the shell would run for `name`, following no link; undefined when there is none. */
function findExecutable(name: string, cwd: string, searchPath: string): string | undefined {
  const candidates = name.includes("/")
    ? [resolve(cwd, name)]
    : searchPath.split(":").filter((folder) => folder !== "").map((folder) => resolve(cwd, folder, name));
  for (const candidate of candidates) {
    const info = lookAt(candidate);
    if (info?.isFile && ((info.mode ?? 0o111) & 0o111) !== 0) return candidate;
  }
  return undefined;
}

/** Synchronous: PATH has many folders, every command is looked for in them, and a wait for each costs more than the look. */
function lookAt(path: string): Deno.FileInfo | undefined {
  try {
    return exists(path) ? Deno.statSync(path) : undefined;
  } catch {
    return undefined;
  }
}

interface NeedContextOptions {
  readonly workspace: string;
  readonly home: string;
  /** PATH, as commands will see it. */
  readonly searchPath: string;
  /** The analysis of command lines (policy/shell_command.ts). */
  readonly shellNeeds: (command: string, cwd: string, host: ShellHost) => Promise<readonly Need[]>;
  /** True for secret files and pryx's own. */
  readonly isClosed: (path: string) => Promise<boolean>;
}

/** What the analysis of a command line may look up on this machine. */
export interface ShellHost {
  resolve(path: string): Promise<string>;
  findExecutable(name: string, cwd: string): Promise<string | undefined>;
  isWritable(path: string): boolean;
  /** The value that a variable has for commands, when that is known. */
  env?(name: string): string | undefined;
}

/** What tools may know before they are decided. Executables in the workspace or a temporary folder count as writable. */
export function createNeedContext(options: NeedContextOptions): NeedContext {
  const { workspace, home, searchPath } = options;
  const writable = [workspace, "/tmp", "/var/tmp", "/dev/shm"];
  const host: ShellHost = {
    // What is wrong with a path rejects.
    resolve: async (path) => await resolvePath(path, workspace, home),
    findExecutable: (name, cwd) => Promise.resolve(findExecutable(name, cwd, searchPath)),
    isWritable: (path) => writable.some((folder) => path === folder || path.startsWith(`${folder}/`)),
    env: (name) => name === "HOME" ? home : undefined,
  };
  return {
    cwd: workspace,
    home,
    resolve: host.resolve,
    async shellNeeds(command, cwd) {
      const needs = await options.shellNeeds(command, cwd, host);
      return await askAboutClosedFiles(
        needs,
        async (path) => await resolvePath(path, cwd, home),
        options.isClosed,
      );
    },
  };
}
