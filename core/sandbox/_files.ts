import { dirname, normalize } from "node:path";
import { PryxError } from "../domain/error.ts";
import type { SandboxGrants } from "../domain/policy.ts";
import type { ClosedPaths } from "./_closed_paths.ts";
import type { FilePool, WorkerScope } from "./_file_pool.ts";
import { type Access, checkPath, compileDenials, type CompileGlobs, type Denials } from "./_paths.ts";
import { isGlob, isInside, outermost } from "./_paths.ts";
import type { FileAnswers, FileRequest } from "./_file_protocol.ts";
import type { Files } from "./sandbox.ts";

export interface FilesOptions {
  readonly home: string;
  /** Folders whose contents share one worker (the workspace): grants inside one are widened to it, for Deno's part only. */
  readonly scopes: readonly string[];
  /** Looks through folders for denied files, when a file with several names is read. */
  closedPaths(): Promise<ClosedPaths>;
}

/** Files within `grants`: each call is checked here, and again in the worker after symlinks were resolved. */
export function createFiles(pool: FilePool, grants: SandboxGrants, options: FilesOptions): Files {
  let compiled: Promise<Denials> | undefined;
  const denials = () => compiled ??= loadDenials(grants.denied);

  async function call<R extends FileRequest>(access: Access, request: R) {
    const path = absolute(request.path);
    checkPath(path, access, grants, await denials());
    return await pool.call(workerScope(grants, options, request.op, path), { ...request, path }, grants);
  }

  /** The same for what has a second place, which is written. */
  async function callBoth<R extends FileRequest & { readonly to: string }>(access: Access, request: R) {
    const to = absolute(request.to);
    checkPath(to, "write", grants, await denials());
    return await call(access, { ...request, to });
  }

  /** Does it, and once more when files in it have other names, none of them denied. */
  async function callChecked(
    what: string,
    send: (checked: readonly string[]) => Promise<FileAnswers["copy"]>,
  ): Promise<void> {
    const unsure = await send([]);
    if (unsure === null) return;
    const closed = await closedFiles();
    if (unsure.otherNames.some((file) => closed.has(file))) throw otherName(what);
    if (await send(unsure.otherNames) !== null) {
      throw new PryxError("conflict", `${what}: it was replaced meanwhile`);
    }
  }

  /** Device and inode of the files that stand under a denied name and under another one. */
  async function closedFiles(): Promise<ReadonlySet<string>> {
    const { covers } = await denials();
    const [{ namesOf }, closedPaths] = await Promise.all([
      import("./_closed_paths.ts"),
      options.closedPaths(),
    ]);
    const { closed } = await closedPaths.find({
      key: JSON.stringify(grants),
      read: [...grants.read, ...grants.write],
      write: [],
      access: (path) => covers(path) ? "none" : "read",
      closed: [],
      network: "none",
      unixSockets: false,
    }, []);
    return new Set(closed.flatMap((one) => one.kind === "file" ? namesOf(one.path)?.file ?? [] : []));
  }

  const copy = (from: string, to: string) =>
    callChecked(
      `Cannot copy ${from}`,
      (checked) => callBoth("read", { op: "copy", path: from, to, checked }),
    );

  return {
    denied: grants.denied,
    async mayRead(path) {
      try {
        checkPath(absolute(path), "read", grants, await denials());
        return true;
      } catch {
        return false;
      }
    },
    stat: (path) => call("read", { op: "stat", path }),
    async read(path, { maxBytes, offset = 0 }) {
      const { otherNames, ...found } = await call("read", { op: "read", path, maxBytes, offset });
      if (otherNames !== undefined && (await closedFiles()).has(otherNames)) {
        throw otherName(`Cannot read ${path}`);
      }
      return found;
    },
    async write(path, bytes, { mode, expect } = {}) {
      await call("write", { op: "write", path, bytes, mode, expect });
    },
    append: (path, bytes, { mode } = {}) =>
      callChecked(
        `Cannot write ${path}`,
        (checked) => call("write", { op: "append", path, bytes, mode, checked }),
      ),
    async mkdir(path) {
      await call("write", { op: "mkdir", path });
    },
    copy,
    async move(from, to) {
      if (await callBoth("write", { op: "move", path: from, to }) === null) return;
      await copy(from, to);
      await call("write", { op: "remove", path: from, folder: "all" });
    },
    async remove(path, { folder } = {}) {
      await call("write", { op: "remove", path, folder });
    },
    tree: (path, limit) => call("read", { op: "tree", path, limit }),
    list: (path) => call("read", { op: "list", path }),
    glob: (path, pattern, limit) => call("read", { op: "glob", path, pattern, limit }),
  } satisfies Files;
}

function otherName(what: string): PryxError {
  return new PryxError(
    "denied",
    `${what}: it is another name (a hard link) of a file that policy denies, or holds one`,
  );
}

async function loadDenials(denied: readonly string[]): Promise<Denials> {
  if (!denied.some(isGlob)) return compileDenials(denied, undefined);
  const { default: picomatch } = await import("picomatch");
  return compileDenials(denied, picomatch as unknown as CompileGlobs);
}

function absolute(path: string): string {
  if (path.includes("\0")) throw new PryxError("input_invalid", "A path must not contain a NUL character");
  const clean = normalize(path);
  if (!/^([/\\]|[A-Za-z]:[/\\])/.test(clean)) {
    throw new PryxError("input_invalid", `The path ${path} is not absolute`);
  }
  return clean.length > 1 ? clean.replace(/[/\\]$/, "") : clean;
}

function workerScope(
  grants: SandboxGrants,
  options: FilesOptions,
  op: FileRequest["op"],
  path: string,
): WorkerScope {
  const roots = grants.write.map((root) => writeScope(root, options));
  // What goes from a folder changes that folder.
  const write = outermost(op === "remove" || op === "move" ? [...roots, dirname(path)] : roots);
  const read = outermost(grants.read.map((root) => readScope(root, options)))
    .filter((root) => !write.some((outer) => isInside(root, outer)));
  return { read, write };
}

function sharedScope(root: string, { scopes }: FilesOptions): string | undefined {
  return scopes.find((scope) => isInside(root, scope));
}

/** A file outside the shared scopes is read from its folder's scope, unless that folder holds a home. */
function readScope(root: string, options: FilesOptions): string {
  const shared = sharedScope(root, options);
  if (shared !== undefined) return shared;
  const folder = dirname(root);
  return kindAt(root) === "file" && !isInside(options.home, folder) ? folder : root;
}

/** Writing needs the folder: the new content is made beside the file. A new folder needs the nearest that exists. */
function writeScope(root: string, options: FilesOptions): string {
  const shared = sharedScope(root, options);
  if (shared !== undefined) return shared;
  let at = root;
  while (kindAt(at) !== "folder" && dirname(at) !== at) at = dirname(at);
  return at;
}

function kindAt(path: string): "file" | "folder" | undefined {
  try {
    return Deno.statSync(path).isDirectory ? "folder" : "file";
  } catch {
    return undefined;
  }
}
