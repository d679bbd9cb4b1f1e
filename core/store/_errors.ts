import { dirname } from "node:path";
import { messageOf, PryxError } from "../domain/error.ts";

/** SQLite's primary result codes (https://sqlite.org/rescode.html) that call for different advice. */
type Kind = "busy" | "read_only" | "io" | "corrupt" | "full" | "cannot_open" | "other";

const KINDS: Readonly<Record<number, Kind>> = {
  5: "busy",
  6: "busy",
  8: "read_only",
  10: "io",
  11: "corrupt",
  13: "full",
  14: "cannot_open",
  26: "corrupt",
};

// Errors of `prepare`, `exec` and opening carry no result code, only SQLite's text for it.
const TEXTS: readonly (readonly [RegExp, Kind])[] = [
  [/database (table )?is locked/, "busy"],
  [/readonly database/, "read_only"],
  [/disk I\/O error/, "io"],
  [/malformed|not a database|file is encrypted/, "corrupt"],
  [/database or disk is full/, "full"],
  [/unable to open database/, "cannot_open"],
];

function kindOf(error: unknown): Kind | undefined {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "ERR_SQLITE_ERROR") return undefined;
  if ("errcode" in error && typeof error.errcode === "number") return KINDS[error.errcode & 0xff] ?? "other";
  return TEXTS.find(([text]) => text.test(error.message))?.[1] ?? "other";
}

/** Whether another connection holds the lock (SQLITE_BUSY). */
export function isBusy(error: unknown): boolean {
  return kindOf(error) === "busy";
}

/**
 * What SQLite or the file system threw, as a PryxError that says what was tried and what to do. Errors that are
 * neither (bugs, PryxErrors) come back as they are. `tried` completes "Cannot …".
 */
export function storeError(tried: string, path: string, error: unknown): unknown {
  const kind = kindOf(error) ?? fileKindOf(error);
  if (kind === undefined) return error;
  // Both come up for several reasons (a folder without write permission, a full disk under the shared memory file).
  const cause = kind === "cannot_open" || kind === "io" ? diagnose(path) ?? kind : kind;
  const text = messageOf(error);
  switch (cause) {
    case "corrupt":
      return corrupt(path, error);
    case "full":
      return new PryxError("disk_full", `Cannot ${tried}: the disk that holds ${path} is full`, {
        fix: "Free some space and try again. Everything stored before is kept",
        cause: error,
      });
    case "read_only":
      return new PryxError("read_only", `Cannot ${tried}: ${path} cannot be written (${text})`, {
        fix: `Make ${
          dirname(path)
        } and the files in it writable for your user, or set PRYX_HOME to a folder that is`,
        cause: error,
      });
    case "busy":
      return new PryxError("database", `Cannot ${tried}: another process keeps ${path} locked`, {
        fix:
          "Try again. If it stays so, end the pryx process that hangs (`lsof` or `fuser` on the file name it)",
        cause: error,
      });
    case "folder":
      return new PryxError("database", `Cannot ${tried}: ${path} is a folder, not a database`, {
        fix: "Move it away, or set PRYX_HOME to another folder",
        cause: error,
      });
    default:
      return new PryxError("database", `Cannot ${tried}: ${path}: ${text}`, { cause: error });
  }
}

/** What a person is told of a damaged file: the backup to go back to, when there is one. */
export function corrupt(path: string, cause: unknown): PryxError {
  const backup = newestBackup(path);
  const restore = backup
    ? `Move it (and its -wal and -shm files) away, then copy ${backup} to ${path}`
    : "Restore it from a backup, or move it (and its -wal and -shm files) away: pryx then begins a new one";
  return new PryxError("database_corrupt", `Cannot use ${path}: it is damaged or is not a pryx database`, {
    fix: `${restore}. \`sqlite3 ${path} .recover\` may save what is left. Nothing was changed or deleted`,
    cause,
  });
}

/** The backup that a migration left, of the newest version. */
function newestBackup(path: string): string | undefined {
  const prefix = `${path}.backup-v`;
  let best: { path: string; version: number } | undefined;
  try {
    for (const { name } of Deno.readDirSync(dirname(path))) {
      const full = `${dirname(path)}/${name}`;
      if (!full.startsWith(prefix)) continue;
      const version = Number.parseInt(full.slice(prefix.length), 10);
      if (version > (best?.version ?? 0)) best = { path: full, version };
    }
  } catch {
    return undefined;
  }
  return best?.path;
}

function fileKindOf(error: unknown): Kind | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = "code" in error ? error.code : undefined;
  if (code === "ENOSPC" || code === "EDQUOT" || /os error (28|122)\b/.test(error.message)) return "full";
  if (code === "EROFS" || code === "EACCES" || code === "EPERM") return "read_only";
  if (error instanceof Deno.errors.PermissionDenied || /os error 30\b/.test(error.message)) {
    return "read_only";
  }
  if (code !== undefined && typeof code === "string" && /^E[A-Z]+$/.test(code)) return "other";
  return undefined;
}

/** Why a database that should open does not: looks at the path, tries to write beside it. */
function diagnose(path: string): Kind | "folder" | undefined {
  try {
    if (Deno.statSync(path).isDirectory) return "folder";
    Deno.openSync(path, { read: true, write: true }).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return fileKindOf(error);
  }
  const probe = `${path}.probe-${Deno.pid}`;
  try {
    // SQLite's shared memory file grows in steps of 32 KiB.
    Deno.writeFileSync(probe, new Uint8Array(65_536), { createNew: true, mode: 0o600 });
  } catch (error) {
    return fileKindOf(error);
  } finally {
    try {
      Deno.removeSync(probe);
    } catch {
      // It was not made.
    }
  }
  return undefined;
}
