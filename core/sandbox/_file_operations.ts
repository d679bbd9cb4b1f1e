import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { PryxError } from "../domain/error.ts";
import type { SandboxGrants } from "../domain/policy.ts";
import {
  inPlace,
  isNotFolder,
  linkNew,
  lstat,
  makeFile,
  openChecked,
  removeMade,
  resolveTarget,
  temporaryBeside,
} from "./_file_checks.ts";
import { copyEntry, makeFolder, moveEntry, removeFolder } from "./_file_folders.ts";
import { globFiles, listBelow } from "./_file_glob.ts";
import { type FileAnswers, type FileRequest, MAX_FILE_BYTES } from "./_file_protocol.ts";
import { checkPath, type Denials } from "./_paths.ts";
import type { FileInfo, FolderEntry } from "./sandbox.ts";

const MAX_ENTRIES = 50_000;
/** Absent on Windows, where they are zero. NONBLOCK: a pipe that takes a file's place must not hang the worker. */
const { O_WRONLY, O_APPEND, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;

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
  const writable = (path: string) => {
    checkPath(path, "write", grants, denials);
    return path;
  };
  // A link itself, not what it points to.
  const entry = (path: string) => join(Deno.realPathSync(dirname(path)), basename(path));
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
    case "tree":
      return listBelow(readable(request.path), request, (path) => !denials.matches(path));
    case "write":
      return writeFile(writable(resolveTarget(request.path)), request);
    case "append":
      return appendFile(writable(resolveTarget(request.path)), request);
    case "mkdir":
      return makeFolder(writable(resolveTarget(request.path)));
    case "copy":
      return copyEntry(readable(request.path), writable(resolveTarget(request.to)), request, denials);
    case "move":
      return moveEntry(writable(entry(request.path)), writable(resolveTarget(request.to)), denials);
    case "remove": {
      const path = writable(entry(request.path));
      if (!Deno.lstatSync(path).isDirectory) Deno.removeSync(path);
      else if (request.folder === undefined) {
        throw new PryxError("io", `Cannot remove ${path}: it is a folder`);
      } else return removeFolder(path, request.folder, denials);
      return null;
    }
  }
}

function infoOf(info: Deno.FileInfo): FileInfo {
  return {
    kind: info.isFile ? "file" : info.isDirectory ? "folder" : "other",
    size: info.size,
    mode: info.mode === null ? 0o644 : info.mode & 0o7777,
    mtime: info.mtime?.getTime() ?? 0,
  };
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
  Deno.mkdirSync(dirname(path), { recursive: true });
  const temporary = temporaryBeside(path);
  const { fd, made } = makeFile(temporary, 0o666);
  let left = true;
  try {
    try {
      writeAll(fd, bytes);
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

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += fs.writeSync(fd, bytes, at, bytes.length - at, null);
}

/** In one piece at the end, whoever else adds to it. To a file with other names only when the host has looked at those. */
function appendFile(path: string, request: FileRequest & { op: "append" }): FileAnswers["append"] {
  const { bytes, checked } = request;
  let existing = lstat(path);
  if (existing === null) {
    Deno.mkdirSync(dirname(path), { recursive: true });
    const { fd } = makeFile(path, 0o666);
    fs.closeSync(fd);
    if (request.mode !== undefined && Deno.build.os !== "windows") {
      Deno.chmodSync(path, request.mode & 0o7777);
    }
    existing = Deno.lstatSync(path);
  }
  if (!existing.isFile) {
    throw new PryxError(
      "io",
      `Cannot write ${path}: it is ${existing.isDirectory ? "a folder" : "not a file"}`,
    );
  }
  const file = `${existing.dev}:${existing.ino}`;
  if ((existing.nlink ?? 1) > 1 && !checked.includes(file)) return { otherNames: [file] };
  const fd = fs.openSync(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK);
  try {
    // The very file that was looked at, before a byte goes to it.
    inPlace(path, fs.fstatSync(fd));
    inPlace(path, { ino: existing.ino, dev: existing.dev });
    writeAll(fd, bytes);
    return null;
  } finally {
    fs.closeSync(fd);
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
