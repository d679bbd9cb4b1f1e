/**
 * Runs in a Deno worker whose permissions are a scope of folders. Trusted code: what it adds to those permissions is
 * the check of each file against the grants of the call, after symlinks.
 */
import picomatch from "picomatch";
import { messageOf, PryxError } from "../domain/error.ts";
import { performFileRequest } from "./_file_operations.ts";
import { type FileCall, type FileReply, verbOf } from "./_file_protocol.ts";
import { compileDenials, type CompileGlobs, type Denials } from "./_paths.ts";

interface WorkerScope {
  onmessage: ((event: MessageEvent<FileCall>) => void) | null;
  postMessage(reply: FileReply, transfer?: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;
const compiled = new Map<string, Denials>();

function denialsOf(entries: readonly string[]): Denials {
  const key = entries.join("\0");
  let denials = compiled.get(key);
  if (!denials) {
    if (compiled.size >= 32) compiled.clear();
    denials = compileDenials(entries, picomatch as unknown as CompileGlobs);
    compiled.set(key, denials);
  }
  return denials;
}

scope.onmessage = async ({ data: { id, request, grants } }) => {
  try {
    const value = await performFileRequest(request, grants, denialsOf(grants.denied));
    const buffer = request.op === "read" ? (value as { bytes: Uint8Array }).bytes.buffer : undefined;
    scope.postMessage({ id, value }, buffer instanceof ArrayBuffer ? [buffer] : []);
  } catch (error) {
    scope.postMessage({ id, error: describeError(error, verbOf(request.op), request.path) });
  }
};

function describeError(error: unknown, verb: string, path: string) {
  if (error instanceof PryxError) return error.toJSON();
  const failed = (code: "denied" | "not_found" | "io" | "disk_full" | "read_only", why: string) =>
    new PryxError(code, `Cannot ${verb} ${path}: ${why}`).toJSON();
  if (error instanceof Deno.errors.NotCapable) return failed("denied", "it is outside of what was granted");
  if (error instanceof Deno.errors.NotFound) return failed("not_found", "it does not exist");
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOENT") return failed("not_found", "it does not exist");
  if (code === "ENOTDIR") return failed("not_found", "a part of the path is not a folder");
  if (code === "ELOOP") return failed("io", "too many symbolic links");
  if (code === "ENOSPC" || code === "EDQUOT") return failed("disk_full", "the disk is full");
  if (code === "EROFS") return failed("read_only", "the file system is read-only");
  if (error instanceof Deno.errors.PermissionDenied || code === "EACCES" || code === "EPERM") {
    return failed("io", "the operating system does not permit it");
  }
  return failed("io", messageOf(error));
}
