import type { ErrorCode } from "../domain/error.ts";
import type { SandboxGrants } from "../domain/policy.ts";
import type { FileInfo, FolderEntry, TreeEntry } from "./sandbox.ts";

/**
 * What the host asks of a file worker. Every path is absolute and normalised. `checked`: device and inode of files with
 * several names, none of which is denied.
 */
export type FileRequest =
  | { readonly op: "stat"; readonly path: string }
  | { readonly op: "read"; readonly path: string; readonly maxBytes: number; readonly offset: number }
  | {
    readonly op: "write";
    readonly path: string;
    readonly bytes: Uint8Array;
    readonly mode?: number;
    readonly expect?: string | null;
  }
  | {
    readonly op: "append";
    readonly path: string;
    readonly bytes: Uint8Array;
    readonly mode?: number;
    readonly checked: readonly string[];
  }
  | { readonly op: "mkdir"; readonly path: string }
  | { readonly op: "copy"; readonly path: string; readonly to: string; readonly checked: readonly string[] }
  | { readonly op: "move"; readonly path: string; readonly to: string }
  | { readonly op: "remove"; readonly path: string; readonly folder?: "empty" | "all" }
  | { readonly op: "tree"; readonly path: string; readonly limit: number }
  | { readonly op: "list"; readonly path: string }
  | { readonly op: "glob"; readonly path: string; readonly pattern: string; readonly limit: number };

/** Nothing was done: these files (device and inode) have other names, which only the host can look at. */
interface OtherNames {
  readonly otherNames: readonly string[];
}

export interface FileAnswers {
  stat: FileInfo | null;
  /** `otherNames`: device and inode, when the file has more than one name. */
  read: { bytes: Uint8Array; info: FileInfo; otherNames?: string };
  write: null;
  append: OtherNames | null;
  mkdir: null;
  copy: OtherNames | null;
  move: "elsewhere" | null;
  remove: null;
  tree: { entries: readonly TreeEntry[]; more: boolean };
  list: readonly FolderEntry[];
  glob: { paths: readonly string[]; more: boolean };
}

export interface FileCall {
  readonly id: number;
  readonly request: FileRequest;
  /** What this one call may touch. The worker's own permissions may be wider: they are those of its scope. */
  readonly grants: SandboxGrants;
}

export type FileReply =
  | { readonly id: number; readonly value: FileAnswers[keyof FileAnswers] }
  | { readonly id: number; readonly error: { code: ErrorCode; message: string; fix?: string } };

/** Most that one read returns and one write takes, in bytes: a worker that runs out of memory takes the process with it. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** What a request does, after `Cannot`. */
export function verbOf(op: FileRequest["op"]): string {
  return op === "tree" || op === "glob" ? "list" : op === "mkdir" ? "make" : op === "append" ? "write" : op;
}
