import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { PryxError } from "../domain/error.ts";
import { inPlace, lstat, makeFile, openChecked, removeMade, temporaryBeside } from "./_file_checks.ts";
import type { FileAnswers } from "./_file_protocol.ts";
import { type Denials, isInside } from "./_paths.ts";

const MAX_ENTRIES = 500_000;
/** Shorter than what the host waits for a worker. */
const TIME_LIMIT_MS = 45_000;
/** Other calls to this worker get their turn this often, milliseconds. */
const YIELD_MS = 20;
const PIECE_BYTES = 1024 * 1024;

/** Makes a folder, with those above it. */
export function makeFolder(path: string): null {
  const existing = lstat(path);
  if (existing && !existing.isDirectory) {
    throw new PryxError("io", `Cannot make the folder ${path}: it is a file`);
  }
  Deno.mkdirSync(path, { recursive: true });
  refuseLinks(path);
  return null;
}

/** Removes a folder: an empty one, or with `all` that is in it, when nothing of that is denied. */
export async function removeFolder(path: string, which: "empty" | "all", denials: Denials): Promise<null> {
  if (which === "empty") {
    if (!Deno.readDirSync(path)[Symbol.iterator]().next().done) {
      throw new PryxError("io", `Cannot remove ${path}: the folder is not empty`);
    }
    Deno.removeSync(path);
    return null;
  }
  for (const { path: inside } of await below(path, "remove")) {
    refuseDenied(`Cannot remove ${path}`, inside, denials);
  }
  Deno.removeSync(path, { recursive: true });
  return null;
}

/**
 * Moves what stands at `from` (a link itself) to `to`, where nothing may be. Everything in a folder is looked at first, in
 * its old place and its new one. `elsewhere`: nothing was done, because `to` is on another file system.
 */
export async function moveEntry(from: string, to: string, denials: Denials): Promise<FileAnswers["move"]> {
  const info = Deno.lstatSync(from);
  const what = `Cannot move ${from}`;
  refuseOccupied(what, from, to);
  if (info.isDirectory) {
    for (const { path } of await below(from, "move")) refuseMoved(what, path, from, to, denials);
  }
  Deno.mkdirSync(dirname(to), { recursive: true });
  refuseLinks(dirname(to));
  refuseOccupied(what, from, to);
  try {
    Deno.renameSync(from, to);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EXDEV") return "elsewhere";
    throw error;
  }
  try {
    inPlace(to, info);
  } catch (error) {
    // A folder above was exchanged meanwhile: what came is not what was looked at.
    Deno.renameSync(to, from);
    throw error;
  }
  return null;
}

/**
 * Copies a file, or a folder with everything in it, to where nothing is; all of it appears at once. A folder with a link in
 * it, or with anything that is denied here or there, is not copied at all. `otherNames`: nothing was done, because of files
 * that go by several names and are not among those `checked` by the host.
 */
export async function copyEntry(
  from: string,
  to: string,
  { checked }: { readonly checked: readonly string[] },
  denials: Denials,
): Promise<FileAnswers["copy"]> {
  const what = `Cannot copy ${from}`;
  const root = Deno.lstatSync(from);
  refuseOccupied(what, from, to);
  const entries = root.isDirectory ? await below(from, "copy") : [];
  const known = new Set(checked);
  const otherNames: string[] = [];
  for (const { path, info } of [{ path: from, info: root }, ...entries]) {
    refuseMoved(what, path, from, to, denials);
    if (info.isSymlink) {
      throw new PryxError("io", `${what}: ${path} is a symbolic link`, {
        fix: "Copy it with a command: cp -a",
      });
    }
    if (!info.isDirectory && !info.isFile) {
      throw new PryxError("io", `${what}: ${path} is a device, a pipe or a socket, not a file`);
    }
    const file = `${info.dev}:${info.ino}`;
    if (info.isFile && (info.nlink ?? 1) > 1 && !known.has(file)) otherNames.push(file);
  }
  if (otherNames.length > 0) return { otherNames };
  Deno.mkdirSync(dirname(to), { recursive: true });
  const temporary = temporaryBeside(to);
  const turns = takeTurns(what);
  try {
    if (root.isDirectory) {
      Deno.mkdirSync(temporary);
      inPlace(temporary, Deno.lstatSync(temporary));
      for (const { path, info } of entries) {
        const target = temporary + path.slice(from.length);
        if (info.isDirectory) Deno.mkdirSync(target);
        else await copyFile(path, target, turns);
        await turns();
      }
      // Last, from the deepest up: a folder may be closed to its owner too.
      for (const { path, info } of [{ path: from, info: root }, ...entries].reverse()) {
        if (info.isDirectory) keepMode(temporary + path.slice(from.length), info);
      }
    } else await copyFile(from, temporary, turns);
    refuseOccupied(what, from, to);
    Deno.renameSync(temporary, to);
    return null;
  } catch (error) {
    if (lstat(temporary)?.isDirectory) Deno.removeSync(temporary, { recursive: true });
    else if (lstat(temporary)) removeMade(temporary);
    throw error;
  }
}

async function copyFile(from: string, to: string, turns: () => Promise<void> | undefined): Promise<void> {
  const { fd: source, info } = openChecked(from);
  try {
    const { fd: target, made } = makeFile(to, 0o600);
    try {
      const buffer = new Uint8Array(Math.min(PIECE_BYTES, Math.max(1, info.size)));
      for (;;) {
        const length = fs.readSync(source, buffer, 0, buffer.length, null);
        if (length === 0) break;
        for (let at = 0; at < length;) at += fs.writeSync(target, buffer, at, length - at, null);
        await turns();
      }
    } finally {
      fs.closeSync(target);
    }
    keepMode(to, info);
    inPlace(to, made);
  } finally {
    fs.closeSync(source);
  }
}

function keepMode(path: string, { mode }: Deno.FileInfo): void {
  if (mode !== null && Deno.build.os !== "windows") Deno.chmodSync(path, mode & 0o7777);
}

/** A folder above was exchanged for a link meanwhile. */
function refuseLinks(path: string): void {
  if (Deno.realPathSync(path) !== path) {
    throw new PryxError("conflict", `Cannot write ${path}: it was replaced meanwhile`);
  }
}

function refuseOccupied(what: string, from: string, to: string): void {
  if (isInside(to, from) && to !== from) throw new PryxError("io", `${what} to ${to}: that is inside of it`);
  if (lstat(to)) throw new PryxError("conflict", `${what} to ${to}: something is there already`);
}

function refuseMoved(what: string, path: string, from: string, to: string, denials: Denials): void {
  refuseDenied(what, path, denials);
  refuseDenied(`${what} to ${to}`, to + path.slice(from.length), denials);
}

/** Folders above were looked at before. */
function refuseDenied(what: string, path: string, denials: Denials): void {
  if (denials.matches(path)) throw new PryxError("denied", `${what}: policy denies ${path}`);
}

interface Entry {
  readonly path: string;
  readonly info: Deno.FileInfo;
}

/** Everything below a folder, each folder before what is in it. Links are not followed. */
async function below(root: string, verb: string): Promise<readonly Entry[]> {
  const turns = takeTurns(`Cannot ${verb} ${root}`);
  const entries: Entry[] = [];
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const { name } of Deno.readDirSync(folder)) {
      const path = join(folder, name);
      const info = Deno.lstatSync(path);
      if (entries.push({ path, info }) > MAX_ENTRIES) {
        throw new PryxError(
          "io",
          `Cannot ${verb} ${root}: more than ${MAX_ENTRIES} files and folders are in it`,
        );
      }
      if (info.isDirectory) folders.push(path);
      await turns();
    }
  }
  return entries;
}

/** Lets other calls have their turn, and throws when it has taken too long. */
function takeTurns(what: string): () => Promise<void> | undefined {
  const end = performance.now() + TIME_LIMIT_MS;
  let next = performance.now() + YIELD_MS;
  return () => {
    const now = performance.now();
    if (now < next) return;
    if (now > end) throw new PryxError("timeout", `${what}: it took more than ${TIME_LIMIT_MS / 1000} s`);
    return new Promise((resolve) =>
      setTimeout(() => {
        next = performance.now() + YIELD_MS;
        resolve();
      }, 0)
    );
  };
}
