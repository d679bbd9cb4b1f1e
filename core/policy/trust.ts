import { sha256 } from "@noble/hashes/sha2.js";
import { join, relative } from "node:path";
import { PryxError } from "../domain/error.ts";
import type { TrustState } from "./policy.ts";

/** Files of hooks, servers and automations' triggers below a `.pryx` folder. */
const PRYX_FILES = /^(?:hooks|mcp)\.jsonc?$/u;
/** Folders below the workspace whose files all count: a skill's scripts and a hook's as much as its description. */
const INSTRUCTION_FOLDERS = [".pryx/skills", ".agents/skills", ".pryx/hooks", ".pryx/automations"];
/** More files than this are not something a person reads before saying yes. */
const MAX_FILES = 2_000;
const MAX_FILE_BYTES = 16_000_000;

/**
 * The files of a workspace that would tell the agent what to do, absolute and sorted: the nearest AGENTS.md, or else
 * the nearest CLAUDE.md, from the workspace up to the root of its git repository (without one: in the workspace
 * alone), skills, hooks, and the files of hooks and servers in `.pryx`. Rejects with `io` when they cannot be listed.
 */
export async function findInstructions(workspace: string): Promise<string[]> {
  const files = new Set<string>();
  const context = await contextFile(await foldersUpward(workspace));
  if (context !== undefined) files.add(context);
  const seen = new Set<string>();
  for (const folder of INSTRUCTION_FOLDERS) await collect(join(workspace, folder), files, seen);
  for (const entry of await list(join(workspace, ".pryx"))) {
    if (PRYX_FILES.test(entry.name)) files.add(join(workspace, ".pryx", entry.name));
  }
  return [...files].sort();
}

/**
 * Whether a person trusts the instructions of a workspace. The hash covers the names and the exact bytes of all of
 * them, so any change asks again. `trustedHash` gives the hash that was trusted for a folder.
 */
export async function trustState(
  workspace: string,
  trustedHash: (folder: string) => string | undefined,
): Promise<TrustState> {
  const files = await findInstructions(workspace);
  const contents = new Map<string, Uint8Array>();
  for (const file of files) contents.set(relative(workspace, file), await read(file));
  const hash = hashInstructions(contents);
  return { folder: workspace, files, hash, trusted: trustedHash(workspace) === hash };
}

/** SHA-256 (hex) over names, lengths and bytes, in the order of names. Of nothing when there are no files. */
export function hashInstructions(contents: ReadonlyMap<string, Uint8Array>): string {
  const hash = sha256.create();
  const encoder = new TextEncoder();
  for (const name of [...contents.keys()].sort()) {
    const bytes = contents.get(name) ?? new Uint8Array();
    // Lengths first: no name and content can be cut another way to give the same stream.
    const named = encoder.encode(name);
    hash.update(encoder.encode(`${named.length} ${bytes.length}\n`)).update(named).update(bytes);
  }
  return hash.digest().toHex();
}

/** The workspace and the folders around it up to the root of its repository; the workspace alone outside of one. */
async function foldersUpward(workspace: string): Promise<string[]> {
  const folders: string[] = [];
  for (let folder = workspace;; folder = join(folder, "..")) {
    folders.push(folder);
    if (await exists(join(folder, ".git"))) return folders;
    if (join(folder, "..") === folder) return [workspace];
  }
}

async function contextFile(folders: readonly string[]): Promise<string | undefined> {
  for (const name of ["AGENTS.md", "CLAUDE.md"]) {
    for (const folder of folders) {
      const path = join(folder, name);
      if ((await stat(path))?.isFile) return path;
    }
  }
  return undefined;
}

async function collect(folder: string, files: Set<string>, seen: Set<string>): Promise<void> {
  const real = await Deno.realPath(folder).catch(() => undefined);
  // A link back to a folder above would never end.
  if (real === undefined || seen.has(real)) return;
  seen.add(real);
  for (const entry of await list(folder)) {
    const path = join(folder, entry.name);
    const info = entry.isSymlink ? await stat(path) : entry;
    if (info?.isDirectory) await collect(path, files, seen);
    else if (info?.isFile) files.add(path);
    if (files.size > MAX_FILES) {
      throw new PryxError(
        "io",
        `Cannot list the instructions in "${folder}": there are more than ${MAX_FILES} files`,
        {
          fix: "Keep only skills and hooks in these folders.",
        },
      );
    }
  }
}

async function list(folder: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    if (isAbsent(error)) return [];
    throw new PryxError("io", `Cannot list "${folder}"`, { cause: error });
  }
}

async function read(path: string): Promise<Uint8Array> {
  try {
    const { size } = await Deno.stat(path);
    if (size > MAX_FILE_BYTES) {
      throw new PryxError("io", `Cannot take "${path}" for instructions: it has ${size} bytes`, {
        fix: `Keep it below ${MAX_FILE_BYTES} bytes, or move it elsewhere.`,
      });
    }
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof PryxError) throw error;
    throw new PryxError("io", `Cannot read "${path}"`, { cause: error });
  }
}

async function stat(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw new PryxError("io", `Cannot look at "${path}"`, { cause: error });
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path) !== undefined;
}

function isAbsent(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}
