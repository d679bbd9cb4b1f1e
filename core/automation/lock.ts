import { isAbsolute } from "node:path";
import type { LockEntry, Permissions } from "../domain/automation.ts";
import { escapeForDisplay } from "../domain/display.ts";
import { messageOf, PryxError } from "../domain/error.ts";
import { NEED_KINDS, type NeedKind } from "../domain/need.ts";
import { describeProblems, type Infer, type Schema, validate } from "../domain/schema.ts";
import type { Lock } from "./automation.ts";

const FORMAT_VERSION = 1;
const MAX_BYTES = 16 * 1024 * 1024;
const REWRITE = "run `pryx check --update` to write it anew, and look at the difference";

const PATTERNS = { type: "array", items: { type: "string", minLength: 1 } } as const satisfies Schema;

const FORMAT = {
  type: "object",
  properties: {
    v: { type: "integer", minimum: 1 },
    automations: {
      type: "object",
      properties: {},
      additionalProperties: {
        type: "object",
        properties: {
          graph: { type: "string", pattern: "^[0-9a-f]{64}$", patternName: "a SHA-256 in hex" },
          api: { type: "integer", minimum: 1 },
          permissions: {
            type: "object",
            properties: {
              read: PATTERNS,
              write: PATTERNS,
              net: PATTERNS,
              run: PATTERNS,
              env: PATTERNS,
              use: PATTERNS,
            } satisfies Record<NeedKind, Schema>,
          },
        },
        required: ["graph", "api", "permissions"],
      },
    },
  },
  required: ["v", "automations"],
} as const satisfies Schema;

/**
 * Reads a `pryx.lock`; an absent one is empty. Rejects with `input_invalid` where the file is no lock, and with `io` where it
 * cannot be read.
 */
export async function readLock(file: string): Promise<Lock> {
  const text = await readText(file);
  if (text === undefined) return { file, entries: new Map() };
  const parsed = parse(file, text);
  const version = typeof parsed === "object" && parsed !== null && "v" in parsed ? parsed.v : undefined;
  if (typeof version === "number" && version > FORMAT_VERSION) {
    throw invalid(file, `it was written by a newer pryx (version ${version} of the format)`, "update pryx");
  }
  const problems = validate(FORMAT, parsed);
  if (problems.length > 0) throw invalid(file, escapeForDisplay(describeProblems(problems.slice(0, 3))));
  const { automations } = parsed as Infer<typeof FORMAT>;
  const entries = new Map<string, LockEntry>();
  for (const [path, entry] of Object.entries(automations)) {
    if (!isPlainPath(path)) {
      throw invalid(file, `"${escapeForDisplay(path)}" is not a path below the project's root`);
    }
    entries.set(path, { graph: entry.graph, permissions: sorted(entry.permissions), api: entry.api });
  }
  const lock = { file, entries };
  if (render(lock) !== text) await refuseDoubles(file, text);
  return lock;
}

/** Replaces the file at once; its mode stays, a link is followed. Rejects with `io`. */
export async function writeLock(lock: Lock): Promise<void> {
  const target = await Deno.realPath(lock.file).catch(() => lock.file);
  const temporary = `${target}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    const mode = (await Deno.stat(target).catch(() => undefined))?.mode;
    {
      using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o644 });
      const bytes = new TextEncoder().encode(render(lock));
      for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
      await file.sync();
    }
    if (mode !== undefined && mode !== null) await Deno.chmod(temporary, mode & 0o777);
    await Deno.rename(temporary, target);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw new PryxError("io", `Cannot write ${lock.file}: ${messageOf(error)}`, { cause: error });
  }
}

/** The same text for the same entries, on every machine. */
function render({ entries }: Lock): string {
  const paths = [...entries].sort(([a], [b]) => a < b ? -1 : 1);
  // Built from pairs: a path may have any name, `__proto__` too.
  const automations = Object.fromEntries(
    paths.map((
      [path, { graph, api, permissions }],
    ) => [path, { graph, api, permissions: sorted(permissions) }]),
  );
  return `${JSON.stringify({ v: FORMAT_VERSION, automations }, undefined, 2)}\n`;
}

function sorted(permissions: Permissions): Permissions {
  const kinds = NEED_KINDS.toSorted().filter((kind) => permissions[kind]?.length);
  return Object.fromEntries(kinds.map((kind) => [kind, [...new Set(permissions[kind])].sort()]));
}

async function readText(file: string): Promise<string | undefined> {
  let bytes: Uint8Array;
  try {
    const { isFile, size } = await Deno.stat(file);
    if (!isFile) throw new PryxError("io", `Cannot read ${file}: it is no plain file`);
    if (size > MAX_BYTES) throw invalid(file, `it is longer than ${MAX_BYTES / 1024 / 1024} MB`);
    bytes = await Deno.readFile(file);
  } catch (error) {
    if (error instanceof PryxError) throw error;
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw new PryxError("io", `Cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw invalid(file, "it is not text in UTF-8");
  }
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const lines = text.split(/\r?\n/u);
    const mark = lines.findIndex((line) => /^(?:<{7}|\|{7}|={7}|>{7})(?:\s|$)/u.test(line));
    if (mark >= 0) {
      throw invalid(
        file,
        `line ${mark + 1} has the mark of a merge that is not finished`,
        "take either side, then run `pryx check --update` and look at the difference",
      );
    }
    throw invalid(file, `it is not JSON (${escapeForDisplay(messageOf(error))})`);
  }
}

/** Of two members with one name, readers would see one and programs the other. A file as pryx writes it has none. */
async function refuseDoubles(file: string, text: string): Promise<void> {
  const { visit } = await import("jsonc-parser");
  const open: Set<string>[] = [];
  let double: { name: string; line: number } | undefined;
  visit(text, {
    onObjectBegin: () => void open.push(new Set()),
    onObjectEnd: () => void open.pop(),
    onObjectProperty(name, _offset, _length, line) {
      const names = open.at(-1);
      if (names?.has(name)) double ??= { name, line: line + 1 };
      names?.add(name);
    },
  });
  if (double) {
    throw invalid(file, `line ${double.line} names "${escapeForDisplay(double.name)}" a second time`);
  }
}

function isPlainPath(path: string): boolean {
  return path !== "" && !isAbsolute(path) && !path.includes("\\") && escapeForDisplay(path) === path &&
    !path.split("/").some((part) => part === "" || part === "." || part === "..");
}

function invalid(file: string, what: string, fix = REWRITE): PryxError {
  return new PryxError("input_invalid", `Cannot use ${file}: ${what}`, { fix });
}
