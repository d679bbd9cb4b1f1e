import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { PryxError } from "../domain/error.ts";
import type { SandboxGrants } from "../domain/policy.ts";
import { globFiles } from "./_file_glob.ts";
import { type FileAnswers, type FileRequest, MAX_FILE_BYTES } from "./_file_protocol.ts";
import { checkPath, type Denials } from "./_paths.ts";
import type { FileInfo, FolderEntry } from "./sandbox.ts";

const MAX_ENTRIES = 50_000;
/** Absent on Windows, where they are zero. NONBLOCK: a pipe that takes a file's place must not hang the worker. */
const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;

/** Does one request, within `grants`. Runs in the worker. Throws PryxError and the platform's errors. */
export function performFileRequest(
  request: FileRequest,
  grants: SandboxGrants,
  denials: Denials,
): FileAnswers[keyof FileAnswers] | Promise<FileAnswers[keyof FileAnswers]> {
  const readable = (path: string) => {
    const real = Deno.realPathSync(path);
    checkPath(real, "read", grants, denials);
    return real;
  };
  switch (request.op) {
    case "stat": {
      try {
        return infoOf(Deno.lstatSync(readable(request.path)));
      } catch (error) {
        if (error instanceof Deno.errors.NotFound || isNotFolder(error)) return null;
        throw error;
      }
    }
    case "read":
      return readFile(readable(request.path), request.maxBytes, request.offset);
    case "list":
      return listFolder(readable(request.path));
    case "glob":
      return globFiles(readable(request.path), request, (path) => !denials.matches(path));
    case "write": {
      const path = resolveTarget(request.path);
      checkPath(path, "write", grants, denials);
      return writeFile(path, request);
    }
    case "remove": {
      // The link itself goes, not what it points to.
      const path = join(Deno.realPathSync(dirname(request.path)), basename(request.path));
      checkPath(path, "write", grants, denials);
      if (Deno.lstatSync(path).isDirectory) {
        throw new PryxError("io", `Cannot remove ${path}: it is a folder`);
      }
      Deno.removeSync(path);
      return null;
    }
  }
}

function isNotFolder(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOTDIR";
}

function infoOf(info: Deno.FileInfo): FileInfo {
  return {
    kind: info.isFile ? "file" : info.isDirectory ? "folder" : "other",
    size: info.size,
    mode: info.mode === null ? 0o644 : info.mode & 0o7777,
    mtime: info.mtime?.getTime() ?? 0,
  };
}

/** The path after symlinks; of a file that is not there yet, its nearest existing folder's and the rest. */
function resolveTarget(path: string): string {
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

function lstat(path: string): Deno.FileInfo | null {
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
function openChecked(path: string): { fd: number; info: Deno.FileInfo } {
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

function readFile(path: string, maxBytes: number, offset: number): FileAnswers["read"] {
  const { fd, info } = openChecked(path);
  try {
    const limit = Math.min(maxBytes, MAX_FILE_BYTES);
    // Files of /proc say that they are empty: their size is no guide.
    const expected = info.size > 0
      ? Math.min(limit, Math.max(0, info.size - offset))
      : Math.min(limit, 65_536);
    let bytes = new Uint8Array(expected);
    let length = 0;
    for (;;) {
      if (length === bytes.length) {
        if (info.size > 0 || length >= limit) break;
        const larger = new Uint8Array(Math.min(limit, bytes.length * 2));
        larger.set(bytes);
        bytes = larger;
      }
      const n = fs.readSync(fd, bytes, length, bytes.length - length, info.size > 0 ? offset + length : null);
      if (n === 0) break;
      length += n;
    }
    const otherNames = (info.nlink ?? 1) > 1 ? { otherNames: `${info.dev}:${info.ino}` } : {};
    return {
      bytes: length === bytes.length ? bytes : bytes.slice(0, length),
      info: infoOf(info),
      ...otherNames,
    };
  } finally {
    fs.closeSync(fd);
  }
}

function listFolder(path: string): readonly FolderEntry[] {
  if (!Deno.lstatSync(path).isDirectory) {
    throw new PryxError("io", `Cannot list ${path}: it is not a folder`);
  }
  const entries: FolderEntry[] = [];
  for (const entry of Deno.readDirSync(path)) {
    if (entries.length >= MAX_ENTRIES) break;
    const kind = entry.isSymlink ? "link" : entry.isDirectory ? "folder" : entry.isFile ? "file" : "other";
    const size = kind === "file" ? lstat(join(path, entry.name))?.size ?? 0 : 0;
    entries.push({ name: entry.name, kind, size });
  }
  return entries;
}

async function writeFile(path: string, request: FileRequest & { op: "write" }): Promise<null> {
  const { bytes, expect } = request;
  if (bytes.length > MAX_FILE_BYTES) {
    throw new PryxError("io", `Cannot write ${path}: ${bytes.length} bytes are more than ${MAX_FILE_BYTES}`);
  }
  const existing = lstat(path);
  if (existing && !existing.isFile) {
    throw new PryxError(
      "io",
      `Cannot write ${path}: it is ${existing.isDirectory ? "a folder" : "not a file"}`,
    );
  }
  if (expect !== undefined) await expectContent(path, existing !== null, expect);
  const folder = dirname(path);
  Deno.mkdirSync(folder, { recursive: true });
  const random = crypto.randomUUID().slice(0, 13);
  const temporary = join(folder, `.pryx-${random}.tmp`);
  const fd = fs.openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666);
  let left = true;
  try {
    let made: Deno.FileInfo;
    try {
      // Before a byte is in it: a folder that was exchanged for a link may have led it elsewhere.
      made = inPlace(temporary, fs.fstatSync(fd));
      for (let at = 0; at < bytes.length;) at += fs.writeSync(fd, bytes, at, bytes.length - at, null);
    } finally {
      fs.closeSync(fd);
    }
    keepAttributes(temporary, existing, request.mode);
    inPlace(temporary, made);
    if (expect === null) linkNew(temporary, path);
    else {
      Deno.renameSync(temporary, path);
      left = false;
    }
    return null;
  } finally {
    if (left) removeMade(temporary);
  }
}

/** That `path` is the very file `made`, with no link in any folder above it. */
function inPlace(path: string, made: { ino: number | null; dev: number }): Deno.FileInfo {
  let found: Deno.FileInfo | undefined;
  try {
    const info = Deno.lstatSync(path);
    if (
      Deno.realPathSync(path) === path &&
      (info.ino === null || (info.ino === made.ino && info.dev === made.dev))
    ) {
      found = info;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) && !isNotFolder(error)) throw error;
  }
  if (found) return found;
  throw new PryxError("conflict", `Cannot write ${dirname(path)}: it was replaced meanwhile`);
}

/** Removes a file whose name nobody else can have chosen. Where folders are exchanged all the time, it takes some tries. */
function removeMade(path: string): void {
  for (let tries = 0; tries < 1_000; tries++) {
    try {
      Deno.removeSync(path);
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound) && !isNotFolder(error)) throw error;
    }
  }
}

async function expectContent(path: string, exists: boolean, expect: string | null): Promise<void> {
  const changed = (what: string) =>
    new PryxError("conflict", `Cannot write ${path}: ${what}`, { fix: "Read the file again, then retry" });
  if (expect === null) {
    if (exists) throw changed("there is a file now");
    return;
  }
  if (!exists) throw changed("the file is gone");
  const { bytes } = readFile(path, MAX_FILE_BYTES, 0);
  if (await sha256(bytes) !== expect) throw changed("the file has changed since it was read");
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return new Uint8Array(digest).toHex();
}

function keepAttributes(temporary: string, existing: Deno.FileInfo | null, mode: number | undefined): void {
  if (Deno.build.os === "windows") return;
  const wanted = mode ?? (existing?.mode === null ? undefined : existing?.mode);
  if (existing && existing.uid !== null && existing.gid !== null) {
    const created = Deno.lstatSync(temporary);
    if (created.uid !== existing.uid || created.gid !== existing.gid) {
      try {
        Deno.chownSync(temporary, existing.uid, existing.gid);
      } catch {
        // Only root may give files away: then the writer owns the new content, as after any editor's save.
      }
    }
  }
  if (wanted !== undefined) Deno.chmodSync(temporary, wanted & 0o7777);
}

/** A link fails where a rename would silently replace a file that appeared meanwhile. */
function linkNew(temporary: string, path: string): void {
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
