import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { PryxError } from "../domain/error.ts";

/** Absent on Windows, where they are zero. NONBLOCK: a pipe that takes a file's place must not hang the worker. */
const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;

export function isNotFolder(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOTDIR";
}

/** The path after symlinks; of a file that is not there yet, its nearest existing folder's and the rest. */
export function resolveTarget(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (lstat(path)?.isSymlink) {
    throw new PryxError("io", `Cannot write ${path}: it is a symbolic link to something that does not exist`);
  }
  const parent = dirname(path);
  if (parent === path) throw new PryxError("not_found", `Cannot write ${path}: it does not exist`);
  return join(resolveTarget(parent), basename(path));
}

export function lstat(path: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/**
 * Opens the very file that was checked: no link is followed at the last component, and afterwards the open file must
 * still be what stands at that path, with no link in any folder above it.
 */
export function openChecked(path: string): { fd: number; info: Deno.FileInfo } {
  const before = Deno.lstatSync(path);
  if (before.isDirectory) throw new PryxError("io", `Cannot read ${path}: it is a folder`);
  if (!before.isFile) {
    throw new PryxError("io", `Cannot read ${path}: it is a device, a pipe or a socket, not a file`);
  }
  const fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const opened = fs.fstatSync(fd);
    const after = Deno.lstatSync(path);
    const same = Deno.realPathSync(path) === path && opened.isFile() &&
      (after.ino === null || (opened.ino === after.ino && opened.dev === after.dev));
    if (!same) throw new PryxError("conflict", `Cannot read ${path}: it was replaced while it was opened`);
    return { fd, info: after };
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

/** Makes a file that was not there, in the very folder that `path` names. Nothing was written to it yet. */
export function makeFile(path: string, mode: number): { fd: number; made: Deno.FileInfo } {
  const fd = fs.openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  try {
    // Before a byte is in it: a folder that was exchanged for a link may have led it elsewhere.
    return { fd, made: inPlace(path, fs.fstatSync(fd)) };
  } catch (error) {
    fs.closeSync(fd);
    removeMade(path);
    throw error;
  }
}

/** A name beside `path` that nobody else can have chosen. */
export function temporaryBeside(path: string): string {
  return join(dirname(path), `.pryx-${crypto.randomUUID().slice(0, 13)}.tmp`);
}

/** That `path` is the very file `made`, with no link in any folder above it. */
export function inPlace(path: string, made: { ino: number | null; dev: number }): Deno.FileInfo {
  let found: Deno.FileInfo | undefined;
  try {
    const info = Deno.lstatSync(path);
    const same = info.ino === null
      ? Deno.realPathSync(path) === path
      : info.ino === made.ino && info.dev === made.dev;
    if (same && Deno.realPathSync(dirname(path)) === dirname(path)) found = info;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) && !isNotFolder(error)) throw error;
  }
  if (found) return found;
  throw new PryxError("conflict", `Cannot write ${dirname(path)}: it was replaced meanwhile`);
}

/** Removes a file whose name nobody else can have chosen. Where folders are exchanged all the time, it takes some tries. */
export function removeMade(path: string): void {
  for (let tries = 0; tries < 1_000; tries++) {
    try {
      Deno.removeSync(path);
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound) && !isNotFolder(error)) throw error;
    }
  }
}

/** A link fails where a rename would silently replace a file that appeared meanwhile. */
export function linkNew(temporary: string, path: string): void {
  try {
    Deno.linkSync(temporary, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new PryxError("conflict", `Cannot write ${path}: there is a file now`, {
        fix: "Read the file first, then retry",
      });
    }
    // File systems without hard links: the check before has to do.
    Deno.copyFileSync(temporary, path);
  }
}
